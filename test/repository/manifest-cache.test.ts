import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { MemoryBackend } from '../../core/repository/backends/memory.ts';
import type { UnitIdentity } from '../../core/repository/identity.ts';
import { ManifestCache } from '../../core/repository/manifest-cache.ts';
import type { SnapshotRecord } from '../../core/repository/record.ts';
import type { Repository } from '../../core/repository/repository.ts';
import { failureOf } from '../failure-of.ts';
import { FaultyBackend } from './faulty-backend.ts';
import { openTestRepository, storeSnapshot, subject } from './fixtures.ts';

describe('the manifest cache', () => {
  let state: string;
  let backend: FaultyBackend;
  let repository: Repository;
  let unit: UnitIdentity;
  let record: SnapshotRecord;
  let cache: ManifestCache;

  beforeEach(async () => {
    state = mkdtempSync(join(tmpdir(), 'cache-'));
    backend = new FaultyBackend(new MemoryBackend());
    ({ repository } = await openTestRepository(backend, state));
    unit = await repository.units.open(subject('site1'));
    record = await storeSnapshot(repository, unit, new Date('2026-11-01T03:00:00Z'));
    cache = new ManifestCache(repository);
  });

  afterEach(() => rmSync(state, { recursive: true }));

  const copies = () => readdirSync(join(state, 'units', unit.unit));
  const copy = () => join(state, 'units', unit.unit, `${record.id}.mf.zst`);

  async function content(): Promise<string> {
    const manifest = await cache.open(record);
    try {
      return manifest.read(0, manifest.size).toString();
    } finally {
      manifest.close();
    }
  }

  it('asks the repository once', async () => {
    expect(await content()).to.equal('manifest of content');
    const reads = backend.calls.filter((call) => call === 'read').length;
    expect(await content()).to.equal('manifest of content');
    expect(backend.calls.filter((call) => call === 'read')).to.have.length(reads);
    expect(copies()).to.deep.equal([`${record.id}.mf.zst`]);
  });

  for (const damage of ['', 'manifest of contenT', 'longer than what was stored']) {
    it(`fetches a copy again that became ${JSON.stringify(damage)}`, async () => {
      await content();
      writeFileSync(copy(), damage);
      expect(await content()).to.equal('manifest of content');
      expect(readFileSync(copy(), 'utf8')).to.equal('manifest of content');
    });
  }

  it('never takes what the repository damaged', async () => {
    const wrong = { ...record, manifest: { ...record.manifest, sha256: '0'.repeat(64) } };
    expect(await failureOf(() => cache.open(wrong))).to.include({ code: 'repository_damaged' });
    const longer = { ...record, manifest: { ...record.manifest, length: 1_000_000 } };
    expect(await failureOf(() => cache.open(longer))).to.include({ code: 'repository_damaged' });
    expect(copies()).to.deep.equal([]);
  });

  it('drops what is not retained, also what a killed run left behind', async () => {
    const second = await storeSnapshot(repository, unit, new Date('2026-11-02T03:00:00Z'));
    (await cache.open(record)).close();
    (await cache.open(second)).close();
    writeFileSync(join(state, 'units', unit.unit, 'abc.tmp'), '');
    cache.retain(unit.unit, [second.id]);
    expect(copies()).to.deep.equal([`${second.id}.mf.zst`]);
  });
});
