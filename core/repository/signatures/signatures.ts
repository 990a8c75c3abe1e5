import type { Notify } from '../../context/notice.ts';
import { fingerprintOf, type SigningKey } from '../../crypto/ed25519.ts';
import { Failure } from '../../failure.ts';
import type { Backend } from '../backends/backend.ts';
import type { RepositoryIdentity } from '../identity.ts';
import { hasStateDirectory } from '../state-directory.ts';
import type { DocumentStore, StoredDocument } from '../stored-document.ts';
import { readAnnouncements } from './announcements.ts';
import { withSignature } from './signed-document.ts';
import { makeSigningKey, readSigningKey } from './signing-keys.ts';
import { keepTrustedKeys, readTrustedKeys } from './trusted-keys.ts';

type Judged = Pick<StoredDocument<unknown>, 'sha256' | 'signer'>;

/** Whom this machine believes about one server. */
interface Belief {
  readonly keys: Set<string>;
  /** Nothing says which key is the server's: then all are taken, and each is told. */
  readonly isOpen: boolean;
}

/** Where a machine keeps whom it believes, and asks who signs. */
interface SignaturesPlace {
  readonly backend: Backend;
  readonly repository: RepositoryIdentity;
  readonly stateFolder: string;
  readonly notify: Notify;
}

/** The keys of a repository's servers, as one machine knows them: with which it signs, and whose signatures it takes. */
export class Signatures implements SignaturesOfStore {
  readonly #place: SignaturesPlace;
  readonly #own = new Map<string, SigningKey>();
  readonly #beliefs = new Map<string, Promise<Belief>>();
  readonly #adopted = new Map<string, Promise<ReadonlySet<string>>>();
  readonly #unsignedTold = new Set<string>();
  /** Servers whose keys are believed and not remembered yet: what only reads makes no state directory, but what locks does, later. */
  readonly #unremembered = new Set<string>();

  constructor(place: SignaturesPlace) {
    this.#place = place;
  }

  /** The key with which this machine signs as a server; undefined when it has none. */
  ownKey(server: string): SigningKey | undefined {
    const key = this.#own.get(server) ?? readSigningKey(this.#place.stateFolder, server);
    if (key !== undefined) this.#own.set(server, key);
    return key;
  }

