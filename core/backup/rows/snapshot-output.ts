import type { DeviceNumbers } from '../../manifest/device-numbers.ts';
import type { ByteString, Entry, ManifestRow } from '../../manifest/entry.ts';
import { isWithin } from '../../manifest/path-order.ts';
import type { ScanOutput } from '../../scan/collector.ts';
import { isTrailingLink } from '../../scan/pack/trailing.ts';
import { TrailingMembers } from '../packs/trailing-members.ts';
import type { SpooledFrame } from '../packs/trailing-spool.ts';
import { WarningList } from './warning-list.ts';

/** Where the rows of a scan go. */
export interface RowTarget {
  add(row: ManifestRow): void;
}

/** Takes what a scan found: rows to the manifest, members that come last to the structure, problems to the list. */
export class SnapshotOutput implements ScanOutput {
  readonly warnings = new WarningList();
  /** Directories that turned out to be not seen completely when their own rows had passed; see `flagUnseen`. */
  readonly unseenPaths = new Set<ByteString>();
  changed = 0;
  deleted = 0;
  bytesRead = 0;
  readonly #rows: RowTarget;
  readonly #devices: DeviceNumbers;
  readonly #trailing: TrailingMembers;
  /** The last row, when nothing can be below it. */
  #closed: ByteString | undefined;

  /** `devices` is how the numbers that the kernel gave are written down. */
  constructor(rows: RowTarget, spoolDirectory: string, devices: DeviceNumbers) {
    this.#rows = rows;
    this.#devices = devices;
    this.#trailing = new TrailingMembers(spoolDirectory);
  }

  row(row: ManifestRow): boolean {
    if (!this.#put(row)) return false;
    if (row.kind === 'symlink' && row.linkTarget !== undefined && isTrailingLink(row)) this.#trailing.addSymlink(row);
    return true;
  }

  #put(row: ManifestRow): boolean {
    if (this.#isBelowNoDirectory(row.path)) {
      this.problem(row.path, 'replaced', 'its directory was replaced by something else while it was read');
      return false;
    }
    this.#closed = row.kind === 'directory' ? undefined : row.path;
    if (row.kind === 'tombstone') this.deleted++;
    else this.changed++;
    this.#rows.add(this.#recorded(row));
    if (row.kind === 'directory') this.#trailing.addDirectory(row);
    return true;
  }

  #recorded(row: ManifestRow): ManifestRow {
    if (this.#devices.isIdentity || row.kind === 'tombstone') return row;
    return { ...row, device: this.#devices.toRecorded(row.device) };
  }

  /** A directory can become a file, or go, after the walk has listed it: what was in it then has no place any more. */
  #isBelowNoDirectory(path: ByteString): boolean {
    return this.#closed !== undefined && isWithin(path, this.#closed);
  }

  link(entry: Entry, leader: Entry, hasMember: boolean): boolean {
    if (!this.#put(entry)) return false;
    // tar can link only to what was extracted before.
    if (hasMember) this.#trailing.addHardLink(entry, leader.path);
    return true;
  }

  problem(path: ByteString, code: string, message: string): void {
    this.warnings.add(path, code, message);
  }

  unseen(path: ByteString): void {
    this.unseenPaths.add(path);
  }

  read(bytes: number): void {
    this.bytesRead += bytes;
  }

  /** The frames that end the last pack. */
  lastFrames(): Generator<SpooledFrame> {
    return this.#trailing.frames();
  }

  close(): void {
    this.#trailing.close();
  }
}
