import { linkSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { SnapshotLink } from '../chain/snapshot.ts';
import { asFailure, Failure } from '../failure.ts';
import { compactRows } from '../manifest/merge/compact-rows.ts';
import type { FinishedManifest } from '../manifest/write/manifest-writer.ts';
import type { PanelUnit } from '../panel/unit.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import {
  type ExcludedThen,
  FORMAT_VERSION,
  type ManifestReference,
  type ObjectReference,
  type RecordedDatabase,
  type SnapshotRecord,
} from '../repository/record.ts';
import { protectionOf } from '../repository/recovery/protect.ts';
import { writeContentIndex } from '../scan/known/content-index.ts';
import type { FrameLedger } from '../scan/pack/frame-ledger.ts';
import type { ScanTotals } from '../scan/scan.ts';
import { PROGRAM } from '../version.ts';
import { type AssembledManifest, compactPacks, discard } from './packs/pack-compaction.ts';
import type { SnapshotPacks } from './packs/snapshot-packs.ts';
import type { UnitPlan } from './previous/level.ts';
import type { UnitDevices } from './previous/unit-devices.ts';
import { ReadBack } from './proof/read-back.ts';
import { proveSnapshot } from './proof/snapshot-proof.ts';
import { ManifestOutput } from './rows/manifest-output.ts';
import type { SnapshotOutput } from './rows/snapshot-output.ts';
import type { BackedUpUnit } from './run/backed-up-unit.ts';
import type { RunTools } from './run/run-tools.ts';

/** A unit of which the scan is complete and nothing is visible yet. */
export interface ScannedUnit {
  readonly subject: PanelUnit;
  readonly unit: UnitIdentity;
  readonly id: string;
  readonly started: Date;
  readonly plan: UnitPlan;
  readonly devices: UnitDevices;
  /** The changes since the previous state, or everything when there is none. */
  readonly rows: ManifestOutput;
  readonly output: SnapshotOutput;
  readonly packs: SnapshotPacks;
  /** What the workers sent to the packs. */
  readonly sent: FrameLedger;
  /** The id of pack number n. */
  readonly packId: (number: number) => string;
  readonly totals: ScanTotals;
  readonly databases: readonly RecordedDatabase[];
  readonly excluded: ExcludedThen;
}

/** What stands for live files that were left out is seen in the snapshot itself. */
function rulesOf(excluded: ExcludedThen | undefined): Pick<ExcludedThen, 'paths' | 'patterns'> | undefined {
  return excluded === undefined ? undefined : { paths: excluded.paths, patterns: excluded.patterns };
}

/**
 * Turns a scan into a snapshot, in the only order that a crash cannot harm: packs, manifest, record. Nothing is written
 * when nothing changed, not even what is excluded, unless a full was wanted.
 */
export async function commitSnapshot(scanned: ScannedUnit, tools: RunTools): Promise<BackedUpUnit> {
  const { plan, unit, rows, output } = scanned;
  const { repository } = tools;
  const outcome = { unit, plan, warnings: output.warnings, rawDatabases: scanned.excluded.rawDatabases ?? [] };
  const last = plan.previous?.chain.at(-1);
  const isSame = rows.rows === 0 && isDeepStrictEqual(rulesOf(last?.excluded), rulesOf(scanned.excluded));
  if (last !== undefined && plan.level !== 'full' && isSame) {
    return { ...outcome, record: last, link: { id: last.id, sha256: repository.recordDigest(last) }, isNew: false };
  }
  await scanned.packs.appendTrailing(output.lastFrames());
  await scanned.packs.endOpen();
  const assembled = await assemble(scanned, tools);
  try {
    const added = await scanned.packs.finished();
    await proveSnapshot(
      { manifest: assembled.output.reader(), packs: scanned.packs, added, sent: scanned.sent, chain: plan.previous?.chain ?? [] },
      repository,
    );
    const manifest = await storeManifest(assembled.output, assembled.finished, scanned, tools);
    const packs = added.map(({ reference }) => reference);
    if (tools.readBack) await new ReadBack(assembled.output.reader(), tools).check(manifest, packs);
    const record = describe(scanned, manifest, assembled.finished, packs, tools);
    const link = await repository.commitRecord(record);
    remember(record, assembled.output, plan, tools);
    return { ...outcome, record, link, isNew: true };
  } finally {
    if (assembled.output !== rows) discard(assembled.output);
  }
}

/** The rows of the snapshot's own manifest: the changes alone, or merged with the layers that it takes the place of. */
async function assemble(scanned: ScannedUnit, tools: RunTools): Promise<AssembledManifest> {
  const { plan, unit, rows } = scanned;
  const finished = rows.finish();
  if (plan.previous === undefined || plan.level === 'incremental') return { output: rows, finished };
  const merged = new ManifestOutput(tools.cache.temporaryFile(unit.unit));
  try {
    const layers = [...plan.previous.readers, rows.reader()];
    for (const row of compactRows(layers, plan.level === 'full' ? {} : { base: layers[0] })) merged.add(row);
    const assembled = { output: merged, finished: merged.finish() };
    const { packId, packs: target, subject, devices } = scanned;
    const places = { before: plan.previous.readers, roots: subject.roots, devices: devices.numbers };
    const order = { unit: unit.unit, packId, target, old: oldPacks(plan), ...places };
    const compacted = await compactPacks(assembled, order, tools);
    if (compacted !== assembled) discard(merged);
    return compacted;
  } catch (error) {
    discard(merged);
    throw error;
  }
}

