import { randomBytes } from 'node:crypto';
import { ArchiveOutput } from '../archive/archive-output.ts';
import { doubtsResult } from '../browse/doubts.ts';
import { findSubject } from '../browse/find-subject.ts';
import { entryAt, TreeScope } from '../browse/tree-scope.ts';
import { VisiblePaths } from '../browse/visible-paths.ts';
import { parseDuration } from '../chain/duration.ts';
import { limitsOf } from '../config/limits.ts';
import type { Context } from '../context/context.ts';
import { Yielder } from '../context/yield.ts';
import { ENGINES } from '../databases/engine.ts';
import { DATABASES, databaseOfPath, folderOf } from '../databases/virtual-paths.ts';
import { Failure } from '../failure.ts';
import { StatBuffer, statDescriptor } from '../linux/stat.ts';
import { lockForRestore } from '../locks/unit-locks.ts';
import type { ByteString, Entry } from '../manifest/entry.ts';
import { comparePaths, isWithin } from '../manifest/path-order.ts';
import { fromTreePath, fromWirePath, toWirePath } from '../manifest/wire-path.ts';
import type { AccountUsers } from '../panel/account-users.ts';
import type { UnitIdentity } from '../repository/identity.ts';
import type { Repository } from '../repository/repository.ts';
import { ArchivedEntries } from '../restore/content/archived-entries.ts';
import { isWhiteout } from '../restore/overlay/overlay-attributes.ts';
import { isOwnersPath } from '../restore/owner/owner-gate.ts';
import { permit } from '../restore/owner/owner-policy.ts';
import { OwnerSight } from '../restore/owner/owner-sight.ts';
import { unknownPath } from '../restore/plan/unknown-path.ts';
import type { Problem } from '../restore/rules.ts';
import type { DownloadRequest, DownloadResult } from '../schemas/download.ts';
import { chainPacks } from '../targets/chain-packs.ts';
import { type ExpiringFile, forgetFile, noteFile, removeExpired } from '../targets/download/expiry.ts';
import { dismissReader, fifoAt } from '../targets/download/fifo-sink.ts';
import { type Destination, fileIn } from '../targets/download/file-sink.ts';
import { ownersPaths, rightsOf } from '../targets/owner-restore.ts';
import { openOwnerTarget } from '../targets/owner-target.ts';
import { openFolderTarget, type RestoreTarget } from '../targets/restore-target.ts';
import { OpenLayers } from '../timeline/open-layers.ts';
import { certain, doubtsOfRestored, type RestorePoint, UnitTimeline } from '../timeline/point-in-time.ts';
import { isCurrent } from '../timeline/resolve-unit.ts';

/** So many of the entries that the archive lacks are named. */
const NAMED = 1000;

/** What a request turned out to mean. */
interface Task {
  readonly request: DownloadRequest;
  readonly unit: UnitIdentity;
  /** Of an owner's request. */
  readonly users: AccountUsers | undefined;
  readonly point: RestorePoint;
  readonly repository: Repository;
}

/**
 * Gives paths of a point in time as one archive, which is made as it goes out. What is read is verified; at the first content that is not
 * what was recorded the archive ends in its middle, and this throws.
 */
export async function download(request: DownloadRequest, context: Context): Promise<DownloadResult> {
  if (process.geteuid?.() !== 0) throw new Failure('not_root', 'only root can read every backup');
  const ways = [request.to, request.fifo].filter((way) => way !== undefined);
  if (ways.length > 1) throw new Failure('usage', 'an archive goes to a folder or to a FIFO, not to both');
  if (ways.length === 0 && context.archiveOutput === undefined) {
    throw new Failure('usage', 'it is not said where the archive goes', { advice: 'Name a folder with --to.' });
  }
  removeExpired(context.settings, context.now().getTime());
  try {
    return await give(request, context);
  } catch (error) {
    if (request.fifo !== undefined) dismissReader(request.fifo, request.policy === 'owner' ? request.unit : undefined);
    throw error;
  }
}

