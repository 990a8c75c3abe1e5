import { CommanderError } from 'commander';
import type { Reporter } from '../context/context.ts';
import { watchInterruption } from '../context/interruption.ts';
import { openContext } from '../context/open-context.ts';
import { onProgressRequest } from '../context/progress-request.ts';
import { Failure } from '../failure.ts';
import { ALL_METHODS } from '../jobs/methods.ts';
import { EXIT } from '../schemas/exit-codes.ts';
import type { MethodName } from '../schemas/messages.ts';
import { showDefects, toWireError } from '../schemas/wire-error.ts';
import { AnswerWatch } from './answer-watch.ts';
import { archiveReader } from './archive-reader.ts';
import { jsonOutput, type Output, peopleOutput } from './output.ts';
import { followingPage } from './pages.ts';
import { buildProgram, type GlobalOptions } from './program.ts';
import { progressDisplay } from './progress-display.ts';

export interface FrontEnds {
  /** The other front end of the program, `apiscp-backup rpc`; returns the exit code. */
  serveRpc(settingsFile: string | undefined): Promise<number>;
}

/** Whether JSON is asked for, readable also when the arguments are wrong. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes('--json');
}

function checkRequest(method: MethodName, request: unknown): void {
  const problem = ALL_METHODS.get(method)?.check(request);
  if (problem === undefined) return;
  const wrong = valueAt(request, problem.path);
  throw new Failure('usage', problem.message, {
    affected: typeof wrong === 'string' ? [wrong.slice(0, SHOWN)] : [],
    advice: `See \`apiscp-backup help ${method === 'simulate' ? 'prune' : method}\`.`,
  });
}

/** The same request with what was said for any command; of a job, that of the job. */
function withCommon(
  method: MethodName,
  request: Readonly<Record<string, unknown>>,
  { stats }: GlobalOptions,
): Readonly<Record<string, unknown>> {
  const common = stats === true ? { stats } : {};
  return method === 'start' ? { ...request, request: { ...(request.request as object), ...common } } : { ...request, ...common };
}

const STANDARD_INPUT = 0;

/** Whether the answer is an archive, which takes the standard output for itself. */
function sendsArchive(method: MethodName, request: unknown): boolean {
  const { to, fifo } = request as { readonly to?: unknown; readonly fifo?: unknown };
  return method === 'download' && to === undefined && fifo === undefined;
}

/** The most of a wrong value that is said back, in characters. */
const SHOWN = 200;

/** What a JSON Pointer leads to, undefined when there is nothing. */
function valueAt(value: unknown, pointer: string): unknown {
  const keys = pointer.split('/').slice(1);
  return keys.reduce<unknown>((inside, key) => (inside as Record<string, unknown> | null | undefined)?.[key], value);
}

/** Carries out one command and returns the exit code. */
async function perform(
  method: MethodName,
  request: unknown,
  { config, debug }: GlobalOptions,
  output: Output,
  answer: AnswerWatch,
): Promise<number> {
  if (debug === true) showDefects();
  if (config === '') throw new Failure('usage', 'the name of the settings file is empty: a variable of the shell may not be set');
  checkRequest(method, request);
  const interruption = watchInterruption();
  const display = progressDisplay(process.stderr);
  const stopReporting = onProgressRequest(() => display.report());
  let isFirst = true;
  const reporter: Reporter = {
    progress: display.progress.bind(display),
    // What is said of the repository is said once.
    log: (line) => (isFirst ? display.log(line) : undefined),
  };
  // One for all pages: the settings are read once.
  const archiveOutput = sendsArchive(method, request) ? archiveReader(process.stdout) : undefined;
  const told = archiveOutput === undefined ? output : output.aside;
  const context = openContext(config, reporter, interruption.signal, method, { standardInput: STANDARD_INPUT, archiveOutput });
  try {
    let exitCode: number = EXIT.ok;
    for (let asked = request; ; isFirst = false) {
      const result = await ALL_METHODS.get(method)?.perform(asked, context);
      display.finish();
      // A page that lacks something is not made good by the next one.
      exitCode = Math.max(exitCode, told.result(method, result, isFirst));
      const following = output.readsOn ? followingPage(method, request as object, asked as object, result) : undefined;
      if (following === undefined || answer.isLost) return exitCode;
      asked = following;
    }
  } catch (error) {
    display.finish();
    const exitCode = told.failure(toWireError(error));
    return interruption.exitCode() ?? exitCode;
  } finally {
    stopReporting();
  }
}

/** The command line of people: arguments in, tables or one JSON value out. Returns the exit code. */
export async function runCli(args: readonly string[], frontEnds: FrontEnds): Promise<number> {
  const output = asksForJson(args) ? jsonOutput : peopleOutput;
  const answer = new AnswerWatch(process.stdout);
  return answer.exitCode(await answerTo(args, output, frontEnds, answer));
}

/** What is wrong with arguments of which no command came out. */
function withoutCommand(args: readonly string[]): string {
  const asked = args[args.indexOf('help') + 1];
  return args.includes('help') && asked !== undefined ? `there is no command ${JSON.stringify(asked)} to explain` : 'a command is needed';
}

/** Carries out what the arguments say. Returns the exit code of the answer that was given. */
async function answerTo(args: readonly string[], output: Output, frontEnds: FrontEnds, answer: AnswerWatch): Promise<number> {
  let exitCode: number = EXIT.ok;
  let told = '';
  // A defect behind everybody's back: the same words as for the others, and the end.
  process.on('uncaughtException', (error) => process.exit(output.failure(toWireError(error))));
  const program = buildProgram({
    perform: async (method, request) => {
      const options = program.opts<GlobalOptions>();
      exitCode = await perform(method, withCommon(method, request, options), options, output, answer);
    },
    serveRpc: async () => {
      if (program.opts<GlobalOptions>().debug === true) showDefects();
      exitCode = await frontEnds.serveRpc(program.opts<GlobalOptions>().config);
    },
  });
  const tell = (text: string): void => {
    told += text;
  };
  for (const command of [program, ...program.commands]) command.exitOverride().configureOutput({ writeOut: tell, writeErr: tell });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return output.failure(toWireError(error));
    if (error.code === 'commander.version') return output.text('version', told);
    if (error.exitCode === 0) return output.text('help', told);
    const message = error.code === 'commander.help' ? withoutCommand(args) : error.message.replace(/^error: /, '').replaceAll('\n', ' ');
    return output.failure(toWireError(new Failure('usage', message, { advice: 'See `apiscp-backup help`.' })));
  }
}
