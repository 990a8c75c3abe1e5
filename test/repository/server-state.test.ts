import fs, { mkdtempSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { newTimedId } from '../../core/repository/ids.ts';
import { readServerState, rememberRun, type ServerState, strangeRuns, writeServerState } from '../../core/repository/server-state.ts';

/** A run that began in this hour. */
function runOf(hour: number): string {
  return newTimedId(new Date(Date.UTC(2026, 10, 26, hour)));
}

describe('what a machine remembers of its runs', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'server-state-'));
    writeServerState(folder, { server: '0123456789abcdef', machine: 'this', runs: [] });
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  /** The runs that would be somebody else's when these have ended, in this order. */
  async function strangeAfter(ended: readonly string[]): Promise<string[]> {
    const strange: string[] = [];
    for (const [index, id] of ended.entries()) {
      await rememberRun(folder, id, async () => ended.slice(0, index));
      strange.push(...strangeRuns(readServerState(folder) as ServerState, ended.slice(0, index + 1)));
    }
    return strange;
  }

  it('knows all of them when a long one ends after many short ones that began later', async () => {
    const [before, long, ...short] = [0, 1, 2, 3, 4, 5].map(runOf) as [string, string, ...string[]];
    expect(await strangeAfter([before, ...short, long, runOf(6)])).to.deep.equal([]);
  });

  it('knows all of them in whatever order they end', async () => {
    const ids = Array.from({ length: 8 }, (_, hour) => runOf(hour));
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(ids, { minLength: ids.length }), async (ended) => {
        rmSync(folder, { recursive: true });
        writeServerState(folder, { server: '0123456789abcdef', machine: 'this', runs: [] });
        expect(await strangeAfter(ended)).to.deep.equal([]);
      }),
      { numRuns: 12 },
    );
  });

  it('is forgotten when it cannot be read just then: the run that ends would be a stranger to it', async () => {
    const [first, second] = [0, 1].map(runOf) as [string, string];
    await rememberRun(folder, first, async () => []);
    const { readFileSync } = fs;
    fs.readFileSync = (() => {
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
    }) as unknown as typeof readFileSync;
    syncBuiltinESMExports();
    try {
      await rememberRun(folder, second, async () => [first]);
    } finally {
      fs.readFileSync = readFileSync;
      syncBuiltinESMExports();
    }
    expect(readServerState(folder)).to.equal(undefined);
  });

  it('notices a run that another machine made after its own last one', async () => {
    const [first, own, others] = [0, 1, 2].map(runOf) as [string, string, string];
    await rememberRun(folder, first, async () => []);
    await rememberRun(folder, own, async () => [first]);
    expect(strangeRuns(readServerState(folder) as ServerState, [first, own, others])).to.deep.equal([others]);
  });
});
