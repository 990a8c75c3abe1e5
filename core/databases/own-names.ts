import { randomBytes } from 'node:crypto';

/** What a restore of a database makes for itself: a database beside the live one, and a login for it. Neither is anybody's. */
export const SHADOW_PREFIX = 'apiscp_backup_';
export const LOGIN_PREFIX = 'apbk_';

const SHADOW_BYTES = 6;
const LOGIN_BYTES = 8;

const OWN_DATABASE = new RegExp(`^${SHADOW_PREFIX}[0-9a-f]{${2 * SHADOW_BYTES}}$`);
const OWN_USER = new RegExp(`^${LOGIN_PREFIX}[0-9a-f]{${2 * LOGIN_BYTES}}$`);

export function newShadowName(): string {
  return SHADOW_PREFIX + randomBytes(SHADOW_BYTES).toString('hex');
}

export function newLoginName(): string {
  return LOGIN_PREFIX + randomBytes(LOGIN_BYTES).toString('hex');
}

/** An account's names can begin in the same way: only the whole name tells. */
export function isOwnDatabase(name: string): boolean {
  return OWN_DATABASE.test(name);
}

export function isOwnUser(name: string): boolean {
  return OWN_USER.test(name);
}
