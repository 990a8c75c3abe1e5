import { readFileSync } from 'node:fs';
import { Failure } from '../failure.ts';
import type { PathArgument } from '../schemas/parts.ts';
import { saysAll } from './unit-arguments.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The paths of a command line as a request has them. Arguments reach this program decoded as UTF-8, with other bytes replaced by
 * U+FFFD, which is also in names itself: the kernel knows what was given.
 */
export function pathArguments(texts: readonly string[], base64: readonly string[]): PathArgument[] {
  const wrong = base64.find((text) => text === '' || !BASE64.test(text));
  if (wrong !== undefined) throw new Failure('usage', '--path-b64 needs base64', { affected: [wrong] });
  if (texts.includes('')) {
    throw new Failure('usage', 'the path is empty: a variable of the shell may not be set', {
      advice: 'Name one, such as shadow/var/www.',
    });
  }
  return [...texts.map(exact), ...base64.map((path_b64) => ({ path: Buffer.from(path_b64, 'base64').toString('utf8'), path_b64 }))];
}

/** The same where `all`, or no path, is everything, as a request has it: without paths. */
export function somePaths(texts: readonly string[], base64: readonly string[]): { readonly paths?: readonly PathArgument[] } {
  const isAll = base64.length === 0 && saysAll(texts);
  const paths = isAll ? [] : pathArguments(texts, base64);
  return paths.length === 0 ? {} : { paths };
}

function exact(text: string): PathArgument {
  if (!text.includes('\u{fffd}')) return text;
  const given = new Set(givenArguments().flatMap((bytes) => (bytes.toString('utf8') === text ? [bytes.toString('base64')] : [])));
  const [path_b64] = given;
  if (path_b64 !== undefined && given.size === 1) return { path: text, path_b64 };
  throw new Failure('usage', 'the bytes of this path cannot be determined', {
    affected: [text],
    advice: 'Give its bytes with --path-b64, as `ls --json` and the warnings show them.',
  });
}

/** What this program was started with, as bytes, and what stands behind the `=` of an option. */
function givenArguments(): Buffer[] {
  const line = readFileSync('/proc/self/cmdline').toString('latin1');
  return line.split('\0').flatMap((argument) => {
    const option = /^--[a-z0-9-]+=(.*)$/s.exec(argument);
    return [argument, ...(option === null ? [] : [option[1] as string])].map((each) => Buffer.from(each, 'latin1'));
  });
}
