import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What is done to the bytes of an object; undefined removes it. `place` is a share of its length. */
type Edit = (bytes: Buffer) => Buffer | undefined;

const flip =
  (place: number): Edit =>
  (bytes) => {
    const copy = Buffer.from(bytes);
    const at = Math.floor(copy.length * place);
    copy[at] = copy[at]! ^ 0x10;
    return copy;
  };
const remove: Edit = () => undefined;
const empty: Edit = () => Buffer.alloc(0);
const append: Edit = (bytes) => Buffer.concat([bytes, Buffer.from('more')]);
const cut: Edit = (bytes) => bytes.subarray(0, Math.floor(bytes.length / 2));

/** A damage: which object (of those whose names end so, sorted, the one of that number), and what happens to it. */
interface Damage {
  readonly object: string;
  readonly number: number;
  readonly edit: Edit;
}

const UNIT = 'servers/*/units/site1-*';
const RECORDS = `${UNIT}/snapshots/*`;
const MANIFESTS = `${UNIT}/manifests/*`;
const PACKS = `${UNIT}/packs/*`;

/** Each kind of damage at each kind of object. What comes of it is in `expected.json` of each repository. */
export const DAMAGES: Readonly<Record<string, Damage>> = {
  'the first record flipped': { object: RECORDS, number: 0, edit: flip(0.4) },
  'the second record missing': { object: RECORDS, number: 1, edit: remove },
  'the last record cut': { object: RECORDS, number: 3, edit: cut },
  'the last record emptied': { object: RECORDS, number: 3, edit: empty },
  'the first manifest flipped': { object: MANIFESTS, number: 0, edit: flip(0.3) },
  'the second manifest missing': { object: MANIFESTS, number: 1, edit: remove },
  'the third manifest cut': { object: MANIFESTS, number: 2, edit: cut },
  'the last manifest longer': { object: MANIFESTS, number: 3, edit: append },
  'the first pack flipped at its beginning': { object: PACKS, number: 0, edit: flip(0.05) },
  'the first pack flipped at its end': { object: PACKS, number: 0, edit: flip(0.999) },
  'the second pack missing': { object: PACKS, number: 1, edit: remove },
  'the last pack cut': { object: PACKS, number: -1, edit: cut },
  'the last pack longer': { object: PACKS, number: -1, edit: append },
  'unit.json missing': { object: `${UNIT}/unit.json`, number: 0, edit: remove },
  'unit.json flipped': { object: `${UNIT}/unit.json`, number: 0, edit: flip(0) },
  'server.json missing': { object: 'servers/*/server.json', number: 0, edit: remove },
  'server.json emptied': { object: 'servers/*/server.json', number: 0, edit: empty },
  'a record of a run cut': { object: 'servers/*/runs/*', number: 1, edit: cut },
  'the hold flipped': { object: 'servers/*/holds/*', number: 0, edit: flip(0) },
  'the key record missing': { object: 'servers/*/keys/*.json', number: 0, edit: remove },
  'the first recovery data cut': { object: `${UNIT}/recovery/*`, number: 0, edit: cut },
  'the last recovery data missing': { object: `${UNIT}/recovery/*`, number: -1, edit: remove },
  'the deletion flipped': { object: 'servers/*/deletions/*', number: 0, edit: flip(0.5) },
  'the first machine record missing': { object: 'servers/*/machines/*', number: 0, edit: remove },
  'the second note emptied': { object: 'servers/*/notes/*', number: 1, edit: empty },
  'the identity that a passphrase locks cut': { object: 'servers/*/keys/*.age', number: 0, edit: cut },
  'the first dump flipped': { object: PACKS, number: 0, edit: flip(0.5) },
  'repository.json flipped': { object: 'repository.json', number: 0, edit: flip(0) },
};

/** What verifications name since, and did not when the repositories were written: the object itself, which touches no snapshot. */
export const NAMED_SINCE: readonly string[] = ['the key record missing', 'repository.json flipped'];

/** What cost everything when they were written, and costs nothing since: no snapshot needs the object any more. */
export const HARMLESS_SINCE: readonly string[] = ['repository.json flipped'];

/** The name of the object that a damage concerns. */
export function objectOf({ object, number }: Damage, repository: string): string | undefined {
  const file = globSync(join(repository, object)).sort().at(number);
  return file === undefined ? undefined : relative(repository, file);
}

/** Does it to a repository. False when it has no such object. */
export function apply(damage: Damage, repository: string): boolean {
  const object = objectOf(damage, repository);
  if (object === undefined) return false;
  const file = join(repository, object);
  const bytes = damage.edit(readFileSync(file));
  rmSync(file);
  if (bytes !== undefined) writeFileSync(file, bytes, { mode: 0o600 });
  return true;
}