  /** The same, made when there is none. Throws where it cannot be kept. */
  makeOwnKey(server: string): SigningKey {
    const key = this.ownKey(server) ?? makeSigningKey(this.#place.stateFolder, server);
    this.#own.set(server, key);
    return key;
  }

  sign(name: string, document: Buffer): Buffer {
    const key = this.ownKey(serverOf(name));
    if (key === undefined) throw new Failure('internal', `there is no key here to sign ${name}`, { affected: [name] });
    return withSignature(document, name, key);
  }

  /** The keys of a server that this machine knows already; none when it never met that. */
  trusted(server: string): readonly string[] {
    return readTrustedKeys(this.#place.stateFolder, server);
  }

  /** Takes these keys for a server's from now on, besides those that are known. Throws where that cannot be kept. */
  async trust(server: string, keys: readonly string[]): Promise<void> {
    keepTrustedKeys(this.#place.stateFolder, server, keys);
    const belief = await this.believe(server);
    for (const key of keys) belief.keys.add(key);
  }

  /** Whom this machine believes about a server. One that it meets first it believes about its keys, says so, and remembers them. */
  believe(server: string): Promise<Belief> {
    const known = this.#beliefs.get(server);
    if (known !== undefined) return known;
    const belief = this.#findBelief(server);
    this.#beliefs.set(server, belief);
    // Another time the place may give it.
    belief.catch(() => this.#beliefs.delete(server));
    return belief;
  }

  async #findBelief(server: string): Promise<Belief> {
    const trusted = this.trusted(server);
    if (trusted.length > 0) return { keys: new Set([...trusted, ...this.#ownKeyIfReadable(server)]), isOpen: false };
    const { backend, repository } = this.#place;
    const { keys, name } = await readAnnouncements(backend, repository.id, server);
    if (keys.length === 0) return { keys: new Set(), isOpen: true };
    this.#tellFirst(server, name ?? server, keys);
    this.#remember(server, keys);
    return { keys: new Set(keys), isOpen: false };
  }

  #tellFirst(server: string, name: string, keys: readonly string[]): void {
    const fingerprints = keys.map(shownFingerprint).join(' and ');
    const message = `nothing here vouches for the backups of ${name} (${server}), which this machine meets first; they are signed with ${fingerprints}. Compare that with what \`apiscp-backup version\` shows there, or with your note of it`;
    this.#place.notify({ level: 'warning', code: 'not_authenticated', message, affected: [server] });
  }

  #remember(server: string, keys: Iterable<string>): void {
    if (!hasStateDirectory(this.#place.stateFolder)) {
      this.#unremembered.add(server);
      return;
    }
    this.#unremembered.delete(server);
    try {
      keepTrustedKeys(this.#place.stateFolder, server, [...keys]);
    } catch {
      // Reading must work where nothing can be written: then it is told each time.
    }
  }

  async admit(name: string, { sha256, signer }: Judged): Promise<void> {
    const server = serverOf(name);
    const { keys, isOpen } = await this.believe(server);
    if (this.#unremembered.has(server)) this.#remember(server, keys);
    if (signer === undefined) {
      if (isOpen) this.#tellUnsigned(server);
      else await this.#requireAdopted(name, sha256);
    } else if (!keys.has(signer)) {
      if (!isOpen) throw foreign(name, signer);
      keys.add(signer);
      this.#tellFirst(server, server, [signer]);
    }
  }

  /**
   * The same of an object that says who a server is, before anything of it is believed: only where this machine knows that server's keys
   * it judges.
   */
  async admitKnown(name: string, { sha256, signer }: Judged): Promise<void> {
    const server = serverOf(name);
    const trusted = this.trusted(server);
    if (trusted.length === 0) return;
    if (signer === undefined) await this.#requireAdopted(name, sha256);
    else if (!trusted.includes(signer) && !this.#ownKeyIfReadable(server).includes(signer)) throw foreign(name, signer);
  }

  /** A process that was killed after it had said that this machine signs with it, and before that was remembered, signed with it all the same. */
  #ownKeyIfReadable(server: string): string[] {
    try {
      const key = this.ownKey(server);
      return key === undefined ? [] : [key.publicKey.toString('base64')];
    } catch {
      return [];
    }
  }

  #tellUnsigned(server: string): void {
    if (this.#unsignedTold.has(server)) return;
    this.#unsignedTold.add(server);
    const message = `backups of ${server} are not signed: whoever could write to the repository could change them unnoticed`;
    this.#place.notify({ level: 'warning', code: 'not_authenticated', message, affected: [server] });
  }

  /** Refuses an unsigned object of a server that signs, unless that said that it found it. */
  async #requireAdopted(name: string, sha256: string): Promise<void> {
    const server = serverOf(name);
    const adopted = this.#adopted.get(server) ?? this.#readAdopted(server);
    this.#adopted.set(server, adopted);
    if ((await adopted).has(adoptedAs(name, sha256))) return;
    throw new Failure('repository_damaged', `${name} is not signed, and its server signs what it writes`, { affected: [name] });
  }

  async #readAdopted(server: string): Promise<ReadonlySet<string>> {
    const { backend, repository } = this.#place;
    const { keys } = await this.believe(server);
    const { machines } = await readAnnouncements(backend, repository.id, server);
    const found = machines.filter(({ signer }) => keys.has(signer)).flatMap(({ record }) => record.adopted ?? []);
    return new Set(found.map(({ path, sha256 }) => adoptedAs(`servers/${server}/${path}`, sha256)));
  }
}

type SignaturesOfStore = DocumentStore['signatures'];

function adoptedAs(name: string, sha256: string): string {
  return `${name} ${sha256}`;
}

/** The server in whose folder an object is. */
function serverOf(name: string): string {
  return name.split('/')[1] ?? '';
}

/** The fingerprint of a public key in base64. */
export function shownFingerprint(key: string): string {
  return fingerprintOf(Buffer.from(key, 'base64'));
}

function foreign(name: string, signer: string): Failure {
  const fingerprint = shownFingerprint(signer);
  return new Failure('repository_damaged', `${name} is signed with the key ${fingerprint}, which is not known as one of its server`, {
    affected: [name],
    advice: `If that server got a new key, and you have compared its fingerprint: \`apiscp-backup servers --trust ${fingerprint}\`.`,
  });
}
