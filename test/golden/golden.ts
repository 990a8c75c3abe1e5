import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { databases } from '../../core/commands/databases.ts';
import { list } from '../../core/commands/list.ts';
import { repair } from '../../core/commands/repair.ts';
import { restore } from '../../core/commands/restore.ts';
import { verify } from '../../core/commands/verify.ts';
import type { Context } from '../../core/context/context.ts';
import { openContext } from '../../core/context/open-context.ts';
import { Copied } from '../../core/copy/copied.ts';
import { copyServer } from '../../core/copy/copy-server.ts';
import { sealedTarget } from '../../core/copy/open-copy.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { asFailure } from '../../core/failure.ts';
import { openStore } from '../../core/repository/backends/open-store.ts';
import { openRepository } from '../../core/repository/open-repository.ts';
import { placeOf as placeAt } from '../../core/repository/opened-place.ts';
import { initRepository } from '../../core/repository/place.ts';
import { Repository } from '../../core/repository/repository.ts';
import { RunIndex } from '../../core/repository/run-index.ts';
import { repositoryStateFolder } from '../../core/repository/state-directory.ts';
import type { UnitDatabasesResult } from '../../core/schemas/databases.ts';
import { type Description, describeTree } from '../fidelity/description.ts';

const FOLDER = join(import.meta.dirname, 'repositories');
const DIGESTS = join(import.meta.dirname, 'digests.json');

/** The trees of the account. */
export const TREES = ['shadow', 'info'] as const;
/** What has another number in each tree that is made. */
type Entry = Omit<Description, 'path'>;

/** What a restore of a snapshot comes to. */
export interface Restored {
  /** Its status, or the code of its failure. */
  readonly result: string;
  /** Paths that are missing, or not as they were. */
  readonly lost: readonly string[];
}

/** What a verification says, without its words. */
export interface Verified {
  readonly status: string;
  readonly damages: readonly {
    readonly code: string;
    readonly object: string;
    readonly snapshots: readonly string[];
    readonly files: number;
  }[];
}

/** A database as a snapshot has it. `content`: SHA-256 of its dump as it was restored to a folder. */
export interface ExpectedDatabase {
  readonly engine: string;
  readonly name: string;
  readonly path: string;
  readonly rows: number | null;
  readonly tables: number | null;
  readonly content: string;
}

/** What the program that wrote a golden repository saw, and each later one has to see. */
export interface Expected {
  /** Oldest first. */
  readonly snapshots: readonly { readonly id: string; readonly level: string; readonly time: string }[];
  /** Every entry at each snapshot, by its path. */
  readonly trees: Readonly<Record<string, Readonly<Record<string, Entry>>>>;
  /** Of a repository with databases: those of each snapshot. */
  readonly databases?: Readonly<Record<string, readonly ExpectedDatabase[]>>;
  /** By the names of `DAMAGES`. */
  readonly damages: Readonly<Record<string, { readonly verified: Verified; readonly restored: Readonly<Record<string, Restored>> }>>;
}

export function goldenNames(): string[] {
  return Object.keys(pinnedDigests());
}

export function placeOf(name: string): string {
  return join(FOLDER, name);
}

export function expectedOf(name: string): Expected {
  return JSON.parse(readFileSync(join(placeOf(name), 'expected.json'), 'utf8')) as Expected;
}

function pinnedDigests(): Record<string, string> {
  return existsSync(DIGESTS) ? (JSON.parse(readFileSync(DIGESTS, 'utf8')) as Record<string, string>) : {};
}

/** One digest over the names and bytes of all files of a golden repository. */
export function digestOf(name: string): string {
  const hash = createHash('sha256');
  for (const file of filesOf(placeOf(name)))
    hash.update(`${file}\0`).update(
      createHash('sha256')
        .update(readFileSync(join(placeOf(name), file)))
        .digest(),
    );
  return hash.digest('hex');
}

export function pinnedDigestOf(name: string): string | undefined {
  return pinnedDigests()[name];
}

export function pinDigest(name: string): void {
  writeFileSync(DIGESTS, `${JSON.stringify({ ...pinnedDigests(), [name]: digestOf(name) }, null, 2)}\n`);
}

