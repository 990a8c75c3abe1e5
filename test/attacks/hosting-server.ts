import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN } from '../program.ts';
import type { Guard } from './guards.ts';
import { Variant } from './variant.ts';

export const ALICE = { uid: 2001, gid: 2000 };
export const BOB = { uid: 2002, gid: 2100 };

/** What the program answered. */
export interface Answer {
  readonly status?: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly warnings?: readonly { readonly code: string; readonly path: string }[];
}

/** A server with two accounts, of which the first is the attacker's, in a temporary folder that tenants can walk. */
export class HostingServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'attack-'));
  readonly site = join(this.folder, 'virtual/site1');
  /** Of the attacker, and of the neighbour. */
  readonly home = join(this.site, 'shadow/home/alice');
  readonly neighbour = join(this.folder, 'virtual/site2/shadow/home/bob');
  readonly #settings = join(this.folder, 'config.json');

  constructor() {
    chmodSync(this.folder, 0o755);
    this.#account('site1', 'alice', ALICE);
    this.#account('site2', 'bob', BOB);
    mkdirSync(join(this.folder, 'root'));
    const [repository, stateDirectory, accountsRoot, systemRoot] = ['repository', 'state', 'virtual', 'root'].map((name) =>
      join(this.folder, name),
    );
    writeFileSync(this.#settings, JSON.stringify({ repository, stateDirectory, accountsRoot, systemRoot, limits: { workers: 2 } }), {
      mode: 0o600,
    });
    this.run(['init']);
  }

  #account(name: string, user: string, { uid, gid }: typeof ALICE): void {
    const site = join(this.folder, 'virtual', name);
    for (const folder of [`shadow/home/${user}`, 'info/current', 'fst', '.work']) mkdirSync(join(site, folder), { recursive: true });
    writeFileSync(join(site, 'info/current/siteinfo'), `[siteinfo]\ndomain = ${user}.example\nadmin_user = ${user}\n`);
    chownSync(join(site, 'shadow/home', user), uid, gid);
  }

  /** Writes a file of the attacker's. */
  write(path: string, content: string, { uid, gid }: typeof ALICE = ALICE): string {
    const file = join(this.home, path);
    writeFileSync(file, content);
    chownSync(file, uid, gid);
    return file;
  }

  /** Makes a folder in the attacker's home. */
  make(path: string, { uid, gid }: typeof ALICE, mode = 0o755): string {
    const folder = join(this.home, path);
    mkdirSync(folder, { mode });
    chmodSync(folder, mode);
    chownSync(folder, uid, gid);
    return folder;
  }

  /** Runs the program, as it is or as the variant at `root`. */
  run(args: readonly string[], root?: string, input = ''): Answer {
    const main = [
      '--disable-warning=ExperimentalWarning',
      root === undefined ? MAIN : join(root, 'core/main.ts'),
      '--config',
      this.#settings,
      '--json',
      ...args,
    ];
    const { stdout } = spawnSync(process.execPath, main, { encoding: 'utf8', input });
    return JSON.parse(stdout.trim().split('\n').at(-1) || '{}');
  }

  /** A restore that the attacker asks for through the panel. */
  restoreAsOwner(params: object, root?: string): Answer {
    const request = { jsonrpc: '2.0', id: 1, method: 'restore', params: { unit: 'site1', policy: 'owner', ...params } };
    const answer: unknown = this.run(['rpc'], root, `${JSON.stringify(request)}\n`);
    const { result, error } = answer as { result?: Answer; error?: { data: Answer['error'] } };
    return result ?? (error === undefined ? {} : { error: error.data as NonNullable<Answer['error']> });
  }

  /** Whose something in the attacker's home is. */
  ownerOf(path: string): number {
    return lstatSync(join(this.home, path)).uid;
  }

  /** Runs a command as the attacker. */
  asAlice(...command: readonly string[]): void {
    execFileSync('setpriv', [...AS_ALICE, ...command]);
  }

  /** Starts a program of the attacker's that says `ready` when it is. */
  async opponent(script: string, ...args: readonly string[]): Promise<ChildProcess> {
    const child = spawn('setpriv', [...AS_ALICE, '/usr/bin/python3', '-c', script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('the opponent ended before it began')));
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended]);
    ended.catch(() => {});
    return child;
  }

  remove(): void {
    spawnSync('chattr', ['-R', '-f', '-i', '-a', this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const AS_ALICE = [`--reuid=${ALICE.uid}`, `--regid=${ALICE.gid}`, '--clear-groups', '--'];

/** Does `attack` with the program in a variant that lacks `guards`. */
export function without<Result>(guards: readonly Guard[], attack: (root: string) => Result): Result {
  const variant = new Variant(guards);
  let isLater = false;
  try {
    const result = attack(variant.root);
    isLater = result instanceof Promise;
    if (isLater) void (result as Promise<unknown>).catch(() => {}).then(() => variant.remove());
    return result;
  } finally {
    if (!isLater) variant.remove();
  }
}
