import { createHash } from 'node:crypto';
import { CONTENTS, type Content, type Disk, type Loss } from './disk.ts';

const REPOSITORY = /^\/repository(?:\/|$)/;

function loss(name: string, hasName: Loss['hasName'], content: Content): Loss {
  return { name, hasName, content: () => content };
}

/** The same words give the same number from 0 to 255. */
function numberOf(...words: readonly (string | number)[]): number {
  return createHash('sha256').update(words.join('\0')).digest()[0] as number;
}

/** How many losses are drawn by lot, besides those that are thought of. */
const LOTS = 3;

/**
 * What a power failure may take of a disk as it is now: everything that was not synced, contents alone, names alone, the names of each
 * folder by itself or all but those, those of the repository or of the state alone, and some by lot.
 */
export function* lossesOf(disk: Disk, moment: number): Generator<Loss> {
  yield loss('everything', () => false, 'lost');
  for (const content of CONTENTS) yield loss(`names stay, contents ${content}`, () => true, content);
  yield loss('what the state says', (folder) => REPOSITORY.test(folder), 'whole');
  yield loss('what the repository says', (folder) => !REPOSITORY.test(folder), 'whole');
  for (const folder of disk.uncertainFolders()) {
    yield loss(`names in ${folder}`, (each) => each !== folder, 'whole');
    yield loss(`names but those in ${folder}`, (each) => each === folder, 'lost');
  }
  for (let lot = 0; lot < LOTS; lot++) {
    yield {
      name: `lot ${lot}`,
      hasName: (folder, name) => numberOf(moment, lot, folder, name) % 2 === 0,
      content: (file) => CONTENTS[numberOf(moment, lot, file) % CONTENTS.length] as Content,
    };
  }
}
