import { isDeepStrictEqual } from 'node:util';
import { ChainIndex } from '../../../core/chain/chain-index.ts';
import * as kinds from '../../../core/repository/documents.ts';
import { type DocumentKind, decodeDocument, encodeDocument } from '../../../core/repository/documents.ts';
import { readDeletions } from '../../../core/repository/history/deletions.ts';
import { missingUnits } from '../../../core/repository/history/missing.ts';
import { readHolds } from '../../../core/repository/holds.ts';
import { formerWriters, readServer, readServers } from '../../../core/repository/known-servers.ts';
import { readRepositoryIdentity } from '../../../core/repository/place.ts';
import { isComplete, plainManifest, treesOf } from '../../../core/repository/record.ts';
import { chainSnapshots } from '../../../core/timeline/chain-snapshots.ts';
import type { Target } from '../target.ts';
import { realObjects } from './real-objects.ts';
import { SERVER, WORLD, World } from './world.ts';

const UNIT = `${SERVER}/units/${WORLD.unit}`;
const KEYS =
  'formatVersion repository server unit id name level synthetic parent base sha256 manifest packs path length index offset sealed keys age';
const WORDS = `${KEYS} time created incarnation recipients kind joined continued counts entries warnings complete roots source 2026-02-30T00:00:00Z`;

interface Document {
  readonly name: string;
  readonly kind: DocumentKind<never>;
  /** Where the input stands. */
  readonly place: string;
  /** Names of real ones. */
  readonly real: RegExp;
  /** Reads it as the program does. */
  readonly use: (world: World) => Promise<unknown>;
  /** What else there has to be. */
  readonly beside?: Readonly<Record<string, Buffer>>;
}

const server = {
  formatVersion: 1,
  repository: WORLD.repository,
  server: WORLD.server,
  name: 'host',
  machine: '0'.repeat(64),
  created: '2026-11-01T02:00:00Z',
};
const SERVER_JSON = { [`${SERVER}/server.json`]: encodeDocument(kinds.serverDocument, server) };

async function useSnapshots({ repository }: World): Promise<void> {
  const { records } = await repository.readSnapshots(WORLD.unit);
  const chain = chainSnapshots(records, repository);
  const index = new ChainIndex(chain);
  for (const { id, record } of chain) {
    index.below(id);
    isComplete(record);
    plainManifest(record.manifest);
    if (record.sealed === undefined) treesOf([record]);
  }
}

const DOCUMENTS: readonly Document[] = [
  {
    name: 'repository',
    kind: kinds.repositoryDocument as never,
    place: 'repository.json',
    real: /repository\.json$/,
    use: ({ backend }) => readRepositoryIdentity(backend),
  },
  {
    name: 'server',
    kind: kinds.serverDocument as never,
    place: `${SERVER}/server.json`,
    real: /servers\/[^/]+\/server\.json$/,
    use: ({ place }) => readServers(place),
  },
  {
    name: 'machine',
    kind: kinds.machineDocument as never,
    place: `${SERVER}/machines/${WORLD.id}.json`,
    real: /\/machines\//,
    beside: SERVER_JSON,
    use: async ({ place }) => {
      const known = await readServer(place, WORLD.server);
      if (known !== undefined) await formerWriters(place, known);
    },
  },
  {
    name: 'unit',
    kind: kinds.unitDocument as never,
    place: `${UNIT}/unit.json`,
    real: /\/unit\.json$/,
    use: ({ repository }) => repository.units.all(),
  },
  {
    name: 'note',
    kind: kinds.noteDocument as never,
    place: `${SERVER}/notes/${WORLD.id}.json`,
    real: /\/notes\//,
    use: ({ repository }) => repository.units.all(),
  },
  {
    name: 'snapshot',
    kind: kinds.snapshotDocument as never,
    place: `${UNIT}/snapshots/${WORLD.id}.json`,
    real: /\/snapshots\//,
    use: useSnapshots,
  },
  {
    name: 'run',
    kind: kinds.runDocument as never,
    place: `${SERVER}/runs/${WORLD.id}.json`,
    real: /\/runs\/.*json$/,
    use: ({ repository }) => repository.runs.all(),
  },
  {
    name: 'hold',
    kind: kinds.holdDocument as never,
    place: `${SERVER}/holds/${WORLD.id}-0001.json`,
    real: /\/holds\//,
    use: ({ repository }) => readHolds(repository),
  },
  {
    name: 'deletion',
    kind: kinds.deletionDocument as never,
    place: `${SERVER}/deletions/${WORLD.id}.json`,
    real: /\/deletions\//,
    use: async ({ repository }) => {
      const runs = { named: new Map(), units: [], untold: 0, mentionedSince: () => [WORLD.id] };
      await missingUnits(repository, runs, { before: await readDeletions(repository, () => {}) });
    },
  },
  {
    name: 'key',
    kind: kinds.keyDocument as never,
    place: `${SERVER}/keys/${WORLD.id}.json`,
    real: /\/keys\/.*json$/,
    use: ({ repository }) => repository.keys.records(),
  },
];

const MADE: Readonly<Record<string, object>> = {
  deletion: {
    formatVersion: 1,
    id: WORLD.id,
    repository: WORLD.repository,
    server: WORLD.server,
    runs: [{ first: 1, last: 3 }],
    snapshots: [{ unit: WORLD.unit, id: WORLD.id }],
    standing: [{ unit: WORLD.unit, sequence: 2, snapshots: [WORLD.id] }],
    accepted: [{ time: '2026-11-01T02:00:00Z', runs: [WORLD.id], snapshots: [{ unit: WORLD.unit, id: WORLD.id }] }],
    created: '2026-11-01T02:00:00Z',
  },
  machine: { ...server, id: WORLD.id, formerKeys: [`${'A'.repeat(43)}=`] },
  note: {
    formatVersion: 1,
    id: WORLD.id,
    repository: WORLD.repository,
    server: WORLD.server,
    unit: WORLD.unit,
    kind: 'continued',
    incarnation: '12-34',
    joined: null,
    reason: 'moved',
    created: '2026-11-01T02:00:00Z',
  },
};

export const documentTargets: readonly Target[] = DOCUMENTS.map(({ name, kind, place, real, use, beside }) => ({
  name: `document-${name}`,
  refuses: ['repository_damaged', 'repository_newer', 'repository_foreign'],
  words: WORDS.split(' '),
  seeds: async () => [...(await realObjects(real)), ...(MADE[name] === undefined ? [] : [encodeDocument(kind, MADE[name] as never)])],
  run: async (input) => {
    const world = await World.of({ ...beside, [place]: input });
    await use(world);
    world.check();
    // What is taken is written, and then read, as the same.
    const value = decodeDocument(kind, input, place);
    const again = decodeDocument(kind, encodeDocument(kind, value), place);
    if (!isDeepStrictEqual(again, value)) throw new Error('it is not the same when it was written');
  },
}));
