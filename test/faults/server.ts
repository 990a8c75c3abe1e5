import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { METHODS } from '../../core/commands/registry.ts';
import type { SettingsFile } from '../../core/config/settings.ts';
import { openContext } from '../../core/context/open-context.ts';
import type { SnapshotRecord } from '../../core/repository/record.ts';
import { exitCodeOfFailure, exitCodeOfResult } from '../../core/schemas/exit-codes.ts';
import type { MethodName } from '../../core/schemas/messages.ts';
import type { WireError } from '../../core/schemas/parts.ts';
import { toWireError } from '../../core/schemas/wire-error.ts';

/** How a command ended, with the exit code that the command line gives it. */
export interface Ended<Result> {
  readonly exitCode: number;
  readonly result: Result | undefined;
  readonly error: WireError | undefined;
}

const QUIET = { progress: () => {}, log: () => {} };

/** A server in a folder: its settings, repository and state. Commands are carried out in this process. */
export class Server {
  readonly folder: string;
  readonly repository: string;
  readonly state: string;
  readonly settingsFile: string;
  readonly accounts: string;

  private constructor(folder: string, accounts: string) {
    this.folder = folder;
    this.accounts = accounts;
    this.repository = join(folder, 'repository');
    this.state = join(folder, 'state');
    this.settingsFile = join(folder, 'config.json');
  }

  /** With settings of its own, which name the places alone. */
  static make(folder: string, accounts: string): Server {
    const server = new Server(folder, accounts);
    mkdirSync(join(folder, 'root'), { recursive: true });
    server.set({});
    return server;
  }

  /** One that is there, as it is. */
  static at(folder: string, accounts: string): Server {
    return new Server(folder, accounts);
  }

  /** Writes the settings, with these besides the places. */
  set(settings: Partial<SettingsFile>): void {
    const { repository, state, accounts, folder } = this;
    const places = { repository, stateDirectory: state, accountsRoot: accounts, systemRoot: join(folder, 'root') };
    writeFileSync(this.settingsFile, JSON.stringify({ ...places, limits: { workers: 2, nice: 0, wait: 0 }, ...settings }));
  }

  async command<Result>(method: MethodName, request: Readonly<Record<string, unknown>>): Promise<Ended<Result>> {
    try {
      const context = openContext(this.settingsFile, QUIET, new AbortController().signal);
      const known = METHODS.get(method);
      if (known === undefined) throw new RangeError(`there is no method ${method}`);
      const result = (await known.perform(request, context)) as Result;
      return { exitCode: exitCodeOfResult(result), result, error: undefined };
    } catch (thrown) {
      const error = toWireError(thrown);
      return { exitCode: exitCodeOfFailure(error.code), result: undefined, error };
    }
  }

  /** The ids of the servers that have a folder in the repository. */
  servers(): string[] {
    const folder = join(this.repository, 'servers');
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  /** The records of all snapshots, as they stand in the repository. */
  records(): SnapshotRecord[] {
    return this.documents<SnapshotRecord>('snapshots');
  }

  /** What stands in the documents of one kind. */
  documents<Content>(folder: 'snapshots' | 'runs'): Content[] {
    return this.files(folder).map((file) => JSON.parse(readFileSync(file, 'utf8')) as Content);
  }

  /** The stored objects in one folder of every unit: `packs`, `manifests`, `snapshots`; or of one. */
  files(folder: string, unit = ''): string[] {
    return readdirSync(this.repository, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter(
        (entry) =>
          entry.isFile() && entry.parentPath.endsWith(`/${folder}`) && (unit === '' || entry.parentPath.includes(`/units/${unit}`)),
      )
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort();
  }

  /** What is in the packs of a unit, whether a snapshot needs it or not. */
  packedBytes(unit: string): Buffer[] {
    return this.files('packs', `${unit}-`).map((file) => zstdDecompressSync(readFileSync(file)));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
