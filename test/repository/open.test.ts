import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { defaultSettings } from '../../core/config/defaults.ts';
import type { Settings } from '../../core/config/settings.ts';
import type { Notice } from '../../core/context/notice.ts';
import { openStore } from '../../core/repository/backends/open-store.ts';
import { newServerId } from '../../core/repository/ids.ts';
import { machineDigest } from '../../core/repository/machine.ts';
import { openRepository } from '../../core/repository/open-repository.ts';
import { initRepository } from '../../core/repository/place.ts';
import type { Repository } from '../../core/repository/repository.ts';
import { SAFETY_AGE } from '../../core/repository/safety-age.ts';
import { failureOf } from '../failure-of.ts';
import { changeSigned } from './sign.ts';

describe('opening a repository', () => {
  let folder: string;
  let settings: Settings;
  let notices: Notice[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'open-'));
    settings = { ...defaultSettings(), repository: join(folder, 'repository'), stateDirectory: join(folder, 'state') };
    notices = [];
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const init = async (repository = settings.repository) => initRepository(await openStore({ ...settings, repository }));
  const open = (purpose: 'read' | 'write', changes: Partial<Settings> = {}): Promise<Repository> =>
    openRepository({ ...settings, ...changes }, purpose, (notice) => notices.push(notice));

  describe('tells what stands there', () => {
    it('nothing', async () => {
      expect(await failureOf(() => open('write'))).to.include({ code: 'repository_missing' });
      expect(readdirSync(folder), 'what it left').to.deep.equal([]);
    });

    it('an empty directory', async () => {
      mkdirSync(settings.repository);
      expect(await failureOf(() => open('read'))).to.include({ code: 'repository_missing' });
    });

    it('a file', async () => {
      writeFileSync(settings.repository, '');
      expect(await failureOf(() => open('read'))).to.include({ code: 'repository_missing' });
      expect(await failureOf(() => init())).to.include({ code: 'repository_missing' });
    });

    for (const [what, content, code] of [
      ['a directory of something else', undefined, 'repository_foreign'],
      ['something else with a repository.json', '{"name":"x"}', 'repository_foreign'],
      ['a repository.json that is no JSON', 'x', 'repository_foreign'],
      ['a repository.json that is huge', ' '.repeat(1024 * 1024), 'repository_foreign'],
      ['a repository of a newer format', '{"formatVersion":2}', 'repository_newer'],
    ] as const) {
      it(`${what}, and init leaves it as it is`, async () => {
        mkdirSync(settings.repository);
        writeFileSync(join(settings.repository, content === undefined ? 'photo.jpg' : 'repository.json'), content ?? 'x');
        const before = readdirSync(settings.repository);
        expect(await failureOf(() => open('write'))).to.include({ code });
        expect(await failureOf(() => init())).to.include({ code });
        expect(readdirSync(settings.repository)).to.deep.equal(before);
      });
    }
  });

  it('is made once by init, which can be repeated and raced', async () => {
    const outcomes = await Promise.all([init(), init(), init()]);
    expect(outcomes.filter(({ created }) => created)).to.have.length(1);
    expect(new Set(outcomes.map(({ identity }) => identity.id)).size).to.equal(1);
    expect(await init()).to.deep.include({ created: false });
  });

  it('to write gives this machine an id, in the repository and in a private state directory', async () => {
    await init();
    const { server } = await open('write');
    expect((await open('write')).server).to.equal(server);
    expect((await open('read')).server).to.equal(server);
    expect(statSync(settings.stateDirectory).mode & 0o7777).to.equal(0o700);
    const stored = JSON.parse(readFileSync(join(settings.repository, 'servers', server, 'server.json'), 'utf8'));
    expect(stored).to.include({ server, machine: machineDigest() });
    expect(notices).to.deep.equal([]);
  });

  it('to read changes nothing anywhere', async () => {
    await init();
    const before = readdirSync(settings.repository, { recursive: true });
    const repository = await open('read');
    expect(await repository.units.all()).to.deep.equal([]);
    expect(readdirSync(settings.repository, { recursive: true })).to.deep.equal(before);
    expect(readdirSync(folder)).to.deep.equal(['repository']);
  });

  it('finds the machine’s own id again when the state was lost, and says so', async () => {
    await init();
    const { server } = await open('write');
    rmSync(settings.stateDirectory, { recursive: true });
    expect((await open('read')).server).to.equal(server);
    expect((await open('write')).server).to.equal(server);
    expect(notices.map(({ code }) => code)).to.deep.equal(['state_lost', 'state_lost', 'not_authenticated']);
    await open('write');
    expect(notices).to.have.length(3);
  });

  it('does the same when the state is damaged', async () => {
    await init();
    const { server, stateFolder } = await open('write');
    for (const damage of ['', '{"server":"../../x","machine":"y"}', '[]', 'null']) {
      writeFileSync(join(stateFolder, 'server.json'), damage);
      expect((await open('write')).server).to.equal(server);
    }
    expect(notices).to.have.length(4);
  });

  it('never writes below the id of the machine that this one was cloned from', async () => {
    await init();
    const { server, stateFolder } = await open('write');
    writeFileSync(join(stateFolder, 'server.json'), JSON.stringify({ server, machine: '0'.repeat(64) }));
    const file = join(settings.repository, 'servers', server, 'server.json');
    changeSigned(file, settings.stateDirectory, { machine: '0'.repeat(64) });
    expect((await open('write')).server).to.not.equal(server);
  });

  it('reads the only server there is on a machine that was never here, but never writes below its id', async () => {
    await init();
    const { server } = await open('write');
    const file = join(settings.repository, 'servers', server, 'server.json');
    changeSigned(file, settings.stateDirectory, { machine: '0'.repeat(64) });
    const contents = readFileSync(file, 'utf8').replace(/,\n {2}"signature".*$/s, '\n}\n');
    const fresh = { stateDirectory: join(folder, 'fresh') };
    expect((await open('read', fresh)).server).to.equal(server);
    expect(notices.map(({ code }) => code)).to.deep.equal(['server_foreign']);
    const second = newServerId();
    mkdirSync(join(settings.repository, 'servers', second));
    writeFileSync(join(settings.repository, 'servers', second, 'server.json'), contents.replace(server, second));
    expect((await open('read', fresh)).server).to.not.be.oneOf([server, second]);
    expect((await open('write', fresh)).server).to.not.be.oneOf([server, second]);
  });

  it('to write removes what killed writers left unfinished long ago', async () => {
    await init();
    const incoming = join(settings.repository, '.incoming');
    for (const name of ['old', 'new']) writeFileSync(join(incoming, name), 'x');
    const longAgo = (Date.now() - SAFETY_AGE) / 1000 - 60;
    utimesSync(join(incoming, 'old'), longAgo, longAgo);
    await open('read');
    expect(readdirSync(incoming).sort()).to.deep.equal(['new', 'old']);
    await open('write');
    expect(readdirSync(incoming)).to.deep.equal(['new']);
  });

  it('keeps the states of two repositories apart', async () => {
    const other = join(folder, 'other');
    await Promise.all([init(), init(other)]);
    const first = await open('write');
    const second = await open('write', { repository: other });
    expect(first.stateFolder).to.not.equal(second.stateFolder);
    expect((await open('write')).server).to.equal(first.server);
    expect((await open('write', { repository: other })).server).to.equal(second.server);
    expect(notices).to.deep.equal([]);
  });

  it('refuses a state directory that others can change', async () => {
    await init();
    mkdirSync(settings.stateDirectory);
    chmodSync(settings.stateDirectory, 0o777);
    expect(await failureOf(() => open('write'))).to.include({ code: 'invalid_settings' });
    rmSync(settings.stateDirectory, { recursive: true });
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), settings.stateDirectory);
    expect(await failureOf(() => open('write'))).to.include({ code: 'invalid_settings' });
  });
});