/** The files below a folder, sorted. */
export function filesOf(folder: string): string[] {
  return globSync('**/*', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .sort();
}

/** Whether the server that wrote it could read by itself. */
export function hasServersIdentity(name: string): boolean {
  return existsSync(join(placeOf(name), 'identities'));
}

/** A machine that has nothing but a copy of a golden repository and, of an encrypted one, a key. */
export class BareMachine {
  readonly folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-golden-'));
  readonly repository = join(this.folder, 'repository');
  #identity: { readonly identity?: string; readonly passphraseFile?: string };
  readonly #settings = join(this.folder, 'config.json');
  #restores = 0;

  /** `of the server`: the key is where the server that wrote it had its own, in the state directory. */
  constructor(name: string, key: 'given' | 'of the server' = 'given') {
    const place = placeOf(name);
    cpSync(join(place, 'repository'), this.repository, { recursive: true });
    // What git keeps of modes is not what a repository has.
    execFileSync('chmod', ['-R', 'u=rwX,go=', this.folder]);
    const [identity, passphraseFile] = [join(place, 'identity'), join(place, 'passphrase')];
    const given = existsSync(identity) ? { identity } : existsSync(passphraseFile) ? { passphraseFile } : {};
    this.#identity = key === 'given' ? given : {};
    const stateDirectory = join(this.folder, 'state');
    if (key === 'of the server') {
      const { id } = JSON.parse(readFileSync(join(this.repository, 'repository.json'), 'utf8')) as { id: string };
      const state = repositoryStateFolder(stateDirectory, id);
      mkdirSync(state, { recursive: true, mode: 0o700 });
      writeFileSync(join(state, 'identities'), readFileSync(join(place, 'identities')), { mode: 0o600 });
    }
    writeFileSync(
      this.#settings,
      JSON.stringify({ repository: this.repository, stateDirectory, accountsRoot: join(this.folder, 'virtual') }),
    );
  }

  get context(): Context {
    return openContext(this.#settings, { progress: () => {}, log: () => {} }, new AbortController().signal);
  }

  /** Has a copy for somebody else in the place of the repository, as the server that wrote it would make it, and his key alone. */
  async becomeCopy(): Promise<void> {
    const { settings } = this.context;
    const source = await openRepository(settings, 'read', () => {}, { identity: this.#identity });
    source.signatures.makeOwnKey(source.server);
    const own = new Repository(source.place, source.server, true, source.keys);
    const { secret, recipient } = await newIdentity();
    const copy = join(this.folder, 'copy');
    const backend = await openStore({ ...settings, repository: copy });
    const { identity: repository } = await initRepository(backend, [recipient]);
    const { whoFolder } = source.place;
    const place = placeAt({ backend, repository, stateFolder: join(whoFolder, 'copies/copy'), whoFolder, notify: () => {} });
    const copied = new Copied();
    const order = { rules: undefined, runs: await RunIndex.read(own, Date.now()), throttle: <T>(writer: T) => writer };
    const target = await sealedTarget(own, place, [recipient]);
    await copyServer(own, target, { ...order, signal: new AbortController().signal, begin: async () => () => {} }, copied);
    if (copied.problems.length > 0) throw copied.problems[0];
    rmSync(this.repository, { recursive: true });
    renameSync(copy, this.repository);
    rmSync(settings.stateDirectory, { recursive: true });
    const file = join(this.folder, 'reader');
    writeFileSync(file, `${secret}\n`, { mode: 0o600 });
    this.#identity = { identity: file };
  }

  async list(): Promise<Expected['snapshots']> {
    const { snapshots } = await list({}, this.context);
    return snapshots.map(({ id, level, time }) => ({ id, level, time }));
  }

  async verify(): Promise<Verified> {
    const { status, damages } = await verify(this.#identity, this.context);
    const found = damages.map(({ code, object, snapshots, fileCount }) => ({ code, object, snapshots: [...snapshots], files: fileCount }));
    return { status, damages: found.sort((a, b) => (a.object < b.object ? -1 : 1)) };
  }

  /** The databases that a snapshot lists, with what a restore gives of each. */
  async databases(id: string): Promise<ExpectedDatabase[]> {
    const to = join(this.folder, `databases-${++this.#restores}`);
    const listed = (await databases({ unit: 'site1', at: id, ...this.#identity }, this.context)) as UnitDatabasesResult;
    await restore({ unit: 'site1', at: id, to, ...this.#identity }, this.context);
    return listed.databases.map(({ engine, name, path, rows, tables }) => {
      const content = createHash('sha256')
        .update(readFileSync(join(to, path)))
        .digest('hex');
      return { engine, name, path, rows: rows ?? null, tables: tables ?? null, content };
    });
  }

  /** Heals what can be healed; the names of what was, and of what could not be. */
  async repair(): Promise<{ readonly healed: readonly string[]; readonly lost: readonly string[] }> {
    const { healed, lost } = await repair({}, this.context);
    return { healed: healed.map(({ object }) => object), lost: lost.map(({ object }) => object) };
  }

  /** Restores a snapshot to a new folder and compares what is there with what was. `isExact`: in every property, else in kind and content. */
  async restore(id: string, expected: Readonly<Record<string, Entry>>, isExact: boolean): Promise<Restored> {
    const to = join(this.folder, `restored-${++this.#restores}`);
    try {
      const { status } = await restore({ unit: 'site1', at: id, to, ...this.#identity }, this.context);
      const found = await described(to);
      const told = (entry: Entry | undefined): string =>
        JSON.stringify(isExact || entry === undefined ? (entry ?? null) : { kind: entry.kind, content: entry.content ?? null });
      const lost = Object.entries(expected).filter(([path, entry]) => told(found[path]) !== told(entry));
      const strange = Object.keys(found).filter((path) => expected[path] === undefined);
      return { result: status, lost: [...lost.map(([path]) => path), ...strange] };
    } catch (error) {
      return { result: asFailure(error).code, lost: [] };
    } finally {
      rmSync(to, { recursive: true, force: true });
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Every entry of an account's trees with every property, by its path. */
export async function described(folder: string): Promise<Record<string, Entry>> {
  const entries: Record<string, Entry> = {};
  for (const tree of TREES.filter((each) => existsSync(join(folder, each)))) {
    for await (const { path, ...entry } of describeTree(join(folder, tree))) entries[path === '' ? tree : `${tree}/${path}`] = entry;
  }
  return entries;
}
