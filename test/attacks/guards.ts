/** A check in the core that keeps something from happening, and how the code looks without it. */
export interface Guard {
  /** What is not so any more when it is missing. */
  readonly name: string;
  readonly file: string;
  /** The text that is replaced; stands in the file exactly once. */
  readonly text: string;
  readonly without: string;
  /** What does the same a second time, and is taken out as well. */
  readonly again?: { readonly text: string; readonly without: string };
  /** The test files of which one has to fail without it. */
  readonly tests: readonly string[];
}

const ATTACKS = 'test/attacks';

/** Guards of folders that people name. */
const NAMED_FOLDERS: readonly Guard[] = [
  {
    name: 'links of tenants are not followed',
    file: 'core/restore/target/named-folder.ts',
    text: 'if (!isRootsAlone(above) || link.uid !== ROOT) {',
    without: 'if (isRootsAlone(above) && link.uid === 987_654) {',
    tests: [`${ATTACKS}/to-planted-link.test.ts`],
  },
  {
    name: 'below a folder of a tenant goes on only what is his',
    file: 'core/restore/target/named-folder.ts',
    text: 'if (entered.uid !== above.uid) {',
    without: 'if (entered.uid === 987_654) {',
    tests: [`${ATTACKS}/to-renamed-private-folder.test.ts`],
  },
  {
    name: 'the folder to restore to is not a part of the repository',
    file: 'core/targets/restore-target.ts',
    text: 'if (met === undefined) return;',
    without: 'if (met !== undefined) return;',
    tests: ['test/restore/command.test.ts'],
  },
  {
    name: "an owner's folder is not a mount",
    file: 'core/targets/owner-target.ts',
    text: 'if (stat.isMountRoot) throw',
    without: 'if (stat.uid === 987_654) throw',
    tests: ['test/restore/owner-command.test.ts'],
  },
  {
    name: "the folder that an owner's is in belongs to the account",
    file: 'core/targets/owner-target.ts',
    text: 'if (!users.users.has(uid)) throw',
    without: 'if (uid === 987_654) throw',
    tests: ['test/restore/owner-command.test.ts'],
  },
  {
    name: "the way to the folder of an owner does not lead through what is somebody else's",
    file: 'core/targets/owner-target.ts',
    text: '!isRootsAlone(folder) && !users.has(entered.uid)',
    without: 'isRootsAlone(folder) && entered.uid === 987_654',
    tests: [`${ATTACKS}/to-renamed-private-folder.test.ts`],
  },
];

/** Guards of what is made. */
const STAGING: readonly Guard[] = [
  {
    name: 'what is restored is made where no tenant reaches it',
    file: 'core/restore/target/target.ts',
    text: ': (root.staging ?? NO_STAGING);',
    without: ': directory;',
    again: { text: 'unnamedFiles: root.unnamedFiles, owner', without: 'unnamedFiles: false, owner' },
    tests: ['test/restore/target/staging.test.ts', `${ATTACKS}/inherited-access-list.test.ts`],
  },
  {
    name: 'a staging folder stands in a folder of root alone',
    file: 'core/restore/target/trusted-folder.ts',
    text: 'return uid === ROOT && (mode & OTHERS_MAY_WRITE) === 0;',
    without: 'return uid !== 987_654 || (mode & OTHERS_MAY_WRITE) === 0;',
    tests: ['test/restore/target/staging.test.ts', `${ATTACKS}/hidden-name.test.ts`],
  },
  {
    name: 'a staging folder that is locked is not swept',
    file: 'core/restore/target/staging.ts',
    text: 'if (!tryLock(descriptor)) return;',
    without: 'void tryLock;',
    tests: ['test/restore/options.test.ts'],
  },
  {
    name: 'what a staging folder inherited is taken from it',
    file: 'core/restore/target/staging.ts',
    text: 'if (name === ACCESS_ACL || name === DEFAULT_ACL) removeXattr',
    without: "if (name === 'user.none') removeXattr",
    tests: ['test/restore/target/staging.test.ts'],
  },
  {
    name: 'a new file does not exist yet',
    file: 'core/restore/write/safe-file.ts',
    text: 'O_WRONLY | O_CREAT | O_EXCL, 0o600',
    without: 'O_WRONLY | O_CREAT | (O_EXCL & 0), 0o600',
    tests: ['test/restore/target/staging.test.ts'],
  },
  {
    name: 'a new file is closed to others until it is finished',
    file: 'core/restore/write/safe-file.ts',
    text: 'O_EXCL, 0o600)',
    without: 'O_EXCL, 0o666)',
    tests: ['test/restore/target/staging.test.ts'],
  },
  {
    name: 'a new file does not come to its place with what a directory of a tenant gave it',
    file: 'core/restore/write/attributes.ts',
    text: 'if (hasOtherAcl(present, entry)) {',
    without: 'if (hasOtherAcl(present, entry) && entry.uid === 987_654) {',
    again: {
      text: 'writeXattrs(descriptor, entry, place, refuse, present));',
      without: '{ for (let i = 0; i < 200; i++) readXattrs(descriptor); writeXattrs(descriptor, entry, place, refuse, present); });',
    },
    tests: ['test/restore/target/staging.test.ts'],
  },
  {
    name: 'a new directory is closed to others until it is finished',
    file: 'core/restore/directories/directories.ts',
    text: 'makeDirectoryAt(place.staging, staged, PRIVATE);',
    without: 'makeDirectoryAt(place.staging, staged, PRIVATE | 0o055);',
    tests: ['test/restore/target/staging.test.ts'],
  },
  {
    name: 'a folder that an owner names is made aside',
    file: 'core/targets/owner-target.ts',
    text: 'const made = make && !statAt(parent, name, stat) ? makeNew(parent, name, site, { uid, users, left: asNotice(reporter) }) : undefined;',
    without:
      'void makeNew; const wait = () => { for (let i = 0; i < 200; i++) statAt(parent, name, stat); }; const made = make && !statAt(parent, name, stat) ? (makeDirectoryAt(parent, name, PRIVATE), wait(), openDirectoryAt(parent, name)) : undefined; if (made !== undefined) setOwner(made, uid, users.group);',
    tests: [`${ATTACKS}/exchanged-new-folder.test.ts`],
  },
];

