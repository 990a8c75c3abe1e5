import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { ROOT } from '../program.ts';

const SETUP = join(ROOT, 'build/setup.sh');

describe('the set-up of a machine', () => {
  let commands: string;

  /** A machine that has the shell's helpers and, of everything else, only what is written here. */
  beforeEach(() => {
    commands = mkdtempSync(join(tmpdir(), 'setup-'));
    for (const name of ['bash', 'dirname', 'uname', 'id', 'grep']) symlinkSync(`/usr/bin/${name}`, join(commands, name));
  });
  afterEach(() => rmSync(commands, { recursive: true }));

  function pretend(name: string, output: string): void {
    rmSync(join(commands, name), { force: true });
    writeFileSync(join(commands, name), `#!/bin/bash\necho '${output}'\n`);
    chmodSync(join(commands, name), 0o755);
  }

  async function setUp(purpose: string): Promise<{ stderr: string; exitCode: number | undefined }> {
    const { stderr, exitCode } = await execa('/bin/bash', [SETUP, purpose], { env: { PATH: commands }, extendEnv: false, reject: false });
    return { stderr, exitCode };
  }

  it('says that another system cannot run the program', async () => {
    pretend('uname', 'Darwin');
    const { stderr, exitCode } = await setUp('build');
    expect(stderr).to.contain('this is Darwin').and.to.contain('Debian 12');
    expect(exitCode).to.equal(1);
  });

  it('says that the tests need root, before it installs anything', async () => {
    pretend('id', '1000');
    const { stderr, exitCode } = await setUp('test');
    expect(stderr).to.contain('need root').and.to.contain('sudo make test');
    expect(exitCode).to.equal(1);
  });

  it('names what is missing and how to get it when it is not root', async () => {
    pretend('id', '1000');
    const { stderr, exitCode } = await setUp('build');
    expect(stderr).to.match(/apt-get install .*\bnpm\b.*\bgcc\b/);
    expect(exitCode).to.equal(1);
  });

  it('names what is missing when there is no apt-get', async () => {
    pretend('id', '0');
    const { stderr, exitCode } = await setUp('test');
    expect(stderr)
      .to.contain('there is no apt-get')
      .and.to.match(/\bacl\b.*\blibarchive-tools\b.*\bphp-cli\b/s);
    expect(exitCode).to.equal(1);
  });
});

describe('make without a target', () => {
  it('lists the targets, a line each', async () => {
    const { stdout } = await execa('make', ['-s'], { cwd: ROOT, env: { MAKEFLAGS: '', MAKELEVEL: '' } });
    const lines = stdout.split('\n');
    expect(lines.every((line) => /^make [a-z-]+ +\S/.test(line))).to.equal(true);
    for (const target of ['setup', 'build', 'check', 'test', 'demo', 'clean'])
      expect(lines.some((line) => line.startsWith(`make ${target} `))).to.equal(true);
  });
});
