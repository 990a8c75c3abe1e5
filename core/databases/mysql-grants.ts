/**
 * Which databases a grant names, by its text in `mysql.db`, where `_` and `%` stand for others unless a backslash precedes them. For whose a
 * database is, only what is spelled out counts: a whole name, or the beginning of one before a last `%`. A bare `_` is a mistake that everybody
 * makes, and means itself.
 */
export function grantOn(pattern: string): (name: string) => boolean {
  const isPrefix = /(?<!\\)(?:\\\\)*%$/.test(pattern);
  const text = isPrefix ? pattern.slice(0, -1) : pattern;
  if (/(?<!\\)(?:\\\\)*%/.test(text)) return () => false;
  const literal = text.replaceAll(/\\(.)/gs, '$1');
  if (isPrefix) return literal === '' ? () => false : (name) => name.startsWith(literal);
  return (name) => name === literal;
}
