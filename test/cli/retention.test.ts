import { expect } from 'chai';
import { buildProgram } from '../../core/cli/program.ts';
import { renderResult } from '../../core/cli/results.ts';
import { METHODS } from '../../core/commands/registry.ts';
import type { PruneResult } from '../../core/schemas/prune.ts';
import type { SimulateResult } from '../../core/schemas/simulate.ts';

const ID = '20261120T024500000Z-1f3a9c2e';

async function requestOf(...args: string[]): Promise<[string, unknown]> {
  const made: [string, unknown][] = [];
  const program = buildProgram({ perform: async (method, request) => void made.push([method, request]), serveRpc: async () => {} });
  await program.parseAsync(args, { from: 'user' });
  const [first] = made as [[string, unknown]];
  expect(METHODS.get(first[0])?.check(first[1])).to.equal(undefined);
  return first;
}

describe('retention on the command line', () => {
  it('makes the requests of prune, its simulation, hold, release and explain', async () => {
    expect(await requestOf('prune')).to.deep.equal(['prune', {}]);
    expect(await requestOf('prune', 'site1', 'site2-0123abcd', '--dry-run', '--yes')).to.deep.equal([
      'prune',
      { units: ['site1', 'site2-0123abcd'], dryRun: true, yes: true },
    ]);
    expect(await requestOf('prune', '--simulate', '90d')).to.deep.equal(['simulate', { duration: '90d' }]);
    expect(await requestOf('hold', ID, '--reason', 'x', '--until', '6 months')).to.deep.equal([
      'hold',
      { snapshot: ID, reason: 'x', until: '6 months' },
    ]);
    expect(await requestOf('release', ID)).to.deep.equal(['release', { snapshot: ID }]);
    expect(await requestOf('explain', 'site1', 'shadow/a')).to.deep.equal(['explain', { unit: 'site1', path: 'shadow/a' }]);
    expect((await requestOf('explain', 'site1', '--path-b64', '/w=='))[1]).to.deep.include({ path: { path: '\ufffd', path_b64: '/w==' } });
  });

  it('shows each verdict with its rules, harmless for a terminal, and what was skipped', () => {
    const unit = { unit: 'site1', unitId: 'site1-0123abcd', needsConfirmation: true, refusedSince: null, kept: 1, deleted: 1 };
    const verdict = { id: ID, level: 'full', time: '2026-11-20T02:45:00.000Z' } as const;
    const result: PruneResult = {
      ...{ status: 'partial', dryRun: true, objects: 3, bytes: 2048, runs: 4, holds: 0, accepted: 0 },
      units: [
        {
          ...unit,
          ...{ status: 'ok', reason: null },
          snapshots: [
            { ...verdict, keep: true, rules: ['held: \u001b[2J', 'newest good full'] },
            { ...verdict, keep: false, rules: ['full older than 2 months'] },
          ],
        },
        { ...unit, status: 'skipped', reason: 'in use by restore', needsConfirmation: false, deleted: 0, snapshots: [] },
      ],
    };
    const text = renderResult('prune', result);
    expect(text).not.to.contain('\u001b');
    expect(text).to.match(/full {3}keep {4}held: .*, newest good full\n/);
    expect(text).to.match(/full {3}delete {2}full older than 2 months\n/);
    expect(text).to.contain('site1 (site1-0123abcd): skipped. in use by restore');
    expect(text).to.contain('Would delete 1 snapshots, 3 objects of 2.0 KiB, 4 records of runs').and.to.contain('--yes');
  });

  it('draws what a simulation holds, never wider than a terminal', () => {
    const day = {
      date: '2026-11-20',
      level: 'full',
      reason: 'r',
      deleted: 0,
      full: 1,
      differential: 0,
      incremental: 0,
      oldest: '2026-11-20',
    } as const;
    for (const count of [1, 2, 71, 72, 73, 400]) {
      const days = Array.from({ length: count }, (_, at) => ({ ...day, bytes: at < count / 2 ? 500 : 1000 }));
      const size = { bytes: 1000, basis: 'assumed' } as const;
      const whole = { status: 'ok', warnings: [], warningCount: 0 } as const;
      const result: SimulateResult = { ...whole, sizes: { full: size, differential: size, incremental: size }, days };
      const lines = renderResult('simulate', result).split('\n');
      const bars = lines.filter((line) => line.includes('|'));
      expect(bars, String(count)).to.have.length(8);
      expect(Math.max(...bars.map((line) => line.length))).to.be.below(85);
      // The whole last line is filled, of the first the half in which most is held.
      expect([...bars[7]!].filter((character) => character === '█').length).to.be.within(Math.min(count, 37), 72);
      if (count > 1)
        expect([...bars[0]!].filter((character) => character === '█').length).to.be.below([...bars[7]!].filter((c) => c === '█').length);
      expect(lines.filter((line) => line.startsWith('2026-11-20  full'))).to.have.length(count);
      expect(lines.at(-2)).to.contain('(assumed)');
    }
  });
});
