import { execa, type Options, type ResultPromise } from 'execa';
import type { Location } from '../../../config/location.ts';
import { checkPrivateFile } from '../../../config/private-file.ts';
import type { Settings } from '../../../config/settings-type.ts';
import { Failure } from '../../../failure.ts';
import { errorCode } from '../../../linux/system-error.ts';
import { whileWanted } from '../operation.ts';

export type RcloneLocation = Extract<Location, { kind: 'rclone' }>;
export type RcloneSettings = Settings['rclone'];

/** rclone's exit codes (rclone.org/docs, "List of exit codes"). */
export const Exit = { folderMissing: 3, fileMissing: 4, final: 6, fatal: 7, limit: 8 } as const;

/** What it says of what fails the same way the next time; it has one exit code for most of its errors. */
const REFUSED = /permission denied|access.?denied|forbidden|unauthori[sz]ed|invalid_grant|unknown (?:flag|command)|password|\b40[13]\b/i;

/** It repeats what fails by itself a few times; how long it may say nothing, in seconds, is told to it. */
const ARGUMENTS = [
  '--low-level-retries',
  '3',
  '--retries',
  '1',
  '--contimeout',
  '20s',
  '--timeout',
  '60s',
  // Whose settings are encrypted would otherwise be asked for a word, and read it from what is to be stored.
  '--ask-password=false',
  '--use-json-log',
  '--log-level',
  'ERROR',
];

/** What a child of rclone is started with. */
const BASIC = { reject: false, encoding: 'buffer', stripFinalNewline: false, extendEnv: false } as const satisfies Options;

/** In bytes: a listing of two million objects; and of complaints more than anybody reads. */
const MOST_OUTPUT = { stdout: 400 * 1024 ** 2, stderr: 1024 ** 2 };
/** A command that has not ended then hangs, in milliseconds: it gives up what is silent by itself, but its place may give a byte now and then. */
const HANGS_AFTER = 1_800_000;

export type RcloneChild = ResultPromise<typeof BASIC>;

/** The program `rclone`, told where a remote's settings are. */
export class Rclone {
  readonly description: string;
  readonly #location: RcloneLocation;
  readonly #config: string;
  readonly #hangsAfter: number;

  constructor(location: RcloneLocation, { configFile = '/root/.config/rclone/rclone.conf' }: RcloneSettings, hangsAfter = HANGS_AFTER) {
    this.#hangsAfter = hangsAfter;
    this.description = `rclone:${location.remote}:${location.path}`;
    this.#location = location;
    this.#config = configFile;
  }

  /** How rclone calls a path below the repository. */
  place(path: string): string {
    const { remote, path: root } = this.#location;
    if (path === '') return `${remote}:${root}`;
    return `${remote}:${root === '' || root.endsWith('/') ? root : `${root}/`}${path}`;
  }

  /** Starts a command; the caller waits for it and looks at how it ended. It ends by `signal`. */
  start(args: readonly string[], input: 'ignore' | 'pipe' = 'ignore', signal?: AbortSignal): RcloneChild {
    // It has the keys, and may have commands that are run.
    checkPrivateFile(this.#config);
    const { PATH = '' } = process.env;
    return execa('rclone', [...args, '--config', this.#config, ...ARGUMENTS], {
      ...BASIC,
      maxBuffer: MOST_OUTPUT,
      ...(input === 'ignore' ? { timeout: this.#hangsAfter } : {}),
      ...(signal === undefined ? {} : { cancelSignal: signal }),
      stdin: input,
      env: { PATH, HOME: '/root' } as Record<string, string>,
    }) as unknown as RcloneChild;
  }

  /** The output of a command. `what` is what it is about, for messages. */
  async run(what: string, args: readonly string[]): Promise<Buffer> {
    const result = await whileWanted(async (signal) => this.start(args, 'ignore', signal));
    if (result.exitCode === 0) return Buffer.from(result.stdout);
    throw rcloneFailure(what, result);
  }
}

/** How a child ended, as far as it is needed to say what went wrong. */
export interface Ended {
  readonly exitCode?: number | undefined;
  readonly stderr?: unknown;
  readonly cause?: unknown;
  readonly shortMessage?: string | undefined;
  readonly isCanceled?: boolean | undefined;
  readonly isMaxBuffer?: boolean | undefined;
}

/** What a command that failed means. */
export function rcloneFailure(what: string, ended: Ended): Failure {
  const details = { affected: [what], cause: ended };
  if (errorCode(ended.cause) === 'ENOENT') {
    return new Failure('unsupported', 'the program rclone is not there', {
      ...details,
      advice: 'Install rclone, or name another place in `repository`.',
    });
  }
  if (ended.isCanceled === true) return new Failure('cancelled', `${what}: stopped`, details);
  if (ended.isMaxBuffer === true) return new Failure('repository_refused', `${what}: rclone says more than can be taken in`, details);
  const heard = lastMessage(ended.stderr);
  const said = heard ?? ended.shortMessage ?? 'rclone failed';
  if (/no space left|quota/i.test(said))
    return new Failure('disk_full', `${what}: ${said}`, { ...details, advice: 'Make room there, or prune.', retry: true });
  if (/didn't find section in config|failed to load config/i.test(said)) {
    return new Failure('invalid_settings', `${what}: ${said}`, {
      ...details,
      advice: 'Make the remote with `rclone config`, or correct its name.',
    });
  }
  const advice = 'Try `rclone lsf` on the same remote.';
  const isFinal = ended.exitCode !== undefined && ended.exitCode >= Exit.final && ended.exitCode <= Exit.limit;
  if (isFinal || REFUSED.test(heard ?? '')) return new Failure('repository_refused', `${what}: ${said}`, { ...details, advice });
  return new Failure('repository_unreachable', `${what}: ${said}`, { ...details, advice, retry: true });
}

export function exitOf(error: unknown): number | undefined {
  return error instanceof Failure ? (error.cause as Ended | undefined)?.exitCode : undefined;
}

/** The last line of rclone's log, which is JSON. */
function lastMessage(stderr: unknown): string | undefined {
  const lines = Buffer.from(stderr as Uint8Array)
    .toString('utf8')
    .trim()
    .split('\n');
  const last = lines.at(-1) ?? '';
  try {
    const { msg } = JSON.parse(last) as { msg?: unknown };
    return typeof msg === 'string' ? msg.trim() : last;
  } catch {
    return last === '' ? undefined : last;
  }
}
