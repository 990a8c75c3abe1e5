import { createHash, hash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Change } from './layer/change.ts';

interface FileNode {
  /** Of a link the content is where it leads to, which is part of its name. */
  readonly kind: 'file' | 'link';
  content: Buffer;
  /** What is certainly on the disk. */
  durable: Buffer;
}

interface FolderNode {
  readonly kind: 'folder';
  readonly entries: Map<string, FileNode | FolderNode>;
  /** The names that are certainly on the disk. */
  durable: Map<string, FileNode | FolderNode>;
  /** Names that one rename concerned since: a disk has both sides of it or none. */
  renames: [string, string][];
}

/** What a disk may have of a file whose content was not synced. */
export const CONTENTS = ['whole', 'lost', 'cut', 'zero'] as const;
export type Content = (typeof CONTENTS)[number];

/** Which of what was not synced is on the disk after a power failure. */
export interface Loss {
  readonly name: string;
  /** Whether a name in a folder is as it became; else it is as it was. */
  readonly hasName: (folder: string, name: string) => boolean;
  readonly content: (file: string) => Content;
}

/**
 * A tree of files after a power failure: contents by path, of a link where it leads to, null for folders. Owners, modes, times and
 * attributes are not modelled.
 */
export type Image = ReadonlyMap<string, Buffer | string | null>;

const NOTHING = Buffer.alloc(0);

function folderNode(): FolderNode {
  return { kind: 'folder', entries: new Map(), durable: new Map(), renames: [] };
}

/** `known`: the files by their inodes, which can have several names. */
function read(path: string, known = new Map<string, FileNode>()): FileNode | FolderNode {
  const status = lstatSync(path, { bigint: true });
  if (!status.isDirectory()) {
    const key = `${status.dev} ${status.ino}`;
    const content = status.isSymbolicLink() ? Buffer.from(readlinkSync(path)) : readFileSync(path);
    const node = known.get(key) ?? { kind: status.isSymbolicLink() ? 'link' : 'file', content, durable: content };
    known.set(key, node);
    return node;
  }
  const entries = new Map(readdirSync(path).map((name) => [name, read(join(path, name), known)]));
  return { kind: 'folder', entries, durable: new Map(entries), renames: [] };
}

/**
 * A disk as POSIX promises it and no better: contents are there once their file was synced, names once their folder was. Everything of
 * before is on it.
 */
export class Disk {
  readonly #root: string;
  readonly #tree: FolderNode;
  readonly #more: ReadonlyMap<string, FolderNode>;

  /** `more`: folders elsewhere, by the names that they have on the disk beside what is below the root. */
  constructor(root: string, more: Readonly<Record<string, string>> = {}) {
    this.#root = root;
    this.#tree = read(root) as FolderNode;
    this.#more = new Map(Object.entries(more).map(([name, folder]) => [folder, this.#mount(name, folder)]));
  }

  #mount(name: string, folder: string): FolderNode {
    const node = read(folder) as FolderNode;
    for (const names of [this.#tree.entries, this.#tree.durable]) names.set(name, node);
    return node;
  }

  #node(path: string): FileNode | FolderNode | undefined {
    if (path === this.#root) return this.#tree;
    const elsewhere = this.#more.get(path);
    if (elsewhere !== undefined) return elsewhere;
    if (path.length <= 1) return undefined;
    const parent = this.#node(dirname(path));
    return parent?.kind === 'folder' ? parent.entries.get(basename(path)) : undefined;
  }

  #parent(path: string): FolderNode | undefined {
    const parent = this.#node(dirname(path));
    return parent?.kind === 'folder' ? parent : undefined;
  }

  /** What is not below the root is another disk's. */
  apply(change: Change): void {
    if (change.kind === 'all synced') {
      this.#sync(this.#tree, true);
      return;
    }
    const { path } = change;
    const node = this.#node(path);
    if (change.kind === 'synced') {
      if (node !== undefined) this.#sync(node, false);
      return;
    }
    const parent = this.#parent(path);
    if (parent === undefined) return;
    const name = basename(path);
    if (change.kind === 'file') parent.entries.set(name, { kind: 'file', content: NOTHING, durable: NOTHING });
    else if (change.kind === 'link') parent.entries.set(name, { kind: 'link', content: change.target, durable: change.target });
    else if (change.kind === 'named') this.#name(change, parent);
    else if (change.kind === 'folder') parent.entries.set(name, folderNode());
    else if (change.kind === 'gone') parent.entries.delete(name);
    else if ('to' in change) this.#move(change, parent, node);
    else if (change.kind === 'content' && node?.kind === 'file') node.content = change.bytes;
  }

