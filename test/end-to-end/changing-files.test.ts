import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { makeSmallWebApplication } from '../accounts/site-software.ts';
import { compareTrees } from '../fidelity/compare-trees.ts';
import { describeTree } from '../fidelity/description.ts';
import { TestServer } from './test-server.ts';

const SIZE = 12 * 1024 * 1024;
/** Stands in a file outside of the account, which nothing inside may ever lead to. */
const SECRET = 'a secret of the server';

/** What happens without a pause to `victim` in the account while a backup runs; Python, in the account's folder. */
const ACTIONS: Readonly<Record<string, string>> = {
  'is rewritten': 'f = open("victim", "r+b")\nwhile True: f.seek(random.randrange(SIZE)); f.write(b"new"); f.flush()',
  grows: 'f = open("victim", "ab")\nwhile True: f.write(b"more"); f.flush()',
  shrinks: `
size = SIZE
while True:
    size = size - 4096 if size > 8192 else SIZE
    os.truncate("victim", size)`,
  'is replaced': 'while True: shutil.copyfile("spare", ".new"); os.rename(".new", "victim")',
  vanishes: 'while True: os.rename("victim", "../../../aside"); os.rename("../../../aside", "victim")',
  'becomes a link to the outside': swapWith('os.symlink(SECRET, "other")'),
  'becomes a FIFO': swapWith('os.mkfifo("other")'),
  'becomes a device': swapWith('os.mknod("other", 0o020666, os.makedev(1, 5))'),
  'becomes a directory': swapWith('os.mkdir("other")'),
};

function swapWith(make: string): string {
  return `
${make}
while True:
    os.rename("victim", "../../aside"); os.rename("other", "victim")
    os.rename("victim", "other"); os.rename("../../aside", "victim")`;
}

describe('a file that changes while a backup runs (case 27)', function () {
  this.timeout(120_000);
  let server: TestServer;

  beforeEach(async () => {
    server = new TestServer();
    makeSmallWebApplication(join(server.shadow, 'site'));
    mkdirSync(join(server.shadow, 'changing'));
    writeFileSync(join(server.folder, 'secret'), SECRET.repeat(1000));
    for (const name of ['victim', 'spare']) writeFileSync(join(server.shadow, 'changing', name), Buffer.alloc(SIZE, name));
    await server.init();
  });

  afterEach(() => server.remove());

  async function runDuring(action: string) {
    const prelude = `import os, random, shutil\nSIZE = ${SIZE}\nSECRET = ${JSON.stringify(join(server.folder, 'secret'))}\n`;
    const changes = execa('/usr/bin/python3', ['-c', prelude + action], { cwd: join(server.shadow, 'changing'), reject: false });
    try {
      return await server.run();
    } finally {
      changes.kill('SIGKILL');
      await changes;
    }
  }

  /** That the unchanged files came back, and nothing of the file outside came in. */
  async function expectNoHarm(): Promise<void> {
    const target = join(server.folder, 'restored');
    const { exitCode } = await server.restore('--to', target);
    expect(exitCode).to.be.oneOf([0, 3]);
    expect(await compareTrees(join(server.shadow, 'site'), join(target, 'shadow/site'))).to.deep.equal([]);
    for await (const entry of describeTree(join(target, 'shadow'))) {
      if (entry.kind === 'file') expect(entry.size, entry.path).to.not.equal(SECRET.length * 1000);
    }
  }

  for (const [what, action] of Object.entries(ACTIONS)) {
    it(`and ${what} harms nothing else, and the next run has it`, async () => {
      const { exitCode, result } = await runDuring(action);
      const [unit] = result.units;
      expect(unit!.error).to.equal(null);
      expect(unit!.status).to.be.oneOf(['ok', 'partial']);
      expect(exitCode).to.equal(unit!.status === 'partial' ? 3 : 0);
      for (const { path } of unit!.warnings) expect(path).to.match(/^shadow\/changing(\/|$)/);
      await expectNoHarm();
      await server.expectPerfectRun();
    });
  }

  it('and is rewritten all the time is kept with a warning that says so', async () => {
    const { result } = await runDuring(ACTIONS['is rewritten']!);
    expect(result.units[0]!.warnings.map(({ path, code }) => `${path}: ${code}`)).to.deep.equal([
      'shadow/changing/victim: changed_while_read',
    ]);
  });
});
