const STEP_COUNT = 43;
const { isTTY } = process.stdout;

let step = 0;

/** Prints lines under the step that they belong to. */
export function say(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `      ${line}\n`).join(''));
}

/** Does `work` under a numbered title; a terminal shows the seconds go by. Returns what `work` returns. */
export async function showStep<Result>(title: string, work: () => Promise<Result>): Promise<Result> {
  const head = `[${++step}/${STEP_COUNT}] ${title}`;
  const begin = performance.now();
  const seconds = (): string => `${((performance.now() - begin) / 1000).toFixed(1)} s`;
  if (!isTTY) process.stdout.write(`${head} ...\n`);
  const ticker = isTTY ? setInterval(() => process.stdout.write(`\r${head} ... ${seconds()} `), 100) : undefined;
  try {
    const result = await work();
    clearInterval(ticker);
    process.stdout.write(isTTY ? `\r\x1b[K${head}: ${seconds()}\n` : `      done in ${seconds()}\n`);
    return result;
  } catch (error) {
    clearInterval(ticker);
    process.stdout.write(isTTY ? `\r\x1b[K${head}: failed after ${seconds()}\n` : `      failed after ${seconds()}\n`);
    throw error;
  }
}
