import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { makeTortureTree } from '../accounts/torture-tree.ts';
import { type CompareOptions, compareTrees } from '../fidelity/compare-trees.ts';
import { TestServer } from './test-server.ts';

const PACK_DIRECTORY = '/packs/';

/** What no tar archive can hold. */
const BEYOND_TAR: CompareOptions = { ignoreProperties: ['inode flags'], exclude: ['special/socket', 'hard/also socket'] };

/** What bsdtar 3.6 gets wrong, also in archives that other programs wrote. */
const BEYOND_BSDTAR = [
  // It leaves the escapes of `=` and `%` in names of attributes.
  'attributes/file',
  'attributes/directory',
  // It takes fractions of seconds before 1970 for fractions after.
  'times',
  // It loses the default ACL of a directory that has no other ACL and whose children came first.
  'flags/immutable directory',
  // It composes what Unicode can compose.
  'names/e\xcc\x81',
];

describe('a tree with one of everything', function () {
  this.timeout(300_000);
  let server: TestServer;

  beforeEach(async () => {
    server = new TestServer();
    await server.init();
  });

  afterEach(() => server.remove());

  async function extract(command: string, options: readonly string[]): Promise<string> {
    const target = join(server.folder, command);
    mkdirSync(target);
    for (const pack of server
      .objects('.tar.zst')
      .filter((name) => name.includes(PACK_DIRECTORY))
      .sort()) {
      const archive = execa('zstd', ['-dc', join(server.repository, pack)], { encoding: 'buffer' });
      await archive.pipe(command, ['-xpf', '-', '-C', target, ...options]);
    }
    return target;
  }

  it('comes back in every property (cases 10, 24, 28)', async () => {
    await makeTortureTree(server.shadow, process.env.SLOW === '1' ? {} : { many: 20_000 });
    await server.expectPerfectRun();
  });

  /** Backs up a tree without the paths beyond PATH_MAX, where these tools do not get. */
  async function backUpForTar(): Promise<void> {
    await makeTortureTree(server.shadow, { many: 100, levels: 300 });
    await execa('rm', ['-r', join(server.shadow, 'long')]);
    await server.backUp();
  }

  it('comes back from the packs with GNU tar', async () => {
    await backUpForTar();
    const target = await extract('tar', ['--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner']);
    expect(await compareTrees(server.shadow, join(target, 'shadow'), BEYOND_TAR)).to.deep.equal([]);
  });

  it('comes back from the packs with bsdtar', async () => {
    await backUpForTar();
    const target = await extract('bsdtar', ['--xattrs', '--acls', '--numeric-owner']);
    const options = { ...BEYOND_TAR, exclude: [...BEYOND_TAR.exclude!, ...BEYOND_BSDTAR] };
    expect(await compareTrees(server.shadow, join(target, 'shadow'), options)).to.deep.equal([]);
  });
});
