import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newIdentity } from '../../core/crypto/identity.ts';
import type { KeysResult } from '../../core/schemas/keys.ts';
import type { ListResult } from '../../core/schemas/list.ts';
import type { MethodName } from '../../core/schemas/messages.ts';
import type { ServersResult } from '../../core/schemas/servers.ts';
import type { VerifyResult } from '../../core/schemas/verify.ts';
import type { Server } from '../faults/server.ts';
import { SmallWorld, UNIT } from './small-world.ts';
import type { Tree } from './tree.ts';

/** The name of a copy, and of its folder beside the repository. */
export const COPY = 'near';

/** One command in a prepared world, which is stopped, and carried out again afterwards. */
export interface Story {
  readonly name: string;
  readonly world: SmallWorld;
  readonly method: MethodName;
  readonly request: (server: Server) => Readonly<Record<string, unknown>>;
  /** The ids of the snapshots that must be listed whatever happens; the others of the template may have gone. */
  readonly kept: ReadonlySet<string>;
  /** Of a restore: what it writes to, and what was there before. */
  readonly target?: RestoreTarget;
  /** What snapshots are read with, where the server cannot read them itself. */
  readonly reading?: Readonly<Record<string, unknown>>;
  /** The code by which the command says, when it is given again, that it is done already. */
  readonly doneCode?: string;
  /** The ids of snapshots that are damaged until the command was carried out. */
  readonly damaged?: ReadonlySet<string>;
  /** What is not so, in sentences, although the command said with exit 0 that it is. */
  readonly broken?: (server: Server) => Promise<string[]>;
}

export interface RestoreTarget {
  readonly folder: (server: Server) => string;
  /** Puts everything there as it was before the restore. */
  readonly reset: (server: Server) => void;
  readonly before: Tree;
}

/** Prepares the world of a story, and says the rest of it. */
export type Maker = (world: SmallWorld) => Promise<Omit<Story, 'name' | 'world' | 'kept'> & { readonly kept?: ReadonlySet<string> }>;

export async function encrypted(): Promise<Readonly<Record<string, unknown>>> {
  return { recipients: [(await newIdentity()).recipient], serverCanRead: true };
}

/** For a server that cannot read what it writes: the identity is elsewhere. */
export async function writeOnly(
  world: SmallWorld,
): Promise<{ readonly recipients: readonly string[]; readonly reading: { readonly identity: string } }> {
  const { recipient, secret } = await newIdentity();
  const identity = join(world.folder, 'identity');
  writeFileSync(identity, `${secret}\n`, { mode: 0o600 });
  return { recipients: [recipient], reading: { identity } };
}

/** A full, changes, an incremental, more changes. */
export async function grow(world: SmallWorld, init: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await world.prepare('init', init);
  await world.prepare('run', { units: [UNIT], level: 'full' });
  world.change(1);
  await world.prepare('run', { units: [UNIT], level: 'incremental' });
  world.change(2);
}

function run(level: string): Pick<Story, 'method' | 'request'> {
  return { method: 'run', request: () => ({ units: [UNIT], level }) };
}

