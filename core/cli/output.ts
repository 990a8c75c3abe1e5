import { printable } from '../context/printable.ts';
import type { WireStats } from '../schemas/counted.ts';
import { EXIT, exitCodeOfFailure, exitCodeOfResult } from '../schemas/exit-codes.ts';
import { jsonLine } from '../schemas/json-text.ts';
import type { MethodName } from '../schemas/messages.ts';
import type { WireError } from '../schemas/parts.ts';
import { renderResult } from './results.ts';
import { statsLine } from './stats-line.ts';

/** How the outcome of a command is told; each returns the exit code. */
export interface Output {
  /** Whether an answer that comes in pages is shown to its end. */
  readonly readsOn: boolean;
  /** `isFirst` is false for the pages of an answer that follow the first. */
  result(method: MethodName, result: unknown, isFirst: boolean): number;
  failure(error: WireError): number;
  /** Text that was asked for: help, the version. */
  text(name: 'help' | 'version', text: string): number;
  /** The same on the stream of complaints, where the answer itself takes the other one. */
  readonly aside: Output;
}

const { stdout, stderr } = process;

/** One JSON value on stdout, whatever happens. */
export const jsonOutput: Output = jsonTo(stdout);

function jsonTo(stream: NodeJS.WritableStream): Output {
  return {
    readsOn: false,
    result(_method, result) {
      stream.write(jsonLine(result));
      return exitCodeOfResult(result);
    },
    failure(error) {
      stream.write(jsonLine({ error }));
      return exitCodeOfFailure(error.code);
    },
    text(name, text) {
      stream.write(jsonLine({ [name]: text.trimEnd() }));
      return EXIT.ok;
    },
    get aside() {
      return jsonTo(stderr);
    },
  };
}

/** Tables on stdout, complaints on stderr. */
export const peopleOutput: Output = peopleTo(stdout);

function peopleTo(stream: NodeJS.WritableStream): Output {
  return {
    readsOn: true,
    result(method, result, isFirst) {
      stream.write(renderResult(method, result, isFirst));
      const { stats } = result as { readonly stats?: WireStats };
      if (stats !== undefined) stderr.write(`${statsLine(stats)}\n`);
      return exitCodeOfResult(result);
    },
    failure({ code, message, affected, advice }) {
      const others = affected.filter((name) => !message.includes(name));
      const lines = [`error: ${message} (${code})`, ...others.map((name) => `  ${name}`), ...(advice === null ? [] : [advice])];
      stderr.write(`${lines.map(printable).join('\n')}\n`);
      return exitCodeOfFailure(code);
    },
    text(_name, text) {
      stream.write(text);
      return EXIT.ok;
    },
    get aside() {
      return peopleTo(stderr);
    },
  };
}
