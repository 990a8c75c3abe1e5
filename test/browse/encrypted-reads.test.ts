import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ls } from '../../core/commands/ls.ts';
import { restore } from '../../core/commands/restore.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import type { Entry } from '../../core/manifest/entry.ts';
import { comparePaths } from '../../core/manifest/path-order.ts';
import type { RandomAccess } from '../../core/manifest/read/random-access.ts';
import { ManifestWriter } from '../../core/manifest/write/manifest-writer.ts';
import { LocalBackend } from '../../core/repository/backends/local.ts';
import { newTimedId } from '../../core/repository/ids.ts';
import { openRepository } from '../../core/repository/open-repository.ts';
import { plainManifest } from '../../core/repository/record.ts';
import { OpenLayers } from '../../core/timeline/open-layers.ts';
import { Sandbox } from '../commands/sandbox.ts';
import { sampleEntry } from '../restore/sample-snapshot.ts';

const ENTRIES = process.env.SLOW === undefined ? 200_000 : 1_000_000;
const PER_FOLDER = 1000;
const LIMIT = 2 * 1024 * 1024;

/** Counts the bytes that are read of the objects of local repositories, records aside. */
class ByteCounter {
  bytes = 0;
  readonly #openDirectly = LocalBackend.prototype.openDirectly;
  readonly #read = LocalBackend.prototype.read;

  constructor() {
    const counter = this;
    LocalBackend.prototype.openDirectly = function (name: string): RandomAccess {
      const access = counter.#openDirectly.call(this, name);
      const read = access.read.bind(access);
      access.read = (offset, length) => {
        counter.bytes += length;
        return read(offset, length);
      };
      return access;
    };
    LocalBackend.prototype.read = async function (name: string, offset?: number, length?: number): Promise<Buffer> {
      const bytes = await counter.#read.call(this, name, offset, length);
      counter.bytes += bytes.length;
      return bytes;
    };
  }

  stop(): void {
    LocalBackend.prototype.openDirectly = this.#openDirectly;
    LocalBackend.prototype.read = this.#read;
  }
}

describe('one file out of very many, encrypted', function () {
  this.timeout(120_000);
  let sandbox: Sandbox;
  let given: { identity: string };

  before(async () => {
    sandbox = new Sandbox();
    const identity = await newIdentity();
    given = { identity: join(sandbox.folder, 'key') };
    writeFileSync(given.identity, identity.secret);
    await sandbox.init({ recipients: [identity.recipient] });
    writeFileSync(join(sandbox.shadow, 'wanted'), randomBytes(100_000));
    writeFileSync(join(sandbox.shadow, 'large'), randomBytes(30_000_000));
    await sandbox.back('full');
    await addLargeSnapshot();
  });
  after(() => sandbox.remove());

  /** A snapshot beside the first one, with many entries that were never on a disk. */
  async function addLargeSnapshot(): Promise<void> {
    const repository = await openRepository(sandbox.context.settings, 'write', () => {}, { identity: given });
    const [unit] = await repository.units.all();
    const [first] = await repository.snapshots(unit?.unit as string);
    if (first === undefined) throw new Error('there is no snapshot');
    const layers = await OpenLayers.open([first], repository);
    const rows = [...(layers.readers[0]?.rows() ?? [])] as Entry[];
    layers.close();
    for (let folder = 0; folder < ENTRIES / PER_FOLDER; folder++) {
      const path = `shadow/bulk${String(folder).padStart(5, '0')}`;
      rows.push(sampleEntry(path, { kind: 'directory', mode: 0o755, linkCount: 2 }));
      for (let file = 0; file < PER_FOLDER; file++) rows.push(sampleEntry(`${path}/some-file-name-${file}`, {}));
    }
    rows.sort((a, b) => comparePaths(a.path, b.path));
    const id = newTimedId(new Date(Date.now() + 1));
    const output = await repository.createManifest(first.unit, id);
    const chunks: Buffer[] = [];
    const writer = new ManifestWriter((chunk) => void chunks.push(Buffer.from(chunk)));
    for (const row of rows) writer.add(row);
    const { index } = writer.finish();
    for (const chunk of chunks) await output.write(chunk);
    const manifest = { ...(await output.commit()), index };
    expect(plainManifest(manifest).length).to.equal(chunks.reduce((sum, { length }) => sum + length, 0));
    const { sealed: _, ...record } = await repository.revealed(first);
    await repository.commitRecord({ ...record, id, manifest, counts: { ...record.counts, entries: rows.length } });
  }

  it('costs less than 2 MiB of reads, and so does a folder of it', async () => {
    const counter = new ByteCounter();
    try {
      const to = join(sandbox.folder, 'out');
      const result = await restore({ unit: 'site1', paths: ['shadow/wanted'], to, ...given }, sandbox.context);
      expect(result).to.include({ status: 'ok', written: 1 });
      expect(readFileSync(join(to, 'shadow/wanted')).equals(readFileSync(join(sandbox.shadow, 'wanted')))).to.equal(true);
      const restored = counter.bytes;
      counter.bytes = 0;
      const { entries } = await ls({ unit: 'site1', folder: 'shadow/bulk00077', limit: 10, ...given }, sandbox.context);
      expect(entries).to.have.length(10);
      if (process.env.SHOW !== undefined) console.log({ restored, listed: counter.bytes });
      expect(restored).to.be.lessThan(LIMIT);
      expect(counter.bytes).to.be.lessThan(LIMIT);
    } finally {
      counter.stop();
    }
  });
});