const MAKERS: Readonly<Record<string, Maker>> = {
  init: async () => ({ method: 'init', request: () => ({}), broken: expectMode('plain') }),
  'init with keys': async () => {
    const keys = await encrypted();
    return { method: 'init', request: () => keys, broken: expectMode('server-can-read') };
  },
  'a full': async (world) => {
    await world.prepare('init', {});
    return run('full');
  },
  'an incremental': async (world) => {
    await grow(world);
    return run('incremental');
  },
  'an incremental that is encrypted': async (world) => {
    await grow(world, await encrypted());
    return run('incremental');
  },
  'a differential': async (world) => {
    await grow(world);
    return run('differential');
  },
  'a synthetic full that compacts': async (world) => {
    await grow(world);
    return run('synthetic');
  },
  'a synthetic full that compacts from files': async (world) => {
    const { recipients, reading } = await writeOnly(world);
    await grow(world, { recipients });
    return { ...run('synthetic'), reading };
  },
  'a prune': async (world) => {
    await grow(world);
    await world.prepare('run', { units: [UNIT], level: 'synthetic' });
    world.change(3);
    const newest = [...world.states.keys()].sort().at(-1) as string;
    world.settings = { ...world.settings, retention: { keepLast: 0, guardShare: 1 } };
    return { method: 'prune', request: () => ({ yes: true }), kept: new Set([newest]) };
  },
  'a change of keys': async (world) => {
    await grow(world);
    const keys = await encrypted();
    return { method: 'keys', request: () => keys, broken: expectMode('server-can-read') };
  },
  'a hold': async (world) => {
    await grow(world);
    return { method: 'hold', request: () => hold(world), broken: expectHolds(1) };
  },
  'a release': async (world) => {
    await grow(world);
    await world.prepare('hold', hold(world));
    return {
      method: 'release',
      request: () => ({ unit: UNIT, snapshot: oldestOf(world) }),
      broken: expectHolds(0),
      doneCode: 'snapshot_unknown',
    };
  },
  'trust in a key': async (world) => {
    await grow(world);
    const { result } = await world.template.command<ServersResult>('servers', {});
    const [{ fingerprint } = { fingerprint: '' }] = result?.servers[0]?.keys ?? [];
    rmSync(join(world.template.state, 'repositories', world.repositoryId, 'trusted'), { recursive: true });
    return { method: 'servers', request: () => ({ trust: fingerprint }), broken: expectTrust(fingerprint) };
  },
  'an adoption': async (world) => {
    await grow(world);
    const [id] = world.template.servers();
    rmSync(world.template.state, { recursive: true });
    return { method: 'adopt', request: () => ({ server: id, yes: true }) };
  },
  'a joining': async (world) => {
    await grow(world);
    const [{ unit } = { unit: '' }] = world.template.records();
    world.makeAnew();
    return { method: 'join', request: () => ({ unit }), doneCode: 'usage', broken: expectOneUnit };
  },
  'a forgetting': async (world) => {
    await grow(world);
    rmSync(world.path('shadow'), { recursive: true });
    return { method: 'forget', request: () => ({ unit: UNIT }) };
  },
  'a copy': async (world) => {
    world.placesOf = (server) => ({ copies: [{ name: COPY, repository: join(server.folder, COPY) }] });
    await grow(world);
    await world.prepare('copy', {});
    await world.prepare('run', { units: [UNIT], level: 'incremental' });
    await world.prepare('hold', hold(world));
    return { method: 'copy', request: () => ({}), broken: expectCopy };
  },
  'a first copy': async (world) => {
    world.placesOf = (server) => ({ copies: [{ name: COPY, repository: join(server.folder, COPY) }] });
    await grow(world, await encrypted());
    return { method: 'copy', request: () => ({}), broken: expectCopy };
  },
  'a night': async (world) => {
    world.placesOf = (server) => ({ copies: [{ name: COPY, repository: join(server.folder, COPY) }] });
    await grow(world);
    return { method: 'nightly', request: () => ({ now: true }), broken: expectCopy };
  },
  'a download': async (world) => {
    await grow(world);
    const folder = (server: Server) => join(server.folder, 'downloads');
    return { method: 'download', request: (server) => ({ unit: UNIT, to: folder(server) }), broken: expectArchive(folder) };
  },
  'a repair': async (world) => {
    world.settings = { ...world.settings, recovery: { percent: 50 } };
    await grow(world);
    const [newest] = [...world.states.keys()].sort().reverse();
    const pack = world.template.files('packs').find((file) => file.includes(newest as string)) as string;
    const bytes = readFileSync(pack);
    bytes[Math.floor(bytes.length / 2)] = ~(bytes[Math.floor(bytes.length / 2)] as number);
    writeFileSync(pack, bytes);
    return { method: 'repair', request: () => ({}), damaged: new Set([newest as string]), broken: expectSound };
  },
  'a restore to a folder': async (world) => {
    await grow(world);
    return restoreToFolder(world);
  },
  'a restore that is encrypted': async (world) => {
    await grow(world, await encrypted());
    return restoreToFolder(world);
  },
  'a restore in place': async (world) => {
    await grow(world);
    const at = [...world.states.keys()].sort().at(-1);
    const folder = () => join(world.accounts, UNIT);
    spoil(world);
    const spoiled = join(world.folder, 'spoiled');
    copyTree(folder(), spoiled);
    const reset = () => {
      rmSync(folder(), { recursive: true });
      copyTree(spoiled, folder());
    };
    return { method: 'restore', request: () => ({ unit: UNIT, at, delete: true }), target: { folder, before: world.now(), reset } };
  },
};

