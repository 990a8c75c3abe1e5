import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { ROOT } from '../program.ts';

const FORBIDDEN: [string, string][] = [
  ['cli', '../../repository/repository.ts'],
  ['cli', '../../rpc/serve.ts'],
  ['rpc', '../../linux/files.ts'],
  ['commands', '../../cli/main.ts'],
  ['scan', '../../commands/run.ts'],
  ['scan', '../../repository/repository.ts'],
  ['archive', '../../scan/walker.ts'],
  ['repository', '../../archive/pack-reader.ts'],
  ['restore', '../../scan/walker.ts'],
  ['chain', '../../repository/repository.ts'],
  ['chain', 'node:fs'],
  ['manifest', '../../archive/frame.ts'],
  ['manifest', 'node:fs/promises'],
  ['linux', '../../scan/walker.ts'],
  ['config', '../../linux/files.ts'],
  ['scan', 'koffi'],
  ['restore', 'fs-xattr'],
];

const ALLOWED: [string, string][] = [
  ['cli', '../../commands/registry.ts'],
  ['commands', '../../scan/walker.ts'],
  ['restore', '../../archive/pack-reader.ts'],
  ['repository', '../../linux/files.ts'],
  ['repository', '../../failure.ts'],
  ['linux', 'koffi'],
  ['linux', 'node:fs'],
];

/** Where a probe stands: two levels below `core`, as the deepest real file does. */
const probe = ([folder, name]: [string, string]): string => `core/${folder}/${encodeURIComponent(name)}/probe.ts`;

describe('the borders between the folders', () => {
  let verdict: string;

  before(async () => {
    const place = mkdtempSync(join(tmpdir(), 'borders-'));
    try {
      copyFileSync(join(ROOT, 'biome.json'), join(place, 'biome.json'));
      for (const border of [...FORBIDDEN, ...ALLOWED]) {
        mkdirSync(dirname(join(place, probe(border))), { recursive: true });
        writeFileSync(join(place, probe(border)), `import { thing } from '${border[1]}';\nthing();\n`);
      }
      const options = ['lint', '--only=style/noRestrictedImports', '--vcs-enabled=false', '--max-diagnostics=none'];
      const { stdout, stderr } = await execa(join(ROOT, 'node_modules/.bin/biome'), options, { cwd: place, reject: false });
      verdict = stdout + stderr;
    } finally {
      rmSync(place, { recursive: true });
    }
  });

  for (const border of FORBIDDEN) {
    it(`keep core/${border[0]} from importing ${border[1]}`, () => {
      expect(verdict).to.match(new RegExp(`${RegExp.escape(probe(border))}\\S* lint/style/noRestrictedImports`));
    });
  }

  for (const border of ALLOWED) {
    it(`let core/${border[0]} import ${border[1]}`, () => {
      expect(verdict).not.to.contain(probe(border));
    });
  }

  it('are drawn around every folder', () => {
    const configuration = readFileSync(join(ROOT, 'biome.json'), 'utf8');
    for (const folder of [
      'cli',
      'rpc',
      'commands',
      'scan',
      'archive',
      'restore',
      'repository',
      'panel',
      'databases',
      'jobs',
      'chain',
      'manifest',
      'crypto',
      'linux',
      'config',
    ]) {
      expect(configuration).to.contain(`["core/${folder}/**"]`);
    }
  });
});
