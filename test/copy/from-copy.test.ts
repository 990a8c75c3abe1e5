import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { buildProgram } from '../../core/cli/program.ts';
import { METHODS } from '../../core/commands/registry.ts';
import type { Failure } from '../../core/failure.ts';
import { MESSAGES, type MethodName } from '../../core/schemas/messages.ts';
import { Sandbox } from '../commands/sandbox.ts';

/** What can be about a copy: the words of its command, before `--from`. Null: programs alone ask for it so. */
const READING: Readonly<Record<string, readonly string[]>> = {
  servers: ['servers'],
  list: ['list', 'site1'],
  plan: ['plan', 'site1', '--to', '/OUT/plan'],
  ls: ['ls', 'site1'],
  find: ['find', 'site1', '*'],
  history: ['history', 'site1', 'shadow/a'],
  diff: ['diff', 'site1', '--from', 'latest', '--to', 'latest'],
  databases: ['databases', 'site1'],
  restore: ['restore', 'site1', '--to', '/OUT/restore'],
  restoreDatabase: ['restore-database', 'site1', '--all', '--dry-run'],
  download: ['download', 'site1', '--to', '/OUT'],
  verify: ['verify', 'site1'],
  repair: ['repair', 'site1', '--dry-run'],
  prune: ['prune', '--dry-run'],
  simulate: ['prune', '--simulate', '90d'],
  fleetStatus: ['fleet', 'status'],
};

/** What can be about a copy in a store alone (test/object-stores/object-locks.ts). */
const IN_STORES = ['lock'] as const;

/** What is about the repository itself, about this machine, or about all copies. */
const OTHERS: readonly MethodName[] = [
  ...(['version', 'init', 'keys', 'adopt', 'forget', 'join', 'run', 'copy', 'explain', 'nightly', 'account', 'watch', 'status'] as const),
  ...(['doctor', 'hold', 'release', 'start', 'job', 'jobs', 'cancel', 'log', 'settings.get', 'settings.set'] as const),
];

describe('a copy in the stead of the repository', () => {
  let sandbox: Sandbox;
  before(async () => {
    sandbox = new Sandbox();
    sandbox.set('databases', { method: 'none' });
    sandbox.set('copies', [{ name: 'near', repository: join(sandbox.folder, 'near') }]);
    await sandbox.init();
    writeFileSync(join(sandbox.shadow, 'a'), 'one');
    await sandbox.back();
    await METHODS.get('copy')?.perform({}, sandbox.context);
    renameSync(sandbox.repository, `${sandbox.repository}-lost`);
    mkdirSync(join(sandbox.folder, 'OUT'));
  });
  after(() => sandbox.remove());

  /** As the command line asks. */
  async function asked(...words: string[]): Promise<[string, object]> {
    let made: [string, object] | undefined;
    const perform = async (method: string, request: object) => {
      made = [method, request];
    };
    await buildProgram({ perform, serveRpc: async () => {} } as unknown as Parameters<typeof buildProgram>[0]).parseAsync(words, {
      from: 'user',
    });
    return made as unknown as [string, object];
  }
  const perform = async ([method, request]: [string, object]): Promise<object> => {
    expect(METHODS.get(method)?.check(request)).to.equal(undefined);
    return (await METHODS.get(method)?.perform(request, sandbox.context)) as object;
  };

  it('is known to every command that reads, and to no other', () => {
    const takes = (name: string) => 'fromCopy' in (MESSAGES[name as MethodName].request.properties as object);
    const reading = [...Object.keys(READING), ...IN_STORES];
    expect(Object.keys(MESSAGES).filter(takes).sort()).to.deep.equal(reading.sort());
    expect(Object.keys(MESSAGES).sort()).to.deep.equal([...reading, ...OTHERS].sort());
  });

  for (const [method, words] of Object.entries(READING)) {
    it(`is what ${words[0]} is about (${method}), when the repository is lost`, async () => {
      const line = words.map((word) => word.replace('/OUT', join(sandbox.folder, 'OUT')));
      const flag = method === 'diff' ? '--from-copy' : '--from';
      const request = await asked(...line, flag, 'near');
      expect(request[0]).to.equal(method);
      const result = await perform(request);
      expect('status' in result ? result.status : 'ok').to.equal('ok');
      const codeOf = async (asking: Promise<object>) =>
        (
          await asking.then(
            () => ({ code: 'none' }),
            (error: Failure) => error,
          )
        ).code;
      expect(await codeOf(perform(await asked(...line)))).to.equal('repository_missing');
      expect(await codeOf(perform(await asked(...line, flag, 'nowhere')))).to.equal('usage');
    });
  }
});
