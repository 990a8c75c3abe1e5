import { printable } from '../context/printable.ts';

/** One line of at most so many characters, without anything that steers a terminal, a header or a line. */
export function oneLine(text: string, longest: number): string {
  const line = printable(text.replaceAll(/\s*[\r\n]+\s*/g, ' ').trim());
  return cut(line, longest);
}

/** Cut between two characters, never inside of one. */
export function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const end = text.slice(0, longest - 1);
  return `${/[\ud800-\udbff]$/.test(end) ? end.slice(0, -1) : end}…`;
}

/** Some of the names, and how many more there are. */
export function someOf(names: readonly string[], most: number): string {
  const more = names.length - most;
  return names.slice(0, most).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
