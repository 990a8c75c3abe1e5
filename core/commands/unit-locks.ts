/** The lock of whoever backs up the unit of this name, or deletes from its backups. */
export function unitBackupLock(name: string): string {
  return `${name}.backup`;
}
