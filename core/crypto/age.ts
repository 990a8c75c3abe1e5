type Age = typeof import('age-encryption');

let loaded: Promise<Age> | undefined;

/** The library for age's headers and keys, loaded when something encrypted is met first: most runs of a plain repository never need it. */
export function age(): Promise<Age> {
  loaded ??= import('age-encryption');
  return loaded;
}
