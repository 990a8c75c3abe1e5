import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa, execaSync } from 'execa';
import { ObjectCache } from '../../../core/repository/known/object-cache.ts';

/** Keeps and looks up the same few names as others do, each time of another content, and says what it got that nobody kept. */
const HAMMER = `
import { ObjectCache } from ${JSON.stringify(join(import.meta.dirname, '../../../core/repository/known/object-cache.ts'))};
const [folder, own] = process.argv.slice(1);
const cache = new ObjectCache(folder);
const of = (name, who) => Buffer.alloc(40_000, name + who);
let [found, wrong] = [0, 0];
for (let turn = 0; turn < 300; turn++) {
  const name = 'object-' + (turn % 40);
  const bytes = cache.load(name, 40_000);
  if (bytes !== undefined) {
    found++;
    if (!['0', '1'].some((who) => of(name, who).equals(bytes))) wrong++;
  }
  if (turn % 3 === 0) cache.forget(name);
  else cache.save(name, of(name, own));
}
console.log(JSON.stringify({ found, wrong }));
`;

describe('copies of objects that never change', () => {
  let folder: string;
  let place: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cache-'));
    place = join(folder, 'cache');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const digestOf = (name: string): string => createHash('sha256').update(name).digest('hex');
  const files = (): string[] =>
    readdirSync(place, { recursive: true, withFileTypes: true }).flatMap((each) =>
      each.isFile() ? [join(each.parentPath, each.name)] : [],
    );
  const names = Array.from({ length: 60 }, (_, number) => `servers/s/runs/${number}.json`);
  const bytesOf = (name: string): Buffer => Buffer.alloc(2000, name);

  /** Keeps all and looks all up: each is what was kept, or is not there. How many are there. */
  function use(cache: ObjectCache): number {
    for (const name of names) cache.save(name, bytesOf(name));
    return names.filter((name) => {
      const found = cache.load(name, 2000);
      if (found !== undefined) expect(found.equals(bytesOf(name)), name).to.equal(true);
      return found !== undefined;
    }).length;
  }

  function mounted(options: string, action: () => void): void {
    mkdirSync(place);
    execaSync('mount', ['-t', 'tmpfs', '-o', options, 'cache', place]);
    try {
      action();
    } finally {
      execaSync('umount', [place]);
    }
  }

  it('are there again, and gone with their folder', () => {
    expect(use(new ObjectCache(place))).to.equal(names.length);
    rmSync(place, { recursive: true });
    expect(new ObjectCache(place).load(names[0] as string, 2000)).to.equal(undefined);
  });

  it('are not there on a disk that is full, and nothing of them', () => {
    mounted('size=80k,nr_inodes=100', () => {
      expect(use(new ObjectCache(place))).to.be.within(1, names.length - 1);
      expect(files().filter((file) => !/\/[0-9a-f]{62}$/.test(file))).to.deep.equal([]);
    });
  });

  it('are not there where nothing can be written', () => {
    mounted('ro', () => expect(use(new ObjectCache(place))).to.equal(0));
  });

  it('are not there where something else stands in their place', () => {
    writeFileSync(place, 'a file');
    expect(use(new ObjectCache(place))).to.equal(0);
    rmSync(place);
    const cache = new ObjectCache(place);
    use(cache);
    for (const [number, file] of files().entries()) {
      const stored = readFileSync(file);
      if (number % 5 === 0) writeFileSync(file, randomBytes(stored.length));
      else if (number % 5 === 1) truncateSync(file, stored.length - 1 - (number % stored.length));
      else if (number % 5 === 2) {
        rmSync(file);
        symlinkSync('/etc/passwd', file);
      } else if (number % 5 === 3) {
        rmSync(file);
        mkdirSync(file);
      }
    }
    const there = names.flatMap((name) => {
      const found = new ObjectCache(place).load(name, 2000);
      return found === undefined ? [] : [found.equals(bytesOf(name))];
    });
    expect(there).to.deep.equal(Array.from({ length: names.length / 5 }, () => true));
    // What stands there for good only keeps its copy from being kept.
    expect(use(cache)).to.be.within((names.length * 4) / 5, names.length);
  });

  it('keep within their room', () => {
    const cache = new ObjectCache(place);
    const large = randomBytes(200_000);
    // Those of one folder.
    const together = Array.from({ length: 4000 }, (_, number) => `object ${number}`).filter((name) => digestOf(name).startsWith('00'));
    expect(together).to.have.length.above(5);
    for (const name of together) cache.save(name, large);
    const shards = readdirSync(place).map((shard) => readdirSync(join(place, shard)).length);
    expect(Math.max(...shards)).to.be.at.most(5);
    cache.save('too long', Buffer.alloc(256 * 1024 + 1));
    expect(cache.load('too long', 256 * 1024 + 1)).to.equal(undefined);
  });

  it('are whole whatever several processes do with them at a time', async () => {
    const ended = await Promise.all(
      ['0', '1'].map((own) => execa(process.execPath, ['--input-type=module', '--eval', HAMMER, place, own])),
    );
    for (const { stdout } of ended) {
      const { found, wrong } = JSON.parse(stdout) as { found: number; wrong: number };
      expect(wrong).to.equal(0);
      expect(found).to.be.above(0);
    }
    expect(files().filter((file) => !/\/[0-9a-f]{62}$/.test(file))).to.deep.equal([]);
  });
});
