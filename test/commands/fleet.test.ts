import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { renderFleetStatus } from '../../core/cli/fleet-results.ts';
import { METHODS } from '../../core/commands/registry.ts';
import { run } from '../../core/commands/run.ts';
import { verify } from '../../core/commands/verify.ts';
import type { Context, Progress } from '../../core/context/context.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import type { FleetServer, FleetStatusRequest, FleetStatusResult } from '../../core/schemas/fleet.ts';
import { changeSigned } from '../repository/sign.ts';
import { validateFleetStatusResult } from './results.generated.js';
import { Sandbox } from './sandbox.ts';

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

/** Servers of one repository, which take turns on this machine. */
class Fleet extends Sandbox {
  readonly progress: Progress[] = [];

  use(server: string): void {
    this.set('stateDirectory', join(this.folder, 'states', server));
    this.set('accountsRoot', join(this.folder, 'accounts', server));
  }

  async begin(server: string, accounts: readonly string[], init: object = {}): Promise<void> {
    this.use(server);
    for (const name of accounts) this.account(server, name);
    await this.init({ newServer: true, ...init });
  }

  account(server: string, name: string): string {
    const site = join(this.folder, 'accounts', server, name);
    mkdirSync(join(site, 'shadow'), { recursive: true });
    mkdirSync(join(site, 'info/current'), { recursive: true });
    writeFileSync(join(site, 'shadow/file'), `${server} ${name}`);
    return site;
  }

  async backUp(server: string, ...units: string[]): Promise<void> {
    this.use(server);
    await run({ units }, this.context);
  }

  contextOf(server: string): Context {
    this.use(server);
    return this.context;
  }

  /** As a machine asks that is none of them. */
  async status(request: FleetStatusRequest = {}): Promise<FleetStatusResult> {
    this.use('watcher');
    const method = METHODS.get('fleetStatus');
    expect(method?.check(request)).to.equal(undefined);
    const { context } = this;
    const reporter = { ...context.reporter, progress: (progress: Progress) => void this.progress.push(progress) };
    const result = await method?.perform(request, { ...context, reporter });
    expect(validateFleetStatusResult(result), JSON.stringify(validateFleetStatusResult.errors)).to.equal(true);
    return result as FleetStatusResult;
  }

  /** The stored files that fit a pattern below `servers`. */
  stored(pattern: string): string[] {
    return globSync(join(this.repository, 'servers', pattern)).sort();
  }

  runs(server: number): string[] {
    return globSync(join(this.stored('*')[server] as string, 'runs/*')).sort();
  }

  contents(): string[] {
    return globSync('**/*', { cwd: this.repository }).map((name) => `${name} ${statSync(join(this.repository, name)).mtimeMs}`);
  }
}

const named = ({ problems }: FleetServer): string[] => problems.map(({ code, unit }) => `${code} ${unit}`);

