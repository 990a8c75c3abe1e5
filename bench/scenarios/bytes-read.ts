import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Command } from '../measure.ts';

/** How many bytes a command reads from the files below `folder`, as strace(1) sees it. */
export async function bytesReadBelow(folder: string, { program, args }: Command, workFolder: string): Promise<number> {
  const traces = join(workFolder, 'trace');
  rmSync(traces, { recursive: true, force: true });
  mkdirSync(traces);
  // A file for each thread (-ff), so that no line is in two halves; descriptors with their paths (-y).
  const options = ['-ff', '-y', '-qq', '-s', '0', '-e', 'trace=read,pread64,readv,preadv', '-o', join(traces, 'thread')];
  await execa('strace', [...options, program, ...args], { stdout: 'ignore' });
  let sum = 0;
  for (const name of readdirSync(traces)) {
    for (const line of readFileSync(join(traces, name), 'utf8').split('\n')) {
      const returned = Number(line.slice(line.lastIndexOf(' = ') + 3));
      if (line.includes(`<${folder}/`) && returned > 0) sum += returned;
    }
  }
  return sum;
}