async function give(request: DownloadRequest, context: Context): Promise<DownloadResult> {
  const { repository, unit, users } = await findSubject(request, context);
  const locks = await lockForRestore(unit.name, { to: 'archive' }, repository, context);
  try {
    const point = certain(await (await UnitTimeline.read(unit, repository)).resolve(request.at, context.now()));
    return await send({ request, unit, users, point, repository }, context);
  } finally {
    for (const lock of locks) lock.release();
  }
}

async function send(task: Task, context: Context): Promise<DownloadResult> {
  const { unit, point, repository, users } = task;
  const { chain, moment } = point;
  await repository.keys.requireReadable(chain.flatMap(({ manifest, packs }) => [manifest, ...packs]));
  const layers = await OpenLayers.open(chain, repository);
  let place: Place | undefined;
  try {
    const shows = visibleIn(layers, users);
    const paths = chosenPaths(task, layers, shows);
    place = await open(task, context);
    const problems: Problem[] = [];
    let count = 0;
    const output = new ArchiveOutput((bytes) => (place as Place).destination.write(bytes));
    const archived = new ArchivedEntries(output, chainPacks(chain, repository), (problem) => {
      if (++count <= NAMED) problems.push(problem);
    });
    const yielder = new Yielder(context);
    for (const path of paths) {
      for (const entry of entriesBelow(layers, path, shows)) {
        const given = users === undefined ? entry : owners(entry, users);
        if (given === undefined) continue;
        await archived.add(given);
        const { entries, bytes } = archived;
        context.reporter.progress({ phase: 'download', unit: unit.name, entries, bytes });
        if (context.signal.aborted) throw new Failure('cancelled', 'the download was stopped');
        if (yielder.isDue()) await yielder.take();
      }
    }
    await output.finish();
    await place.destination.finish();
    const doubts = doubtsResult(doubtsOfRestored(point));
    return {
      status: count === 0 ? doubts.status : 'partial',
      unit: unit.name,
      unitId: unit.unit,
      current: isCurrent(unit, repository, context),
      moment,
      snapshot: moment.snapshot,
      file: place.file === undefined ? null : toWirePath(`${place.file.folder}/${place.file.name}`).path,
      expires: place.file === undefined ? null : new Date(place.file.expires).toISOString(),
      entries: archived.entries,
      bytes: output.length,
      warnings: [...doubts.warnings, ...problems.map(({ code, message, path }) => ({ code, message, ...toWirePath(path) }))],
      warningCount: doubts.warningCount + count,
    };
  } catch (error) {
    if (place !== undefined) await giveUp(place, context);
    throw error;
  } finally {
    place?.close();
    layers.close();
  }
}

/** Where the archive goes. */
interface Place {
  readonly destination: Destination;
  readonly file: ExpiringFile | undefined;
  close(): void;
}

/** A reader gets half a frame and then the end, which no reader takes for a whole archive; a file goes. */
async function giveUp({ destination, file }: Place, { settings }: Context): Promise<void> {
  const broken = new ArchiveOutput(destination.write);
  if (file === undefined) await broken.breakOff().catch(() => {});
  await destination.abandon().catch(() => {});
  if (file !== undefined) forgetFile(settings.stateDirectory, file.name);
}

async function open({ request, unit, users }: Task, context: Context): Promise<Place> {
  const { to, fifo, room } = request;
  const account = users === undefined ? undefined : unit.name;
  if (fifo !== undefined) return { destination: await fifoAt(fifo, account, context.signal), file: undefined, close: () => {} };
  if (to === undefined) {
    if (context.archiveOutput === undefined) throw new Failure('internal', 'there is nowhere to write to');
    return { destination: context.archiveOutput, file: undefined, close: () => {} };
  }
  const folder = fromWirePath(to);
  const target =
    users === undefined
      ? openFolderTarget(folder, context.settings, true, context.reporter)
      : openOwnerTarget(folder, unit.name, users, context, true);
  try {
    return makeFile(target, { unit, users, room }, context);
  } catch (error) {
    target.close();
    throw error;
  }
}

