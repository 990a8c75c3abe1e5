import { readFileSync } from 'node:fs';
import type { Settings } from '../config/settings.ts';
import { Failure } from '../failure.ts';
import { errorCode } from '../linux/system-error.ts';
import type { ByteString, Entry } from '../manifest/entry.ts';
import { type AccountUsers, FIRST_USER_ID, readAccountUsers } from '../panel/account-users.ts';
import { pathBytes } from '../panel/unit.ts';
import { requireLivingUnit } from '../panel/units.ts';
import { unitDocument } from '../repository/documents.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import { reveal } from '../repository/keys/sealed-members.ts';
import { unitPath } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import type { PackSource } from '../restore/content/pack-cache.ts';
import { readStoredContent } from '../restore/content/stored-content.ts';
import type { OwnerMap } from '../restore/owner/owner-map.ts';
import type { SnapshotView } from '../restore/plan/snapshot-view.ts';
import { idsByName } from './names-file.ts';

/** Of an account, and of a server. */
const NAME_FILES = { users: ['shadow/etc/passwd', 'etc/passwd'], groups: ['shadow/etc/group', 'etc/group'] } as const;
/** More than any of these files has, in bytes. */
const LARGEST = 4 * 1024 * 1024;
/** The greatest id; the one behind it means nobody, for the kernel. */
const LAST_ID = 0xffff_fffe;

/** Whose everything becomes, as a request says it. */
export interface MappingRequest {
  /** The account of this server that gets all. */
  readonly onto: string | undefined;
  /** Whether it is restored to where an account is. */
  readonly inAccount: boolean;
  /** `old:new`, names or ids. */
  readonly mapUsers: readonly string[];
  readonly mapGroups: readonly string[];
  /** The name of the administrator of the account in the snapshot; null: unknown. */
  readonly administrator: string | null;
}

/** A point in time, and where its contents are. */
export interface MappedSnapshot {
  readonly view: SnapshotView;
  readonly packs: PackSource;
}

type Names = ReadonlyMap<ByteString, number>;
const NOBODY: Names = new Map();

/** The name of the administrator whom an account had; null where nobody can tell. Throws `identity_missing`, `identity_wrong`, `repository_damaged`. */
export async function administratorOf(unit: UnitIdentity, repository: Repository): Promise<string | null> {
  const { adminUser } = await reveal(unitDocument, repository.nameOf(unitPath(unit.unit)), unit, repository.keys);
  return adminUser;
}

/**
 * Who gets what belonged to whom. Of an account that gets all, by the names of homes: of the snapshot and as they are now; ids that the snapshot names and the
 * account has not, its administrator and its group get. What `mapUsers` and `mapGroups` say counts before that. Throws `usage` for a name that there is not,
 * for one that is said twice and for an id that nobody may be given, and `unsupported` where it cannot be told who is who.
 */
export async function mapOwners(request: MappingRequest, snapshot: MappedSnapshot, settings: Settings): Promise<OwnerMap> {
  const before = { users: await recordedNames('users', snapshot), groups: await recordedNames('groups', snapshot) };
  const account = request.onto === undefined ? undefined : accountMap(request.onto, request, before.users, snapshot.view, settings);
  const { inAccount } = request;
  const ofUsers = { names: account?.now.homes ?? NOBODY, file: '/etc/passwd', own: account?.now.users, inAccount };
  const ofGroups = { names: NOBODY, file: '/etc/group', own: account && new Set([account.now.group]), inAccount };
  return {
    users: new Map([...(account?.users ?? []), ...said(request.mapUsers, before.users, ofUsers)]),
    groups: new Map([...(account?.groups ?? []), ...said(request.mapGroups, before.groups, ofGroups)]),
    systemIdsBelow: FIRST_USER_ID,
    rest: account && { user: account.now.administrator, group: account.now.group },
  };
}

/** To whom something may be given. */
interface Here {
  readonly names: Names;
  /** Of the server; for what `names` does not have. */
  readonly file: string;
  /** Of the account that gets all; undefined: there is none. */
  readonly own: ReadonlySet<number> | undefined;
  readonly inAccount: boolean;
}

