import { Failure } from '../../failure.ts';
import {
  closeDescriptor,
  makeDirectoryAt,
  openDirectoryAt,
  openTrustedDirectory,
  readLinkAt,
  renameAt,
  syncNames,
} from '../../linux/files.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString } from '../../manifest/entry.ts';
import type { Report } from '../rules.ts';
import { stagedName } from './names.ts';
import { ProjectFolders } from './project-folders.ts';
import { Staging } from './staging.ts';
import { isRootsAlone } from './trusted-folder.ts';

/** Nobody but root looks into a folder that was made before it was filled. */
const PRIVATE = 0o700;
const ROOT = 0;
const STICKY = 0o1000;
/** As many links as the kernel follows in one path. */
const MOST_LINKS = 40;

/** How a folder that a person named is looked for. */
export interface FolderSearch {
  /** Whether what is missing of it is made. */
  readonly make: boolean;
  /** Called with each directory of the way, the folder too; throws when it must not be entered. */
  readonly check: (status: StatBuffer, path: ByteString) => void;
  /** Hears of each link that was followed. */
  readonly followed: (link: ByteString, target: ByteString) => void;
  /** Hears of a staging folder that could not be removed. */
  readonly left: Report;
}

/** A folder that a person named, open, and where it really is. */
export interface NamedFolder {
  /** Undefined: it, or a folder above it, does not exist. */
  readonly descriptor: number | undefined;
  readonly path: ByteString;
}

interface OpenedLevel {
  readonly name: ByteString;
  readonly descriptor: number;
}

/**
 * Opens a folder by its absolute path, one component at a time from `/`. What others than root could have put there is not followed:
 * links are, only if they and the folder that they are in are root's alone, and below a folder that others can write to
 * goes on only what belongs to whom that folder belongs. What is missing is made root's and closed. Throws `unsafe_path` with
 * the component and whose it is, `target_in_the_way` for what is no folder.
 */
export function openNamedFolder(path: ByteString, search: FolderSearch): NamedFolder {
  const walk = new FolderWalk(search);
  try {
    return walk.to(path);
  } catch (error) {
    walk.close();
    throw error;
  }
}

class FolderWalk {
  readonly #search: FolderSearch;
  readonly #levels: OpenedLevel[] = [];
  #links = 0;

  constructor(search: FolderSearch) {
    this.#search = search;
  }

  to(path: ByteString): NamedFolder {
    this.#begin();
    const pending = components(path);
    for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
      if (name === '..') {
        if (this.#levels.length > 1) this.#leave();
      } else if (!this.#step(name, pending)) {
        const missing = [this.#path, name, ...pending].join('/').replace(/^\/+/, '/');
        this.close();
        return { descriptor: undefined, path: missing };
      }
    }
    const found = this.#path;
    const { descriptor } = this.#levels.pop() as OpenedLevel;
    this.close();
    return { descriptor, path: found };
  }

  get #path(): ByteString {
    return `/${this.#levels
      .slice(1)
      .map(({ name }) => name)
      .join('/')}`;
  }

  #begin(): void {
    this.close();
    this.#levels.push({ name: '', descriptor: openTrustedDirectory('/') });
  }

  #leave(): void {
    closeDescriptor((this.#levels.pop() as OpenedLevel).descriptor);
  }

  close(): void {
    while (this.#levels.length > 0) this.#leave();
  }

  /** Enters `name`; false when it is missing and not made. A link puts its components before the `pending` ones. */
  #step(name: ByteString, pending: ByteString[]): boolean {
    const { descriptor } = this.#levels.at(-1) as OpenedLevel;
    const path = `${this.#path}/${name}`.replace(/^\/+/, '/');
    const [above, stat] = [new StatBuffer(), new StatBuffer()];
    statDescriptor(descriptor, above);
    const step = { directory: descriptor, above, name, path };
    if (!statAt(descriptor, name, stat)) {
      if (!this.#search.make) return false;
      this.#levels.push({ name, descriptor: makeFolder(step, this.#search.left) });
      // Nothing that is written into it outlives a power failure that takes the folder.
      syncNames(descriptor);
      return true;
    }
    if (stat.kind === 'symlink') this.#follow(step, stat, pending);
    else this.#enter(step);
    return true;
  }

  /** `link` is of the link that stands there. */
  #follow({ directory, above, name, path }: Step, link: StatBuffer, pending: ByteString[]): void {
    if (!isRootsAlone(above) || link.uid !== ROOT) {
      const whose = link.uid === ROOT ? `in a folder of user ${above.uid} that others can write to` : `of user ${link.uid}`;
      throw refusal(path, `${path} is a link ${whose}, and may lead anywhere`);
    }
    if (++this.#links > MOST_LINKS) throw refusal(path, 'too many links, one to the other');
    const target = readLinkAt(directory, name);
    this.#search.followed(path, target);
    pending.unshift(...components(target));
    if (target.startsWith('/')) this.#begin();
  }

  #enter(step: Step): void {
    const { name, path } = step;
    const descriptor = openFolder(step);
    try {
      const stat = new StatBuffer();
      statDescriptor(descriptor, stat);
      checkStep(step, stat);
      this.#search.check(stat, path);
    } catch (error) {
      closeDescriptor(descriptor);
      throw error;
    }
    this.#levels.push({ name, descriptor });
  }
}

/** One name on the way, in an open folder. */
interface Step {
  readonly directory: number;
  /** What is known of that folder. */
  readonly above: StatBuffer;
  readonly name: ByteString;
  /** Where it leads, for messages. */
  readonly path: ByteString;
}

function components(path: ByteString): ByteString[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function refusal(path: ByteString, reason: string): Failure {
  return new Failure('unsafe_path', `the folder cannot be trusted: ${reason}`, {
    affected: [path],
    advice: 'Name a folder that lies in folders of root alone.',
  });
}

function openFolder({ directory, name, path }: Step): number {
  try {
    return openDirectoryAt(directory, name);
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
    throw new Failure('target_in_the_way', `${path} is no folder`, { affected: [path], cause: error });
  }
}

/** `entered` is of the folder that is entered. */
function checkStep({ above, path }: Step, entered: StatBuffer): void {
  if (isRootsAlone(above)) return;
  if (entered.uid !== above.uid) {
    throw refusal(
      path,
      `${path} belongs to user ${entered.uid}, and user ${above.uid}, whose the folder above it is, could have put it there`,
    );
  }
  if (above.uid === ROOT && (above.mode & STICKY) === 0) {
    throw refusal(path, `others than root can write to the folder above ${path}, and could have put it there`);
  }
}

/** Makes a folder and opens just that: where others could exchange it, it is made aside and renamed to its place. */
function makeFolder({ directory, above, name, path }: Step, left: Report): number {
  if (isRootsAlone(above)) {
    makeDirectoryAt(directory, name, PRIVATE);
    return openDirectoryAt(directory, name);
  }
  const staging = Staging.open(directory);
  const projects = new ProjectFolders();
  try {
    const aside = projects.in(staging.descriptor, directory);
    const staged = stagedName();
    makeDirectoryAt(aside, staged, PRIVATE);
    const descriptor = openDirectoryAt(aside, staged);
    try {
      renameAt(aside, staged, directory, name, true);
      return descriptor;
    } catch (error) {
      closeDescriptor(descriptor);
      if (errorCode(error) !== 'EEXIST') throw error;
      throw refusal(path, `somebody put something at ${path} in this moment`);
    }
  } finally {
    projects.close();
    staging.close(left);
  }
}