/** Guards of what is written to. */
const TARGETS: readonly Guard[] = [
  {
    name: 'an owner puts nothing into a folder of somebody else',
    file: 'core/restore/owner/owner-rights.ts',
    text: "if (!owner.users.has(stat.uid)) throw new Failure('owner_not_allowed', 'the folder",
    without: "if (stat.uid === 987_654) throw new Failure('owner_not_allowed', 'the folder",
    tests: ['test/restore/owner/owner-policy.test.ts', `${ATTACKS}/into-renamed-folder.test.ts`],
  },
  {
    name: 'a file changes hands only as a new file',
    file: 'core/restore/plan/compare.ts',
    text: 'const isOwners = stat.uid === uid && stat.gid === gid;',
    without: 'const isOwners = stat.uid !== 987_654 || uid === gid;',
    tests: [`${ATTACKS}/held-open-file.test.ts`],
  },
  {
    name: 'a file gets a set-uid bit only as a new file',
    file: 'core/restore/plan/compare.ts',
    text: '((stat.mode | mode) & SET_IDS) === 0',
    without: '((stat.mode | mode) & SET_IDS & 0) === 0',
    tests: [`${ATTACKS}/held-open-file.test.ts`],
  },
  {
    name: "an access list that is not the snapshot's goes before the mode is set",
    file: 'core/restore/write/attributes.ts',
    text: "  attempt('access list', refuse, () => removeOtherAcl(descriptor, entry));\n",
    without: '  void removeOtherAcl;\n',
    tests: ['test/restore/changed-in-place.test.ts'],
  },
  {
    name: 'a further name is one of what was restored',
    file: 'core/restore/write/hard-links.ts',
    text: 'if (!statAt(place.staging, staged, later) || !isInode(later, restored)) {',
    without: 'if (!statAt(place.staging, staged, later)) {',
    tests: ['test/restore/owner/owner-policy.test.ts', `${ATTACKS}/swapped-first-name.test.ts`],
  },
  {
    name: 'protection is given to what was restored',
    file: 'core/restore/write/link-pass.ts',
    text: 'if (!isInode(stat, restored)) {',
    without: 'if (!isInode(stat, restored) && stat.uid === 987_654) {',
    tests: ['test/restore/write/link-pass.test.ts'],
  },
  {
    name: 'a directory is finished that is the one of the first pass',
    file: 'core/restore/directories/directories.ts',
    text: 'if (stat.inode !== known.inode || stat.device !== known.device) {',
    without: 'if (stat.inode === 0n || stat.device === known.device + 1n) {',
    tests: ['test/restore/target/staging.test.ts'],
  },
  {
    name: 'a directory that is made in its place is the one that was opened',
    file: 'core/restore/directories/directories.ts',
    text: 'if (stat.uid === ROOT && (stat.mode & ~SET_GROUP_ID) === UNMISTAKABLE) {',
    without: 'if (stat.uid === ROOT && (stat.mode & ~SET_GROUP_ID & UNMISTAKABLE) !== 1) {',
    tests: ['test/restore/target/staging.test.ts'],
  },
  {
    name: 'a number of an inode that was given again is no kept directory of the snapshot',
    file: 'core/restore/directories/kept-directory.ts',
    text: 'if (!status.hasBirthTime || status.birthTime > ctime) return false;',
    without: 'if (!status.hasBirthTime) return false;',
    tests: ['test/restore/target/staging.test.ts'],
  },
  {
    name: 'a kept directory of somebody else is not given away',
    file: 'core/restore/directories/kept-directory.ts',
    text: 'if (accountUsers === undefined || status.uid === uid || accountUsers.has(status.uid)) return;',
    without: 'if (accountUsers === undefined || status.uid !== 987_654) return;',
    tests: ['test/restore/target/staging.test.ts'],
  },
  {
    name: 'a restore that is done is not undone by what it cannot wait for',
    file: 'core/restore/write/sync.ts',
    text: 'if (errorCode(error) === undefined) throw error;\n    return false;',
    without: 'throw error;',
    tests: ['test/restore/write/sync.test.ts'],
  },
  {
    name: 'no directory of root is entered that the restore had not met',
    file: 'core/restore/target/target.ts',
    text: 'if (!isMount && !this.#isPlanted()) return descriptor;',
    without: 'if (!isMount) return descriptor; void this.#isPlanted;',
    tests: ['test/restore/target/staging.test.ts'],
  },
];

