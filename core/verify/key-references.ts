import { Failure } from '../failure.ts';
import { isTimedId } from '../repository/ids.ts';
import { keyPath } from '../repository/layout.ts';
import type { ObjectReference, SealedMembers, SnapshotRecord } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { DamageList } from './damage-list.ts';

/** An object that may say by which key record some of its members are sealed. */
export interface MaybeSealed {
  readonly sealed?: Pick<SealedMembers, 'keys'>;
}

/** The key records that what was looked at refers to. */
export class KeyReferences {
  readonly #ids = new Set<string>();

  add({ sealed }: MaybeSealed): void {
    this.#addId(sealed?.keys);
  }

  addRecord(record: MaybeSealed & Pick<SnapshotRecord, 'manifest' | 'packs'>): void {
    this.add(record);
    const objects: readonly ObjectReference[] = [record.manifest, ...record.packs];
    for (const { keys } of objects) this.#addId(keys);
  }

  /**
   * Names those that are missing. They touch no snapshot: whoever has an identity reads on, but nobody is told which one that is. One that is there
   * and cannot be used is named with what the server has.
   */
  async check(repository: Repository, damages: DamageList): Promise<void> {
    for (const id of [...this.#ids].sort()) {
      if ((await repository.objectSize(keyPath(id))) !== undefined) continue;
      const name = repository.nameOf(keyPath(id));
      const message = `${name} is missing, which says for whom some of the backups are encrypted`;
      damages.add(name, new Failure('repository_damaged', message, { affected: [name] }), []);
    }
  }

  /** What is no id names no key record. */
  #addId(id: string | undefined): void {
    if (id !== undefined && isTimedId(id)) this.#ids.add(id);
  }
}
