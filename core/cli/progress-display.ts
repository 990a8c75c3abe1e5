import { Presets, SingleBar } from 'cli-progress';
import type { LogLine, Progress, Reporter } from '../commands/context.ts';
import { PaceMeter } from './pace.ts';
import { printable } from './printable.ts';
import { formatBytes, formatCount, formatDuration } from './quantities.ts';

/** Elsewhere than on a terminal a line this often is enough for a log. */
const LINE_INTERVAL_SECONDS = 30;

export interface ProgressDisplay extends Reporter {
  /** Takes the bar away; the result follows. */
  finish(): void;
}

function amounts(progress: Progress, meter: PaceMeter): string {
  const { bytesPerSecond, secondsLeft } = meter.of(progress);
  const parts = [`${formatCount(progress.entries)} entries`, formatBytes(progress.bytes), `${formatBytes(Math.round(bytesPerSecond))}/s`];
  if (secondsLeft !== undefined) parts.push(`${formatDuration(secondsLeft)} left`);
  return parts.join(', ');
}

function logText({ level, message, affected = [] }: LogLine): string {
  return `${level}: ${printable([message, ...affected].join(' '))}\n`;
}

/** A bar that is redrawn in place, on a terminal. */
class BarDisplay implements ProgressDisplay {
  readonly #stream: NodeJS.WriteStream;
  readonly #meter = new PaceMeter();
  readonly #bar: SingleBar;
  #shown = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    const format = '{unit} {phase} {bar} {percentage}%  {amounts}';
    this.#bar = new SingleBar(
      { stream, format, barsize: 24, clearOnComplete: true, hideCursor: true, fps: 5, linewrap: false },
      Presets.shades_classic,
    );
  }

  progress(progress: Progress): void {
    this.#meter.add(progress, performance.now() / 1000);
    const inBytes = progress.bytesTotal !== undefined && progress.bytesTotal > 0;
    const total = (inBytes ? progress.bytesTotal : progress.entriesTotal) ?? 0;
    const done = inBytes ? progress.bytes : progress.entries;
    const payload = { unit: printable(progress.unit), phase: printable(progress.phase), amounts: amounts(progress, this.#meter) };
    if (!this.#shown) this.#bar.start(total, 0, payload);
    this.#shown = true;
    this.#bar.setTotal(total);
    this.#bar.update(Math.min(done, total), payload);
  }

  log(line: LogLine): void {
    this.finish();
    this.#stream.write(logText(line));
  }

  finish(): void {
    if (this.#shown) this.#bar.stop();
    this.#shown = false;
  }
}

/** A plain line now and then, for logs and mails. */
class LineDisplay implements ProgressDisplay {
  readonly #stream: NodeJS.WritableStream;
  readonly #meter = new PaceMeter();
  #phase = '';
  #lastLine = 0;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  progress(progress: Progress): void {
    const now = performance.now() / 1000;
    this.#meter.add(progress, now);
    const phase = `${printable(progress.unit)} ${printable(progress.phase)}`;
    if (phase === this.#phase && now - this.#lastLine < LINE_INTERVAL_SECONDS) return;
    const begins = phase !== this.#phase;
    this.#phase = phase;
    this.#lastLine = now;
    this.#stream.write(begins ? `${phase}\n` : `${phase}: ${amounts(progress, this.#meter)}\n`);
  }

  log(line: LogLine): void {
    this.#stream.write(logText(line));
  }

  finish(): void {}
}

/** What shows a command's progress on this stream (stderr: stdout belongs to the result). */
export function progressDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  return stream.isTTY ? new BarDisplay(stream) : new LineDisplay(stream);
}