function said(pairs: readonly string[], before: Names, here: Here): Map<number, number> {
  const map = new Map<number, number>();
  for (const pair of pairs) {
    const [from = '', to = ''] = pair.split(':');
    const old = idOf(from, () => before, 'the snapshot');
    const id = idOf(to, () => (here.names.has(pathBytes(to)) ? here.names : namesHere(here.file)), 'this server');
    if (map.has(old) && map.get(old) !== id) throw refused(pair, `it is said twice who gets what belonged to ${from}`);
    if (id !== old) checkTaker(pair, id, here);
    map.set(old, id);
  }
  return map;
}

/** In an account, what was somebody's does not become root's; and onto another one, not that of whoever is neither of it nor of the system. */
function checkTaker(pair: string, id: number, { own, inAccount }: Here): void {
  if (inAccount && id === 0) throw refused(pair, 'files of an account are not given to root');
  if (own === undefined || id < FIRST_USER_ID || own.has(id)) return;
  throw refused(pair, `${id} is nobody of the account: it is another one’s, or will be`);
}

function refused(pair: string, message: string): Failure {
  return new Failure('usage', `${pair}: ${message}`, {
    affected: [pair],
    advice: 'Restore to a folder with --to, where any map is taken.',
  });
}

function idOf(text: string, names: () => Names, where: string): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : names().get(pathBytes(text));
  if (id !== undefined && id <= LAST_ID) return id;
  throw new Failure('usage', `${where} has no ${text}`, { affected: [text], advice: 'Give an id instead of the name.' });
}

function namesHere(file: string): Names {
  try {
    return idsByName(readFileSync(file));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return new Map();
  }
}

/** The names in the snapshot's own files, none where it has none. */
async function recordedNames(kind: keyof typeof NAME_FILES, { view, packs }: MappedSnapshot): Promise<Names> {
  for (const path of NAME_FILES[kind]) {
    const entry = view.find(path)?.entry;
    if (entry?.kind !== 'file' || entry.content === undefined || entry.content.sparse !== undefined || entry.size > LARGEST) continue;
    const pieces: Buffer[] = [];
    for await (const piece of readStoredContent(entry.content, packs)) pieces.push(Buffer.from(piece));
    return idsByName(Buffer.concat(pieces));
  }
  return new Map();
}

/** What the users of an account of this server are in a snapshot of another one. */
function accountMap(
  onto: string,
  { administrator }: MappingRequest,
  recorded: Names,
  view: SnapshotView,
  { accountsRoot, systemRoot }: Settings,
): Pick<OwnerMap, 'users' | 'groups'> & { readonly now: AccountUsers } {
  const living = requireLivingUnit({ accountsRoot, systemRoot }, onto);
  const now = readAccountUsers(accountsRoot, onto, living.adminUser);
  const homeThen = (name: ByteString): Entry | undefined => {
    const entry = view.find(`shadow/home/${name}`)?.entry;
    return entry?.kind === 'directory' && entry.uid >= FIRST_USER_ID && entry.gid >= FIRST_USER_ID ? entry : undefined;
  };
  const then = homeThen(pathBytes(administrator ?? living.adminUser ?? ''));
  if (then === undefined) {
    throw new Failure('unsupported', 'the snapshot has no home of the administrator, so it cannot be told who owned the account', {
      affected: [onto],
      advice: 'Restore it to a folder with --to, and say with --map-user and --map-group who gets what.',
    });
  }
  const users = new Map<number, number>();
  for (const [name, id] of now.homes) {
    const home = homeThen(name);
    const old = home?.gid === then.gid ? home.uid : recorded.get(name);
    if (old !== undefined && old >= FIRST_USER_ID && !users.has(old)) users.set(old, id);
  }
  users.set(then.uid, now.administrator);
  return { users, groups: new Map([[then.gid, now.group]]), now };
}
