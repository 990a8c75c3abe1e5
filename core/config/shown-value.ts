/** What begins as a location or an address does. */
const BEGIN = /^[A-Za-z0-9+.-]+:(?:https?:)?(?:\/\/)?/i;
/** Keys whose values may be secrets that somebody wrote into the wrong place. A path is none. */
const SECRET_KEY = /secret|key|pass|token|credential/i;

/**
 * A location or an address without what somebody wrote into it that does not belong there: before the host, in a query, or as an option of rclone. Messages are kept
 * in logs, where no key belongs. Other texts stay as they are.
 */
export function withoutSecrets(text: string): string {
  const begin = BEGIN.exec(text)?.[0].length;
  if (begin === undefined) return text;
  const hidden = text.replace(/([?=]).*$/s, '$1…');
  const end = hidden.lastIndexOf('@');
  // A user alone is none; the name of a key is, and a colon ends it.
  const from = hidden.startsWith('//', begin - 2) ? begin : hidden.indexOf(':', begin) + 1;
  return from > 0 && from < end ? `${hidden.slice(0, from)}…${hidden.slice(end)}` : hidden;
}

/** A value of a setting as messages show it. */
export function shownValue(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) => {
    if (typeof item !== 'string') return item;
    return SECRET_KEY.test(key) && !item.startsWith('/') ? '…' : withoutSecrets(item);
  });
}
