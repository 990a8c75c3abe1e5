import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Change } from './layer/change.ts';

interface FileNode {
  readonly kind: 'file';
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

/** A tree of files after a power failure: contents by path, null for folders. */
export type Image = ReadonlyMap<string, Buffer | null>;

function folderNode(): FolderNode {
  return { kind: 'folder', entries: new Map(), durable: new Map(), renames: [] };
}

function read(path: string): FileNode | FolderNode {
  if (!lstatSync(path).isDirectory()) {
    const content = readFileSync(path);
    return { kind: 'file', content, durable: content };
  }
  const entries = new Map(readdirSync(path).map((name) => [name, read(join(path, name))]));
  return { kind: 'folder', entries, durable: new Map(entries), renames: [] };
}

/**
 * A disk as POSIX promises it and no better: contents are there once their file was synced, names once their folder was. Everything of
 * before is on it.
 */
export class Disk {
  readonly #root: string;
  readonly #tree: FolderNode;

  constructor(root: string) {
    this.#root = root;
    this.#tree = read(root) as FolderNode;
  }

  #node(path: string): FileNode | FolderNode | undefined {
    if (path === this.#root) return this.#tree;
    if (!path.startsWith(`${this.#root}/`)) return undefined;
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
    if (change.kind === 'file') parent.entries.set(name, { kind: 'file', content: Buffer.alloc(0), durable: Buffer.alloc(0) });
    else if (change.kind === 'folder') parent.entries.set(name, folderNode());
    else if (change.kind === 'gone') parent.entries.delete(name);
    else if ('to' in change) this.#move(change, parent, node);
    else if (change.kind === 'content' && node?.kind === 'file') node.content = change.bytes;
  }

  #move({ kind, path, to }: Extract<Change, { to: string }>, from: FolderNode, node: FileNode | FolderNode | undefined): void {
    const target = this.#parent(to);
    // A file without a name got one.
    const moved = node ?? { kind: 'file' as const, content: readFileSync(to), durable: Buffer.alloc(0) };
    target?.entries.set(basename(to), moved);
    if (kind !== 'renamed') return;
    from.entries.delete(basename(path));
    if (from === target) from.renames.push([basename(path), basename(to)]);
  }

  #sync(node: FileNode | FolderNode, isDeep: boolean): void {
    if (node.kind === 'file') node.durable = node.content;
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
    const image = new Map<string, Buffer | null>();
    const look = (node: FolderNode, path: string): void => {
      for (const [name, entry] of namesAfter(node, path, loss)) {
        const below = `${path}/${name}`;
        if (entry.kind === 'file') image.set(below, contentAfter(entry, loss.content(below)));
        else {
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

function contentAfter({ content, durable }: FileNode, how: Content): Buffer {
  if (how === 'whole' || content === durable) return content;
  if (how === 'zero') return Buffer.alloc(content.length);
  return how === 'cut' ? content.subarray(0, Math.floor(content.length / 2)) : durable;
}

/** Two images with the same digest are the same. */
export function digestOfImage(image: Image): string {
  const hash = createHash('sha256');
  for (const path of [...image.keys()].sort()) {
    const content = image.get(path) ?? null;
    hash.update(`${path}\0${content === null ? 'folder' : content.length}\0`);
    if (content !== null) hash.update(content);
  }
  return hash.digest('hex');
}

/** Writes an image into an empty folder. */
export function writeImage(image: Image, folder: string): void {
  for (const [path, content] of image) {
    if (content === null) mkdirSync(`${folder}${path}`, { mode: 0o700, recursive: true });
    else writeFileSync(`${folder}${path}`, content, { mode: 0o600 });
  }
}
