import { type Command, Option } from 'commander';
import { Failure } from '../failure.ts';
import type { Actions } from './actions.ts';

/** What opens backups that are encrypted. */
export function identityOption(): Option {
  return new Option('--identity <file>', 'age identities that open encrypted backups; - is standard input');
}

export function passphraseOption(): Option {
  return new Option('--passphrase-file <file>', 'a file with the passphrase that opens them (several: one a line); - is standard input');
}

const collect = (value: string, earlier: readonly string[] = []): string[] => [...earlier, value];

/** Who is to be able to read what is stored. */
export function recipientOption(): Option {
  return new Option('--recipient <age1…>', 'encrypt for this age recipient, too; may be repeated').argParser(collect);
}

interface KeysOptions {
  readonly recipient?: readonly string[];
  readonly removeRecipient?: readonly string[];
  readonly passphraseFile?: string;
  readonly passphrase: boolean;
  readonly serverCanRead?: true;
  readonly writeOnly?: true;
  readonly plain?: true;
}

function keysRequest({ recipient, removeRecipient, serverCanRead, writeOnly, plain, ...options }: KeysOptions): Record<string, unknown> {
  if (serverCanRead === true && writeOnly === true) {
    throw new Failure('usage', 'a server that only writes cannot read: say one of --server-can-read and --write-only');
  }
  return {
    ...(recipient && { recipients: recipient }),
    ...(removeRecipient && { removeRecipients: removeRecipient }),
    ...(options.passphraseFile === undefined ? {} : { passphraseFile: options.passphraseFile }),
    ...(options.passphrase ? {} : { removePassphrase: true }),
    ...(serverCanRead === true || writeOnly === true ? { serverCanRead: serverCanRead === true } : {}),
    ...(plain === true ? { plain } : {}),
  };
}

/** Shows or changes for whom is encrypted. */
export function addKeys(program: Command, { perform }: Actions): void {
  program
    .command('keys')
    .description('show who can read what this server stores, or change that for what it stores from now on')
    .addOption(recipientOption())
    .addOption(new Option('--remove-recipient <age1…>', 'encrypt for this one no more; may be repeated').argParser(collect))
    .option('--passphrase-file <file>', 'a file with a new passphrase that opens it; - is standard input')
    .option('--no-passphrase', 'no passphrase opens it')
    .option('--server-can-read', 'this server keeps an identity of its own')
    .option('--write-only', 'this server keeps no identity: it can only write')
    .option('--plain', 'encrypt nothing')
    .action((options: KeysOptions) => perform('keys', keysRequest(options)));
}
