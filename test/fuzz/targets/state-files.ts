import { decodeCursor, encodeCursor } from '../../../core/browse/cursor.ts';
import { loadSettings, loadUsableSettings, readSetting, writeSetting } from '../../../core/config/settings.ts';
import { SwapJournal } from '../../../core/databases/load/swap-journal.ts';
import { nightState } from '../../../core/monitor/night-state.ts';
import { PruneIntent } from '../../../core/prune/intent.ts';
import { Refusals } from '../../../core/prune/refusals.ts';
import { pinKey, readPinnedKey } from '../../../core/repository/keys/key-state.ts';
import { PrivateParts } from '../../../core/repository/keys/private-parts.ts';
import { damagedSnapshots, noteDamaged } from '../../../core/repository/known-damage.ts';
import { RunIndex } from '../../../core/repository/run-index.ts';
import { readServerState, rememberRun, strangeRuns, writeServerState } from '../../../core/repository/server-state.ts';
import { readNight, writeNight } from '../../../core/timeline/last-night.ts';
import { keepWaits, nextSample, readWaits, waitsAfter } from '../../../core/verify/sample-turns.ts';
import { noteVerified, readVerified } from '../../../core/verify/verified-units.ts';
import type { Target } from '../target.ts';
import { realObjects, written } from './real-objects.ts';
import { putState, SERVER, STATE, WORLD, World } from './world.ts';

const NOW = Date.parse('2026-11-02T00:00:00Z');
const PACKS = [1, 2, 3].map((number) => ({ path: `packs/${number}`, length: 1000 * number }));
const OTHER_RUN = '20261101T040000123Z-5be0a6c2';
const WORDS = ['null', '[]', '{}', '1e400', '-1', '"__proto__":', WORLD.id, OTHER_RUN, WORLD.unit, '"2026-11-01T02:00:00.000Z"', '""'];

/** A file of the state directory, which the program reads and goes on with whatever is in it. */
function stateFile(name: string, file: string, seeds: Target['seeds'], use: () => Promise<unknown> | unknown): Target {
  const run: Target['run'] = async (input) => {
    putState(file, input);
    await use();
  };
  return { name: `state-${name}`, refuses: ['database_left'], words: WORDS, seeds, run };
}

const PLAN = {
  id: 'abc',
  live: 'one_wp',
  shadow: 'apiscp_backup_0123456789abcdef',
  replaced: 'one_wp_old',
  oldTables: ['posts'],
  newTables: [],
  oldCode: [],
  broken: [],
  isMade: false,
};

