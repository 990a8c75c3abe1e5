/** Says for whom a server encrypts what it writes from then on. */
export interface KeyRecord {
  readonly formatVersion: number;
  readonly id: string;
  readonly repository: string;
  readonly server: string;
  /** `age1…`; empty: nothing is encrypted. */
  readonly recipients: readonly string[];
  /** The one of them whose identity the server has. */
  readonly serverRecipient: string | null;
  /** The one of them whose identity lies in the repository, locked by a passphrase. */
  readonly passphraseRecipient: string | null;
  /** Hexadecimal, of that locked identity as it is stored; missing in records of before. */
  readonly lockedSha256?: string;
  /** RFC 3339 UTC. */
  readonly created: string;
}

/** The three ways to hold keys. */
export type KeyMode = 'plain' | 'server-can-read' | 'write-only';

function modeOf(record: KeyRecord | undefined): KeyMode {
  if (record === undefined || record.recipients.length === 0) return 'plain';
  return record.serverRecipient === null ? 'write-only' : 'server-can-read';
}

/** Who can read what a server writes, as it is shown. */
export interface ShownKeys {
  readonly mode: KeyMode;
  readonly recipients: readonly string[];
  readonly serverRecipient: string | null;
  readonly passphraseRecipient: string | null;
}

export function keysOf(record: KeyRecord | undefined): ShownKeys {
  const { recipients = [], serverRecipient = null, passphraseRecipient = null } = record ?? {};
  return { mode: modeOf(record), recipients, serverRecipient, passphraseRecipient };
}
