import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { diff } from '../../core/commands/diff.ts';
import { find } from '../../core/commands/find.ts';
import { history } from '../../core/commands/history.ts';
import { ls } from '../../core/commands/ls.ts';
import { plan } from '../../core/commands/plan.ts';
import { restore } from '../../core/commands/restore.ts';
import type { RandomAccess } from '../../core/manifest/read/random-access.ts';
import { LocalBackend } from '../../core/repository/backends/local.ts';
import { Sandbox } from '../commands/sandbox.ts';

/** Enough for a full's manifest of several blocks. */
const FILES = 4000;
const INCREMENTALS = 30;

/** What is read of a manifest before any block: header, footer, index. */
const READS_TO_OPEN = 3;

/** Counts, by name, what is opened and read of the objects of local repositories. */
class ReadCounter {
  /** Reads of each opened manifest. */
  readonly manifests = new Map<string, number>();
  /** Bytes read of each pack. */
  readonly packs = new Map<string, number>();
  readonly #openDirectly = LocalBackend.prototype.openDirectly;
  readonly #read = LocalBackend.prototype.read;

  constructor() {
    const counter = this;
    LocalBackend.prototype.openDirectly = function (name: string): RandomAccess {
      const access = counter.#openDirectly.call(this, name);
      if (!name.endsWith('.mf.zst')) return access;
      const id = name.slice(name.lastIndexOf('/') + 1).replace('.mf.zst', '');
      counter.manifests.set(id, counter.manifests.get(id) ?? 0);
      const read = access.read.bind(access);
      access.read = (offset, length) => {
        counter.manifests.set(id, (counter.manifests.get(id) as number) + 1);
        return read(offset, length);
      };
      return access;
    };
    LocalBackend.prototype.read = async function (name: string, offset?: number, length?: number): Promise<Buffer> {
      const bytes = await counter.#read.call(this, name, offset, length);
      if (name.includes('/packs/')) counter.packs.set(name, (counter.packs.get(name) ?? 0) + bytes.length);
      return bytes;
    };
  }

  stop(): void {
    LocalBackend.prototype.openDirectly = this.#openDirectly;
    LocalBackend.prototype.read = this.#read;
  }
}

describe('of one full, four differentials and thirty incrementals', function () {
  this.timeout(120_000);
  let sandbox: Sandbox;
  let counter: ReadCounter;
  let all: string[];
  let needed: string[];

  before(async () => {
    sandbox = new Sandbox();
    await sandbox.init();
    for (const folder of ['bulk', 'folder5', 'folder7']) mkdirSync(join(sandbox.shadow, folder));
    for (let i = 0; i < FILES; i++) writeFileSync(join(sandbox.shadow, 'bulk', `file${i}`), '');
    for (let i = 0; i < 20; i++) writeFileSync(join(sandbox.shadow, 'folder7', `file${i}`), `content ${i}`);
    all = [(await sandbox.back('full')).snapshot as string];
    const change = async (level: 'differential' | 'incremental') => {
      writeFileSync(join(sandbox.shadow, 'folder5/changing'), `state ${all.length}`);
      all.push((await sandbox.back(level)).snapshot as string);
    };
    for (let week = 0; week < 4; week++) {
      for (let day = 0; day < INCREMENTALS / 5; day++) await change('incremental');
      await change('differential');
    }
    for (let day = 0; day < INCREMENTALS / 5; day++) await change('incremental');
    needed = [all[0] as string, ...all.slice(-1 - INCREMENTALS / 5)];
    expect(all).to.have.length(1 + 4 + INCREMENTALS);
  });

  beforeEach(() => {
    counter = new ReadCounter();
  });
  afterEach(() => counter.stop());
  after(() => sandbox.remove());

  const opened = () => [...counter.manifests.keys()].sort();

  it('the newest state reads the full, the last differential and the incrementals after it, and no other manifest', async () => {
    await plan({ unit: 'site1' }, sandbox.context);
    expect(opened()).to.deep.equal(needed);
    counter.manifests.clear();
    await ls({ unit: 'site1', recursive: true }, sandbox.context);
    expect(opened()).to.deep.equal(needed);
    counter.manifests.clear();
    await restore({ unit: 'site1', paths: ['shadow/folder5'], to: join(sandbox.folder, 'all') }, sandbox.context);
    expect(opened()).to.deep.equal(needed);
  });

  it('one file out of it reads its frame alone', async () => {
    await restore({ unit: 'site1', paths: ['shadow/folder5/changing'], to: join(sandbox.folder, 'one') }, sandbox.context);
    expect(opened()).to.deep.equal(needed);
    const [pack, ...others] = [...counter.packs.keys()];
    expect(pack).to.contain(all.at(-1));
    expect(others).to.deep.equal([]);
  });

  it('a folder of it reads a few blocks of the full', async () => {
    const { entries } = await ls({ unit: 'site1', folder: 'shadow/folder7', limit: 10 }, sandbox.context);
    expect(entries).to.have.length(10);
    expect(counter.manifests.get(all[0] as string)).to.be.at.most(READS_TO_OPEN + 2);
  });

  it('the history of one path reads one block of each manifest', async () => {
    const { events } = await history({ unit: 'site1', path: 'shadow/folder5/changing' }, sandbox.context);
    expect(events).to.have.length(4 + INCREMENTALS);
    expect(opened()).to.deep.equal(all);
    for (const [id, reads] of counter.manifests) expect(reads, id).to.be.at.most(READS_TO_OPEN + 1);
  });

  it('a search through all snapshots reads each manifest once', async () => {
    const { found } = await find({ unit: 'site1', pattern: 'chang*' }, sandbox.context);
    expect(found[0]?.versions).to.have.length(4 + INCREMENTALS);
    const blocks = Math.ceil(FILES / 1024) + 1;
    expect(counter.manifests.get(all[0] as string)).to.be.at.most(READS_TO_OPEN + blocks);
    for (const id of all.slice(1)) expect(counter.manifests.get(id), id).to.be.at.most(READS_TO_OPEN + 1);
  });

  it('two points in time of one chain are compared without reading what both take from the full', async () => {
    const { differences } = await diff({ unit: 'site1', from: all.at(-2) as string }, sandbox.context);
    expect(differences.map(({ path }) => path)).to.deep.equal(['shadow/folder5/changing']);
    expect(opened()).to.deep.equal(needed);
    // Both sides open the full and read the blocks before and behind the bulk.
    expect(counter.manifests.get(all[0] as string)).to.be.at.most(2 * (READS_TO_OPEN + 2));
  });
});
