import type { Client, SFTPWrapper } from 'ssh2';

/** So much more a server may send before it hears that it was taken, in bytes: what 100 Mbit/s carry in half a second. */
const MORE = 6 * 1024 * 1024;

/** What the library has inside of a client and of a session. */
interface Inside {
  readonly _protocol?: { readonly channelWindowAdjust?: (channel: number, bytes: number) => void };
  readonly outgoing?: { readonly id?: number };
}

/**
 * The library gives a server 2 MiB, and says that half of it was taken when it was: over 50 ms each way no more than 10 MiB a second come then. A server
 * that was given more once has that much more all the time.
 */
export function widenWindow(client: Client, sftp: SFTPWrapper): void {
  const { _protocol: protocol } = client as unknown as Inside;
  const { outgoing } = sftp as unknown as Inside;
  if (outgoing?.id !== undefined) protocol?.channelWindowAdjust?.(outgoing.id, MORE);
}
