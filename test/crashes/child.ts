/**
 * One command in a process of its own that is stopped by a signal at a changing call: its argument is a `Point`. Where it is not stopped it
 * writes the calls in their order, and how it ended.
 */
import { writeFileSync } from 'node:fs';
import { serialize } from 'node:v8';
import { Server } from '../faults/server.ts';
import type { Call, Point } from './kill.ts';
import type { Change } from './layer/change.ts';
import { watching } from './layer/watching.ts';

const point = JSON.parse(process.argv[2] as string) as Point;
const calls: Call[] = [];
const changes: Change[] = [];

function stopAt(nth: number, moment: Point['moment']): void {
  if (nth === point.nth && moment === point.moment) process.kill(process.pid, point.signal ?? 'SIGKILL');
}

const server = Server.at(point.folder, point.accounts);
const { exitCode, error } = await watching(
  {
    before: (nth, name) => {
      calls.push({ name, isRefused: true });
      stopAt(nth, 'before');
    },
    after: (nth, changing) => {
      const call = calls[nth - 1];
      if (call !== undefined) call.isRefused = false;
      if (point.record !== undefined) changes.push(...changing());
      stopAt(nth, 'after');
    },
  },
  () => server.command(point.method, point.request),
);
if (point.record !== undefined) writeFileSync(point.record, serialize(changes));
process.stdout.write(JSON.stringify({ calls, exitCode, error }));
