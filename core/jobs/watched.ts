import type { Context, Progress, Reporter } from '../context/context.ts';
import { ProgressFeed } from '../context/progress-feed.ts';
import { EventLog } from './record/event-log.ts';
import { isAskedToStop, writeJson } from './record/job-record.ts';
import { FILES } from './record/places.ts';

/** In milliseconds. */
const LOOK_FOR_CANCEL = 200;
const PROGRESS_EVERY = 1000;

/** A job's context: what is reported is recorded, too, and whoever asks the job to stop raises its signal. */
export interface Watched {
  readonly context: Context;
  readonly events: EventLog;
  close(): void;
}

export function watched(context: Context, folder: string): Watched {
  const events = new EventLog(folder);
  const controller = new AbortController();
  const look = (): void => {
    if (!controller.signal.aborted && isAskedToStop(folder)) controller.abort();
  };
  look();
  const timer = setInterval(look, LOOK_FOR_CANCEL);
  timer.unref();
  return {
    events,
    context: derived(context, recording(context.reporter, folder, events), AbortSignal.any([context.signal, controller.signal])),
    close: () => clearInterval(timer),
  };
}

/** The same context with another reporter and signal. Its settings are still read when somebody asks for them, and not now. */
function derived(context: Context, reporter: Reporter, signal: AbortSignal): Context {
  const { settingsFile, standardInput, archiveOutput, now, machine, databaseExport } = context;
  return {
    get settings() {
      return context.settings;
    },
    get unusable() {
      return context.unusable ?? new Map<string, string>();
    },
    settingsFile,
    standardInput,
    archiveOutput,
    now,
    ...(machine === undefined ? {} : { machine }),
    databaseExport,
    reporter,
    signal,
  };
}

function recording(reporter: Reporter, folder: string, events: EventLog): Reporter {
  let last = Number.NEGATIVE_INFINITY;
  let phase = '';
  const feed = new ProgressFeed((progress) => {
    if (performance.now() - last < PROGRESS_EVERY) return;
    last = performance.now();
    try {
      writeJson(folder, FILES.progress, progress);
    } catch {
      // Nobody fails for want of a progress.
    }
  });
  return {
    progress(progress: Progress) {
      reporter.progress(progress);
      const now = `${progress.unit}: ${progress.phase}`;
      if (now !== phase) events.add({ kind: 'phase', level: 'info', code: progress.phase, message: now });
      phase = now;
      feed.add(progress);
    },
    log(line) {
      reporter.log(line);
      events.add({ kind: 'notice', level: line.level, code: line.code, message: line.message });
    },
  };
}
