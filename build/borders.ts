/** Writes the linter's rules of who may import whom, from the table of rooms: `npm run gen`. biome.json includes them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importable, ROWS } from './rooms.ts';

const FILE = join(import.meta.dirname, 'borders.generated.json');
const INPUT_AND_OUTPUT = [
  ...['node:fs', 'node:fs/promises', 'node:net', 'node:http', 'node:https', 'node:child_process', 'node:worker_threads', 'execa'],
];
const SYSTEM_CALLS = ['koffi', 'fs-xattr'];

const rooms = ROWS.flatMap((row) => row.rooms.map((room) => ({ room, isPure: row.isPure === true })));

function override({ room, isPure }: { room: string; isPure: boolean }): object {
  const allowed = importable(room);
  const forbidden = rooms.map(({ room: other }) => other).filter((other) => other !== room && !allowed.includes(other));
  const message = `core/${room} may import from ${[...allowed.map((other) => `core/${other}`), 'core/*.ts'].join(', ')}.`;
  const paths = Object.fromEntries([
    ...(room === 'linux' ? [] : SYSTEM_CALLS.map((name) => [name, 'System calls are for core/linux alone.'])),
    ...(isPure ? INPUT_AND_OUTPUT.map((name) => [name, `core/${room} does no input or output of its own.`]) : []),
  ]);
  const options = { paths, patterns: [{ group: [`**/{${forbidden.join(',')}}/**`], message }] };
  return {
    includes: [`core/${room}/**`],
    linter: { rules: { style: { noRestrictedImports: { level: 'error', options } } } },
  };
}

writeFileSync(FILE, `${JSON.stringify({ overrides: rooms.map(override) }, undefined, 2)}\n`);
