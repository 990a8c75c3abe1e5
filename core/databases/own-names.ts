/** What a restore of a database makes for itself: a database beside the live one, and a login for it. Neither is anybody's. */
const OWN_DATABASE = /^apiscp_backup_[0-9a-f]+$/;
const OWN_USER = /^apbk_[0-9a-f]+$/;

export function isOwnDatabase(name: string): boolean {
  return OWN_DATABASE.test(name);
}

export function isOwnUser(name: string): boolean {
  return OWN_USER.test(name);
}
