import { randomBytes } from 'node:crypto';

/** What a restore of a database makes for itself: a database beside the live one, and a login for it. Neither is anybody's. */
export const SHADOW_PREFIX = 'apiscp_backup_';
export const LOGIN_PREFIX = 'apbk_';

/** Digits, of base 16, that say whose restore it is of, and digits by chance behind them. */
const UNIT_DIGITS = 6;
const SHADOW_DIGITS = 6;
const LOGIN_DIGITS = 10;

const OWN_DATABASE = new RegExp(`^${SHADOW_PREFIX}[0-9a-f]{${UNIT_DIGITS + SHADOW_DIGITS}}$`);
const OWN_USER = new RegExp(`^${LOGIN_PREFIX}[0-9a-f]{${UNIT_DIGITS + LOGIN_DIGITS}}$`);

const SYSTEM = 'system';

/** @param unit of which something is restored: `siteN`, or `system` */
export function newShadowName(unit: string): string {
  return SHADOW_PREFIX + unitDigits(unit) + randomBytes(SHADOW_DIGITS / 2).toString('hex');
}

export function newLoginName(unit: string): string {
  return LOGIN_PREFIX + unitDigits(unit) + randomBytes(LOGIN_DIGITS / 2).toString('hex');
}

function unitDigits(unit: string): string {
  const number = unit === SYSTEM ? 0 : Number(unit.slice('site'.length));
  return number.toString(16).padStart(UNIT_DIGITS, '0').slice(-UNIT_DIGITS);
}

/** Whose restore has made what has such a name. */
export function unitOfOwnName(name: string): string {
  const from = name.startsWith(SHADOW_PREFIX) ? SHADOW_PREFIX.length : LOGIN_PREFIX.length;
  const number = Number.parseInt(name.slice(from, from + UNIT_DIGITS), 16);
  return number === 0 ? SYSTEM : `site${number}`;
}

/** An account's names can begin in the same way: only the whole name tells. */
export function isOwnDatabase(name: string): boolean {
  return OWN_DATABASE.test(name);
}

export function isOwnUser(name: string): boolean {
  return OWN_USER.test(name);
}
