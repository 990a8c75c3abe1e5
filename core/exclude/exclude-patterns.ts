import { Failure } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';
import type { ExcludeMatcher } from './exclude-matcher.ts';
import { compileGlob, type NameMatcher } from './glob.ts';

/** Why a path is in a backup or not. */
export interface Explanation {
  readonly included: boolean;
  /** The pattern that decided; undefined when none fits. */
  readonly rule?: ByteString;
  /** Its place in the list, from 0. */
  readonly index?: number;
  /** What the pattern fits: the path itself or a directory above it. */
  readonly at?: ByteString;
}

/** Stands for any number of components, none included. The last part of a rule is never this. */
const ANY_DEPTH = 'any depth';

interface Rule {
  readonly pattern: ByteString;
  readonly index: number;
  /** The pattern began with `!`. */
  readonly included: boolean;
  readonly directoriesOnly: boolean;
  readonly parts: readonly (NameMatcher | typeof ANY_DEPTH)[];
}

/** A rule that can decide about the names of one directory, with what such a name has to fit. */
interface Candidate {
  readonly rule: Rule;
  readonly fits: NameMatcher;
}

function invalid(pattern: ByteString, problem: string): Failure {
  const text = Buffer.from(pattern, 'latin1').toString('utf8');
  return new Failure('invalid_settings', `the pattern “${text}” ${problem}`, { affected: [text] });
}

function compileComponent(component: ByteString): NameMatcher | typeof ANY_DEPTH {
  return component === '**' ? ANY_DEPTH : compileGlob(component);
}

function compileRule(pattern: ByteString, index: number): Rule {
  const included = pattern.startsWith('!');
  let glob = included ? pattern.slice(1) : pattern;
  const directoriesOnly = glob.endsWith('/');
  if (directoriesOnly) glob = glob.slice(0, -1);
  const anchored = glob.includes('/');
  if (glob.startsWith('/')) glob = glob.slice(1);
  const components = glob.split('/');
  if (!anchored) components.unshift('**');
  if (components.at(-1) === '**') components.push('*');
  if (components.includes('')) throw invalid(pattern, 'has an empty part');
  if (components.includes('.') || components.includes('..')) throw invalid(pattern, 'has a part “.” or “..”, which no path has');
  if (glob.includes('\0')) throw invalid(pattern, 'has a NUL byte, which no name has');
  return { pattern, index, included, directoriesOnly, parts: components.map(compileComponent) };
}

/** For each rule, the parts that may come next; moved on by one component at a time. */
class Progress {
  readonly #rules: readonly Rule[];
  readonly #next: readonly ReadonlySet<number>[];

  private constructor(rules: readonly Rule[], next: readonly ReadonlySet<number>[]) {
    this.#rules = rules;
    this.#next = next;
  }

  static atRoot(rules: readonly Rule[]): Progress {
    return new Progress(
      rules,
      rules.map((rule) => skipDepths(rule, [0])),
    );
  }

  enter(component: ByteString): Progress {
    return new Progress(
      this.#rules,
      this.#next.map((next, i) => {
        const rule = this.#rules[i]!;
        if (next.size === 0 || fitsAnywhere(rule)) return next;
        const reached: number[] = [];
        for (const part of next) {
          const fits = rule.parts[part]!;
          if (fits === ANY_DEPTH) reached.push(part);
          else if (part + 1 < rule.parts.length && fits(component)) reached.push(part + 1);
        }
        return skipDepths(rule, reached);
      }),
    );
  }

  /** The rules of which only the last part is left, the last rule first. */
  candidates(): Candidate[] {
    const found: Candidate[] = [];
    for (let i = this.#rules.length - 1; i >= 0; i--) {
      const rule = this.#rules[i]!;
      const last = rule.parts.length - 1;
      if (this.#next[i]!.has(last)) found.push({ rule, fits: rule.parts[last] as NameMatcher });
    }
    return found;
  }
}

/** A rule without a slash is as far in every directory as it is at the top. */
function fitsAnywhere(rule: Rule): boolean {
  return rule.parts.length === 2 && rule.parts[0] === ANY_DEPTH;
}

function skipDepths(rule: Rule, parts: Iterable<number>): ReadonlySet<number> {
  const all = new Set(parts);
  for (const part of all) {
    if (rule.parts[part] === ANY_DEPTH) all.add(part + 1);
  }
  return all;
}

function decide(candidates: readonly Candidate[], name: ByteString, isDirectory: boolean): Rule | undefined {
  for (const { rule, fits } of candidates) {
    if ((isDirectory || !rule.directoriesOnly) && fits(name)) return rule;
  }
  return undefined;
}

/**
 * Leaves out what patterns in the manner of gitignore(5) name, on virtual paths (`shadow/var/www/html`): `*`, `?` and `[..]`
 * within a component, `**` as a component for any number of them; anchored at the top when a slash stands at the beginning
 * or in the middle, else fitting at any depth; `/` at the end for directories only; `!` takes back in. The last pattern that
 * fits decides. What is below a directory that is excluded is out, too, and cannot be taken back in.
 */
export class ExcludePatterns implements ExcludeMatcher {
  readonly #rules: readonly Rule[];
  /** The directories from the top down to the one asked for last: the next one asked for is mostly its neighbour. */
  readonly #trail: { readonly component: ByteString; readonly progress: Progress }[] = [];

  /** Throws `invalid_settings` naming the first pattern that cannot be understood. */
  constructor(patterns: readonly ByteString[]) {
    this.#rules = patterns.map(compileRule);
  }

  inDirectory(path: ByteString): ((name: ByteString, isDirectory: boolean) => boolean) | undefined {
    const candidates = this.#progressTo(path).candidates();
    if (candidates.every(({ rule }) => rule.included)) return undefined;
    return (name, isDirectory) => decide(candidates, name, isDirectory)?.included === false;
  }

  /** Which pattern decides about a path, from the top down. What is above `root` is never asked about: the scan begins there. */
  explain(path: ByteString, isDirectory: boolean, root: ByteString = ''): Explanation {
    const components = path.split('/');
    const begin = root.split('/').length - 1;
    let progress = Progress.atRoot(this.#rules);
    let decided: Rule | undefined;
    for (const [depth, component] of components.entries()) {
      const isLast = depth === components.length - 1;
      decided = depth < begin ? undefined : decide(progress.candidates(), component, isDirectory || !isLast);
      if (decided?.included === false || isLast) {
        if (decided === undefined) break;
        return { included: decided.included, rule: decided.pattern, index: decided.index, at: components.slice(0, depth + 1).join('/') };
      }
      progress = progress.enter(component);
    }
    return { included: true };
  }

  #progressTo(path: ByteString): Progress {
    const components = path === '' ? [] : path.split('/');
    const trail = this.#trail;
    let shared = 0;
    while (shared < trail.length && trail[shared]!.component === components[shared]) shared++;
    trail.length = shared;
    let progress = trail.at(-1)?.progress ?? Progress.atRoot(this.#rules);
    for (const component of components.slice(shared)) {
      progress = progress.enter(component);
      trail.push({ component, progress });
    }
    return progress;
  }
}
