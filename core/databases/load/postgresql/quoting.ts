/** A name of the server's, quoted: no text that it holds can end it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string as a literal of SQL, with `standard_conforming_strings`. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