  /** A file without a name got one. */
  #name({ path, bytes, isSynced }: Extract<Change, { kind: 'named' }>, parent: FolderNode): void {
    parent.entries.set(basename(path), { kind: 'file', content: bytes, durable: isSynced ? bytes : NOTHING });
  }

  #move({ kind, path, to }: Extract<Change, { to: string }>, from: FolderNode, node: FileNode | FolderNode | undefined): void {
    const target = this.#parent(to);
    if (node === undefined) throw new Error(`${path} was ${kind}, and nobody saw it come`);
    target?.entries.set(basename(to), node);
    if (kind !== 'renamed') return;
    from.entries.delete(basename(path));
    if (from === target) from.renames.push([basename(path), basename(to)]);
  }

  #sync(node: FileNode | FolderNode, isDeep: boolean): void {
    if (node.kind !== 'folder') node.durable = node.content;
    else {
      if (isDeep) for (const entry of node.entries.values()) this.#sync(entry, true);
      node.durable = new Map(node.entries);
      node.renames = [];
    }
  }

  /** Folders, by their paths, of which not all names are certain. */
  uncertainFolders(): string[] {
    const found: string[] = [];
    const look = (node: FolderNode, path: string): void => {
      const names = new Set([...node.entries.keys(), ...node.durable.keys()]);
      if ([...names].some((name) => node.entries.get(name) !== node.durable.get(name))) found.push(path);
      for (const [name, entry] of node.entries) if (entry.kind === 'folder') look(entry, `${path}/${name}`);
    };
    look(this.#tree, '');
    return found;
  }

  /** What is there after a power failure. */
  after(loss: Loss): Image {
    const image = new Map<string, Buffer | string | null>();
    const look = (node: FolderNode, path: string): void => {
      for (const [name, entry] of namesAfter(node, path, loss)) {
        const below = `${path}/${name}`;
        if (entry.kind === 'file') image.set(below, contentAfter(entry, loss.content(below)));
        else if (entry.kind === 'link') image.set(below, entry.content.toString());
        else if (entry.kind === 'folder') {
          image.set(below, null);
          look(entry, below);
        }
      }
    };
    look(this.#tree, '');
    return image;
  }
}

function namesAfter({ entries, durable, renames }: FolderNode, path: string, loss: Loss): Map<string, FileNode | FolderNode> {
  const names = new Map(durable);
  for (const name of new Set([...entries.keys(), ...durable.keys()])) {
    // The last rename of a name decides for both that it concerned, by the new one.
    const rename = renames.findLast((pair) => pair.includes(name));
    if (!loss.hasName(path, rename?.[1] ?? name)) continue;
    const entry = entries.get(name);
    if (entry === undefined) names.delete(name);
    else names.set(name, entry);
  }
  return names;
}

/** What becomes of a content, made once. */
const SPOILED: Readonly<Record<'cut' | 'zero', WeakMap<Buffer, Buffer>>> = { cut: new WeakMap(), zero: new WeakMap() };

function contentAfter({ content, durable }: FileNode, how: Content): Buffer {
  if (how === 'whole' || content === durable) return content;
  if (how === 'lost') return durable;
  const spoiled =
    SPOILED[how].get(content) ?? (how === 'zero' ? Buffer.alloc(content.length) : content.subarray(0, Math.floor(content.length / 2)));
  SPOILED[how].set(content, spoiled);
  return spoiled;
}

const DIGESTS = new WeakMap<Buffer, string>();

function digestOf(content: Buffer): string {
  const digest = DIGESTS.get(content) ?? hash('sha256', content, 'hex');
  DIGESTS.set(content, digest);
  return digest;
}

/** Two images with the same digest are the same. */
export function digestOfImage(image: Image): string {
  const whole = createHash('sha256');
  for (const path of [...image.keys()].sort()) {
    const content = image.get(path) ?? null;
    const what = content === null ? 'folder' : typeof content === 'string' ? `to ${content}` : digestOf(content);
    whole.update(`${path}\0${what}\0`);
  }
  return whole.digest('hex');
}

/** Writes what an image has below a folder of it into another one, which is empty. */
export function writeImage(image: Image, folder: string, from = ''): void {
  for (const [path, content] of image) {
    if (!path.startsWith(`${from}/`)) continue;
    const place = `${folder}${path.slice(from.length)}`;
    if (content === null) mkdirSync(place, { mode: 0o700, recursive: true });
    else if (typeof content === 'string') symlinkSync(content, place);
    else writeFileSync(place, content, { mode: 0o600 });
  }
}
