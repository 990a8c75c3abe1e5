/**
 * The value of a key in an INI file as ApisCP writes service files: `[section]` lines, `key = value` lines, comments from `#`
 * or `;` at the beginning of a line. Counted are the section `section`, `[DEFAULT]` and what stands before any section.
 * Quotes around a value are dropped; `None` and an empty value mean that there is none. Files by other hands are read as far
 * as they make sense; the first assignment counts.
 */
export function iniValue(text: string, section: string, key: string): string | undefined {
  let inside = true;
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    if (line.startsWith('[')) inside = ['DEFAULT', section].includes(line.slice(1, line.endsWith(']') ? -1 : undefined).trim());
    if (!inside || line.startsWith('#') || line.startsWith(';')) continue;
    const equals = line.indexOf('=');
    if (equals < 0 || line.slice(0, equals).trim() !== key) continue;
    const value = unquote(line.slice(equals + 1).trim());
    return value === '' || value === 'None' ? undefined : value;
  }
  return undefined;
}

function unquote(value: string): string {
  const quote = value[0];
  const quoted = value.length > 1 && (quote === '"' || quote === "'") && value.endsWith(quote);
  return quoted ? value.slice(1, -1) : value;
}