function restoreToFolder(world: SmallWorld): Pick<Story, 'method' | 'request' | 'target'> {
  const folder = (server: Server) => join(server.folder, 'restored');
  const at = [...world.states.keys()].sort().at(-1);
  const target = { folder, before: new Map(), reset: (server: Server) => rmSync(folder(server), { recursive: true, force: true }) };
  return { method: 'restore', request: (server) => ({ unit: UNIT, at, to: folder(server) }), target };
}

export function oldestOf(world: SmallWorld): string {
  return [...world.states.keys()].sort()[0] as string;
}

function hold(world: SmallWorld): Readonly<Record<string, unknown>> {
  return { unit: UNIT, snapshot: oldestOf(world), reason: 'a test' };
}

function expectHolds(wanted: number): (server: Server) => Promise<string[]> {
  return async (server) => {
    const found = server.files('holds').length;
    // Each reason is a hold of its own.
    return Math.min(found, 1) === wanted ? [] : [`there are ${found} holds`];
  };
}

function expectTrust(fingerprint: string): (server: Server) => Promise<string[]> {
  return async (server) => {
    const { result } = await server.command<ServersResult>('servers', {});
    const keys = result?.servers.flatMap((each) => each.keys) ?? [];
    return keys.some((key) => key.fingerprint === fingerprint && key.known) ? [] : [`${fingerprint} is not known`];
  };
}

async function expectOneUnit(server: Server): Promise<string[]> {
  const { result, error } = await server.command<ListResult>('list', { unit: UNIT });
  const strange = result?.snapshots.filter(({ current }) => !current) ?? [];
  return result === undefined ? [`list: ${error?.message}`] : strange.map(({ id }) => `${id} is none of the account`);
}

/** What the repository has, the copy has, too, whole. */
async function expectCopy(server: Server): Promise<string[]> {
  const listed = async (place: object) => (await server.command<ListResult>('list', { unit: UNIT, ...place })).result?.snapshots;
  const [own, copied] = [await listed({}), await listed({ fromCopy: COPY })].map((all) => all?.map(({ id }) => id).join());
  const { result } = await server.command<VerifyResult>('verify', { fromCopy: COPY });
  return [
    ...(own === copied ? [] : [`the copy has ${copied}, and the repository ${own}`]),
    ...(result?.status === 'ok' ? [] : [`the copy is ${JSON.stringify(result?.damages)}`]),
  ];
}

async function expectSound(server: Server): Promise<string[]> {
  const { result } = await server.command<VerifyResult>('verify', {});
  return (result?.damages ?? []).map(({ object, message }) => `${object}: ${message}`);
}

/** Whole archives alone, each of which has every file of the account. */
function expectArchive(folder: (server: Server) => string): (server: Server) => Promise<string[]> {
  return async (server) => {
    // What a killed one left is removed when it expires.
    const files = readdirSync(folder(server)).filter((name) => !name.endsWith('.part'));
    if (files.length === 0) return ['there are no archives'];
    return files.flatMap((file) => {
      const { status, stdout } = spawnSync('tar', ['--zstd', '-tf', join(folder(server), file)], { encoding: 'utf8' });
      return status === 0 && /shadow\/mail\/d$/m.test(stdout) ? [] : [`the archive ${file} is not whole`];
    });
  };
}

function expectMode(mode: string): (server: Server) => Promise<string[]> {
  return async (server) => {
    const { result, error } = await server.command<KeysResult>('keys', {});
    return result?.keys.mode === mode ? [] : [`the keys are ${result?.keys.mode ?? error?.message}`];
  };
}

/** What a restore in place has to undo. */
function spoil(world: SmallWorld): void {
  appendFileSync(world.path('shadow/mail/d'), 'longer');
  rmSync(world.path('shadow/www/page'));
  rmSync(world.path('shadow/www/link'));
  world.write('shadow/www/link', 'a file in the place of a link');
  rmSync(world.path('shadow/www/deep'), { recursive: true });
  world.write('shadow/www/deep', 'a file in the place of a folder');
  world.write('shadow/www/unknown/below/file', 'not in the snapshot');
}

function copyTree(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}

/** Those that change something. */
export const STORIES = Object.keys(MAKERS);

/** Prepares the world of a story; the caller removes it. */
export async function prepareStory(name: string, makers: Readonly<Record<string, Maker>> = MAKERS): Promise<Story> {
  const world = new SmallWorld();
  const made = await (makers[name] as Maker)(world);
  return { name, world, kept: new Set(world.states.keys()), ...made };
}
