import { Failure } from '../../failure.ts';

/** The failures that every backend reports alike. */
export function missingObject(name: string, cause?: unknown): Failure {
  return new Failure('repository_damaged', `the object ${name} is missing`, { affected: [name], cause });
}

export function nameTaken(name: string): Failure {
  return new Failure('object_exists', `the object ${name} was already written`, { affected: [name] });
}

export function tooLong(name: string, size: number, limit: number): Failure {
  return new Failure('repository_damaged', `${name} has ${size} bytes, more than the ${limit} that it may have`, { affected: [name] });
}
