import { Failure } from '../../../failure.ts';

/** What the library throws, as far as it can be relied on. */
interface Thrown {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string | undefined>> };
  readonly Region?: unknown;
}

/** Answers that mean that the store has too much to do, or is in the middle of something. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
/** The same by name. What arrived damaged or not at all is refused with 400, and two requests for one name at a time with 409. */
const PASSING_NAMES = new Set([
  'RequestTimeout',
  'BadDigest',
  'IncompleteBody',
  'XAmzContentSHA256Mismatch',
  'XAmzContentChecksumMismatch',
  'ConditionalRequestConflict',
  'OperationAborted',
]);
const KEYS_WRONG = new Set([
  'AccessDenied',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'TokenRefreshRequired',
]);
/** What the library calls an answer in which there is no name. */
const NAMELESS = new Set(['', 'NotFound', 'Unknown', 'UnknownError']);
const OTHER_REGION = new Set(['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException']);
/** What is wrong with a certificate (openssl-verification-options(1), and Node's own names): the same the next time. */
const CERTIFICATE_WRONG = /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|ERR_TLS_CERT)/;

export function statusOf(error: unknown): number | undefined {
  return (error as Thrown | undefined)?.$metadata?.httpStatusCode;
}

export function nameOf(error: unknown): string {
  const { name } = (error ?? {}) as Thrown;
  return typeof name === 'string' ? name : '';
}

/** Whether the store itself says that there is no such object; a gateway in front of it says no more than 404. */
export function isMissing(error: unknown): boolean {
  return nameOf(error) === 'NoSuchKey';
}

/** What came is not what was asked for: some other time it may be. */
export function strangeAnswer(what: string, words: string, cause?: unknown): Failure {
  return new Failure('repository_unreachable', `${what}: ${words}`, { affected: [what], retry: true, cause });
}

/** The advice for a bucket that is in another region, which the store may name. */
function regionAdvice({ Region, $response }: Thrown): string {
  const named = Region ?? $response?.headers?.['x-amz-bucket-region'];
  const region = typeof named === 'string' && /^[a-z0-9-]{1,40}$/.test(named) ? `"${named}"` : 'that of the bucket';
  return `The bucket is in another region: set \`region\` in the setting \`s3\` to ${region}, and name the endpoint of that region.`;
}

/** What a refused or lost request means. `what` is the object or the place that it was about. */
export function s3Failure(what: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const status = statusOf(error);
  const name = nameOf(error);
  const { message, code } = (error ?? {}) as Thrown;
  const text = `${what}: ${[name, brief(message)].filter((part) => part !== '' && part !== 'Error').join(': ')}`;
  const details = { affected: [what], cause: error };
  if (name === 'NoSuchBucket')
    return new Failure('repository_missing', text, { ...details, advice: 'Make the bucket, or correct its name.' });
  if (name === 'InvalidObjectState') {
    const advice = 'Bring it back from the archive (RestoreObject), and keep repositories in classes from which is read at once.';
    return new Failure('repository_refused', text, { ...details, advice });
  }
  if (name === 'RequestTimeTooSkewed') {
    return new Failure('repository_refused', text, { ...details, advice: 'Set the clock of this server, and see that chronyd runs.' });
  }
  if (typeof code === 'string' && CERTIFICATE_WRONG.test(code)) {
    const advice = 'Add the authority that signed the certificate to those of this system, or have the store show one for this name.';
    return new Failure('repository_refused', text, { ...details, advice });
  }
  if (OTHER_REGION.has(name) || status === 301) {
    return new Failure('repository_refused', `${text} (HTTP ${status})`, { ...details, advice: regionAdvice(error as Thrown) });
  }
  if (KEYS_WRONG.has(name) || status === 401 || status === 403) {
    const advice = 'See that the key in the file that the setting `s3` names is right, and may do this in this bucket.';
    return new Failure('repository_refused', text, { ...details, advice });
  }
  if (name === 'QuotaExceeded' || status === 507) {
    return new Failure('disk_full', text, { ...details, advice: 'Raise the quota of the bucket, or prune.', retry: true });
  }
  // Of an answer that says that all is well and cannot be read, a part was lost on the way.
  const isPassing = status === undefined || status < 300 || PASSING.has(status) || PASSING_NAMES.has(name);
  // Where no object is, the store names what is missing: whoever says only 404 stands in front of it.
  if (isPassing || typeof code === 'string' || (status === 404 && NAMELESS.has(name))) {
    const advice = 'See that the store runs and that this server reaches it.';
    return new Failure('repository_unreachable', text, { ...details, advice, retry: true });
  }
  return new Failure('repository_refused', `${text} (HTTP ${status})`, details);
}

/** The first line, without what the library tells its programmers. */
function brief(message: unknown): string {
  if (typeof message !== 'string') return '';
  return (message.split('\n')[0] ?? '').replace(/; if the root CA is installed locally.*/, '');
}
