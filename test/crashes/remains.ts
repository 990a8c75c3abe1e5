import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from '../faults/server.ts';
import { aftermath } from './aftermath.ts';
import { Disk, digestOfImage, type Image, type Loss, writeImage } from './disk.ts';
import type { Change } from './layer/change.ts';
import { lossesOf } from './losses.ts';
import { unsoundness } from './soundness.ts';
import { COPY, type Story } from './stories.ts';
import { STAGING } from './tree.ts';

/** A disk as a power failure may leave it. */
export interface Remains {
  readonly name: string;
  readonly image: Image;
  /** What is wrong with it at first sight. */
  readonly wrong: readonly string[];
}

/** Where the folder that a restore writes to stands on the disk. */
const TARGET = 'target';

const KEPT: Loss = { name: 'nothing', hasName: () => true, content: () => 'whole' };

/** What a command said is there: objects of the repository and its copies, an identity that others rely on, an archive. */
const PROMISED = new RegExp(`^/(?:(?:repository|${COPY})/(?!.*\\.incoming/)|downloads/)|/identities$`);
const STORED = new RegExp(`^/(?:repository|${COPY})/(?!.*\\.incoming/)`);

/** A command that was carried out on a server, with the disk as it was before and all that it changed. */
export class Recorded {
  readonly #story: Story;
  readonly #root: string;
  readonly #disk: Disk;
  readonly #before: Image;

  /** To be made before the command is carried out on the server. */
  constructor(story: Story, server: Server) {
    this.#story = story;
    this.#root = server.folder;
    this.#disk = new Disk(server.folder, this.#targetOf(server));
    this.#before = this.#disk.after(KEPT);
  }

  #targetOf(server: Server): Readonly<Record<string, string>> {
    const folder = this.#story.target?.folder(server);
    if (folder === undefined) return {};
    mkdirSync(folder, { recursive: true });
    return { [TARGET]: folder };
  }

  /** All that a power failure may leave, after each change of the command, each different disk once. */
  remains(changes: readonly Change[], server: Server): Remains[] {
    const before = new Set(unsoundness(this.#before));
    const done = new Disk(server.folder, this.#targetOf(server)).after(KEPT);
    const remains = new Map<string, Remains>();
    for (const [index, change] of changes.entries()) {
      this.#disk.apply(change);
      const isDone = index === changes.length - 1;
      for (const loss of lossesOf(this.#disk, index)) {
        const image = this.#disk.after(loss);
        const digest = `${isDone} ${digestOfImage(image)}`;
        if (remains.has(digest)) continue;
        const path = 'path' in change ? ` ${change.path.slice(this.#root.length)}` : '';
        const name = `after change ${index + 1} of ${changes.length} (${change.kind}${path}), lost: ${loss.name}`;
        const wrong = [
          ...unsoundness(image).filter((text) => !before.has(text)),
          ...this.#halfOf(image, done),
          ...(isDone ? [...missingOf(image, done), ...returnedTo(image, done)] : []),
        ];
        remains.set(digest, { name, image, wrong: wrong.map((text) => `${name}: ${text}`) });
      }
    }
    return [...remains.values()];
  }

  /** A file that stood there is what it was or what it should become, and never less, as long as either is a file. */
  #halfOf(image: Image, done: Image): string[] {
    return [...image]
      .filter(([path, content]) => path.startsWith(`/${TARGET}/`) && Buffer.isBuffer(content) && !STAGING.test(path))
      .filter(([path, content]) => this.#before.has(path) && !isSame(content, this.#before.get(path)) && !isSame(content, done.get(path)))
      .map(([path]) => `${path} is neither what it was nor what it should become`);
  }
}

function isSame(one: Buffer | string | null | undefined, other: Buffer | string | null | undefined): boolean {
  return Buffer.isBuffer(one) && Buffer.isBuffer(other) ? one.equals(other) : one === other;
}

function missingOf(image: Image, done: Image): string[] {
  return [...done]
    .filter(([path, content]) => content !== null && (PROMISED.test(path) || (path.startsWith(`/${TARGET}/`) && !STAGING.test(path))))
    .filter(([path, content]) => !isSame(image.get(path), content))
    .map(([path]) => `${path} was there when the command ended`);
}

/** What was removed from the repository stays so. */
function returnedTo(image: Image, done: Image): string[] {
  return [...image.keys()]
    .filter((path) => image.get(path) !== null && (STORED.test(path) || path.startsWith(`/${TARGET}/`)) && !done.has(path))
    .map((path) => `${path} was gone when the command ended, and is back`);
}

/** Puts a disk in the place of a server's, and goes on from there. */
export async function tryRemains(story: Story, { name, image }: Remains): Promise<string[]> {
  const server = story.world.copy();
  try {
    for (const part of ['repository', 'state', 'downloads', COPY]) {
      rmSync(join(server.folder, part), { recursive: true, force: true });
      if (image.has(`/${part}`)) mkdirSync(join(server.folder, part), { mode: 0o700 });
      writeImage(image, join(server.folder, part), `/${part}`);
    }
    const folder = story.target?.folder(server);
    if (folder !== undefined) {
      story.target?.reset(server);
      mkdirSync(folder, { recursive: true });
      for (const entry of readdirSync(folder)) rmSync(join(folder, entry), { recursive: true });
      writeImage(image, folder, `/${TARGET}`);
    }
    return (await aftermath(story, server, 'power')).map((text) => `${name}: ${text}`);
  } finally {
    server.remove();
  }
}
