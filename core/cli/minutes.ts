import { InvalidArgumentError } from 'commander';

/** How long to wait, as an argument has it. */
export function minutes(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= 0 && count <= 1440) return count;
  throw new InvalidArgumentError('It must be a number of minutes from 0 to 1440.');
}
