import type { PathArgument } from '../commands/schemas/parts.ts';
import { Failure } from '../failure.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The paths of a command line as a request has them. Arguments reach this program decoded as UTF-8, with other bytes
 * replaced: a path that lost bytes so would mean another file, or none.
 */
export function pathArguments(texts: readonly string[], base64: readonly string[]): PathArgument[] {
  const garbled = texts.find((text) => text.includes('\u{fffd}'));
  if (garbled !== undefined) {
    throw new Failure('usage', 'a path that is not UTF-8 cannot be given as an argument', {
      affected: [garbled],
      advice: 'Give its bytes with --path-b64, as `list --json` and the warnings show them.',
    });
  }
  const wrong = base64.find((text) => text === '' || !BASE64.test(text));
  if (wrong !== undefined) throw new Failure('usage', '--path-b64 needs base64', { affected: [wrong] });
  return [...texts, ...base64.map((path_b64) => ({ path: Buffer.from(path_b64, 'base64').toString('utf8'), path_b64 }))];
}
