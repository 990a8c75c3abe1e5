import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Server } from '../faults/server.ts';
import { aftermath } from './aftermath.ts';
import { Disk, digestOfImage, type Image, type Loss, writeImage } from './disk.ts';
import { recordChanges } from './kill.ts';
import { lossesOf } from './losses.ts';
import { unsoundness } from './soundness.ts';
import { prepareStory, STORIES, type Story } from './stories.ts';

const SLOW = process.env.SLOW === '1';
/** In the normal run so many different disks of each command are tried; all are looked at. */
const SAMPLE = 2;

/** A disk as a power failure may leave it. */
interface Remains {
  readonly name: string;
  readonly image: Image;
  /** What is wrong with it at first sight. */
  readonly wrong: readonly string[];
}

const NOTHING: Loss = { name: 'nothing', hasName: () => true, content: () => 'whole' };

/** All that a power failure may leave, after each change of a command, each different disk once. */
async function remainsOf(story: Story): Promise<Remains[]> {
  const server = story.world.copy();
  const disk = new Disk(server.folder);
  const before = new Set(unsoundness(disk.after(NOTHING)));
  const { changes, calls } = await recordChanges(server, { method: story.method, request: story.request(server) });
  const done = new Disk(server.folder).after(NOTHING);
  const remains = new Map<string, Remains>();
  for (const [index, change] of changes.entries()) {
    disk.apply(change);
    const isDone = index === changes.length - 1;
    for (const loss of lossesOf(disk, index)) {
      const image = disk.after(loss);
      const digest = `${isDone} ${digestOfImage(image)}`;
      if (remains.has(digest)) continue;
      const missing = isDone
        ? [...[...done].flatMap(([path, content]) => missingOf(image, path, content)), ...returnedTo(image, done)]
        : [];
      const name = `after change ${index + 1} of ${changes.length} (${change.kind}${'path' in change ? ` ${change.path.slice(server.folder.length)}` : ''}), lost: ${loss.name}`;
      remains.set(digest, {
        name,
        image,
        wrong: [...unsoundness(image).filter((text) => !before.has(text)), ...missing].map((text) => `${name}: ${text}`),
      });
    }
  }
  server.remove();
  console.log(`        ${story.name}: ${calls.length} calls made ${changes.length} changes, which leave ${remains.size} different disks`);
  return [...remains.values()];
}

/** What was acknowledged is in the repository, and an identity that others rely on in the state. */
function missingOf(image: Image, path: string, content: Buffer | null): string[] {
  const counts = content !== null && (/^\/repository\/(?!.*\.incoming\/)/.test(path) || path.endsWith('/identities'));
  return !counts || image.get(path)?.equals(content) === true ? [] : [`${path} was there when the command ended`];
}

/** What was removed from the repository stays so. */
function returnedTo(image: Image, done: Image): string[] {
  const isBack = ([path, content]: readonly [string, Buffer | null]) =>
    content !== null && /^\/repository\/(?!.*\.incoming\/)/.test(path) && !done.has(path);
  return [...image].filter(isBack).map(([path]) => `${path} was gone when the command ended, and is back`);
}

async function tryRemains(story: Story, { name, image }: Remains): Promise<string[]> {
  const server: Server = story.world.copy();
  try {
    for (const part of ['repository', 'state']) rmSync(join(server.folder, part), { recursive: true, force: true });
    writeImage(new Map([...image].filter(([path]) => /^\/(?:repository|state)(?:\/|$)/.test(path))), server.folder);
    return (await aftermath(story, server)).map((text) => `${name}: ${text}`);
  } finally {
    server.remove();
  }
}

/** A few, spread over the whole command; the last one is of when it has ended. */
function sampleOf(remains: readonly Remains[]): readonly Remains[] {
  if (SLOW || remains.length <= SAMPLE) return remains;
  return Array.from({ length: SAMPLE }, (_, part) => remains[Math.round(((part + 1) * (remains.length - 1)) / SAMPLE)] as Remains);
}

describe('a power failure', function () {
  this.timeout(SLOW ? 3_600_000 : 120_000);

  for (const name of STORIES.filter((each) => !/restore|download/.test(each))) {
    it(`in ${name}: takes nothing that was said to be there, and what it leaves is gone on with`, async () => {
      const story = await prepareStory(name);
      try {
        const remains = await remainsOf(story);
        const wrong = remains.flatMap((each) => each.wrong);
        for (const each of sampleOf(remains)) wrong.push(...(await tryRemains(story, each)));
        expect(wrong).to.deep.equal([]);
      } finally {
        story.world.remove();
      }
    });
  }
});
