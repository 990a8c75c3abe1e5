import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { errorCode } from '../linux/system-error.ts';

/** What tells one machine from another, as far as a program can see it. */
export interface Machine {
  /** The host name. */
  readonly name: string;
  /** A digest of /etc/machine-id, which itself is confidential (machine-id(5)), or of the host name where there is none. */
  readonly machine: string;
  /** A digest of the number that the firmware, of a virtual machine its host, gives; undefined where there is none. */
  readonly product?: string;
}

/** A machine may be given a new name once; one that was adopted under more has none that says anything. */
const NAMES_OF_ONE = 2;

const PRODUCT_FILE = '/sys/class/dmi/id/product_uuid';

/** The host name stands for the id of a machine that has none; one that cannot be read today is not taken for none: that were another machine. */
function readMachineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'latin1').trim();
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return '';
  }
}

/** Firmware fails at this in many ways, and not everybody may read it. */
function readProduct(): string {
  try {
    return readFileSync(PRODUCT_FILE, 'latin1').trim();
  } catch {
    return '';
  }
}

function digestOf(kind: string, id: string): string {
  return createHash('sha256').update(`apiscp-backup ${kind} ${id}`).digest('hex');
}

/** A digest that stays the same for this machine and is the same for its clones until they get a machine id of their own. */
export function machineDigest(): string {
  const id = readMachineId();
  return digestOf('machine', id === '' ? hostname() : id);
}

/** The machine that this runs on. */
export function thisMachine(): Machine {
  const product = readProduct().toLowerCase();
  // Firmware that knows no number says only zeros or only ones.
  const isNumber = /[1-9a-e]/.test(product);
  return { name: hostname(), machine: machineDigest(), ...(isNumber ? { product: digestOf('product', product) } : {}) };
}

function shortName({ name }: Machine): string {
  return (name.split('.', 1)[0] as string).toLowerCase();
}

/** How two machines with the same machine id differ, in words; empty for one and the same. A domain may be added to a name. */
export function differences(a: Machine, b: Machine): string[] {
  const found: string[] = [];
  if (shortName(a) !== shortName(b)) found.push(`the host name is ${a.name} instead of ${b.name}`);
  if (isOtherHardware(a, b)) found.push('the hardware has another number');
  return found;
}

function isOtherHardware(a: Machine, b: Machine): boolean {
  return a.product !== undefined && b.product !== undefined && a.product !== b.product;
}

/**
 * Whether `here` has a name that keeps changing, as some networks give one: somebody said for at least two new ones that it is the same
 * machine.
 */
export function hasChangingName(here: Machine, confirmed: readonly Machine[]): boolean {
  const same = confirmed.filter((each) => each.machine === here.machine && !isOtherHardware(here, each));
  return new Set(same.map(shortName)).size > NAMES_OF_ONE;
}
