import { Failure } from '../../../failure.ts';

/** What the library throws, as far as it can be relied on. */
interface Thrown {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Answers that mean that the store has too much to do, or is in the middle of something. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
const KEYS_WRONG = new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken', 'TokenRefreshRequired']);

export function statusOf(error: unknown): number | undefined {
  return (error as Thrown | undefined)?.$metadata?.httpStatusCode;
}

export function nameOf(error: unknown): string {
  const { name } = (error ?? {}) as Thrown;
  return typeof name === 'string' ? name : '';
}

/** What a refused or lost request means. `what` is the object or the place that it was about. */
export function s3Failure(what: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const status = statusOf(error);
  const name = nameOf(error);
  const { message, code } = (error ?? {}) as Thrown;
  const text = `${what}: ${[name, message].filter((part) => typeof part === 'string' && part !== '' && part !== 'Error').join(': ')}`;
  const details = { affected: [what], cause: error };
  if (name === 'NoSuchBucket')
    return new Failure('repository_missing', text, { ...details, advice: 'Make the bucket, or correct its name.' });
  if (name === 'RequestTimeTooSkewed') {
    return new Failure('repository_refused', text, { ...details, advice: 'Set the clock of this server, and see that chronyd runs.' });
  }
  if (KEYS_WRONG.has(name) || status === 401 || status === 403) {
    const advice = 'See that the key in the file that the setting `s3` names is right, and may do this in this bucket.';
    return new Failure('repository_refused', text, { ...details, advice });
  }
  if (name === 'QuotaExceeded' || status === 507) {
    return new Failure('disk_full', text, { ...details, advice: 'Raise the quota of the bucket, or prune.', retry: true });
  }
  // Of an answer that says that all is well and cannot be read, a part was lost on the way.
  if (status === undefined || status < 300 || PASSING.has(status) || typeof code === 'string') {
    const advice = 'See that the store runs and that this server reaches it.';
    return new Failure('repository_unreachable', text, { ...details, advice, retry: true });
  }
  return new Failure('repository_refused', `${text} (HTTP ${status})`, details);
}
