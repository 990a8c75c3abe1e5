import { Failure } from '../../failure.ts';

/** The failures that every backend reports alike. */
export function missingObject(name: string): Failure {
  return new Failure('repository_damaged', `the object ${name} is missing`, { affected: [name] });
}

export function nameTaken(name: string): Failure {
  return new Failure('object_exists', `the object ${name} was already written`, { affected: [name] });
}

/**
 * The end of a range inside an object of `size` bytes, to its end when no length is given. Throws `repository_damaged` when
 * the object is too short for it, before anything of that length is allocated.
 */
export function exactRange(name: string, size: number, offset: number, length = size - offset): number {
  if (offset < 0 || length < 0 || offset + length > size) {
    const message = `the object ${name} has ${size} bytes, too few for ${length} from ${offset}`;
    throw new Failure('repository_damaged', message, { affected: [name] });
  }
  return offset + length;
}
