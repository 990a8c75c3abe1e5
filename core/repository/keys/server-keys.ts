import { HEADER_GUESS, HEADER_LIMIT, type NewHeader, newHeader, openHeader } from '../../crypto/header.ts';
import type { Identity } from '../../crypto/identity.ts';
import type { StreamKey } from '../../crypto/stream-reader.ts';
import { asFailure, Failure } from '../../failure.ts';
import { isSealed, lockedIdentityPath, serverFolder } from '../layout.ts';
import type { Place } from '../opened-place.ts';
import type { ObjectReference } from '../record.ts';
import { Identities, type LockedIdentity } from './identities.ts';
import type { IdentitySource } from './identity-source.ts';
import type { KeyRecord } from './key-record.ts';
import { keyIds, readKey } from './key-records.ts';
import { PrivateParts } from './private-parts.ts';

/** Keys of so many objects are kept at once, at some 200 bytes each. */
const KEPT_KEYS = 1 << 16;

/** So many are tried, at a second each. */
const LOCKED_LIMIT = 16;

/** What a command has to do with keys. */
export interface KeyUse {
  /** What somebody gave to read with. */
  readonly source?: IdentitySource | undefined;
  /** By what is encrypted; undefined: nothing is. */
  readonly current?: KeyRecord | undefined;
  /** Whether what the next backup builds on is kept in the state directory. */
  readonly isWriting?: boolean | undefined;
}

/** The keys of one server's objects: for whom new ones are encrypted, and how those that are there are opened. */
export class ServerKeys {
  /** By what new objects are encrypted; undefined: they are plain. */
  readonly current: KeyRecord | undefined;
  readonly parts: PrivateParts;
  readonly #place: Place;
  readonly #server: string;
  readonly #identities: Identities;
  readonly #streams = new Map<string, Promise<StreamKey>>();
  #records: Promise<ReadonlyMap<string, KeyRecord>> | undefined;
  #locked: Promise<readonly LockedIdentity[]> | undefined;

  constructor(place: Place, server: string, { source = {}, current, isWriting = false }: KeyUse = {}, identities?: Identities) {
    this.#place = place;
    this.#server = server;
    this.#identities = identities ?? new Identities(place.whoFolder, source);
    this.parts = new PrivateParts(place.whoFolder, isWriting);
    this.current = current !== undefined && current.recipients.length > 0 ? current : undefined;
  }

  /** Whether somebody gave a key to read with. */
  get isGiven(): boolean {
    return this.#identities.isGiven;
  }

  /** Those of another server of the repository, to read. */
  ofServer(server: string): ServerKeys {
    return new ServerKeys(this.#place, server, {}, this.#identities);
  }

  /** The key records of this server by their ids; one that cannot be used is reported and left out. */
  records(): Promise<ReadonlyMap<string, KeyRecord>> {
    this.#records ??= this.#readRecords();
    return this.#records;
  }

  async #readRecords(): Promise<ReadonlyMap<string, KeyRecord>> {
    const { backend, notify } = this.#place;
    const records = new Map<string, KeyRecord>();
    if (this.current !== undefined) records.set(this.current.id, this.current);
    for (const id of await keyIds(backend, this.#server)) {
      if (records.has(id)) continue;
      try {
        records.set(id, await readKey(this.#place, this.#server, id));
      } catch (error) {
        const { code, message, affected } = asFailure(error);
        notify({ level: 'warning', code, message, affected });
      }
    }
    return records;
  }

  /** The identities in the repository that passphrases lock, the newest first; missing ones are left out. */
  async #lockedIdentities(): Promise<readonly LockedIdentity[]> {
    const { backend } = this.#place;
    const records = [...(await this.records()).values()].sort((a, b) => (a.id < b.id ? 1 : -1));
    const recipients = new Set(records.flatMap(({ passphraseRecipient }) => passphraseRecipient ?? []));
    const locked: LockedIdentity[] = [];
    for (const recipient of [...recipients].slice(0, LOCKED_LIMIT)) {
      const name = `${serverFolder(this.#server)}/${lockedIdentityPath(recipient)}`;
      const size = await backend.size(name);
      if (size === undefined || size > HEADER_LIMIT) continue;
      locked.push({ name, bytes: await backend.read(name) });
    }
    return locked;
  }

  identities(): Promise<readonly Identity[]> {
    return this.#identities.all(() => {
      this.#locked ??= this.#lockedIdentities();
      return this.#locked;
    });
  }