export const stateTargets: readonly Target[] = [
  stateFile(
    'samples',
    `samples/${WORLD.unit}.json`,
    () => written((folder) => keepWaits(folder, WORLD.unit, new Map([['packs/2', 60]]), () => {})),
    () => {
      const read = new Set<string>();
      for (let day = 0; day < 20; day++) {
        const waits = readWaits(STATE, WORLD.unit);
        const sample = nextSample(PACKS, 5, waits).map(({ path }) => path);
        if (sample.length === 0) throw new Error('nothing is looked at');
        for (const path of sample) read.add(path);
        keepWaits(STATE, WORLD.unit, waitsAfter(PACKS, 5, waits, new Set(sample)), () => {});
      }
      if (read.size < PACKS.length) throw new Error('a pack is never looked at');
    },
  ),
  stateFile(
    'verified',
    'verified.json',
    () => written((folder) => noteVerified(folder, WORLD.unit, { time: '2026-11-01T02:00:00.000Z', isDamaged: false, isWhole: true })),
    () => {
      for (const { time } of readVerified(STATE).values()) new Date(time).toISOString();
      noteVerified(STATE, WORLD.unit, { time: '2026-11-01T02:00:00.000Z', isDamaged: false, isWhole: true });
      if (readVerified(STATE).get(WORLD.unit)?.status !== 'ok') throw new Error('what was found is not kept');
    },
  ),
  stateFile(
    'damaged',
    'damaged.json',
    () => written((folder) => noteDamaged(folder, WORLD.unit, [WORLD.id], 'instead')),
    () => {
      noteDamaged(STATE, WORLD.unit, [WORLD.id], 'besides');
      if (!damagedSnapshots(STATE, WORLD.unit).has(WORLD.id)) throw new Error('what is damaged is not kept');
    },
  ),
  stateFile(
    'server',
    'server.json',
    () => written((folder) => writeServerState(folder, { server: WORLD.server, machine: 'x', runs: [WORLD.id] })),
    async () => {
      const state = readServerState(STATE);
      if (state !== undefined) strangeRuns(state, [WORLD.id, OTHER_RUN]);
      await rememberRun(STATE, OTHER_RUN, async () => [WORLD.id]);
      const after = readServerState(STATE);
      if (after !== undefined && after.runs?.includes(OTHER_RUN) !== true) throw new Error('the run is not kept');
    },
  ),
  stateFile(
    'runs',
    'runs.json',
    () => [
      Buffer.from(
        JSON.stringify({ runs: [WORLD.id], witnesses: { ['0'.repeat(64)]: { run: WORLD.id, time: '2026-11-01T02:00:00.000Z' } } }),
      ),
    ],
    async () => {
      const world = await World.of({ [`${SERVER}/runs/${WORLD.id}.json`]: Buffer.from('{}') });
      const index = await RunIndex.read(world.repository, NOW);
      for (const time of index.times) new Date(time).toISOString();
      for (const { run, time } of index.witnesses.values()) {
        new Date(time).toISOString();
        if (!index.ids.includes(run)) throw new Error('a run that is not there counts');
      }
      index.save([WORLD.id]);
      world.check();
    },
  ),
  stateFile(
    'prune',
    'prune.json',
    () => written((folder) => new PruneIntent(folder).write([`units/${WORLD.unit}/packs/x`])),
    () => new Set(new PruneIntent(STATE).read()),
  ),
  stateFile(
    'refusals',
    'refused-deletions.json',
    () => [Buffer.from(JSON.stringify({ [WORLD.unit]: { since: '2026-11-01T02:00:00.000Z', snapshots: 5, deletions: [WORLD.id] } }))],
    () => {
      const refusals = new Refusals(STATE);
      const rules = { now: Temporal.Instant.fromEpochMilliseconds(NOW), policy: { guardShare: 0.2 }, runs: { times: [NOW] } };
      const retention = {
        unit: WORLD.unit,
        doomed: [{ id: WORLD.id }],
        snapshots: [{ id: WORLD.id, time: '2026-11-01T02:00:00.000Z' }],
        decision: {},
      };
      const refusal = refusals.refusalOf(retention as never, rules as never);
      if (refusal !== undefined) new Date(refusal.since).toISOString();
      refusals.remember(retention as never, refusal);
      refusals.save();
    },
  ),
  stateFile(
    'night',
    'night.json',
    () =>
      written((folder) =>
        writeNight(folder, {
          begun: NOW,
          tried: NOW,
          tries: 1,
          done: true,
          steps: [{ step: 'run', status: 'failed', message: 'no' }],
        } as never),
      ),
    () => {
      const note = readNight(STATE);
      const policy = { time: '03:00' } as never;
      const now = Temporal.Instant.fromEpochMilliseconds(NOW);
      const { problems } = nightState({ note, enabled: true, policy, now, timeZone: 'UTC', isAtWork: false });
      for (const { message } of problems) message.trim();
      for (const { step, status, message } of note?.steps ?? []) `${step.trim()}${status.trim()}${message.trim()}`;
    },
  ),
  stateFile(
    'keys',
    'keys.json',
    () =>
      written((folder) => pinKey(folder, WORLD.server, null, () => {})).then(async (made) => [
        ...made,
        ...(await realObjects(/\/keys\.json$/)),
      ]),
    () => {
      const key = readPinnedKey(STATE, WORLD.server);
      for (const recipient of key?.recipients ?? []) recipient.trim();
    },
  ),
  stateFile(
    'private-part',
    `units/${WORLD.unit}/unit.private.json`,
    () =>
      written((folder) => new PrivateParts(folder, true).save(`${SERVER}/units/${WORLD.unit}/unit.json`, 'x', { domain: 'example.test' })),
    () => {
      const members = new PrivateParts(STATE, true).load(`${SERVER}/units/${WORLD.unit}/unit.json`, 'x');
      Object.keys(members ?? {});
    },
  ),
  stateFile(
    'swap-plan',
    'swaps/abc.json',
    () => [Buffer.from(JSON.stringify(PLAN))],
    () => {
      for (const plan of new SwapJournal(`${STATE}/swaps`).pending()) plan.live.trim();
    },
  ),
  {
    name: 'settings',
    refuses: ['invalid_settings', 'usage'],
    words: [...WORDS, '"repository":', '"limits":', '"schedule":', '"retention":', '"units":', '"exclude":', '"databases":', '/srv/x'],
    seeds: () => [
      Buffer.from('{}'),
      Buffer.from(
        JSON.stringify({ repository: '/srv/repository', limits: { workers: 2 }, exclude: ['*.tmp'], accountsRoot: '/home/virtual' }),
      ),
    ],
    run: (input) => {
      putState('config.json', input);
      const file = `${STATE}/config.json`;
      const refused: unknown[] = [];
      for (const use of [
        () => loadSettings(file),
        () => loadUsableSettings(file),
        () => readSetting(file, 'repository'),
        () => writeSetting(file, 'repository', '/srv/other'),
      ]) {
        try {
          use();
        } catch (error) {
          refused.push(error);
        }
      }
      const [first] = refused.filter((error) => (error as { code?: string }).code !== 'invalid_settings');
      if (first !== undefined) throw first;
    },
  },
  {
    name: 'cursor',
    refuses: ['usage'],
    seeds: () => [Buffer.from(encodeCursor(['a', 'b']))],
    run: (input) => void decodeCursor(input.toString('latin1'), 2),
  },
];
