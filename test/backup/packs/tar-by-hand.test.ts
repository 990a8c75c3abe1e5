import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { Sandbox } from '../../commands/sandbox.ts';
import { compareTrees } from '../../fidelity/compare-trees.ts';

const LARGE = 9 * 1024 * 1024;

describe('the packs of a snapshot in the hands of tar', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = new Sandbox();
    await sandbox.init();
    writeFileSync(join(sandbox.shadow, 'dense'), randomBytes(LARGE));
    const sparse = openSync(join(sandbox.shadow, 'sparse'), 'w');
    ftruncateSync(sparse, 3 * LARGE);
    writeSync(sparse, randomBytes(LARGE), 0, LARGE, LARGE);
    closeSync(sparse);
    for (const name of ['dense', 'sparse']) linkSync(join(sandbox.shadow, name), join(sandbox.shadow, `${name} too`));
    symlinkSync('dense', join(sandbox.shadow, 'link'));
    linkSync(join(sandbox.shadow, 'link'), join(sandbox.shadow, 'link too'));
  });
  afterEach(() => sandbox.remove());

  const packsOf = (snapshot: string | null): string[] => sandbox.objects('packs').filter((path) => path.includes(snapshot as string));

  /** Extracts the packs of a snapshot in their order, as the documentation shows it; tar has to have nothing against them. */
  function extract(snapshot: string): string {
    const target = join(sandbox.folder, `by-hand-${snapshot}`);
    mkdirSync(target);
    const packs = packsOf(snapshot);
    const command =
      'for pack in "$@"; do zstd -dc "$pack"; done | tar -xpi --xattrs --xattrs-include="*" --acls --numeric-owner -C "$target"';
    const { status, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', command, 'bash', ...packs], {
      env: { ...process.env, target, LC_ALL: 'C.UTF-8' },
    });
    expect({ status, stderr: String(stderr) }).to.deep.equal({ status: 0, stderr: '' });
    return target;
  }

  function change(name: string, at: number): void {
    const file = openSync(join(sandbox.shadow, name), 'r+');
    writeSync(file, 'changed', at);
    closeSync(file);
  }

  it('of a full is everything that there was', async () => {
    const { snapshot } = await sandbox.back('full');
    const target = extract(snapshot as string);
    for (const root of ['shadow', 'info']) expect(await compareTrees(join(sandbox.site, root), join(target, root))).to.deep.equal([]);
  });

  for (const [what, at] of [
    ['first', LARGE + 10],
    ['last', 2 * LARGE - 10],
  ] as const) {
    it(`has no link to a name that has no member, where the ${what} piece of a file of two names changed`, async () => {
      await sandbox.back('full');
      change('dense', at - LARGE);
      change('sparse', at);
      const { snapshot, status } = await sandbox.back('incremental');
      expect(status).to.equal('ok');
      extract(snapshot as string);
      expect(await sandbox.differences()).to.deep.equal([]);
    });
  }

  it('restores the times of folders around links that lead upwards, also those of several names', async () => {
    for (const [folder, target] of [
      ['one', '/etc/passwd'],
      ['two', '../dense'],
    ] as const) {
      for (const each of [folder, `${folder}/below`, `${folder} too`]) mkdirSync(join(sandbox.shadow, each));
      symlinkSync(target, join(sandbox.shadow, folder, 'below/link'));
      linkSync(join(sandbox.shadow, folder, 'below/link'), join(sandbox.shadow, folder, 'z'));
      linkSync(join(sandbox.shadow, folder, 'below/link'), join(sandbox.shadow, `${folder} too`, 'z'));
      for (const each of [folder, `${folder}/below`, `${folder} too`]) utimesSync(join(sandbox.shadow, each), 1_000_000_000, 1_000_000_000);
    }
    writeFileSync(join(sandbox.shadow, 'one too/file'), 'x');
    writeFileSync(join(sandbox.site, 'info/x'), 'x');
    symlinkSync('/etc/passwd', join(sandbox.shadow, 'upwards'));
    linkSync(join(sandbox.shadow, 'upwards'), join(sandbox.shadow, 'upwards too'));
    for (const each of ['one too', '.']) utimesSync(join(sandbox.shadow, each), 1_000_000_000, 1_000_000_000);
    const { snapshot } = await sandbox.back('full');
    const target = extract(snapshot as string);
    expect(await compareTrees(join(sandbox.site, 'shadow'), join(target, 'shadow'))).to.deep.equal([]);
    // Where threads fill the packs in another order, tar has left a folder again when a link in it comes: so the folder has to stand before each.
    const members = String(
      spawnSync('bash', ['-c', 'for p in "$@"; do zstd -dc "$p"; done | tar -ti', 'bash', ...packsOf(snapshot)]).stdout,
    ).split('\n');
    for (const link of ['upwards', 'upwards too', 'one/below/link', 'one/z', 'one too/z', 'two/below/link', 'two too/z']) {
      const at = members.indexOf(`shadow/${link}`);
      const folder = members.indexOf(`${dirname(`shadow/${link}`)}/`);
      expect(at > folder && folder >= 0, `${link} ${at} ${folder}`).to.equal(true);
    }
    // A further name alone that is new is an ordinary link to what is stored.
    linkSync(join(sandbox.shadow, 'one/z'), join(sandbox.shadow, 'one/y'));
    const later = extract((await sandbox.back('incremental')).snapshot as string);
    for (const name of ['z', 'y', 'below/link']) expect(readlinkSync(join(later, 'shadow/one', name)), name).to.equal('/etc/passwd');
    expect(await sandbox.differences()).to.deep.equal([]);
  });

  it('has every further name of a file whose member it has', async () => {
    await sandbox.back('full');
    writeFileSync(join(sandbox.shadow, 'small'), 'content');
    linkSync(join(sandbox.shadow, 'small'), join(sandbox.shadow, 'small too'));
    const { snapshot } = await sandbox.back('incremental');
    const target = extract(snapshot as string);
    expect(await compareTrees(join(sandbox.shadow, 'small'), join(target, 'shadow/small'))).to.deep.equal([]);
    expect(await compareTrees(join(sandbox.shadow, 'small too'), join(target, 'shadow/small too'))).to.deep.equal([]);
  });
});
