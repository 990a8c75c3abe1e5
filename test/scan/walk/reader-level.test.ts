import { mkdirSync, mkdtempSync, openSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { StatBuffer, statDescriptor } from '../../../core/linux/stat.ts';
import { identityOf } from '../../../core/scan/compare/inode-identity.ts';
import { type ReaderLevel, ReaderStack } from '../../../core/scan/walk/reader-level.ts';

/** More than a reader keeps open. */
const DEPTH = 300;

describe('the way of a reader up again', () => {
  let work: string;
  let stack: ReaderStack;

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'reader-level-'));
    stack = new ReaderStack();
    let path = join(work, 'tree');
    for (let depth = 0; depth < DEPTH; depth++, path = join(path, 'd')) {
      mkdirSync(path);
      push(path);
    }
  });

  afterEach(() => {
    stack.clear();
    rmSync(work, { recursive: true, force: true });
  });

  function push(path: string): void {
    const descriptor = openSync(path, 'r');
    const stat = new StatBuffer();
    statDescriptor(descriptor, stat);
    const level: ReaderLevel = {
      ...{ name: 'd', path, names: [], next: 0, descriptor, identity: identityOf(stat.words), excludes: undefined },
      ...{ mounted: undefined, virtual: undefined, end: undefined, begin: undefined, isLost: false },
    };
    stack.push(level);
  }

  /** Goes up until a level had to be opened again, and tells whether any was lost. */
  function goUp(): boolean {
    let isLost = false;
    while (stack.depth > 1) {
      stack.pop();
      isLost ||= stack.top?.isLost === true;
    }
    return isLost;
  }

  it('leads through the directories that it came from', () => {
    expect(goUp()).to.equal(false);
  });

  it('does not lead into another one, to which a directory was moved meanwhile (case 4)', () => {
    mkdirSync(join(work, 'elsewhere'));
    // The directory of the twentieth level now stands in another one.
    const moved = join(work, 'tree', ...Array.from({ length: 20 }, () => 'd'));
    renameSync(moved, join(work, 'elsewhere/d'));
    expect(goUp()).to.equal(true);
  });
});
