import { EXIT, exitCodeOfFailure, exitCodeOfResult } from '../schemas/exit-codes.ts';
import { jsonLine } from '../schemas/json-text.ts';
import type { MethodName } from '../schemas/messages.ts';
import type { WireError } from '../schemas/parts.ts';
import { printable } from './printable.ts';
import { renderResult } from './results.ts';

/** How the outcome of a command is told; each returns the exit code. */
export interface Output {
  /** Whether an answer that comes in pages is shown to its end. */
  readonly readsOn: boolean;
  /** `isFirst` is false for the pages of an answer that follow the first. */
  result(method: MethodName, result: unknown, isFirst: boolean): number;
  failure(error: WireError): number;
  /** Text that was asked for: help, the version. */
  text(name: 'help' | 'version', text: string): number;
}

const { stdout, stderr } = process;

/** One JSON value on stdout, whatever happens. */
export const jsonOutput: Output = {
  readsOn: false,
  result(_method, result) {
    stdout.write(jsonLine(result));
    return exitCodeOfResult(result);
  },
  failure(error) {
    stdout.write(jsonLine({ error }));
    return exitCodeOfFailure(error.code);
  },
  text(name, text) {
    stdout.write(jsonLine({ [name]: text.trimEnd() }));
    return EXIT.ok;
  },
};

/** Tables on stdout, complaints on stderr. */
export const peopleOutput: Output = {
  readsOn: true,
  result(method, result, isFirst) {
    stdout.write(renderResult(method, result, isFirst));
    return exitCodeOfResult(result);
  },
  failure({ code, message, affected, advice }) {
    const others = affected.filter((name) => !message.includes(name));
    const lines = [`error: ${message} (${code})`, ...others.map((name) => `  ${name}`), ...(advice === null ? [] : [advice])];
    stderr.write(`${lines.map(printable).join('\n')}\n`);
    return exitCodeOfFailure(code);
  },
  text(_name, text) {
    stdout.write(text);
    return EXIT.ok;
  },
};
