import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { list } from '../../core/commands/list.ts';
import { loadSettings } from '../../core/config/settings.ts';
import { untrusted } from '../../core/config/trusted-place.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { failureOf } from '../failure-of.ts';

const OTHER = 65534;

describe('places that root trusts', () => {
  let folder: string;
  let inner: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-'));
    inner = join(folder, 'a/b');
    mkdirSync(inner, { recursive: true });
    file = join(inner, 'file');
    writeFileSync(file, '{}');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("are those where every folder is root's alone, /tmp with its sticky bit included", () => {
    expect(untrusted(file)).to.equal(undefined);
    expect(untrusted(join(inner, 'not/there/yet'))).to.equal(undefined);
  });

  it('are those that root is going to make in a folder with the sticky bit, as a fresh file system has it', async () => {
    chmodSync(inner, 0o1777);
    expect(untrusted(join(inner, 'new'))).to.equal(undefined);
    expect(untrusted(join(inner, 'new/and/below'))).to.equal(undefined);
    expect(untrusted(inner)).to.deep.include({ place: inner });
    const sandbox = new Sandbox();
    try {
      sandbox.set('repository', join(inner, 'backups/repository'));
      sandbox.set('stateDirectory', join(inner, 'state'));
      await sandbox.init();
      expect(await sandbox.back()).to.include({ status: 'ok' });
    } finally {
      await sandbox.remove();
    }
  });

  it('are not those that somebody was quicker to make there, nor behind a link that others can lead elsewhere', async () => {
    chmodSync(inner, 0o1777);
    const own = join(folder, 'own');
    mkdirSync(join(own, 'repository'), { recursive: true, mode: 0o700 });
    const link = join(inner, 'link');
    symlinkSync(own, link);
    expect(untrusted(join(link, 'repository'))).to.equal(undefined);
    lchownSync(link, OTHER, OTHER);
    expect(untrusted(join(link, 'repository'))).to.deep.include({ place: link });
    expect(untrusted(join(link, 'new'))).to.deep.include({ place: link });
    chmodSync(inner, 0o755);
    // Nobody but root can put another there, whoever made it.
    expect(untrusted(join(link, 'repository'))).to.equal(undefined);
    chownSync(inner, OTHER, OTHER);
    expect(untrusted(join(link, 'repository'))).to.deep.include({ place: inner });
  });

  it('lead over `..` and relative links as the kernel goes, and end in a circle', () => {
    const link = join(folder, 'link');
    symlinkSync('a/../a/b/./', link);
    expect(untrusted(join(link, 'file'))).to.equal(undefined);
    chmodSync(inner, 0o777);
    expect(untrusted(`${link}/../b/file`)).to.deep.include({ place: inner });
    const circle = join(folder, 'circle');
    symlinkSync('circle', circle);
    expect(untrusted(circle)?.reason).to.contain('circle');
  });

  for (const [what, spoil, reason] of [
    ['belongs to somebody', (place: string) => chownSync(place, OTHER, 0), /belongs to the user 65534/],
    ['is open to a group', (place: string) => chmodSync(place, 0o775), /the group 0 may write/],
    ['is open to everybody', (place: string) => chmodSync(place, 0o777), /everybody may write/],
  ] as const) {
    it(`are not where a folder or the file ${what}, also behind a link, or where nothing is yet`, () => {
      for (const place of [join(folder, 'a'), inner, file]) {
        spoil(place);
        expect(untrusted(file)).to.deep.include({ place });
        expect(untrusted(file)?.reason).to.match(reason);
        const link = join(folder, 'link');
        symlinkSync(file, link);
        expect(untrusted(link)).to.deep.include({ place });
        rmSync(link);
        if (place !== file) expect(untrusted(join(inner, 'new'))).to.deep.include({ place });
        chownSync(place, 0, 0);
        chmodSync(place, place === file ? 0o644 : 0o755);
      }
    });
  }

  it('are asked of the settings, the state and the repository', async () => {
    const sandbox = new Sandbox();
    try {
      await sandbox.init();
      await sandbox.back();
      const move = join(sandbox.folder, 'of-others');
      mkdirSync(move);
      const settings = join(move, 'config.json');
      writeFileSync(settings, '{}');
      chownSync(move, OTHER, OTHER);
      const refused = await failureOf(() => loadSettings(settings));
      expect(refused).to.include({ code: 'invalid_settings' });
      expect(refused.message).to.contain(`${move}: it belongs to the user`);
      sandbox.set('stateDirectory', join(move, 'state'));
      expect((await failureOf(() => sandbox.back())).message).to.contain(move);
      sandbox.set('stateDirectory', sandbox.stateDirectory);
      sandbox.set('repository', join(move, 'repository'));
      mkdirSync(join(move, 'repository'), { mode: 0o700 });
      const foreign = await failureOf(() => list({}, sandbox.context));
      expect(foreign).to.include({ code: 'repository_foreign' });
      expect(foreign.affected).to.deep.equal([move]);
    } finally {
      await sandbox.remove();
    }
  });
});
