import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Mounts a file system whose entries fail as their names say, see the program beside this file. */
export class OddFileSystem {
  readonly #folder: string;
  readonly #program: ChildProcess;

  private constructor(folder: string, program: ChildProcess) {
    this.#folder = folder;
    this.#program = program;
  }

  /** Whether the kernel has FUSE. */
  static get isPossible(): boolean {
    return existsSync('/dev/fuse');
  }

  static async mount(folder: string, names: readonly string[]): Promise<OddFileSystem> {
    const script = join(import.meta.dirname, 'odd-file-system.py');
    const program = spawn('/usr/bin/python3', [script, folder, ...names], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [first] = await Promise.race([once(program.stdout, 'data'), once(program, 'exit').then(() => [undefined])]);
    if (first === undefined) throw new Error('the file system could not be mounted');
    return new OddFileSystem(folder, program);
  }

  /** Fails when something of it is still open. */
  async unmount(): Promise<void> {
    const ended = this.#program.exitCode === null ? once(this.#program, 'exit') : undefined;
    try {
      execFileSync('umount', [this.#folder]);
      await ended;
    } catch (error) {
      execFileSync('umount', ['--lazy', this.#folder]);
      this.#program.kill('SIGKILL');
      throw error;
    }
  }
}
