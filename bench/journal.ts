import type { FailedRun, Sample } from './sample.ts';

/** Collects what is measured, and says what is being done. */
export class Journal {
  readonly samples: Sample[] = [];
  readonly failures: FailedRun[] = [];

  say(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  add(sample: Sample): void {
    this.samples.push(sample);
    const { step, tool, round, wallSeconds, processorSeconds, peakBytes } = sample;
    this.say(
      `  ${step} ${round + 1} ${tool}: ${wallSeconds.toFixed(2)} s, ${processorSeconds.toFixed(2)} s CPU, ${Math.round(peakBytes / 2 ** 20)} MiB`,
    );
  }

  addFailure(failure: FailedRun): void {
    this.failures.push(failure);
    this.say(`  ${failure.step} ${failure.tool}: FAILED: ${failure.message}`);
  }
}
