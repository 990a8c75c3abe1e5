import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execaSync } from 'execa';
import { isAlive } from '../processes.ts';

/**
 * Starts what its arguments say, and takes it and the folder away once its own input ends: when the test says so, and when the
 * test has died. The first argument is the folder, or nothing when it should stay; the second is where the server's id goes.
 */
const GUARD = `
folder=$1; pid_file=$2; shift 2
"$@" </dev/null &
echo $! >"$pid_file"
cat >/dev/null
kill -KILL $! 2>/dev/null
wait
[ -z "$folder" ] || rm -rf "$folder"
`;

/** Long enough for a machine with much else to do. */
const PATIENCE_SECONDS = 60;

/** What runs a program as another user, who has no way back. */
export function asUser(user: string): string[] {
  return ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups', '--no-new-privs'];
}

/**
 * A database server of the test's own: its data, its socket and its log lie in a temporary folder that its user owns, it
 * listens on no network, and it is gone when the test is, however that ends.
 */
export class PrivateServer {
  readonly folder: string;
  readonly #command: (folder: string) => string[];
  readonly #answers: () => Promise<unknown>;
  #guard: ChildProcess | undefined;

  /** @param answers asks the server something; throws while it is not there */
  constructor(user: string, command: (folder: string) => string[], answers: () => Promise<unknown>) {
    this.folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-db-'));
    const id = (option: string) => Number(execaSync('id', [option, user]).stdout);
    chownSync(this.folder, id('-u'), id('-g'));
    this.#command = command;
    this.#answers = answers;
  }

  /** The server's process. */
  get pid(): number {
    return Number(readFileSync(join(this.folder, 'server.pid'), 'utf8'));
  }

  async start(): Promise<void> {
    rmSync(join(this.folder, 'server.pid'), { force: true });
    const guarded = [this.folder, join(this.folder, 'server.pid'), ...this.#command(this.folder)];
    this.#guard = spawn('/bin/sh', ['-c', GUARD, 'guard', ...guarded], { stdio: ['pipe', 'ignore', 'pipe'], detached: true });
    let said = '';
    this.#guard.stderr?.on('data', (data) => {
      said += data;
    });
    for (let tries = 0; ; tries++) {
      try {
        return void (await this.#answers());
      } catch (error) {
        if (tries === PATIENCE_SECONDS * 20) throw new Error(`the server does not answer: ${said}`, { cause: error });
        await sleep(50);
      }
    }
  }

  /** As if the machine had killed it: the data stay as they are, and it can be started again. */
  async kill(): Promise<void> {
    const { pid } = this;
    process.kill(pid, 'SIGKILL');
    while (isAlive(pid)) await sleep(10);
    // Its guard would take the folder away.
    const guard = this.#guard;
    if (guard?.pid === undefined) return;
    const ended = once(guard, 'exit');
    process.kill(guard.pid, 'SIGKILL');
    await ended;
  }

  /** Ends the server and takes its folder away. */
  async stop(): Promise<void> {
    const guard = this.#guard;
    if (guard === undefined || guard.exitCode !== null || guard.signalCode !== null)
      return rmSync(this.folder, { recursive: true, force: true });
    const ended = once(guard, 'exit');
    guard.stdin?.end();
    await ended;
  }
}