function makeFile(
  target: RestoreTarget,
  { unit, users, room }: { readonly unit: UnitIdentity; readonly users: AccountUsers | undefined; readonly room: number | undefined },
  { settings, now }: Context,
): Place {
  const descriptor = target.roots[0]?.descriptor;
  if (descriptor === undefined) throw new Failure('internal', 'the folder was not opened');
  const stat = new StatBuffer();
  statDescriptor(descriptor, stat);
  const owner = users === undefined ? undefined : { uid: stat.uid, gid: users.group };
  const moment = now()
    .toISOString()
    .replaceAll(/[-:]|\..*/g, '');
  const name = `${unit.name}-${moment}-${randomBytes(16).toString('hex')}.tar.zst`;
  const instant = Temporal.Instant.fromEpochMilliseconds(now().getTime()).toZonedDateTimeISO('UTC');
  const expires = instant.add(parseDuration(limitsOf(settings).downloadsFor)).epochMilliseconds;
  const file = { folder: target.description, folderInode: String(stat.inode), name, expires };
  noteFile(settings.stateDirectory, file);
  return { destination: fileIn(descriptor, name, { owner, room }), file, close: () => target.close() };
}

type Shows = (path: ByteString, entry: Entry) => boolean;

/** What an owner could open, and may have back. */
function visibleIn(layers: OpenLayers, users: AccountUsers | undefined): Shows {
  if (users === undefined) return () => true;
  const paths = new VisiblePaths(new OwnerSight(users), (path) => entryAt(layers.readers, path));
  return (path, entry) => isOwnersDump(path) || (isOwnersPath(path) && paths.shows(path, entry));
}

/** Dumps of the account's databases, which the owner may also load; not the users of the servers, with the hashes of their passwords. */
function isOwnersDump(path: ByteString): boolean {
  return path === DATABASES || ENGINES.some((engine) => path === folderOf(engine)) || databaseOfPath(path) !== undefined;
}

/** Paths as an owner named them: below the account's own tree, which no path at all means, or dumps. Throws `owner_not_allowed`. */
function ownersChoice(given: readonly ByteString[]): readonly ByteString[] {
  const files = given.filter((path) => !isOwnersDump(path));
  return files.length === 0 && given.length > 0 ? given : [...ownersPaths(files), ...given.filter(isOwnersDump)];
}

/** An entry as an owner may have it; undefined for devices. */
function owners(entry: Entry, users: AccountUsers): Entry | undefined {
  const isDevice = entry.kind === 'character-device' || entry.kind === 'block-device';
  return isDevice && !isWhiteout(entry) ? undefined : permit(entry, rightsOf(users, true)).entry;
}

/** Sorted, and without those below others. Throws `path_unknown` for what the point in time does not have, or the owner could not open. */
function chosenPaths({ request, users, point }: Task, layers: OpenLayers, shows: Shows): readonly ByteString[] {
  const given = (request.paths ?? []).map(fromTreePath);
  const paths = users === undefined ? given : ownersChoice(given);
  if (paths.includes('')) throw new Failure('usage', 'a single slash is not a path in a backup', { affected: ['/'] });
  const has = (path: ByteString): boolean => {
    const scope = new TreeScope(layers.readers, path);
    if (scope.peek() === undefined) return false;
    return scope.tree.currentIsContext ? users === undefined || isOwnersDump(path) : shows(path, scope.tree.entry());
  };
  const unknown = paths.filter((path) => !has(path));
  if (unknown.length > 0) throw unknownPath(`the snapshot ${point.moment.snapshot} does not have`, unknown, has);
  const outermost: ByteString[] = [];
  for (const path of [...paths].sort(comparePaths)) {
    const last = outermost.at(-1);
    if (last === undefined || !isWithin(path, last)) outermost.push(path);
  }
  return outermost.length === 0 ? [''] : outermost;
}

/** The entry at a path, and all below it that is shown. */
function* entriesBelow(layers: OpenLayers, path: ByteString, shows: Shows): Generator<Entry> {
  const scope = new TreeScope(layers.readers, path);
  const { tree } = scope;
  const top = tree.depth;
  for (;;) {
    if (scope.peek() === undefined) {
      if (tree.depth === top) return;
      tree.ascend();
      continue;
    }
    if (!tree.currentIsContext) {
      const entry = tree.entry();
      if (!shows(tree.path, entry)) {
        tree.skip();
        continue;
      }
      yield entry;
    }
    if (tree.currentIsDirectory) tree.descend();
    else tree.skip();
  }
}