/** Guards of what is read and removed, and of what is told of it. */
const OTHERS: readonly Guard[] = [
  {
    name: 'a FIFO makes no backup wait',
    file: 'core/scan/read/opened-entry.ts',
    text: 'const flag = O_RDONLY | O_NONBLOCK;',
    without: 'const flag = O_RDONLY; void O_NONBLOCK;',
    tests: ['test/scan/read/opened-entry.test.ts'],
  },
  {
    name: 'a device is not read as a file',
    file: 'core/scan/read/opened-entry.ts',
    text: 'if (stat.isFile || stat.isDirectory) return { descriptor, stat, readable: true };',
    without: 'return { descriptor, stat, readable: true };',
    tests: ['test/scan/read/opened-entry.test.ts'],
  },
  {
    name: 'the way up leads where the reader came from',
    file: 'core/scan/walk/reader-level.ts',
    text: 'if (identity !== undefined && hasIdentity(identity, this.#stat.words)) return descriptor;',
    without: 'if (identity !== undefined) return descriptor; void hasIdentity;',
    tests: ['test/scan/walk/reader-level.test.ts'],
  },
  {
    name: 'a backup enters no mount that nobody told it of',
    file: 'core/scan/walk/tree-reader.ts',
    text: 'const isMount = mounted !== undefined || (stat.isMountRoot && level.identity !== undefined);',
    without: 'const isMount = mounted !== undefined;',
    tests: ['test/scan/walk/mounts.test.ts'],
  },
  {
    name: 'a removal enters no mount',
    file: 'core/restore/directories/tree-removal.ts',
    text: `    if (stat.isMountRoot) return this.keepMount(path);
    checkDirectory(directory, this.#rules.owner);
    if (isDirectory && !this.#empty(directory, name, path, depth)) return false;`,
    without: `    checkDirectory(directory, this.#rules.owner);
    if (isDirectory && !this.#empty(directory, name, path, depth)) return false;`,
    again: {
      text: 'if (isElsewhere(descriptor, directory)) return this.keepMount(path);',
      without: '',
    },
    tests: ['test/restore/directories/tree-removal.test.ts'],
  },
  {
    name: 'the warnings of a backup are bounded',
    file: 'core/backup/rows/warning-list.ts',
    text: 'if (this.list.length >= WARNING_LIMIT || this.#left <= 0) return;',
    without: 'if (this.list.length >= WARNING_LIMIT * 1e6 || this.#left <= 0) return;',
    tests: ['test/backup/rows/warning-list.test.ts'],
  },
  {
    name: 'the problems of a restore are bounded',
    file: 'core/restore/counted-list.ts',
    text: 'if (this.count++ < NAMED_LIMIT) this.first.push(item);',
    without: 'this.count++; this.first.push(item);',
    tests: ['test/restore/outcome.test.ts'],
  },
];

export const GUARDS: readonly Guard[] = [...NAMED_FOLDERS, ...STAGING, ...TARGETS, ...OTHERS];

/** The guard of this name. */
export function guard(name: string): Guard {
  const found = GUARDS.find((each) => each.name === name);
  if (found === undefined) throw new RangeError(`there is no guard "${name}"`);
  return found;
}
