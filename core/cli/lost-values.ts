import type { Command } from 'commander';
import { Failure } from '../failure.ts';

/**
 * Has no option take another one for its value, which a variable of the shell that is not set and not in quotes brings about: of
 * `--identity $KEY --dry-run` nothing but a restore in earnest would be left. Such a call ends with `usage`. For a command and all below it.
 */
export function refuseOptionsAsValues(command: Command): void {
  const known = command.options.flatMap(({ long, short }) => [long, short]);
  for (const option of command.options.filter(({ required }) => required)) {
    const read = option.parseArg;
    option.argParser((value: string, before: unknown) => {
      if (known.includes(value.replace(/=.*/s, ''))) throw lost(option.long ?? option.flags, value);
      return read === undefined ? value : read(value, before);
    });
  }
  for (const below of command.commands) refuseOptionsAsValues(below);
}

function lost(option: string, value: string): Failure {
  return new Failure('usage', `${option} has no value: ${value} stands in its place`, {
    affected: [option],
    advice: 'A variable of the shell may not be set. In quotes ("$NAME") it cannot get lost.',
  });
}
