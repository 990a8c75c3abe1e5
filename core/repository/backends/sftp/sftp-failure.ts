import { Failure } from '../../../failure.ts';

/** Status codes of SFTP version 3 (draft-ietf-secsh-filexfer-02, section 7). */
export const Status = { end: 1, missing: 2, denied: 3, failure: 4, noConnection: 6, connectionLost: 7, unsupported: 8 } as const;

/** The status that a server answered with; undefined when it did not answer. */
export function statusOf(error: unknown): number | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'number' ? code : undefined;
}

/** Whether a server offers no such request: the library throws before it asks. */
export function isNotOffered(error: unknown): boolean {
  return error instanceof Error && /does not support|not supported/i.test(error.message);
}

/** What a refused or lost request means. `what` is the object or the place that it was about. */
export function sftpFailure(what: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const status = statusOf(error);
  const { message = String(error), level } = (error ?? {}) as { message?: string; level?: string };
  const details = { affected: [what], cause: error };
  if (status === Status.denied) {
    return new Failure('repository_refused', `${what}: the server does not permit it`, {
      ...details,
      advice: 'See what the user may do on that server.',
    });
  }
  if (status === Status.unsupported || isNotOffered(error))
    return new Failure('repository_refused', `${what}: the server cannot do it (${message})`, details);
  if (level === 'agent') {
    const advice = 'See that the agent runs, and that the setting `sftp` has the path of its socket.';
    return new Failure('repository_refused', `${what}: ${message}`, { ...details, advice });
  }
  if (level === 'handshake') {
    const advice = 'See which keys and algorithms the server offers (`ssh -v`), and which key of it the file of known hosts has.';
    return new Failure('repository_refused', `${what}: ${message}`, { ...details, advice });
  }
  if (level === 'client-authentication') {
    const advice = 'See that the user of the location has the public key of the setting `sftp` in authorized_keys.';
    return new Failure('repository_refused', `${what}: the server lets nobody in with this key`, { ...details, advice });
  }
  if (status === undefined || status === Status.noConnection || status === Status.connectionLost) {
    const advice = 'See that the server runs and that this one reaches it.';
    return new Failure('repository_unreachable', `${what}: ${message}`, { ...details, advice, retry: true });
  }
  if (status === Status.missing) return new Failure('io_error', `${what} is not there, or the folder that it belongs into`, details);
  // A server says no more of a full disk, a quota or a file that is there already.
  return new Failure('io_error', `${what}: ${message}`, details);
}

export function diskFull(cause: unknown): Failure {
  const advice = 'Free space on the server, or prune; then run again.';
  return new Failure('disk_full', 'the disk of the server is full', { advice, retry: true, cause });
}
