import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { importable, ROWS } from '../../build/rooms.ts';
import { ROOT } from '../program.ts';

const ROOMS = ROWS.flatMap(({ rooms }) => rooms);
const BUILD = 'build/borders.generated.json';

/** What a file of a room imports, in one that the linter is asked about. */
interface Probe {
  readonly room: string;
  readonly imported: string;
}

const everyPair = ROOMS.flatMap((room) =>
  ROOMS.filter((other) => other !== room).map((other): Probe => ({ room, imported: `../../${other}/thing.ts` })),
);
const OUTSIDE: readonly { probe: Probe; isAllowed: boolean }[] = [
  { probe: { room: 'scan', imported: 'koffi' }, isAllowed: false },
  { probe: { room: 'restore', imported: 'fs-xattr' }, isAllowed: false },
  { probe: { room: 'chain', imported: 'node:fs' }, isAllowed: false },
  { probe: { room: 'manifest', imported: 'node:fs/promises' }, isAllowed: false },
  { probe: { room: 'exclude', imported: 'node:worker_threads' }, isAllowed: false },
  { probe: { room: 'linux', imported: 'koffi' }, isAllowed: true },
  { probe: { room: 'linux', imported: 'node:fs' }, isAllowed: true },
  { probe: { room: 'repository', imported: '../../failure.ts' }, isAllowed: true },
];

/** Where a probe stands: two levels below `core`, as the deepest real file does. */
const place = ({ room, imported }: Probe): string => `core/${room}/${encodeURIComponent(imported)}/probe.ts`;

/** Every `from` and `import()` of a source file, as paths from the project's root. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const imported = [...text.matchAll(/(?:^(?:import|export)\s[^;]*?from|\bimport\()\s*'(\.{1,2}\/[^']+)'/gm)];
  return imported.map(([, path]) => normalize(join(dirname(file), path as string)));
}

const sources = readdirSync(join(ROOT, 'core'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.includes('.generated.'))
  .map((name) => `core/${name}`);

describe('the borders between the rooms', () => {
  let verdict: string;
  const isRefused = (probe: Probe) => new RegExp(`${RegExp.escape(place(probe))}\\S* lint/style/noRestrictedImports`).test(verdict);

  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'borders-'));
    try {
      mkdirSync(join(folder, 'build'));
      for (const file of ['biome.json', BUILD]) copyFileSync(join(ROOT, file), join(folder, file));
      for (const probe of [...everyPair, ...OUTSIDE.map(({ probe }) => probe)]) {
        mkdirSync(dirname(join(folder, place(probe))), { recursive: true });
        writeFileSync(join(folder, place(probe)), `import { thing } from '${probe.imported}';\nthing();\n`);
      }
      const options = ['lint', '--only=style/noRestrictedImports', '--vcs-enabled=false', '--max-diagnostics=none'];
      const { stdout, stderr } = await execa(join(ROOT, 'node_modules/.bin/biome'), options, { cwd: folder, reject: false });
      verdict = stdout + stderr;
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  for (const room of ROOMS) {
    it(`let core/${room} import what the table allows, and nothing else`, () => {
      const allowed = everyPair.filter((probe) => probe.room === room && !isRefused(probe)).map(({ imported }) => imported.split('/')[2]);
      expect(allowed).to.have.members(importable(room));
    });
  }

  for (const { probe, isAllowed } of OUTSIDE) {
    it(`${isAllowed ? 'let' : 'keep'} core/${probe.room} ${isAllowed ? 'import' : 'from importing'} ${probe.imported}`, () => {
      expect(isRefused(probe)).to.equal(!isAllowed);
    });
  }

  it('name the folders that there are, and no others', () => {
    const folders = readdirSync(join(ROOT, 'core'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name)).to.have.members(ROOMS);
    for (const room of ROOMS) expect(existsSync(join(ROOT, 'core', room, 'README.md')), `core/${room}/README.md`).to.equal(true);
  });

  it('are those that core/README.md shows, in the same order', () => {
    const shown = [...readFileSync(join(ROOT, 'core/README.md'), 'utf8').matchAll(/^\| ([^|]+) \|/gm)];
    const rows = shown.map(([, rooms]) => [...(rooms as string).matchAll(/`([a-z]+)`/g)].map(([, room]) => room));
    expect(rows.filter((row) => row.length > 0)).to.deep.equal(ROWS.map(({ rooms }) => rooms));
  });

  it('have no circle of files', () => {
    const graph = new Map(sources.map((file) => [file, importsOf(file)]));
    const state = new Map<string, 'open' | 'done'>();
    const circles: string[] = [];
    const visit = (file: string, above: readonly string[]): void => {
      if (state.get(file) === 'open') circles.push([...above.slice(above.indexOf(file)), file].join(' -> '));
      if (state.has(file)) return;
      state.set(file, 'open');
      for (const next of graph.get(file) ?? []) visit(next, [...above, file]);
      state.set(file, 'done');
    };
    for (const file of sources) visit(file, []);
    expect(circles).to.deep.equal([]);
  });
});
