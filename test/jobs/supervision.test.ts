import { randomBytes } from 'node:crypto';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { execa } from 'execa';
import { UnitsInHand } from '../../core/backup/run/units-in-hand.ts';
import type { RunRecord } from '../../core/repository/run-record.ts';
import type { WireError } from '../../core/schemas/parts.ts';
import type { RunResult } from '../../core/schemas/run.ts';
import { childrenOf, isAlive } from '../processes.ts';
import { jsonLines, MAIN } from '../program.ts';

const SITES = ['site1', 'site2', 'site3', 'site4'];

describe('a process that ends in the middle of a backup', function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'supervision-'));
    for (const site of SITES) {
      const shadow = join(folder, 'virtual', site, 'shadow/var');
      mkdirSync(shadow, { recursive: true });
      mkdirSync(join(folder, 'virtual', site, 'info/current'), { recursive: true });
      writeFileSync(join(folder, 'virtual', site, 'info/current/siteinfo'), `[siteinfo]\ndomain = ${site}.test\nadmin_user = ${site}\n`);
      writeFileSync(join(shadow, 'small'), site);
    }
    mkdirSync(join(folder, 'root'));
    configure({ workers: 2, readRate: '1 MiB/s' });
    expect((await start(['init'])).exitCode).to.equal(0);
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function configure(limits: object): void {
    const places = { repository: 'repository', stateDirectory: 'state', accountsRoot: 'virtual', systemRoot: 'root' };
    const settings = Object.fromEntries(Object.entries(places).map(([name, place]) => [name, join(folder, place)]));
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...settings, limits }), { mode: 0o600 });
  }

  function start(args: readonly string[], flags: readonly string[] = [], input?: string) {
    const main = ['--disable-warning=ExperimentalWarning', ...flags, MAIN, '--config', join(folder, 'config.json'), '--json', ...args];
    return execa(process.execPath, main, {
      reject: false,
      stripFinalNewline: false,
      forceKillAfterDelay: false,
      ...(input === undefined ? {} : { input }),
    });
  }

  /** Reading an account takes some seconds from now on. */
  function makeSlow(...sites: readonly string[]): void {
    for (const site of sites) {
      for (let file = 0; file < 10; file++) writeFileSync(join(folder, 'virtual', site, `shadow/var/${file}`), randomBytes(1024 * 1024));
    }
  }

  async function untilTold(program: ReturnType<typeof start>, text: string): Promise<void> {
    for await (const line of createInterface(program.stderr)) if (line.includes(text)) return;
  }

  /** The unit before is being committed for a moment while this one is read. */
  async function untilInHand(unit: string): Promise<void> {
    const isAlone = (): boolean => UnitsInHand.ofDeadRun(join(folder, 'state'), [...SITES, 'system'])?.units.join() === unit;
    while (!isAlone()) await pause(10);
  }

  function records(): RunRecord[] {
    const files = globSync(join(folder, 'repository/servers/*/runs/*.json'));
    return files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
  }

  const outcomes = (units: readonly { unit: string; status: string }[]) =>
    Object.fromEntries(units.filter(({ unit }) => unit !== 'system').map(({ unit, status }) => [unit, status]));

  for (const signal of ['SIGKILL', 'SIGABRT', 'SIGSEGV'] as const) {
    it(`by ${signal} costs the unit that it worked on alone, and the run, its answer and its record say so`, async () => {
      makeSlow('site2');
      const program = start(['run']);
      await untilTold(program, 'site2');
      await untilInHand('site2');
      const [child, ...others] = childrenOf(program.pid);
      expect(others).to.deep.equal([]);
      process.kill(child as number, signal);
      const { exitCode, stdout } = await program;

      const [answer, ...more] = jsonLines(stdout);
      expect(more).to.deep.equal([]);
      const { status, units, run } = answer as unknown as RunResult;
      expect(exitCode).to.equal(3);
      expect(status).to.equal('partial');
      expect(outcomes(units)).to.deep.equal({ site1: 'ok', site2: 'failed', site3: 'ok', site4: 'ok' });
      expect(units.find(({ unit }) => unit === 'site2')?.error)
        .to.include({ code: 'unit_crashed' })
        .and.to.have.property('message')
        .that.contains(signal);
      const [record, ...further] = records();
      expect(further).to.deep.equal([]);
      expect(record).to.include({ id: run, status: 'partial' });
      expect(Object.fromEntries(record!.units.map(({ name, failure }) => [name, failure?.code]))).to.include({
        ...{ site1: undefined, site2: 'unit_crashed', site3: undefined, site4: undefined },
      });
      expect((await start(['verify'])).exitCode).to.equal(0);
      configure({ workers: 2 });
      const next = JSON.parse((await start(['run'])).stdout) as RunResult;
      expect(next.status, JSON.stringify(next)).to.equal('ok');
      expect(records()).to.have.length(2);
    });
  }

  it('is a failed unit also where it was the only one', async () => {
    makeSlow('site2');
    const program = start(['run', 'site2']);
    await untilTold(program, 'site2');
    process.kill(childrenOf(program.pid)[0] as number, 'SIGKILL');
    const { exitCode, stdout } = await program;
    const { status, units } = JSON.parse(stdout) as RunResult;
    expect(exitCode).to.equal(1);
    expect(status).to.equal('failed');
    expect(units.map(({ unit, error }) => [unit, error?.code])).to.deep.equal([['site2', 'unit_crashed']]);
    expect(records().map((record) => record.status)).to.deep.equal(['failed']);
  });

  it('of a full heap costs that unit alone, each time that it happens', async () => {
    const flags = ['--max-old-space-size=100', '--import', `data:text/javascript,${encodeURIComponent(EXHAUST)}`];
    const program = await start(['run'], flags);
    expect(program.exitCode, program.stderr).to.equal(3);
    const { units } = JSON.parse(program.stdout) as RunResult;
    expect(outcomes(units)).to.deep.equal({ site1: 'ok', site2: 'failed', site3: 'failed', site4: 'ok' });
    expect(units.find(({ unit }) => unit === 'site3')?.error?.code).to.equal('unit_crashed');
    expect(records()).to.have.length(1);
  });

  it('ends with whoever supervises it', async () => {
    makeSlow('site1');
    const program = start(['run']);
    await untilTold(program, 'site1');
    const [child] = childrenOf(program.pid) as [number];
    program.kill('SIGKILL');
    await program;
    while (isAlive(child)) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await start(['run', 'site2', '--wait', '0'])).exitCode).to.equal(0);
  });

  for (const [whom, signal, code] of [
    ['the one that supervises', 'SIGTERM', 143],
    ['the one that supervises', 'SIGINT', 130],
    ['the one that supervises', 'SIGHUP', 129],
    ['the one that works', 'SIGTERM', 1],
    ['both', 'SIGTERM', 143],
  ] as const) {
    it(`is no accident when ${whom} was told to stop by ${signal}`, async () => {
      makeSlow('site1');
      const program = start(['run']);
      await untilTold(program, 'site1');
      const [child] = childrenOf(program.pid) as [number];
      if (whom !== 'the one that supervises') process.kill(child, signal);
      if (whom !== 'the one that works') program.kill(signal);
      const { exitCode, stdout } = await program;
      const [answer, ...more] = jsonLines(stdout);
      expect(more).to.deep.equal([]);
      expect(answer).to.have.property('error').that.includes({ code: 'cancelled' });
      expect(exitCode).to.equal(code);
      expect(isAlive(child)).to.equal(false);
    });
  }

  it('leaves a session over RPC with its answers', async () => {
    makeSlow('site2');
    const program = start(['rpc']);
    program.stdin.write('{"jsonrpc":"2.0","id":1,"method":"run","params":{}}\n{"jsonrpc":"2.0","id":2,"method":"version","params":{}}\n');
    const answers: Record<string, unknown>[] = [];
    for await (const line of createInterface(program.stdout)) {
      const message = JSON.parse(line) as { method?: string; id?: number; params: { unit?: string }; result: RunResult; error: WireError };
      if (message.method === 'progress' && message.params.unit === 'site2')
        for (const child of childrenOf(program.pid)) process.kill(child, 'SIGKILL');
      if (message.id === undefined) continue;
      answers.push(message as never);
      if (message.id === 2) program.stdin.end();
    }
    expect((await program).exitCode).to.equal(0);
    expect(answers.map(({ id }) => id)).to.deep.equal([2, 1]);
    expect(outcomes((answers[1]!.result as RunResult).units)).to.deep.equal({ site1: 'ok', site2: 'failed', site3: 'ok', site4: 'ok' });
  });

  it('is not begun again when nothing was begun, nor for a wrong request', async () => {
    const dying = await start(['run'], ['--import', `data:text/javascript,${encodeURIComponent(DIE)}`]);
    expect(dying.exitCode).to.equal(1);
    expect(jsonLines(dying.stdout)[0]).to.have.property('error').that.includes({ code: 'unit_crashed' });
    const wrong = await start(['run', 'site99']);
    expect(wrong.exitCode).to.equal(1);
    expect(jsonLines(wrong.stdout)[0]).to.have.property('error').that.includes({ code: 'unit_unknown' });
    expect(records()).to.deep.equal([]);
  });
});

/** Has the heap of a process that works run full while it has two of the units in hand. */
const EXHAUST = `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
if (process.argv.includes('supervised-run')) {
  const { writeSync } = fs;
  fs.writeSync = (...args) => {
    const written = writeSync(...args);
    if (/"beginUnit","unit":"site[23]"/.test(String(args[1]))) {
      for (const kept = []; ; ) kept.push(new Array(10000).fill({}));
    }
    return written;
  };
  syncBuiltinESMExports();
}`;

/** Ends a process that works before it did anything. */
const DIE = `if (process.argv.includes('supervised-run')) process.kill(process.pid, 'SIGKILL');`;
