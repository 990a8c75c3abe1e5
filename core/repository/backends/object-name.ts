import { Failure } from '../../failure.ts';

const COMPONENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;

/**
 * The components of an object's name. Letters, digits, `.`, `_` and `-`, none beginning with a dot: so no name leaves the
 * repository, hides, or means something else on another kind of storage. Throws `unsafe_path`.
 */
export function checkObjectName(name: string): string[] {
  const components = name.split('/');
  if (!isObjectName(name)) {
    throw new Failure('unsafe_path', `${JSON.stringify(name)} cannot be the name of an object`, { affected: [name] });
  }
  return components;
}

/** Whether an object can have this name: others may keep other things in the same store. */
export function isObjectName(name: string): boolean {
  return name.split('/').every((component) => COMPONENT.test(component));
}
