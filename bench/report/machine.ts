import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { execa } from 'execa';

/** What a comparison of results of different machines has to know. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly system: string;
  readonly fileSystem: string;
  /** Load average of the minute before the bench: above 0.5 somebody else was at work. */
  readonly loadBefore: number;
}

/** Describes this machine and the file system of `folder`. */
export async function describeMachine(folder: string): Promise<Machine> {
  const { stdout } = await execa('findmnt', ['--noheadings', '--output', 'FSTYPE,OPTIONS', '--target', folder]);
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    system: distribution(),
    fileSystem: stdout.trim(),
    loadBefore: loadavg()[0]!,
  };
}

function distribution(): string {
  const lines = readFileSync('/etc/os-release', 'utf8').split('\n');
  const name = lines.find((line) => line.startsWith('PRETTY_NAME='));
  return name === undefined ? 'unknown' : name.slice('PRETTY_NAME='.length).replaceAll('"', '');
}
