import { asFailure, Failure } from '../failure.ts';

/** What a copy has done so far, and what was wrong. */
export class Copied {
  objects = 0;
  bytes = 0;
  snapshots = 0;
  readonly problems: Failure[] = [];

  add(bytes: number): void {
    this.objects++;
    this.bytes += bytes;
  }

  /** An object was there in another length (`before`) than it should have. */
  again(name: string, before: number, length: number): void {
    const message = `${name} had ${before} bytes in the copy, and ${length} were copied: somebody else writes there, or it was cut. It was copied again`;
    this.problem(new Failure('repository_damaged', message, { affected: [name] }));
  }

  problem(error: unknown): void {
    this.problems.push(asFailure(error));
  }
}

/** What is wrong with one object for good; everything else ends the copy. */
const DAMAGE: ReadonlySet<string> = new Set(['repository_damaged', 'repository_newer', 'digest_mismatch']);

export function isDamage(error: unknown): boolean {
  return DAMAGE.has(asFailure(error).code);
}

/** What this server has no key for. */
export function isLocked(error: unknown): boolean {
  return ['identity_missing', 'identity_wrong'].includes(asFailure(error).code);
}
