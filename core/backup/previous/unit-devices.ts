import { fileSystemId } from '../../linux/file-system.ts';
import { closeDescriptor, letGo, openDirectoryAt, openTrustedDirectory } from '../../linux/files.ts';
import { StatBuffer, statAt, statDescriptor } from '../../linux/stat.ts';
import { DeviceNumbers, type RenumberedDevice } from '../../manifest/device-numbers.ts';
import type { RecordedDevice, RecordedRoot, SnapshotRecord } from '../../repository/record.ts';
import { entryOfRoot, type ScanRoot } from '../../scan/walk/scan-roots.ts';

/** Real major numbers are smaller (12 bits), so such a step leads to a number that no kernel gives. */
const BEYOND_REAL_MAJORS = 0x1000;

/** What a snapshot says of the devices that its unit lies on. */
export interface UnitDevices {
  readonly numbers: DeviceNumbers;
  readonly devices: readonly RecordedDevice[];
  readonly roots: readonly RecordedRoot[];
}

/** Where a root is now; `device` is undefined when it is not there. */
interface PlacedRoot {
  readonly root: RecordedRoot;
  readonly device: bigint | undefined;
}

/**
 * Looks at the file systems of a unit's roots. One that the chain knows keeps the number that it has there, whatever the kernel calls it
 * today: after a reboot or a move of the disk nothing has changed. `last` is the last snapshot of the chain.
 */
export function unitDevices(roots: readonly ScanRoot[], last: Partial<Pick<SnapshotRecord, 'devices' | 'roots'>> | undefined): UnitDevices {
  const placed = roots.map(placeOf);
  const devices = withNewIds(placed, last?.devices ?? [], last?.roots ?? []);
  const renumbered = new Map<bigint, RenumberedDevice>();
  for (const { root, device } of placed) {
    if (device === undefined || renumbered.has(device)) continue;
    const taken = new Set([...renumbered.values()].map(({ recorded }) => recorded));
    const same = devices.find(({ fileSystem }) => fileSystem === root.fileSystem);
    // Two file systems can have one id, as a copy of a disk beside it has.
    if (same !== undefined && !taken.has(numberOf(same))) {
      renumbered.set(device, { recorded: numberOf(same), present: device });
      continue;
    }
    const recorded = freeNumber(device, new Set([...devices.map(numberOf), ...taken]));
    renumbered.set(device, { recorded, present: device });
    if (root.fileSystem !== undefined && same === undefined) devices.push(recordedDevice(recorded, root.fileSystem));
  }
  return { numbers: new DeviceNumbers([...renumbered.values()]), devices, roots: placed.map(({ root }) => root) };
}

/**
 * The devices that a chain knows. A file system that was copied by blocks, or rolled back, can have a new id: where the directory of a root
 * has the inode and the birth that it had, the number goes on under that id.
 */
function withNewIds(placed: readonly PlacedRoot[], known: readonly RecordedDevice[], before: readonly RecordedRoot[]): RecordedDevice[] {
  const present = new Set(placed.map(({ root }) => root.fileSystem));
  return known.map((device) => {
    if (present.has(device.fileSystem)) return device;
    const then = before.filter(({ fileSystem, born }) => fileSystem === device.fileSystem && born !== undefined);
    const now = placed.find(({ root }) => then.some((earlier) => earlier.name === root.name && earlier.born === root.born))?.root
      .fileSystem;
    return now === undefined || known.some(({ fileSystem }) => fileSystem === now) ? device : { ...device, fileSystem: now };
  });
}

function numberOf({ major, minor }: RecordedDevice): bigint {
  return (BigInt(major) << 32n) | BigInt(minor);
}

function recordedDevice(number: bigint, fileSystem: string): RecordedDevice {
  return { major: Number(number >> 32n), minor: Number(number & 0xffff_ffffn), fileSystem };
}

/** `device` itself, or where that stands for another file system a number that nothing has. */
function freeNumber(device: bigint, taken: ReadonlySet<bigint>): bigint {
  let number = device;
  while (taken.has(number)) number += BigInt(BEYOND_REAL_MAJORS) << 32n;
  return number;
}

function placeOf(root: ScanRoot): PlacedRoot {
  const { path, parent } = root;
  const name = entryOfRoot(root);
  const recorded = { name: path, source: parent };
  const stat = new StatBuffer();
  const above = openTrustedDirectory(parent);
  try {
    if (!statAt(above, name, stat)) return { root: recorded, device: undefined };
    const { device, isDirectory, inode, birthTime } = stat;
    const born = isDirectory && birthTime !== 0n ? { born: `${inode}-${birthTime}` } : {};
    statDescriptor(above, stat);
    const mounted = stat.device !== device;
    const fileSystem = isDirectory ? idOfDirectory(above, name) : mounted ? undefined : fileSystemId(above);
    return { root: { ...recorded, ...(fileSystem === undefined ? {} : { fileSystem }), ...(mounted ? { mounted } : {}), ...born }, device };
  } finally {
    closeDescriptor(above);
  }
}

function idOfDirectory(parent: number, name: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openDirectoryAt(parent, name);
  } catch {
    // The walk says what is wrong with it.
    return undefined;
  }
  try {
    return fileSystemId(descriptor);
  } finally {
    letGo(descriptor);
  }
}
