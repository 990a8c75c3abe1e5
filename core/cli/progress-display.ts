import { type Params, SingleBar } from 'cli-progress';
import type { Progress, Reporter } from '../context/context.ts';
import type { Notice } from '../context/notice.ts';
import { printable } from '../context/printable.ts';
import { ProgressFeed, type ShownProgress } from '../context/progress-feed.ts';
import { formatBytes, formatCount, formatDuration } from './quantities.ts';

/** Elsewhere than on a terminal a line this often is enough for a log. */
const LINE_INTERVAL_MS = 30_000;

export interface ProgressDisplay extends Reporter {
  /** Writes the last state as a line, because somebody asked for it. */
  report(): void;
  /** Shows the last state and takes the bar away; the result follows. */
  finish(): void;
}

/** What is worked on: `site1 backup`, or `site1 (2 of 5) backup`. */
function subject({ unit, unitNumber, unitCount, phase }: Progress): string {
  const place = unitNumber !== undefined && unitCount !== undefined && unitCount > 1 ? [`(${unitNumber} of ${unitCount})`] : [];
  return [printable(unit), ...place, printable(phase)].join(' ');
}

function amounts({ entries, bytes, rate, secondsLeft }: ShownProgress): string {
  const parts = [`${formatCount(entries)} entries`, formatBytes(bytes)];
  if (rate !== undefined) parts.push(`${formatCount(rate.entries)} entries/s`, `${formatBytes(rate.bytes)}/s`);
  if (secondsLeft !== undefined) parts.push(`${formatDuration(secondsLeft)} left`);
  return parts.join(', ');
}

function logText({ level, message, affected = [] }: Notice): string {
  return `${level}: ${printable([message, ...affected].join(' '))}\n`;
}

/** The answer to whoever asks how far it is; `since` is in milliseconds. */
function answerText(progress: ShownProgress | undefined, since: number): string {
  if (progress === undefined) return `in progress for ${formatDuration(Math.round(since / 1000))}, nothing counted yet\n`;
  return `${subject(progress)}: ${amounts(progress)}\n`;
}

const BAR_LENGTH = 24;

/** With a bar only where there is a total. */
function barText({ total, progress }: Params, { subject, amounts }: { subject: string; amounts: string }): string {
  if (total === 0) return `${subject}  ${amounts}`;
  const full = Math.floor(progress * BAR_LENGTH);
  const bar = '█'.repeat(full) + '░'.repeat(BAR_LENGTH - full);
  return `${subject} ${bar} ${Math.floor(progress * 100)}%  ${amounts}`;
}

/** A bar that is redrawn in place, on a terminal. */
class BarDisplay implements ProgressDisplay {
  readonly #stream: NodeJS.WriteStream;
  readonly #feed: ProgressFeed;
  readonly #bar: SingleBar;
  readonly #now: () => number;
  readonly #began: number;
  #shown = false;
  #latest: ShownProgress | undefined;

  constructor(stream: NodeJS.WriteStream, now: () => number) {
    this.#stream = stream;
    this.#now = now;
    this.#began = now();
    this.#feed = new ProgressFeed((progress) => this.#draw(progress), now);
    this.#bar = new SingleBar({
      ...{ stream, clearOnComplete: true, hideCursor: true, fps: 5, linewrap: false },
      format: (_options, params, payload) => barText(params, payload),
    });
  }

  progress(progress: Progress): void {
    this.#feed.add(progress);
  }

  log(line: Notice): void {
    this.#takeAway();
    this.#stream.write(logText(line));
  }

  report(): void {
    this.#feed.finish();
    this.#takeAway();
    this.#stream.write(answerText(this.#latest, this.#now() - this.#began));
  }

  finish(): void {
    this.#feed.finish();
    this.#takeAway();
  }

  #draw(progress: ShownProgress): void {
    this.#latest = progress;
    const inBytes = progress.bytesTotal !== undefined && progress.bytesTotal > 0 && progress.byEntries !== true;
    const total = (inBytes ? progress.bytesTotal : progress.entriesTotal) ?? 0;
    const done = inBytes ? progress.bytes : progress.entries;
    const payload = { subject: subject(progress), amounts: amounts(progress) };
    if (!this.#shown) this.#bar.start(total, 0, payload);
    this.#shown = true;
    this.#bar.setTotal(total);
    this.#bar.update(Math.min(done, total), payload);
  }

  #takeAway(): void {
    if (this.#shown) this.#bar.stop();
    this.#shown = false;
  }
}

/** A plain line now and then, for logs and mails. */
class LineDisplay implements ProgressDisplay {
  readonly #stream: NodeJS.WritableStream;
  readonly #feed: ProgressFeed;
  readonly #now: () => number;
  readonly #began: number;
  #subject = '';
  #lastLine = 0;
  #latest: ShownProgress | undefined;

  constructor(stream: NodeJS.WritableStream, now: () => number) {
    this.#stream = stream;
    this.#feed = new ProgressFeed((progress) => this.#write(progress), now);
    this.#now = now;
    this.#began = now();
  }

  progress(progress: Progress): void {
    this.#feed.add(progress);
  }

  log(line: Notice): void {
    this.#stream.write(logText(line));
  }

  report(): void {
    this.#feed.finish();
    this.#stream.write(answerText(this.#latest, this.#now() - this.#began));
  }

  finish(): void {
    this.#feed.finish();
  }

  #write(progress: ShownProgress): void {
    this.#latest = progress;
    const now = this.#now();
    const what = subject(progress);
    const begins = what !== this.#subject;
    if (!begins && now - this.#lastLine < LINE_INTERVAL_MS) return;
    this.#subject = what;
    this.#lastLine = now;
    this.#stream.write(begins ? `${what}\n` : `${what}: ${amounts(progress)}\n`);
  }
}

/** What shows a command's progress on this stream (stderr: stdout belongs to the result). `now` is in milliseconds. */
export function progressDisplay(stream: NodeJS.WriteStream, now: () => number = performance.now.bind(performance)): ProgressDisplay {
  return stream.isTTY ? new BarDisplay(stream, now) : new LineDisplay(stream, now);
}
