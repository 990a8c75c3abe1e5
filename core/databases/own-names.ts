/** What a restore of a database makes for itself: a database beside the live one, and a login for it. Neither is anybody's. */
export const SHADOW_PREFIX = 'apiscp_backup_';
export const LOGIN_PREFIX = 'apbk_';

const OWN_DATABASE = new RegExp(`^${SHADOW_PREFIX}[0-9a-f]+$`);
const OWN_USER = new RegExp(`^${LOGIN_PREFIX}[0-9a-f]+$`);

export function isOwnDatabase(name: string): boolean {
  return OWN_DATABASE.test(name);
}

export function isOwnUser(name: string): boolean {
  return OWN_USER.test(name);
}
