/**
 * One line of JSON. Control characters that JSON allows in strings (DEL, C1, line separators) are escaped too: a file's
 * name must not steer the terminal that shows it, nor end the line.
 */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value);
  return `${text.replace(/[\u007f-\u009f\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
