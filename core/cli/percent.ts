import { InvalidArgumentError } from 'commander';

/** A share, as an argument has it: `5%` or `5`. */
export function percent(text: string): number {
  const share = /^(\d{1,3})%?$/.exec(text);
  const number = Number(share?.[1] ?? 0);
  if (number >= 1 && number <= 100) return number;
  throw new InvalidArgumentError('It must be a share from 1% to 100%.');
}
