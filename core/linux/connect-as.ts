import { closeSync } from 'node:fs';
import { libc } from './libc.ts';
import { check, SystemError } from './system-error.ts';

/** A user of this system, by ids. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2_000_000;
// prctl(2)
const PR_SET_PDEATHSIG = 1;
const PR_GET_PDEATHSIG = 2;
const SYS_SETRESUID = 117;
const SYS_SETRESGID = 119;
/** An id that stays as it is. */
const SAME = -1;
/** struct sockaddr_un: the family, and a path that ends with a zero byte. */
const PATH_AT = 2;
const LONGEST_PATH = 107;

/**
 * Connects to a socket of this machine as another user, and gives the descriptor: the server sees that one as its peer. This thread alone
 * is that user meanwhile, unlike with Node's `seteuid`, so no other thread has other rights than its own.
 *
 * @throws SystemError
 */
export function connectAs(path: string, { uid, gid }: SystemUser): number {
  const bytes = Buffer.from(path);
  if (bytes.length > LONGEST_PATH) throw new SystemError('connect', ENAMETOOLONG, path);
  const address = Buffer.alloc(PATH_AT + LONGEST_PATH + 1);
  address.writeUInt16LE(AF_UNIX);
  bytes.copy(address, PATH_AT);
  const socket = check(libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket');
  const [ownUser, ownGroup] = [process.geteuid!(), process.getegid!()];
  const [parent, endOfParent] = [process.ppid, new Int32Array(1)];
  check(libc.prctlGet(PR_GET_PDEATHSIG, endOfParent), 'prctl');
  try {
    check(libc.syscall(SYS_SETRESGID, SAME, gid, SAME), 'setresgid');
    try {
      check(libc.syscall(SYS_SETRESUID, SAME, uid, SAME), 'setresuid');
      try {
        check(libc.connect(socket, address, address.length), 'connect', path);
      } finally {
        mustReturn(libc.syscall(SYS_SETRESUID, SAME, ownUser, SAME));
      }
    } finally {
      mustReturn(libc.syscall(SYS_SETRESGID, SAME, ownGroup, SAME));
      // The kernel forgets it when a thread becomes somebody else.
      mustReturn(libc.prctl(PR_SET_PDEATHSIG, endOfParent[0] as number, 0, 0, 0));
      if (endOfParent[0] !== 0 && process.ppid !== parent) process.kill(process.pid, endOfParent[0]);
    }
    return socket;
  } catch (error) {
    closeSync(socket);
    throw error;
  }
}

const ENAMETOOLONG = 36;

/** A thread that went on as somebody else would write files of that one. */
function mustReturn(result: number): void {
  if (result < 0) process.abort();
}
