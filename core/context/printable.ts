// Controls (C0, DEL, C1), invisible format marks such as those that turn the direction of text, separators, lone surrogates.
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Text that comes from file names, made harmless for a terminal: what would steer it is shown as `\x1b`. */
export function printable(text: string): string {
  return text.replace(STEERING, escaped);
}
