// Takes one guard after the other out of a copy of the project and runs the tests that should notice. Arguments: parts of names.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { ROOT } from '../program.ts';
import { GUARDS, type Guard } from './guards.ts';
import { Variant } from './variant.ts';

const FOLDERS = ['core', 'test', 'build'];

/** The test file that failed; undefined when all passed. */
async function noticedBy(guard: Guard): Promise<string | undefined> {
  const variant = new Variant([guard], FOLDERS);
  try {
    for (const test of guard.tests) {
      if (!existsSync(join(variant.root, test))) throw new Error(`${guard.name}: there is no ${test}`);
      const options = ['--bail', '--timeout', '300000', test];
      const { exitCode } = await execa(join(ROOT, 'node_modules/.bin/mocha'), options, {
        cwd: variant.root,
        reject: false,
        timeout: 600_000,
      });
      if (exitCode !== 0) return test;
    }
    return undefined;
  } finally {
    variant.remove();
  }
}

const wanted = process.argv.slice(2);
const survived: string[] = [];
for (const guard of GUARDS.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)))) {
  const test = await noticedBy(guard);
  if (test === undefined) survived.push(guard.name);
  console.log(`${test === undefined ? 'SURVIVED' : 'noticed '}  ${guard.name}${test === undefined ? '' : ` (${test})`}`);
}
console.log(survived.length === 0 ? 'every guard is watched by a test' : `${survived.length} guards can go without a test failing`);
process.exitCode = survived.length === 0 ? 0 : 1;
