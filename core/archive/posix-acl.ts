import { AclTag, isNamed, parseAcl } from '../linux/posix-acl.ts';

const LABELS = new Map<number, string>([
  [AclTag.userObject, 'user:'],
  [AclTag.user, 'user:'],
  [AclTag.groupObject, 'group:'],
  [AclTag.group, 'group:'],
  [AclTag.mask, 'mask:'],
  [AclTag.other, 'other:'],
]);
const PERMISSIONS = ['---', '--x', '-w-', '-wx', 'r--', 'r-x', 'rw-', 'rwx'];

/**
 * The short text form (acl(5), with numeric ids) of an ACL as the kernel keeps it in an attribute. Undefined for a value that
 * no kernel would accept: tar readers would fail on its text.
 */
export function aclText(value: Buffer): string | undefined {
  const parts: string[] = [];
  const counts = new Map<number, number>();
  for (const entry of parseAcl(value) ?? []) {
    const label = LABELS.get(entry.tag);
    const permissions = PERMISSIONS[entry.permissions];
    if (label === undefined || permissions === undefined) return undefined;
    parts.push(`${label}${isNamed(entry) ? entry.id : ''}:${permissions}`);
    counts.set(entry.tag, (counts.get(entry.tag) ?? 0) + 1);
  }
  return isComplete(counts) ? parts.join(',') : undefined;
}

/** Owner, group and others once each; a mask at most once, and required beside named users and groups. */
function isComplete(counts: ReadonlyMap<number, number>): boolean {
  for (const tag of [AclTag.userObject, AclTag.groupObject, AclTag.other]) if (counts.get(tag) !== 1) return false;
  const masks = counts.get(AclTag.mask) ?? 0;
  return masks === 1 || (masks === 0 && !counts.has(AclTag.user) && !counts.has(AclTag.group));
}
