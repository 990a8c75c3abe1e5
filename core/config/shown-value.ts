const USER_OF_ADDRESS = /\/\/[^/\s"]*@/g;
/** Keys whose values may be secrets that somebody wrote into the wrong place. A path is none. */
const SECRET_KEY = /secret|key|pass|token|credential/i;

/** A text without what stands before the host of an address: messages are kept in logs, where no key belongs. */
export function withoutUser(text: string): string {
  return text.replace(USER_OF_ADDRESS, '//…@');
}

/** A value of a setting as messages show it. */
export function shownValue(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) => {
    if (typeof item !== 'string') return item;
    return SECRET_KEY.test(key) && !item.startsWith('/') ? '…' : withoutUser(item);
  });
}