/** The packs that the snapshot need not point at: those of a differential's full are kept with that in any case. */
function oldPacks({ level, previous }: UnitPlan): Map<string, ObjectReference> {
  const [full, ...later] = previous?.chain ?? [];
  const old = new Map<string, ObjectReference>();
  for (const record of later) for (const pack of record.packs) old.set(pack.path, pack);
  for (const pack of full?.packs ?? []) {
    if (level === 'full') old.set(pack.path, pack);
    else old.delete(pack.path);
  }
  return old;
}

async function storeManifest(
  output: ManifestOutput,
  finished: FinishedManifest,
  { unit, id }: ScannedUnit,
  { repository, control }: RunTools,
): Promise<ManifestReference> {
  const target = control.throttled(await repository.createManifest(unit.unit, id));
  try {
    await output.copyTo(target);
    const reference = await target.commit();
    const { length, sha256 } = reference.content ?? reference;
    if (length !== finished.length || sha256 !== finished.sha256) {
      throw new Failure('proof_failed', 'the manifest that was stored is not the one that was written');
    }
    return { ...reference, index: finished.index };
  } finally {
    await target.abort().catch(() => {});
  }
}

function describe(
  { unit, id, started, plan, devices, output, totals, databases, excluded }: ScannedUnit,
  manifest: ManifestReference,
  finished: FinishedManifest,
  added: readonly ObjectReference[],
  { context, repository, exporters }: RunTools,
): SnapshotRecord {
  const chain = plan.previous?.chain ?? [];
  const parent = chain.at(-1);
  const base = chain[0];
  const linkTo = (record: SnapshotRecord): SnapshotLink => ({ id: record.id, sha256: repository.recordDigest(record) });
  return {
    formatVersion: FORMAT_VERSION,
    id,
    repository: repository.identity.id,
    server: repository.server,
    unit: unit.unit,
    name: unit.name,
    level: plan.level,
    synthetic: plan.synthetic,
    reason: plan.reason,
    time: started.toISOString(),
    finished: context.now().toISOString(),
    parent: parent === undefined ? null : linkTo(parent),
    base: base === undefined || plan.level === 'full' ? null : linkTo(base),
    roots: devices.roots,
    devices: devices.devices,
    counts: { entries: totals.entries, changed: output.changed, deleted: output.deleted },
    bytes: {
      total: totals.bytes,
      read: output.bytesRead,
      stored: [manifest, ...added].reduce((sum, { length }) => sum + length + protectionOf(repository, length), 0),
    },
    manifest,
    packs: neededPacks(finished.packs, added, chain),
    warnings: output.warnings.list,
    warningCount: output.warnings.count,
    complete: !output.warnings.isIncomplete,
    excluded,
    ...(databases.length === 0 ? {} : { databases }),
    exporters,
    tool: PROGRAM,
  };
}

/** The packs that the manifest points at, and those that this snapshot added, in the order of their ids. */
function neededPacks(
  named: readonly string[],
  added: readonly ObjectReference[],
  chain: readonly SnapshotRecord[],
): readonly ObjectReference[] {
  const known = new Map<string, ObjectReference>();
  for (const record of chain) for (const pack of record.packs) known.set(pack.path, pack);
  for (const pack of added) known.set(pack.path, pack);
  const needed = new Map(added.map((pack) => [pack.path, pack]));
  for (const path of named) {
    const pack = known.get(path);
    if (pack === undefined)
      throw new Failure('proof_failed', `the manifest points at ${path}, which no record of the chain names`, { affected: [path] });
    needed.set(path, pack);
  }
  return [...needed.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Keeps what the next backup compares with, and lets go of what it does not need. The snapshot is there by now, whatever happens
 * here: what is missing is fetched, or made, by the next backup.
 */
function remember(record: SnapshotRecord, output: ManifestOutput, plan: UnitPlan, { cache, context }: RunTools): void {
  const chain = plan.previous?.chain ?? [];
  const before = plan.level === 'full' ? [] : plan.level === 'differential' ? chain.slice(0, 1) : chain;
  try {
    linkSync(output.file, cache.pathOf(record));
    writeContentIndex(cache.indexPathOf(record), output.reader());
    cache.retain(
      record.unit,
      [...before, record].map(({ id }) => id),
    );
  } catch (error) {
    const { code, message } = asFailure(error);
    const text = `the state directory keeps no copy of what was backed up, so the next backup fetches it: ${message}`;
    context.reporter.log({ level: 'warning', code, message: text, affected: [record.id] });
  }
}
