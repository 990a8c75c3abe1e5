import { constants } from 'node:os';
import koffi from 'koffi';
import type { ByteString } from '../manifest/entry.ts';

/**
 * The C library's functions that Node has no counterpart of. Nobody outside `core/linux` imports this: a wrong signature
 * is a crash, so the signatures stay on one page.
 */
const library = koffi.load('libc.so.6');

/** Calls that the C library of EL8 (2.28) has no function of; numbers of x86-64. `test/linux/old-libc.test.ts` looks for others. */
const SYS_GETDENTS64 = 217;
const SYS_MKNODAT = 259;
const callWithBuffer = library.func('long syscall(long, int, void *, size_t)');
const callWithDevice = library.func('long syscall(long, int, void *, unsigned int, unsigned int)');
/** Kernel and C library write the number of a device in the same way as far as this; beyond it, there is none. */
const LARGEST_DEVICE = 0xffff_ffff;

function mknodat(directory: number, name: Buffer, mode: number, device: number | bigint): number {
  if (device < 0 || device > LARGEST_DEVICE) {
    koffi.errno(constants.errno.EINVAL);
    return -1;
  }
  return callWithDevice(SYS_MKNODAT, directory, name, mode, Number(device));
}

export const libc = {
  openat: library.func('int openat(int, void *, int, unsigned int)'),
  close: library.func('int close(int)'),
  getdents64: (directory: number, listing: Buffer, length: number): number => callWithBuffer(SYS_GETDENTS64, directory, listing, length),
  statx: library.func('int statx(int, void *, int, unsigned int, void *)'),
  readlinkat: library.func('long readlinkat(int, void *, void *, size_t)'),
  mkdirat: library.func('int mkdirat(int, void *, unsigned int)'),
  mknodat,
  symlinkat: library.func('int symlinkat(void *, int, void *)'),
  linkat: library.func('int linkat(int, void *, int, void *, int)'),
  unlinkat: library.func('int unlinkat(int, void *, int)'),
  renameat2: library.func('int renameat2(int, void *, int, void *, unsigned int)'),
  fchownat: library.func('int fchownat(int, void *, unsigned int, unsigned int, int)'),
  chmod: library.func('int chmod(void *, unsigned int)'),
  fchmod: library.func('int fchmod(int, unsigned int)'),
  utimensat: library.func('int utimensat(int, void *, void *, int)'),
  futimens: library.func('int futimens(int, void *)'),
  lseek: library.func('int64_t lseek(int, int64_t, int)'),
  posix_fadvise: library.func('int posix_fadvise(int, int64_t, int64_t, int)'),
  sync_file_range: library.func('int sync_file_range(int, int64_t, int64_t, unsigned int)'),
  syncfs: library.func('int syncfs(int)'),
  ftruncate: library.func('int ftruncate(int, int64_t)'),
  ioctl: library.func('int ioctl(int, unsigned long, void *)'),
  flock: library.func('int flock(int, int)'),
  listxattr: library.func('long listxattr(void *, void *, size_t)'),
  getxattr: library.func('long getxattr(void *, void *, void *, size_t)'),
  setxattr: library.func('int setxattr(void *, void *, void *, size_t, int)'),
  removexattr: library.func('int removexattr(void *, void *)'),
  flistxattr: library.func('long flistxattr(int, void *, size_t)'),
  fgetxattr: library.func('long fgetxattr(int, void *, void *, size_t)'),
  fsetxattr: library.func('int fsetxattr(int, void *, void *, size_t, int)'),
  fremovexattr: library.func('int fremovexattr(int, void *)'),
  fstatfs: library.func('int fstatfs(int, void *)'),
  prctl: library.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)'),
  // With an address that the kernel writes to.
  prctlGet: library.func('int prctl(int, void *)'),
  setrlimit: library.func('int setrlimit(int, void *)'),
  capget: library.func('int capget(void *, void *)'),
  capset: library.func('int capset(void *, void *)'),
  execve: library.func('int execve(void *, void *, void *)'),
  // Both lists end with null. Gives the number of the error, and leaves `errno` alone.
  posix_spawn: library.func('int posix_spawn(void *, str, void *, void *, str *, str *)'),
  posix_spawnattr_init: library.func('int posix_spawnattr_init(void *)'),
  posix_spawnattr_setflags: library.func('int posix_spawnattr_setflags(void *, short)'),
  posix_spawnattr_setsigmask: library.func('int posix_spawnattr_setsigmask(void *, void *)'),
  posix_spawnattr_setsigdefault: library.func('int posix_spawnattr_setsigdefault(void *, void *)'),
  posix_spawn_file_actions_init: library.func('int posix_spawn_file_actions_init(void *)'),
  posix_spawn_file_actions_destroy: library.func('int posix_spawn_file_actions_destroy(void *)'),
  posix_spawn_file_actions_addopen: library.func('int posix_spawn_file_actions_addopen(void *, int, str, int, unsigned int)'),
  posix_spawn_file_actions_adddup2: library.func('int posix_spawn_file_actions_adddup2(void *, int, int)'),
  // The C library of EL8 does not have it.
  posix_spawn_file_actions_addchdir_np: ifThere('int posix_spawn_file_actions_addchdir_np(void *, str)'),
  waitpid: library.func('int waitpid(int, void *, int)'),
  fcntl: library.func('int fcntl(int, int, long)'),
  socket: library.func('int socket(int, int, int)'),
  connect: library.func('int connect(int, void *, unsigned int)'),
  pipe2: library.func('int pipe2(void *, int)'),
  sigprocmask: library.func('int sigprocmask(int, void *, void *)'),
  getrandom: library.func('long getrandom(void *, size_t, unsigned int)'),
  mallopt: library.func('int mallopt(int, int)'),
  malloc_trim: library.func('int malloc_trim(size_t)'),
  // For calls that the C library has no function of, all with at most three whole numbers.
  syscall: library.func('long syscall(long, long, long, long)'),
} as const;

function ifThere(signature: string): ReturnType<typeof library.func> | undefined {
  try {
    return library.func(signature);
  } catch {
    return undefined;
  }
}

/**
 * C strings and the list of pointers to them that ends with a null one, for execve(2). The memory is never given back: it is for what
 * replaces the process.
 */
export function stringList(texts: readonly ByteString[]): Buffer {
  const bytes = Buffer.from(texts.map((text) => `${text}\0`).join(''), 'latin1');
  const block = koffi.alloc('uint8_t', Math.max(1, bytes.length));
  if (bytes.length > 0) koffi.encode(block, koffi.array('uint8_t', bytes.length), bytes);
  const pointers = Buffer.alloc(8 * (texts.length + 1));
  let address = koffi.address(block);
  for (const [index, text] of texts.entries()) {
    pointers.writeBigUInt64LE(address, 8 * index);
    address += BigInt(text.length + 1);
  }
  return pointers;
}

/** The error number of the call just made on this thread. Read it before any other call. */
export function lastErrno(): number {
  return koffi.errno();
}
