import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { ROOT } from '../program.ts';

/** What the linter says about this text as a file of a folder of the core. */
async function lint(folder: string, source: string): Promise<string> {
  const options = ['lint', '--only=style/noRestrictedImports', `--stdin-file-path=core/${folder}/inner/probe.ts`];
  const { stdout, stderr } = await execa(join(ROOT, 'node_modules/.bin/biome'), options, { cwd: ROOT, reject: false, input: source });
  return stdout + stderr;
}

const imports = (name: string): string => `import { thing } from '${name}';\nthing();\n`;

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

describe('the borders between the folders', () => {
  for (const [folder, name] of FORBIDDEN) {
    it(`keep core/${folder} from importing ${name}`, async () => {
      expect(await lint(folder, imports(name))).to.contain('noRestrictedImports');
    });
  }

  for (const [folder, name] of ALLOWED) {
    it(`let core/${folder} import ${name}`, async () => {
      expect(await lint(folder, imports(name))).not.to.contain('noRestrictedImports');
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
