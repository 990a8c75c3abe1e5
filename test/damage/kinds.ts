import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';

/** A kind of object. Patterns and names are below the server's folder. */
export interface Kind {
  readonly kind: string;
  readonly pattern: string;
  /** How a missing one is noticed: `named` by what refers to it or remembers it. `newest`: the last one is, and the others as far as something builds on them. */
  readonly missing: 'named' | 'newest';
  /** Whether the next run puts one back that is damaged or missing, as the state directory has a copy. */
  readonly isPutBack: boolean;
  /** What a copy under a free name of the kind is: damage of its own, or a leftover that nothing names and that readers pass over. */
  readonly copy: 'damage' | 'leftover' | 'none';
}

const UNIT = 'units/site1-*';

/** Every kind of object in the folder of a server. */
export const KINDS: readonly Kind[] = [
  { kind: 'server.json', isPutBack: true, pattern: 'server.json', missing: 'named', copy: 'none' },
  { kind: 'machine record', isPutBack: true, pattern: 'machines/*', missing: 'named', copy: 'damage' },
  { kind: 'note', isPutBack: true, pattern: 'notes/*', missing: 'named', copy: 'damage' },
  { kind: 'key record', isPutBack: true, pattern: 'keys/*.json', missing: 'named', copy: 'damage' },
  { kind: 'locked identity', isPutBack: false, pattern: 'keys/*.age', missing: 'named', copy: 'leftover' },
  { kind: 'hold', isPutBack: true, pattern: 'holds/*', missing: 'named', copy: 'damage' },
  { kind: 'deletion', isPutBack: true, pattern: 'deletions/*', missing: 'named', copy: 'damage' },
  { kind: 'run record', isPutBack: false, pattern: 'runs/*', missing: 'named', copy: 'damage' },
  { kind: 'unit.json', isPutBack: true, pattern: `${UNIT}/unit.json`, missing: 'named', copy: 'damage' },
  { kind: 'snapshot record', isPutBack: false, pattern: `${UNIT}/snapshots/*`, missing: 'newest', copy: 'damage' },
  { kind: 'manifest', isPutBack: false, pattern: `${UNIT}/manifests/*`, missing: 'named', copy: 'leftover' },
  { kind: 'pack', isPutBack: false, pattern: `${UNIT}/packs/*`, missing: 'named', copy: 'leftover' },
  { kind: 'recovery data', isPutBack: false, pattern: `${UNIT}/recovery/*`, missing: 'named', copy: 'leftover' },
];

/** What can happen to one object. `copied`: it is there under a free name, too. `replaced`: another of its kind stands in its place. */
export type Damage = 'flipped' | 'cut' | 'emptied' | 'appended to' | 'missing' | 'copied' | 'replaced';
export const DAMAGES: readonly Damage[] = ['flipped', 'missing', 'cut', 'emptied', 'appended to', 'replaced', 'copied'];

export interface Case {
  readonly kind: Kind;
  readonly how: Damage;
  /** The object that is damaged, or that is a copy. */
  readonly object: string;
  readonly what: string;
  /** What a verification has to say: the object; nothing; or either, where it may be that nothing refers to it. */
  readonly verdict: 'named' | 'unnoticed' | 'either';
  readonly apply: () => void;
}

/** The objects of a kind, by name. */
export function objectsOf({ pattern }: Kind, server: string): string[] {
  return globSync(join(server, pattern))
    .map((file) => relative(server, file))
    .sort();
}

/** Another name that an object of the kind may have, and that none has. */
function freeName({ kind }: Kind, path: string): string {
  if (kind === 'unit.json') return path.replace(/-[0-9a-f]{8}\//, '-00000000/');
  const name = basename(path);
  const other = kind === 'locked identity' ? `age1${'q'.repeat(58)}.age` : name.replace(/Z-[0-9a-f]{8}/, 'Z-00000000');
  return join(dirname(path), other);
}

function edited(bytes: Buffer, how: Damage, place: number): Buffer {
  if (how === 'emptied') return Buffer.alloc(0);
  if (how === 'cut') return bytes.subarray(0, Math.floor(bytes.length * place));
  if (how === 'appended to') return Buffer.concat([bytes, Buffer.from('x')]);
  const at = Math.min(bytes.length - 1, Math.floor(bytes.length * place));
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ (1 << (at % 8));
  return copy;
}

function write(file: string, bytes: Buffer): void {
  rmSync(file, { force: true });
  writeFileSync(file, bytes);
}

function verdictOfMissing({ missing }: Kind, isLast: boolean): Case['verdict'] {
  return missing === 'named' || isLast ? 'named' : 'either';
}

/** The cases of one object: `flips` places at which a bit is flipped, and each other damage once. */
export function* casesOf(kind: Kind, path: string, server: string, flips: number): Generator<Case> {
  const file = join(server, path);
  for (const how of DAMAGES) {
    if (how === 'copied') {
      if (kind.copy === 'none') continue;
      const object = freeName(kind, path);
      const apply = (): void => {
        if (kind.kind === 'unit.json') mkdirSync(dirname(join(server, object)), { recursive: true });
        write(join(server, object), readFileSync(file));
      };
      yield { kind, how, object, what: `${path} copied to ${object}`, verdict: kind.copy === 'damage' ? 'named' : 'unnoticed', apply };
    } else if (how === 'replaced') {
      const other = objectsOf(kind, server).find(
        (each) => each !== path && each.split('.').slice(1).join() === path.split('.').slice(1).join(),
      );
      if (other === undefined) continue;
      const bytes = readFileSync(join(server, other));
      yield { kind, how, object: path, what: `${path} replaced by ${other}`, verdict: 'named', apply: () => write(file, bytes) };
    } else if (how === 'missing') {
      const isLast = objectsOf(kind, server).at(-1) === path;
      yield {
        kind,
        how,
        object: path,
        what: `${path} missing`,
        verdict: verdictOfMissing(kind, isLast),
        apply: () => rmSync(file),
      };
    } else {
      for (let flip = 0; flip < (how === 'flipped' ? flips : 1); flip++) {
        const place = how === 'flipped' ? (flip + 0.87) / flips : 0.6;
        const what = `${path} ${how}${how === 'flipped' ? ` at ${place.toFixed(4)}` : ''}`;
        yield { kind, how, object: path, what, verdict: 'named', apply: () => write(file, edited(readFileSync(file), how, place)) };
      }
    }
  }
}