describe('the status of a fleet', () => {
  let fleet: Fleet;
  beforeEach(async () => {
    fleet = new Fleet();
    fleet.set('databases', { method: 'none' });
    await fleet.begin('a', ['site1', 'site2']);
    await fleet.backUp('a');
  });
  afterEach(() => fleet.remove());

  it('shows every server to a machine that is none of them, and changes nothing', async () => {
    await fleet.begin('b', ['site7']);
    await fleet.backUp('b');
    const before = fleet.contents();
    const { status, servers } = await fleet.status({ sizes: true });
    expect(status).to.equal('ok');
    expect(fleet.progress.map(({ entries, entriesTotal }) => [entries, entriesTotal])).to.deep.equal([
      [1, 2],
      [2, 2],
    ]);
    expect(servers.map(({ units }) => units).sort()).to.deep.equal([2, 3]);
    for (const server of servers) {
      expect(server).to.include({ status: 'ok', failed: 0, overdue: 0, incomplete: 0, problemCount: 0, error: null });
      expect(server.size).to.be.greaterThan(5);
      const objects = fleet.stored(`${server.server}/**/*`).filter((file) => statSync(file).isFile());
      expect(server.stored).to.equal(objects.reduce((sum, file) => sum + statSync(file).size, 0));
      expect(server.keys).to.have.length(1);
      expect(server.keys[0]?.known).to.equal(false);
    }
    expect(fleet.contents()).to.deep.equal(before);
    expect(globSync(join(fleet.folder, 'states/watcher/**')), 'nothing is kept where there is no state').to.deep.equal([]);
  });

  it('believes the keys that it met first, or that somebody compared, and no others', async () => {
    mkdirSync(join(fleet.folder, 'states/watcher'), { recursive: true, mode: 0o700 });
    expect((await fleet.status()).servers[0]?.keys.map(({ known }) => known)).to.deep.equal([false]);
    expect((await fleet.status()).servers[0]?.keys.map(({ known }) => known)).to.deep.equal([true]);
    // Somebody who can write puts a whole server of the same id there, signed with another key.
    const [file] = fleet.stored('*/server.json') as [string];
    const id = basename(join(file, '..'));
    const thief = new Fleet();
    try {
      thief.set('databases', { method: 'none' });
      await thief.begin('a', ['site1']);
      await thief.backUp('a');
      const other = basename(thief.stored('*')[0] as string);
      const signing = globSync(join(thief.folder, 'states/a/repositories/*/signing', `${other}.pem`))[0] as string;
      const own = globSync(join(fleet.folder, 'states/a/repositories/*/signing', `${id}.pem`))[0] as string;
      renameSync(signing, own);
      const [record] = fleet.runs(0) as [string];
      changeSigned(record, join(fleet.folder, 'states/a'), { status: 'ok' });
    } finally {
      await thief.remove();
    }
    const { status, servers } = await fleet.status();
    expect(status).to.equal('damaged');
    expect(servers[0]?.problems[0]?.message).to.contain('not known');
  });

  it('names what failed, what is overdue and what lacks something', async () => {
    const begin = Date.now();
    fleet.account('a', 'site3');
    fleet.now = () => new Date(begin + 20 * HOUR);
    await fleet.backUp('a');
    rmSync(join(fleet.folder, 'accounts/a/site2'), { recursive: true });
    fleet.now = () => new Date(begin + 44 * HOUR);
    await fleet.backUp('a');
    const failed = (await fleet.status()).servers[0] as FleetServer;
    expect(failed).to.include({ status: 'partial', units: 4, failed: 1, overdue: 0 });
    expect(named(failed)).to.deep.equal(['failed site2']);
    expect(failed.problems[0]?.message).to.contain('not on the server');
    expect(failed.oldest, 'its last good one, of the run before').to.equal(new Date(begin + 20 * HOUR).toISOString());
    // Runs of single accounts hide nobody.
    fleet.now = () => new Date(begin + 90 * HOUR);
    await fleet.backUp('a', 'site1');
    const later = (await fleet.status()).servers[0] as FleetServer;
    expect(later).to.include({ units: 4, overdue: 3, lastRun: new Date(begin + 44 * HOUR).toISOString() });
    expect(named(later)).to.include.members(['overdue site2', 'overdue site3', 'overdue system']).and.not.include('overdue site1');
    expect((await fleet.status({ overdueAfter: '4 days' })).servers[0]).to.include({ overdue: 0 });
    fleet.now = () => new Date(begin + 20 * DAY);
    const silent = (await fleet.status()).servers[0] as FleetServer;
    expect(named(silent), 'one word for all of them').to.deep.equal(['overdue null', 'failed site2']);
    // Whoever has the server may date a run ahead: it is overdue all the same.
    fleet.now = () => new Date(begin + 400 * DAY);
    await fleet.backUp('a');
    fleet.now = () => new Date(begin + 20 * DAY);
    expect(named((await fleet.status()).servers[0] as FleetServer)).to.include.members(['clock_ahead null', 'overdue null']);
  });

  it('counts a unit no more that the server does not expect, and finds the last backup of one that fails for long', async () => {
    const begin = Date.now();
    rmSync(join(fleet.folder, 'accounts/a/site2'), { recursive: true });
    for (const day of [1, 2, 3, 4]) {
      fleet.now = () => new Date(begin + day * DAY);
      await fleet.backUp('a');
    }
    const [failing] = (await fleet.status()).servers as [FleetServer];
    expect(named(failing)).to.deep.equal(['failed site2', 'overdue site2']);
    const id = basename(fleet.stored('*/units/site2-*/snapshots/*.json')[0] as string);
    expect(failing.oldest?.replace(/[-:.]/g, '')).to.equal(id.slice(0, 19));
    await METHODS.get('forget')?.perform({ unit: 'site2' }, fleet.contextOf('a'));
    rmSync(join(fleet.folder, 'accounts/a/site1'), { recursive: true });
    fleet.now = () => new Date(begin + 5 * DAY);
    await fleet.backUp('a');
    // Older runs are looked at for site1; they expected site2 still.
    const [left] = (await fleet.status()).servers as [FleetServer];
    expect([left.units, named(left)]).to.deep.equal([2, ['failed site1']]);
    await METHODS.get('forget')?.perform({ unit: 'site1' }, fleet.contextOf('a'));
    fleet.now = () => new Date(begin + 6 * DAY);
    await fleet.backUp('a');
    expect((await fleet.status()).servers[0]).to.include({ status: 'ok', units: 1 });
  });

  it('tells of a server of an older program by several of its records', async () => {
    fleet.account('a', 'site3');
    await fleet.backUp('a', 'site3');
    for (const file of fleet.runs(0)) {
      const { units } = JSON.parse(readFileSync(file, 'utf8')) as { units: { size?: number }[] };
      const older = { whole: undefined, verified: undefined, units: units.map((unit) => ({ ...unit, size: undefined })) };
      changeSigned(file, join(fleet.folder, 'states/a'), older);
    }
    expect((await fleet.status()).servers[0]).to.include({ status: 'ok', units: 4, size: null, verified: null });
  });

  it('tells what the servers’ own verifications found', async () => {
    await verify({}, fleet.contextOf('a'));
    const [pack] = fleet.stored('*/units/site1-*/packs/*') as [string];
    const bytes = readFileSync(pack);
    bytes[50] = (bytes[50] as number) ^ 1;
    writeFileSync(pack, bytes);
    await fleet.backUp('a');
    const before = (await fleet.status()).servers[0];
    expect(before).to.include({ status: 'ok' });
    expect(before?.verified?.damaged).to.deep.equal([]);
    expect(Date.parse(before?.verified?.oldest ?? '')).to.be.greaterThan(Date.now() - HOUR);
    await verify({}, fleet.contextOf('a'));
    await fleet.backUp('a');
    const { status, servers } = await fleet.status();
    expect(status).to.equal('damaged');
    expect(named(servers[0] as FleetServer)).to.deep.equal(['damaged site1']);
  });

  it('misses what somebody took away', async () => {
    await fleet.backUp('a');
    await fleet.backUp('a');
    const runs = fleet.runs(0);
    const away = (file: string) => renameSync(file, join(fleet.folder, basename(file)));
    const back = (file: string) => renameSync(join(fleet.folder, basename(file)), file);
    away(runs[1] as string);
    expect(named((await fleet.status()).servers[0] as FleetServer)).to.deep.equal(['history_missing null']);
    back(runs[1] as string);
    const [snapshot] = fleet.stored('*/units/site2-*/snapshots/*') as [string];
    away(snapshot);
    expect((await fleet.status()).status, 'without a listing of all').to.equal('ok');
    const found = await fleet.status({ sizes: true });
    expect(found.status).to.equal('damaged');
    expect(found.servers[0]?.problems[0]?.message).to.contain(basename(snapshot, '.json'));
    back(snapshot);
    mkdirSync(join(fleet.folder, 'states/watcher'), { recursive: true, mode: 0o700 });
    expect((await fleet.status()).status).to.equal('ok');
    away(runs[2] as string);
    expect(named((await fleet.status()).servers[0] as FleetServer), 'as this machine remembers').to.deep.equal(['history_missing null']);
    back(runs[2] as string);
    // All of a server.
    const [folder] = fleet.stored('*') as [string];
    away(folder);
    const gone = await fleet.status();
    expect(gone.status).to.equal('damaged');
    expect(gone.servers.map((server) => [server.server, server.status, named(server)])).to.deep.equal([
      [basename(folder), 'damaged', ['history_missing null']],
    ]);
    execFileSync('sh', ['-c', /rm \/.*\.json/.exec(gone.servers[0]?.problems[0]?.message ?? '')?.[0] ?? 'false']);
    expect((await fleet.status()).servers).to.deep.equal([]);
  });

  it('tells servers of one name apart, and which of them goes on', async () => {
    const begin = Date.now();
    // The machine was installed anew: its state is gone, and its name is as before.
    await fleet.begin('b', ['site1']);
    fleet.now = () => new Date(begin + 60 * HOUR);
    await fleet.backUp('b');
    const result = await fleet.status();
    const [before, after] = ['partial', 'ok'].map((status) => result.servers.find((server) => server.status === status)) as [
      FleetServer,
      FleetServer,
    ];
    expect(named(before)).to.deep.equal(['overdue null']);
    expect(before.problems[0]?.message).to.contain(`${after.server} has the same name`);
    expect(renderFleetStatus(result))
      .to.contain(`${before.name} (${before.server})  partial`)
      .and.to.contain(`${after.name} (${after.server})  ok`);
  });

  it('names a server that cannot be read, and shows the others', async () => {
    await fleet.begin('b', ['site7']);
    await fleet.backUp('b');
    const [broken] = fleet.stored('*') as [string];
    rmSync(join(broken, 'runs'), { recursive: true });
    writeFileSync(join(broken, 'runs'), 'no folder');
    mkdirSync(join(fleet.repository, 'servers/0123456789abcdef/units/site1-00000000'), { recursive: true });
    writeFileSync(join(fleet.repository, 'servers/fedcba9876543210'), 'no folder');
    const { status, servers } = await fleet.status();
    expect(status).to.equal('damaged');
    const of = (server: string) => servers.find((each) => each.server === server);
    expect(of(basename(broken))?.status, JSON.stringify(of(basename(broken)))).to.equal('damaged');
    expect(of('0123456789abcdef')?.status).to.equal('damaged');
    expect(servers.filter((each) => each.status === 'ok')).to.have.length(1);
  });

  it('says of an encrypted server what can be told without a key, and more with one', async () => {
    const identity = await newIdentity();
    const file = join(fleet.folder, 'identity');
    writeFileSync(file, identity.secret, { mode: 0o600 });
    await fleet.begin('b', ['site7'], { recipients: [identity.recipient] });
    await fleet.backUp('b');
    rmSync(join(fleet.folder, 'accounts/b/site7'), { recursive: true });
    await fleet.backUp('b');
    const sealed = ({ servers }: FleetStatusResult) => servers.find(({ failed }) => failed === 1) as FleetServer;
    const without = sealed(await fleet.status());
    expect(without.problems.map(({ code, message }) => [code, message.endsWith('failed: root_missing')])).to.deep.equal([['failed', true]]);
    expect(without).to.include({ units: 2, overdue: 0 }).and.to.have.property('size').greaterThan(0);
    expect(sealed(await fleet.status({ identity: file })).problems[0]?.message).to.contain('not on the server');
  });

  it('is about the place that is named, and refuses what is none', async () => {
    const { repository, servers } = await fleet.status({ repository: fleet.repository });
    expect([repository, servers.length]).to.deep.equal([fleet.repository, 1]);
    const failing = METHODS.get('fleetStatus')?.perform({ repository: '/nowhere' }, fleet.context);
    expect(
      await failing?.then(
        () => '',
        ({ code }) => code,
      ),
    ).to.equal('repository_missing');
    const wrong = METHODS.get('fleetStatus')?.perform({ overdueAfter: 'soon' }, fleet.context);
    expect(
      await wrong?.then(
        () => '',
        ({ code }) => code,
      ),
    ).to.equal('usage');
  });
});
