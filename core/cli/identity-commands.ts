import { type Command, Option } from 'commander';
import type { Actions } from './program.ts';

/** Whose backups a reading command means. */
export function serverOption(): Option {
  return new Option('--server <name|id>', 'backups of another server in the repository, see `servers`');
}

/** The commands about whose backups are whose. */
export function addIdentityCommands(program: Command, { perform }: Actions): void {
  program
    .command('servers')
    .description('list the servers that have backups in the repository')
    .action(() => perform('servers', {}));
  program
    .command('adopt')
    .description('make this machine the continuation of a server, such as a lost one that it takes the place of')
    .argument('<server>', 'its name or id, see `servers`')
    .option('--yes', 'also when another machine wrote as it a short time ago')
    .action((server: string, options: object) => perform('adopt', { server, ...options }));
}
