import { geteuid } from 'node:process';
import { lastErrno, libc } from './libc.ts';
import { check, SystemError } from './system-error.ts';

const EPERM = 1;
const EINVAL = 22;

// prctl(2)
const PR_SET_DUMPABLE = 4;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
// setrlimit(2)
const RLIMIT_CORE = 4;
// capget(2): version 3 of the header, two sets of 32 capabilities each.
const CAPABILITY_VERSION = 0x20080522;
const HEADER_BYTES = 8;
const SET_BYTES = 12;
/** More than any kernel has; asking for one that there is not ends the list. */
const MOST_CAPABILITIES = 64;

/** The capabilities (capabilities(7)) that backups and restores need, and what for. docs/process-rights.md says the same. */
export const NEEDED_CAPABILITIES = {
  /** Owners of restored entries. */
  CHOWN: 0,
  /** Folders and files of accounts, whatever their modes. */
  DAC_OVERRIDE: 1,
  DAC_READ_SEARCH: 2,
  /** Modes, times, ACLs and flags of what is others'; reading without leaving a time of access. */
  FOWNER: 3,
  /** Set-id bits of restored entries. */
  FSETID: 4,
  /** Ending a dump that runs as another user. */
  KILL: 5,
  /** Running the database servers' programs as who the server knows, and with no more rights than that. */
  SETGID: 6,
  SETUID: 7,
  /** Protection against changes. */
  LINUX_IMMUTABLE: 9,
  /** Attributes in `trusted` and `security`, which mounted accounts are made of. */
  SYS_ADMIN: 21,
  /** Giving way to the sites, and taking the priority back. */
  SYS_NICE: 23,
  /** What root may write beyond quotas and reserves. */
  SYS_RESOURCE: 24,
  /** Devices, whiteouts among them. */
  MKNOD: 27,
  /** Capabilities of restored programs. */
  SETFCAP: 31,
} as const;

/**
 * Gives up for good what backups and restores do not need: all other capabilities, gaining any by starting a program, and core dumps
 * or tracing by others, which would show what was read of accounts. Threads that exist already keep theirs; those that are started later
 * have what is left. Does nothing for other users than root, who have none of it.
 */
export function limitRights(): void {
  check(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), 'prctl');
  check(libc.setrlimit(RLIMIT_CORE, Buffer.alloc(16)), 'setrlimit');
  if (geteuid?.() === 0) {
    dropFromBoundingSet();
    dropCapabilities();
  }
  check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 'prctl');
}

const isNeeded = (capability: number): boolean => (Object.values(NEEDED_CAPABILITIES) as number[]).includes(capability);

function dropFromBoundingSet(): void {
  for (let capability = 0; capability < MOST_CAPABILITIES; capability++) {
    if (isNeeded(capability) || libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) === 0) continue;
    const errno = lastErrno();
    // The kernel has no such one; or whoever started this process took away the right to drop any.
    if (errno === EINVAL || errno === EPERM) return;
    throw new SystemError('prctl', errno);
  }
}

/** Effective and permitted: what is needed of what there is; inheritable: nothing. */
function dropCapabilities(): void {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(CAPABILITY_VERSION, 0);
  const sets = Buffer.alloc(2 * SET_BYTES);
  check(libc.capget(header, sets), 'capget');
  for (let half = 0; half < 2; half++) {
    let mask = 0;
    for (let bit = 0; bit < 32; bit++) if (isNeeded(half * 32 + bit)) mask |= 1 << bit;
    const permitted = (sets.readUInt32LE(half * SET_BYTES + 4) & mask) >>> 0;
    sets.writeUInt32LE(permitted, half * SET_BYTES);
    sets.writeUInt32LE(permitted, half * SET_BYTES + 4);
    sets.writeUInt32LE(0, half * SET_BYTES + 8);
  }
  check(libc.capset(header, sets), 'capset');
}
