import { createHash } from 'node:crypto';
import { asFailure, Failure } from '../failure.ts';
import type { ObjectReference } from '../repository/record.ts';
import type { Repository } from '../repository/repository.ts';
import type { ReadingWatch } from './watch.ts';

/** What is read of an object at once. */
const PART = 4 * 1024 * 1024;

/** What is wrong with an object as it is stored, which needs no key; undefined when its bytes are the recorded ones. */
export async function problemOfStored(
  repository: Repository,
  { path, length, sha256 }: Pick<ObjectReference, 'path' | 'length' | 'sha256'>,
  watch: ReadingWatch,
): Promise<Failure | undefined> {
  const size = await repository.objectSize(path);
  if (size !== length) return otherLength(path, size, length);
  const digest = createHash('sha256');
  try {
    for (let at = 0; at < length; at += PART) {
      const bytes = await repository.readObject(path, at, Math.min(PART, length - at));
      digest.update(bytes);
      watch.bytesRead += bytes.length;
      await watch.step();
    }
  } catch (error) {
    const failure = asFailure(error);
    if (failure.code !== 'io_error' && failure.code !== 'repository_damaged') throw failure;
    return failure;
  }
  return digest.digest('hex') === sha256 ? undefined : new Failure('repository_damaged', 'its bytes are not the recorded ones');
}

/** Of an object of so many bytes, undefined when there is none, where others were stored. */
export function otherLength(path: string, size: number | undefined, length: number): Failure {
  return size === undefined ? missing(path) : new Failure('repository_damaged', `it has ${size} bytes, ${length} were stored`);
}

export function missing(path: string): Failure {
  return new Failure('repository_damaged', 'it is missing', { affected: [path] });
}
