import { getSystemErrorName } from 'node:util';

/** Names of linux/errno.h that Node lacks. Network, stacked and damaged file systems answer with them. */
const FURTHER_NAMES = new Map<number, string>([
  [15, 'ENOTBLK'],
  [35, 'EDEADLK'],
  [37, 'ENOLCK'],
  [43, 'EIDRM'],
  [52, 'EBADE'],
  [53, 'EBADR'],
  [54, 'EXFULL'],
  [60, 'ENOSTR'],
  [62, 'ETIME'],
  [63, 'ENOSR'],
  [66, 'EREMOTE'],
  [67, 'ENOLINK'],
  [70, 'ECOMM'],
  [72, 'EMULTIHOP'],
  [74, 'EBADMSG'],
  [77, 'EBADFD'],
  [78, 'EREMCHG'],
  [85, 'ERESTART'],
  [87, 'EUSERS'],
  [94, 'ESOCKTNOSUPPORT'],
  [96, 'EPFNOSUPPORT'],
  [109, 'ETOOMANYREFS'],
  [115, 'EINPROGRESS'],
  [116, 'ESTALE'],
  [117, 'EUCLEAN'],
  [122, 'EDQUOT'],
  [123, 'ENOMEDIUM'],
  [124, 'EMEDIUMTYPE'],
  [126, 'ENOKEY'],
  [127, 'EKEYEXPIRED'],
  [128, 'EKEYREVOKED'],
  [129, 'EKEYREJECTED'],
  [130, 'EOWNERDEAD'],
  [131, 'ENOTRECOVERABLE'],
  [132, 'ERFKILL'],
  [133, 'EHWPOISON'],
]);

/** The name of an error number such as 2; `E` and the number, as in `E524`, where neither Node nor errno.h has one. */
export function errorName(errno: number): string {
  const name = getSystemErrorName(-errno);
  return /^E[A-Z0-9]+$/.test(name) ? name : (FURTHER_NAMES.get(errno) ?? `E${errno}`);
}
