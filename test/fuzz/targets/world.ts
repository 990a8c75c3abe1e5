import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Notice } from '../../../core/context/notice.ts';
import { MemoryBackend } from '../../../core/repository/backends/memory.ts';
import type { RepositoryIdentity } from '../../../core/repository/identity.ts';
import { type Place, placeOf } from '../../../core/repository/opened-place.ts';
import { Repository } from '../../../core/repository/repository.ts';

/** The names of everything in the repository of an input. */
export const WORLD = {
  repository: '8d0c0000000000000000000000000001',
  server: '00112233445566ff',
  unit: 'site1-1f3a9c2e',
  /** Of a snapshot, a run, a note, a machine record and a key record. */
  id: '20261101T030000123Z-5be0a6c1',
} as const;

export const SERVER = `servers/${WORLD.server}`;

const CREATED = '2026-11-01T02:00:00.000Z';
const IDENTITY: RepositoryIdentity = { formatVersion: 1, id: WORLD.repository, created: CREATED };

/** A folder of this thread, in which state files are put. */
export const STATE = join(tmpdir(), `apiscp-backup-fuzz-${process.pid}`);

export function putState(file: string, input: Uint8Array): void {
  mkdirSync(dirname(join(STATE, file)), { recursive: true });
  writeFileSync(join(STATE, file), input);
}

/** A repository in memory. What is reported as a defect while it is used is thrown by `check`. */
export class World {
  readonly backend = new MemoryBackend();
  readonly notices: Notice[] = [];
  readonly place: Place = placeOf({
    backend: this.backend,
    repository: IDENTITY,
    stateFolder: STATE,
    notify: (notice) => void this.notices.push(notice),
  });
  readonly repository = new Repository(this.place, WORLD.server);

  static async of(objects: Readonly<Record<string, Uint8Array>>): Promise<World> {
    // An input before must not have told whom to believe.
    for (const folder of ['trusted', 'seen']) rmSync(join(STATE, folder), { recursive: true, force: true });
    const world = new World();
    for (const [name, bytes] of Object.entries(objects)) {
      const writer = await world.backend.create(name);
      await writer.write(bytes);
      await writer.commit();
    }
    return world;
  }

  check(): void {
    const defect = this.notices.find(({ code }) => code === 'internal');
    if (defect !== undefined) throw new Error(`reported as a defect: ${defect.message}`);
  }
}
