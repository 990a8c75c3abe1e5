import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Extent } from '../../core/manifest/entry.ts';
import { restoreSample } from './run-restore.ts';
import { SampleSnapshot, sampleEntry } from './sample-snapshot.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest();

function readlinkOf(descriptor: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return undefined;
  }
}

describe('restoring from packs', () => {
  let target: string;
  let sample: SampleSnapshot;

  beforeEach(() => {
    target = mkdtempSync(join(tmpdir(), 'restore-damage-'));
    sample = new SampleSnapshot();
  });

  afterEach(() => {
    sample.close();
    rmSync(target, { recursive: true, force: true });
  });

  function addContent(path: string, content: Buffer, extents: readonly Extent[], over: object = {}): void {
    sample.add(sampleEntry(path, { size: content.length, content: { digest: sha256(content), extents }, ...over }));
  }

  it('fetches each frame once', async () => {
    const contents = Array.from({ length: 400 }, () => randomBytes(1000));
    const extents = await sample.store('p', contents);
    for (const [index, content] of contents.entries()) addContent(`f${index}`, content, [extents[index]!]);
    sample.commit();
    sample.packs.reads = 0;
    await restoreSample(sample, target);
    const frames = new Set(extents.map(({ frame, offset }) => frame + (offset >= 64 * 1024 ? 1 : 0))).size;
    // Two reads more for the seek table; a content that runs on into the next frame reads both again.
    const across = extents.filter(({ offset, length }) => offset + length > 64 * 1024).length;
    expect(sample.packs.reads).to.be.at.most(frames + 2 + 2 * across);
    for (const [index, content] of contents.entries())
      expect(readFileSync(join(target, `f${index}`)).equals(content), `f${index}`).to.equal(true);
  });

  it('leaves no descriptor open', async () => {
    const contents = Array.from({ length: 200 }, () => randomBytes(1000));
    const extents = await sample.store('p', contents);
    for (const name of ['a', 'b']) sample.add(sampleEntry(name, { kind: 'directory', mode: 0o755 }));
    for (const [index, content] of contents.entries()) addContent(`${index % 2 ? 'a' : 'b'}/f${index}`, content, [extents[index]!]);
    sample.commit();
    const open = () => readdirSync('/proc/self/fd').filter((fd) => (readlinkOf(fd) ?? '').startsWith(target));
    await restoreSample(sample, target);
    expect(open()).to.deep.equal([]);
  });

  it('puts a file together from stretches of several packs, in any order', async () => {
    const old = randomBytes(500_000);
    const fresh = [randomBytes(70_000), randomBytes(1), randomBytes(130_000)];
    const [whole] = await sample.store('old', [old]);
    const [first, second, third] = (await sample.store('new', fresh)) as [Extent, Extent, Extent];
    const part = (from: number, to: number): Extent => ({
      ...whole!,
      frame: Math.floor(from / 65536),
      offset: from % 65536,
      length: to - from,
      digest: sha256(old.subarray(from, to)),
    });
    const content = Buffer.concat([
      old.subarray(300_000, 499_999),
      fresh[2]!,
      old.subarray(0, 65536),
      fresh[1]!,
      fresh[0]!,
      old.subarray(65536, 65537),
    ]);
    addContent('file', content, [part(300_000, 499_999), third, part(0, 65536), second, first, part(65536, 65537)]);
    addContent('other', old, [whole!]);
    sample.commit();
    const outcome = await restoreSample(sample, target);
    expect(outcome.problems.first).to.deep.equal([]);
    expect(readFileSync(join(target, 'file')).equals(content)).to.equal(true);
    expect(readFileSync(join(target, 'other')).equals(old)).to.equal(true);
  });

  it('names exactly the files that a damaged frame touches and restores the others', async () => {
    const contents = Array.from({ length: 100 }, () => randomBytes(3000));
    const extents = await sample.store('p', contents);
    for (const [index, content] of contents.entries()) addContent(`f${index}`, content, [extents[index]!]);
    const large = randomBytes(200_000);
    const [extent] = await sample.store('q', [large]);
    addContent('large', large, [extent!]);
    sample.commit();
    const pack = sample.packs.objects.get('p')!;
    const middle = Math.floor(pack.length / 2);
    pack.writeUInt8(pack.readUInt8(middle) ^ 0x10, middle);
    const outcome = await restoreSample(sample, target);
    expect(outcome.status).to.equal('partial');
    const failed = new Set(outcome.problems.first.map(({ path }) => path));
    expect(failed.size).to.be.within(1, 30);
    expect(outcome.failed).to.equal(failed.size);
    for (const { code } of outcome.problems.first) expect(code).to.equal('repository_damaged');
    const restored = readdirSync(target);
    expect(new Set([...restored, ...failed]).size).to.equal(101);
    expect(restored.length + failed.size).to.equal(101);
  });

  for (const [what, spoil] of [
    ['missing', (sampled: SampleSnapshot) => sampled.packs.objects.delete('p')],
    ['cut', (sampled: SampleSnapshot) => sampled.packs.objects.set('p', sampled.packs.objects.get('p')!.subarray(0, -5))],
    ['empty', (sampled: SampleSnapshot) => sampled.packs.objects.set('p', Buffer.alloc(0))],
  ] as const) {
    it(`names every file of a pack that is ${what}, in a dry run too`, async () => {
      const contents = [randomBytes(100), randomBytes(100_000)];
      const extents = await sample.store('p', contents);
      const [kept] = await sample.store('q', [randomBytes(0), contents[0]!].slice(1));
      addContent('a', contents[0]!, [extents[0]!]);
      addContent('b', contents[1]!, [extents[1]!]);
      addContent('c', contents[0]!, [kept!]);
      sample.commit();
      spoil(sample);
      for (const dryRun of [true, false]) {
        const outcome = await restoreSample(sample, target, { dryRun });
        expect(outcome.status).to.equal('partial');
        expect(outcome.problems.first.map(({ code, path }) => [code, path])).to.deep.equal([
          ['repository_damaged', 'a'],
          ['repository_damaged', 'b'],
        ]);
      }
      expect(readdirSync(target)).to.deep.equal(['c']);
    });
  }

  it('writes no content that differs from its digest: one frame, several frames, several extents, a wrong whole', async () => {
    const small = randomBytes(100);
    const large = randomBytes(200_000);
    const [a, b, c, d] = (await sample.store('p', [small, large, small, large])) as [Extent, Extent, Extent, Extent];
    addContent('a', Buffer.from(small).fill(0, 0, 1), [a]);
    addContent('b', Buffer.from(large).fill(0, 0, 1), [b]);
    addContent('c', Buffer.concat([small, large]), [c, { ...d, digest: sha256(small) }]);
    addContent('d', Buffer.concat([large, small]), [c, d]);
    addContent('e', small.subarray(1), [a]);
    addContent('f', small, [{ ...a, offset: 1_000_000 }]);
    addContent('g', small, [{ ...a, frame: 400 }]);
    addContent('h', small, []);
    sample.commit();
    const outcome = await restoreSample(sample, target);
    expect(Object.fromEntries(outcome.problems.first.map(({ code, path }) => [path, code]))).to.deep.equal({
      ...{ a: 'digest_mismatch', b: 'digest_mismatch', c: 'digest_mismatch', d: 'digest_mismatch' },
      ...{ e: 'repository_damaged', f: 'repository_damaged', g: 'repository_damaged', h: 'repository_damaged' },
    });
    expect(readdirSync(target)).to.deep.equal([]);
    expect(outcome.status).to.equal('failed');
  });
});
