import { rmSync } from 'node:fs';
import { deletionOf, readDeletions } from '../../../core/repository/history/deletions.ts';
import { missingUnits } from '../../../core/repository/history/missing.ts';
import * as seen from '../../../core/repository/history/seen.ts';
import { keepUnsaid, readUnsaid } from '../../../core/repository/history/unsaid-deletion.ts';
import { rememberPlace, replacedAt } from '../../../core/repository/known-places.ts';
import { Repository } from '../../../core/repository/repository.ts';
import { readSigningKey } from '../../../core/repository/signatures/signing-keys.ts';
import { keepTrustedKeys, readTrustedKeys } from '../../../core/repository/signatures/trusted-keys.ts';
import type { Target } from '../target.ts';
import { written } from './real-objects.ts';
import { PEM } from './signatures.ts';
import { putState, STATE, WORLD, World } from './world.ts';

const { repository, server, unit, id } = WORLD;
const KEY = Buffer.alloc(32, 7).toString('base64');
const WORDS = ['null', '[]', '{}', '-1', '1e400', '"head":', '"pending":', '"sequence":', '"id":', '"keys":', '"__proto__":', id, KEY];
const LINK = { sequence: 3, id, sha256: '0'.repeat(64) };

const DELETED = {
  runs: [{ first: 1, last: 2 }],
  snapshots: [{ unit, id }],
  standing: [{ unit, sequence: 2, snapshots: [id] }],
  accepted: [{ time: '2026-11-01T02:00:00Z', runs: [id], snapshots: [{ unit, id }] }],
};

/** Files of the state directory that say whom this machine believes and what it saw. */
function historyFile(name: string, file: string, seeds: Target['seeds'], use: () => Promise<unknown> | unknown): Target {
  const run: Target['run'] = async (input) => {
    for (const folder of ['trusted', 'seen', 'signing']) rmSync(`${STATE}/${folder}`, { recursive: true, force: true });
    putState(file, input);
    await use();
  };
  return { name: `state-${name}`, refuses: [], words: WORDS, seeds, run };
}

/** The repository of the server that this machine is; its making keeps what was put. */
function ownRepository(world: World): Repository {
  return new Repository(world.place, server, true);
}

export const historyTargets: readonly Target[] = [
  historyFile(
    'seen-runs',
    `seen/${server}.json`,
    () => written((folder) => seen.keepSeenRuns(folder, server, { head: LINK, pending: { sequence: 4, id } })),
    async () => {
      const { runs } = ownRepository(new World());
      await runs.missing();
      runs.see({ ...LINK, sequence: Number.MAX_SAFE_INTEGER });
      const { head } = seen.readSeenRuns(STATE, server);
      if (head?.sequence !== Number.MAX_SAFE_INTEGER) throw new Error('a newer run is not remembered');
    },
  ),
  historyFile(
    'seen-unit',
    `seen/units/${unit}.json`,
    () => written((folder) => seen.keepSeenSnapshot(folder, unit, id)),
    async () => {
      const known = seen.readSeenSnapshot(STATE, unit);
      const missing = await missingUnits(ownRepository(new World()));
      if (missing[0]?.snapshot !== known) throw new Error('what was seen is not missed');
      seen.keepSeenSnapshot(STATE, unit, id);
      if (seen.readSeenSnapshot(STATE, unit) !== id) throw new Error('what was seen is not remembered');
    },
  ),
  historyFile(
    'unsaid',
    `seen/${server}.unsaid.json`,
    () => written((folder) => keepUnsaid(folder, deletionOf(new World().repository, DELETED))),
    async () => {
      const { standing, accepted, runs } = await readDeletions(new World().repository, () => {});
      for (const { time } of accepted) new Date(time).toISOString();
      if (runs.length + standing.length > 0 && readUnsaid(STATE, server) === undefined) throw new Error('nothing was noted');
    },
  ),
  historyFile(
    'trusted',
    `trusted/${server}.json`,
    () => written((folder) => keepTrustedKeys(folder, server, [KEY])),
    async () => {
      const trusted = readTrustedKeys(STATE, server);
      const { keys, isOpen } = await new World().place.signatures.believe(server);
      if (trusted.length > 0 && (isOpen || keys.size !== new Set(trusted).size)) throw new Error('others are believed than those known');
      keepTrustedKeys(STATE, server, [KEY]);
      if (!readTrustedKeys(STATE, server).includes(KEY)) throw new Error('a key is not kept');
    },
  ),
  historyFile(
    'signing-key',
    `signing/${server}.pem`,
    () => [Buffer.from(PEM)],
    () => readSigningKey(STATE, server)?.sign(Buffer.from('x')),
  ),
  historyFile(
    'places',
    'places.json',
    () => written((folder) => rememberPlace(folder, '/srv/repository', repository)),
    () => {
      replacedAt(STATE, '/srv/repository', repository);
      replacedAt(STATE, '__proto__', repository);
      rememberPlace(STATE, '/srv/repository', repository);
      if (replacedAt(STATE, '/srv/repository', repository) !== undefined) throw new Error('the place is not remembered');
    },
  ),
];
