import { readFileSync } from 'node:fs';
import { type EndedUnit, withinAnswer } from '../backup/run/ended-unit.ts';
import type { RunJournal } from '../backup/run/run-journal.ts';
import type { Reporter } from '../context/context.ts';
import { openContext } from '../context/open-context.ts';
import { withPriority } from '../context/priority.ts';
import { ProgressFeed } from '../context/progress-feed.ts';
import { askable } from '../context/progress-request.ts';
import { writeAll } from '../linux/write-all.ts';
import { EXIT } from '../schemas/exit-codes.ts';
import { jsonLine } from '../schemas/json-text.ts';
import { showDefects, toWireError } from '../schemas/wire-error.ts';
import type { Job, Message } from './messages.ts';

const STDIN = 0;
const STDOUT = 1;
const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/**
 * Does the work of a run for the supervisor that started this process, and says on the way what it does. Returns the exit code,
 * which tells nobody anything: the messages do.
 */
export async function workForSupervisor(): Promise<number> {
  const job = readJob();
  if (job === undefined) return EXIT.usage;
  const { endWithParent } = await import('../linux/parent-death.ts');
  endWithParent(job.supervisor);
  if (job.debug) showDefects();
  process.on('uncaughtException', (error) => {
    send({ type: 'defect', message: toWireError(error).message });
    process.exit(EXIT.failed);
  });
  // Whoever asks this process means the one that has the terminal.
  process.on('SIGUSR1', () => process.kill(job.supervisor, 'SIGUSR1'));
  const controller = new AbortController();
  // A signal may come to both processes, and is passed on besides: what ends at once is the supervisor, and this one with it.
  for (const signal of SIGNALS) process.on(signal, () => controller.abort());
  const feed = new ProgressFeed((progress) => send({ type: 'progress', progress }));
  const reporter: Reporter = { progress: (progress) => feed.add(progress), log: (line) => send({ type: 'log', line }) };
  const context = openContext(job.settingsFile ?? undefined, reporter, controller.signal);
  try {
    const given = { ...context, databaseExport: job.databaseExport ?? undefined };
    const { limitRights } = await import('../linux/process-rights.ts');
    limitRights();
    const { run } = await import('../commands/run.ts');
    const { operation } = await import('../commands/operation.ts');
    send({ type: 'ready' });
    const result = await askable(
      withPriority((request: Job['request']) => operation(request, given, (asked) => run(request, asked, journalOf(job)))),
    )(job.request, context);
    feed.finish();
    send({ type: 'result', result });
    return EXIT.ok;
  } catch (error) {
    send({ type: 'error', error: toWireError(error) });
    return EXIT.failed;
  }
}

/** Undefined when it is no supervisor's: a person found the word. */
function readJob(): Job | undefined {
  try {
    return JSON.parse(readFileSync(STDIN, 'utf8')) as Job;
  } catch {
    process.stderr.write('error: this is for the program itself\n');
    return undefined;
  }
}

/** At once, so that it is said before whatever comes next ends the process. */
function send(message: Message): void {
  writeAll(STDOUT, Buffer.from(jsonLine(message)));
}

function journalOf({ earlier }: Job): RunJournal {
  const shortened = withinAnswer();
  return {
    earlier: earlier ?? undefined,
    begin: (run) => send({ type: 'begin', run }),
    beginUnit: (unit) => send({ type: 'beginUnit', unit, time: new Date().toISOString() }),
    endUnit: ({ outcome, entry }: EndedUnit) => send({ type: 'endUnit', ended: { outcome: shortened(outcome), entry } }),
  };
}