  /** For a new object. Its key is kept when `remember` is called with its name. */
  async newHeader(): Promise<{ readonly keys: string; readonly header: NewHeader } | undefined> {
    return this.current === undefined ? undefined : { keys: this.current.id, header: await newHeader(this.current.recipients) };
  }

  /** What this process has written it can read again, whoever else can. */
  remember(name: string, key: StreamKey): void {
    this.#keep(name, Promise.resolve(key));
  }

  #keep(name: string, key: Promise<StreamKey>): void {
    this.#streams.set(name, key);
    for (const oldest of this.#streams.keys()) {
      if (this.#streams.size <= KEPT_KEYS) break;
      this.#streams.delete(oldest);
    }
  }

  /** The key of an encrypted object of so many bytes. Throws `identity_missing`, `identity_wrong`, `repository_damaged`. */
  streamKey(name: string, size: number): Promise<StreamKey> {
    const kept = this.#streams.get(name);
    if (kept !== undefined) return kept;
    const key = this.#openStream(name, size);
    this.#keep(name, key);
    // Another time the place may give it.
    key.catch(() => this.#streams.delete(name));
    return key;
  }

  async #openStream(name: string, size: number): Promise<StreamKey> {
    const identities = await this.identities();
    if (identities.length === 0) throw missing([]);
    const { backend } = this.#place;
    let start: Buffer | undefined;
    const read = async (offset: number, length: number): Promise<Buffer> => {
      if (offset !== 0 || length > HEADER_GUESS) return backend.read(name, offset, length);
      start ??= await backend.read(name, 0, Math.min(HEADER_GUESS, size));
      return start.subarray(0, length);
    };
    try {
      return await openHeader(size, read, identities);
    } catch (error) {
      throw ofObject(name, error);
    }
  }

  /** The recipients of which one is needed to read these objects, a list for each key record; none where everything can be read. */
  async #unreadable(references: Iterable<Pick<ObjectReference, 'path' | 'keys'>>): Promise<readonly (readonly string[])[]> {
    const ids = new Set<string | undefined>();
    for (const { path, keys } of references) {
      if (isSealed(path) && !this.#streams.has(`${serverFolder(this.#server)}/${path}`)) ids.add(keys);
    }
    if (ids.size === 0) return [];
    const records = await this.records();
    const own = new Set((await this.identities()).map(({ recipient }) => recipient));
    const wanted = [...ids].map((id) => (id === undefined ? undefined : records.get(id))?.recipients ?? []);
    // Where a key record is lost, only the object itself tells.
    return wanted.filter((recipients) => own.size === 0 || (recipients.length > 0 && !recipients.some((recipient) => own.has(recipient))));
  }

  /** Whether all these objects can be read, as far as can be told without reading them. */
  async canRead(references: Iterable<Pick<ObjectReference, 'path' | 'keys'>>): Promise<boolean> {
    return (await this.#unreadable(references)).length === 0;
  }

  /** `identity_missing` or `identity_wrong`, with the recipients that would fit, unless all these objects can be read. Reads none of them. */
  async obstacle(references: Iterable<Pick<ObjectReference, 'path' | 'keys'>>): Promise<Failure | undefined> {
    const unreadable = await this.#unreadable(references);
    if (unreadable.length === 0) return undefined;
    const recipients = [...new Set(unreadable.flat())];
    if ((await this.identities()).length === 0) return missing(recipients);
    return new Failure('identity_wrong', `none of the identities here opens what is encrypted to ${recipients.join(', ')}`, {
      affected: recipients,
      advice: ADVICE,
    });
  }

  /** Throws that. */
  async requireReadable(references: Iterable<Pick<ObjectReference, 'path' | 'keys'>>): Promise<void> {
    const obstacle = await this.obstacle(references);
    if (obstacle !== undefined) throw obstacle;
  }
}

const ADVICE =
  'Give the identity of one of these recipients: --identity FILE, or - for standard input; or --passphrase-file FILE where there is a passphrase.';

function missing(recipients: readonly string[]): Failure {
  const whom = recipients.length === 0 ? '' : ` to ${recipients.join(', ')}`;
  return new Failure('identity_missing', `this is encrypted${whom}, and there is no identity here to read it`, {
    affected: recipients,
    advice: ADVICE,
  });
}

/** The same failure, with the object that it is about. */
export function ofObject(name: string, error: unknown): Failure {
  const { code, message, affected, advice, retry } = asFailure(error);
  if (affected.length > 0) return asFailure(error);
  return new Failure(code, `${name}: ${message}`, { affected: [name], ...(advice === undefined ? {} : { advice }), retry, cause: error });
}
