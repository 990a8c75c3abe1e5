import { createHash } from 'node:crypto';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ManifestRow } from '../../core/manifest/entry.ts';
import { BLOCK_MAGIC, BLOCK_SECTIONS, type BlockSection } from '../../core/manifest/format/block-layout.ts';
import { writeFooter, writeHeader } from '../../core/manifest/format/envelope.ts';
import { compressBlock } from '../../core/manifest/format/frames.ts';
import { packSections } from '../../core/manifest/format/sections.ts';
import { ManifestReader } from '../../core/manifest/read/manifest-reader.ts';
import { IndexBuilder } from '../../core/manifest/write/index-builder.ts';
import { ManifestWriter } from '../../core/manifest/write/manifest-writer.ts';
import type { Sandbox } from '../commands/sandbox.ts';
import { MemoryManifest } from '../manifest/sample.ts';
import { signedBytes } from '../repository/sign.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

interface Link {
  id: string;
  sha256: string;
}

/** What a forgery changes of a record; everything else stays. */
export interface ForgedRecord {
  id: string;
  parent: Link | null;
  base: Link | null;
  manifest: { path: string; length: number; sha256: string; index: { offset: number; length: number; sha256: string } };
  packs: { path: string; length: number; sha256: string }[];
  roots: { name: string; source: string }[];
  [key: string]: unknown;
}

/** Who has the key of a sandbox's server, or a defect of its program: whatever is changed, all digests and signatures are right again afterwards. */
export class Forger {
  readonly #sandbox: Sandbox;

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /** The file of an object whose path ends so. */
  file(ending: string): string {
    const [found] = globSync(join(this.#sandbox.repository, `servers/*/**/${ending}`));
    if (found === undefined) throw new Error(`no object ${ending}`);
    return found;
  }

  replace(file: string, bytes: Buffer): void {
    rmSync(file, { force: true });
    writeFileSync(file, bytes);
  }

  /** Changes a record, and the links of those that build on it. */
  record(id: string, change: (record: ForgedRecord) => void): void {
    const file = this.file(`snapshots/${id}.json`);
    const before = readFileSync(file);
    const record = JSON.parse(before.toString()) as ForgedRecord;
    change(record);
    const after = signedBytes(record, file, this.#sandbox.stateDirectory);
    this.replace(file, after);
    const relink = (link: Link | null): boolean => {
      if (link?.id !== id || link.sha256 !== sha256(before)) return false;
      link.sha256 = sha256(after);
      return true;
    };
    for (const other of globSync(join(file, '../*.json'))) {
      const { parent, base } = JSON.parse(readFileSync(other, 'utf8')) as ForgedRecord;
      if (![parent, base].some((link) => link?.id === id && link.sha256 === sha256(before))) continue;
      this.record(basename(other, '.json'), (above) => [above.parent, above.base].forEach(relink));
    }
  }

  /** The rows of a snapshot's manifest. */
  rows(id: string): ManifestRow[] {
    return [...ManifestReader.open(new MemoryManifest(readFileSync(this.file(`manifests/${id}.mf.zst`)))).rows()];
  }

  /** Gives a snapshot another manifest, of these bytes. The copy in the state directory goes. */
  manifest(id: string, bytes: Buffer, index: ForgedRecord['manifest']['index']): void {
    this.replace(this.file(`manifests/${id}.mf.zst`), bytes);
    for (const copy of globSync(join(this.#sandbox.stateDirectory, '**/*.mf.zst*'))) rmSync(copy, { force: true });
    this.record(id, (record) => {
      record.manifest = { ...record.manifest, length: bytes.length, sha256: sha256(bytes), index };
    });
  }

  /** Gives a snapshot a manifest of these rows. */
  manifestOf(id: string, rows: readonly ManifestRow[], rowsPerBlock = 1024): void {
    const chunks: Buffer[] = [];
    const writer = new ManifestWriter((chunk) => chunks.push(Buffer.from(chunk)), { rowsPerBlock });
    for (const row of rows) writer.add(row);
    const { index } = writer.finish();
    this.manifest(id, Buffer.concat(chunks), index);
  }

  /** Gives a snapshot a manifest in which sections of its blocks are other bytes. */
  sections(id: string, change: Partial<Record<BlockSection, (section: Buffer) => Uint8Array>>): void {
    const reader = ManifestReader.open(new MemoryManifest(readFileSync(this.file(`manifests/${id}.mf.zst`))));
    const index = new IndexBuilder();
    const parts = [writeHeader()];
    let offset = parts[0]!.length;
    for (let block = 0; block < reader.blockCount; block++) {
      const view = reader.block(block);
      const section = (name: BlockSection): Uint8Array => change[name]?.(Buffer.from(view.section(name))) ?? view.section(name);
      const content = packSections(BLOCK_MAGIC, BLOCK_SECTIONS.map(section));
      const frame = compressBlock(content);
      index.add({
        ...{ offset, length: frame.length, contentLength: content.length, rows: view.rows, firstPath: view.path(0) },
        digest: createHash('sha256').update(frame).digest(),
      });
      parts.push(frame);
      offset += frame.length;
    }
    const content = index.build(reader.rowCount, reader.packs);
    const frame = compressBlock(content);
    const place = { offset, length: frame.length };
    this.manifest(id, Buffer.concat([...parts, frame, writeFooter({ ...place, contentLength: content.length })]), {
      ...place,
      sha256: sha256(frame),
    });
  }
}
