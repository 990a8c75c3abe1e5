import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execaSync } from 'execa';
import { makeNodeAt } from '../../core/linux/files.ts';
import { ROOT } from '../program.ts';

/** EL8's. What the executable is linked with, test/packaging/rpm.test.ts looks at; these functions are looked for while it runs. */
const OLDEST = 28;
/** The program does without it where it is missing. */
const OPTIONAL = ['posix_spawn_file_actions_addchdir_np'];

describe('what is asked of the C library while the program runs', () => {
  it('is there in the oldest one', () => {
    const libc = execaSync('sh', ['-c', "ldd /bin/sh | sed -n 's/.* => \\(.*libc.so.6\\) .*/\\1/p'"]).stdout;
    const since = new Map<string, number>();
    for (const [, version, name] of execaSync('objdump', ['-T', libc]).stdout.matchAll(/\bGLIBC_2\.(\d+)(?:\.\d+)?\)? +(\w+)$/gm))
      since.set(name as string, Math.min(Number(version), since.get(name as string) ?? Number.POSITIVE_INFINITY));
    const sources = globSync('core/**/*.ts', { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), 'utf8'));
    const asked = sources.flatMap((text) => [...text.matchAll(/(?:func|ifThere)\('[^'(]*?(\w+)\(/g)].map(([, name]) => name as string));
    expect(asked).to.include.members(['openat', 'statx', 'syscall', ...OPTIONAL]);
    // What is not in there is of the executable itself.
    const late = asked.filter((name) => (since.get(name) ?? 0) > OLDEST && !OPTIONAL.includes(name));
    expect(late).to.deep.equal([]);
  });

  it('makes no device with a number that there is not', () => {
    for (const device of [0x1000, 0xffff_ffff]) expect(() => makeNodeAt(-1, 'device', 0o020600, device, 0), `${device}`).to.throw('EINVAL');
    expect(() => makeNodeAt(-1, 'device', 0o020600, 0xfff, 0xfffff)).to.throw('EBADF');
  });
});
