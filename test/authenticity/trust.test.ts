import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { adopt } from '../../core/commands/adopt.ts';
import { init } from '../../core/commands/init.ts';
import { keys } from '../../core/commands/keys.ts';
import { prune } from '../../core/commands/prune.ts';
import { servers } from '../../core/commands/servers.ts';
import { verify } from '../../core/commands/verify.ts';
import { version } from '../../core/commands/version.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { failureOf } from '../failure-of.ts';
import { StolenRepository } from './stolen-repository.ts';

for (const isEncrypted of [false, true]) {
  describe(`whom a machine believes about ${isEncrypted ? 'an encrypted' : 'a plain'} repository`, function () {
    this.timeout(60_000);
    const server = new StolenRepository();
    let fingerprint: string;
    let full: string;

    before(async () => {
      await server.begin(isEncrypted);
      writeFileSync(join(server.shadow, 'file'), 'one');
      full = (await server.back('full')).snapshot as string;
      writeFileSync(join(server.shadow, 'file'), 'two');
      await server.back('incremental');
      fingerprint = (await version({}, server.context)).fingerprint as string;
      server.keep('sound');
    });
    after(() => server.remove());
    beforeEach(() => {
      server.putBack('sound');
      server.log.length = 0;
    });
    afterEach(() => server.moveTo('state'));

    const told = (code: string) => server.log.filter((notice) => notice.code === code).map(({ message }) => message);
    const content = async (at?: string) => readFileSync(join(await server.restored(at), 'shadow/file'), 'utf8');

    it('keeps the key where root alone can read it, and shows its fingerprint', async () => {
      const [file] = globSync(join(server.stateDirectory, 'repositories/*/signing/*.pem')) as [string];
      expect(statSync(file).mode & 0o777).to.equal(0o600);
      const der = execFileSync('openssl', ['pkey', '-in', file, '-pubout', '-outform', 'DER']);
      const digest = createHash('sha256').update(der.subarray(-32)).digest('base64').replace('=', '');
      expect(fingerprint).to.equal(`SHA256:${digest}`);
      expect((await init({}, server.context)).fingerprint).to.equal(fingerprint);
      const { servers: known } = await servers({}, server.context);
      expect(known.map((each) => each.keys)).to.deep.equal([[{ fingerprint, known: true }]]);
    });

    it('signs so that openssl can check it, as the format says', () => {
      const file = server.one(`units/site1-*/snapshots/${full}.json`);
      const name = file.slice(file.indexOf('servers/', server.repository.length));
      const script = `set -e
        size=$(stat -c %s "$1")
        { printf 'apiscp-backup signature 1\\n%s\\n' "$2"; head -c $((size - 188)) "$1"; } > message
        jq -r .signature.value "$1" | base64 -d > value
        { printf '302a300506032b6570032100' | xxd -r -p; jq -r .signature.key "$1" | base64 -d; } > key.der
        openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in message -sigfile value`;
      const cwd = join(server.folder, 'openssl');
      mkdirSync(cwd);
      expect(execFileSync('bash', ['-c', script, 'bash', file, name], { cwd, encoding: 'utf8' })).to.contain('Verified Successfully');
      expect(() => execFileSync('bash', ['-c', script, 'bash', file, `${name}x`], { cwd, stdio: 'pipe' })).to.throw();
    });

    it('restores everything on a bare machine, and says once what nobody vouches for, with the fingerprint', async () => {
      server.moveTo('bare');
      expect(await content()).to.equal('two');
      expect(await content(full)).to.equal('one');
      expect((await verify({ ...server.given }, server.context)).status).to.equal('ok');
      expect(told('not_authenticated')).to.have.length(1);
      expect(told('not_authenticated')[0]).to.contain(fingerprint);
      // From then on the key is known, and another one is refused.
      const file = server.one(`units/site1-*/snapshots/${full}.json`);
      server.forge(file, {}, file, true);
      expect(await failureOf(() => server.restored(full))).to.include({ code: 'repository_damaged' });
      rmSync(join(server.folder, 'bare'), { recursive: true });
    });

    it('goes on with a new key when the state directory was lost; others refuse that until somebody compared it', async () => {
      server.moveTo('reader');
      await content();
      server.moveTo('state');
      rmSync(server.stateDirectory, { recursive: true });
      server.log.length = 0;
      writeFileSync(join(server.shadow, 'file'), 'three');
      const after = (await server.back('incremental')).snapshot as string;
      expect(told('not_authenticated')).to.have.length(1);
      expect(told('not_authenticated')[0]).to.contain(fingerprint);
      const next = (await version({}, server.context)).fingerprint as string;
      expect(next).to.not.equal(fingerprint);
      expect(await content(full)).to.equal('one');
      expect(await content(after)).to.equal('three');
      expect(await server.damages()).to.deep.equal([]);
      expect(told('not_authenticated')).to.have.length(1);

      server.moveTo('reader');
      expect(await content(full)).to.equal('one');
      const failure = await failureOf(() => server.restored(after));
      expect(failure).to.include({ code: 'repository_damaged' });
      expect(failure.message).to.contain(next);
      expect(await failureOf(() => servers({ trust: `SHA256:${'A'.repeat(43)}` }, server.context))).to.include({ code: 'usage' });
      const { servers: known } = await servers({}, server.context);
      expect(known[0]?.keys).to.deep.equal([
        { fingerprint, known: true },
        { fingerprint: next, known: false },
      ]);
      await servers({ trust: next }, server.context);
      expect(await content(after)).to.equal('three');
      rmSync(join(server.folder, 'reader'), { recursive: true });
      writeFileSync(join(server.shadow, 'file'), 'two');
    });

    it('says with which key it goes on when the one that it had is gone from the state', async () => {
      for (const folder of globSync(join(server.stateDirectory, 'repositories/*/signing'))) rmSync(folder, { recursive: true });
      expect(await server.back('incremental')).to.include({ error: null });
      const next = (await version({}, server.context)).fingerprint as string;
      expect(next).to.not.equal(fingerprint);
      expect(told('state_lost')).to.have.length(1);
      expect(told('state_lost')[0]).to.contain(next);
      server.log.length = 0;
      await server.back('incremental');
      expect(told('state_lost')).to.deep.equal([]);
    });

    it('does not take a thief’s key for the server’s: server.json, machine record or unit.json', async () => {
      const identity = server.one('server.json');
      server.forge(identity, { name: 'thief.test' }, identity, true);
      expect(await server.back('incremental')).to.include({ error: null, level: 'incremental' });
      expect(told('repository_damaged').join()).to.contain('server.json');
      server.putBack('sound');
      const unit = server.one('units/site1-*/unit.json');
      server.forge(unit, { incarnation: 'of another account' }, unit, true);
      expect(await server.back('incremental')).to.include({ error: null, level: 'incremental' });
      server.putBack('sound');
      // Another machine that goes on as the server has another key; only somebody who knows can tell.
      const machine = join(identity, '../machines/20990101T000000000Z-00000000.json');
      const id = '20990101T000000000Z-00000000';
      server.forge(machine, { id, name: 'thief.test', machine: '0'.repeat(64), created: '2099-01-01T00:00:00Z' }, identity, true);
      const failure = await failureOf(() => server.back());
      expect(failure).to.include({ code: 'server_contested' });
      expect(failure.message).to.contain('not known here');
      const [folder] = globSync(join(server.repository, 'servers/*')) as [string];
      await adopt({ server: folder.split('/').at(-1) as string, yes: true }, server.context);
      expect(await server.back('incremental')).to.include({ error: null, level: 'incremental' });
      server.forge(unit, { incarnation: 'of another account' }, unit, true);
      expect(await server.damages()).to.include(`repository_damaged ${unit.slice(unit.indexOf('units/'))}`);
    });

    it('takes no note, hold or key record from anybody else', async () => {
      const unit = server.one('units/site1-*/unit.json');
      const [id, head] = ['20990101T000000000Z-00000000', JSON.parse(readFileSync(unit, 'utf8')) as { unit: string }];
      const folder = join(unit, '../../..');
      const created = '2099-01-01T00:00:00Z';
      const other = await newIdentity();
      for (const isSigned of [true, false]) {
        server.putBack('sound');
        server.forge(
          join(folder, `notes/${id}.json`),
          { id, kind: 'joined', joined: 'site9-00000000', incarnation: null, reason: '', created },
          unit,
          isSigned,
        );
        server.forge(
          join(folder, `holds/${full}-0001.json`),
          { snapshot: full, reason: 'stay', expires: created, created },
          unit,
          isSigned,
        );
        const recipients = { id, recipients: [other.recipient], serverRecipient: null, passphraseRecipient: null, created };
        server.forge(join(folder, `keys/${id}.json`), recipients, unit, isSigned);
        expect((await server.damages()).filter((each) => !each.includes('units/'))).to.deep.equal([
          `repository_damaged holds/${full}-0001.json`,
          `repository_damaged keys/${id}.json`,
          `repository_damaged notes/${id}.json`,
        ]);
        expect(await server.usable()).to.include(full);
        expect((await keys({}, server.context)).keys.recipients).to.not.include(other.recipient);
        expect(head.unit).to.match(/^site1-/);
      }
    });

    it('writes to no other repository at the same place until somebody says so', async () => {
      const file = join(server.repository, 'repository.json');
      const before = JSON.parse(readFileSync(file, 'utf8')) as object;
      const other = await newIdentity();
      const forged = JSON.stringify({ ...before, id: 'f'.repeat(32), recipients: [other.recipient] });
      writeFileSync(file, forged);
      // That alone is damage: what its own server stored says otherwise.
      expect(await server.back()).to.include({ error: null });
      expect(JSON.parse(readFileSync(file, 'utf8'))).to.deep.equal(before);
      expect((await keys({}, server.context)).keys.recipients).to.not.include(other.recipient);
      for (const each of server.all('')) rmSync(each, { recursive: true });
      writeFileSync(file, forged);
      for (const act of [() => server.back(), () => prune({}, server.context)]) {
        expect(await failureOf(act)).to.include({ code: 'repository_replaced' });
      }
      await init({}, server.context);
      expect(await server.back()).to.include({ error: null });
      server.moveTo('state');
    });

    it('goes on with a server from before there were signatures, and then refuses what has none', async () => {
      // As it was before: no signatures, no log, no key.
      for (const object of server.all('**/*.json')) {
        const { signature: _, log: __, ...document } = JSON.parse(readFileSync(object, 'utf8')) as Record<string, unknown>;
        server.write(object, `${JSON.stringify(document, null, 2)}\n`);
      }
      const chained = server.all(`units/site1-*/snapshots/*`);
      const digest = (at: string) => createHash('sha256').update(readFileSync(at)).digest('hex');
      const [base, above] = chained as [string, string];
      const link = { id: full, sha256: digest(base) };
      server.write(above, `${JSON.stringify({ ...JSON.parse(readFileSync(above, 'utf8')), parent: link, base: link }, null, 2)}\n`);
      const bare = globSync(join(server.stateDirectory, 'repositories/*/{signing,trusted,seen,kept,runs.json}'));
      for (const each of bare) rmSync(each, { recursive: true });
      server.keep('unsigned');
      expect(await content()).to.equal('two');
      expect(told('not_authenticated').join()).to.contain('not signed');
      expect(await server.back('incremental')).to.include({ error: null, level: 'incremental' });
      expect(await server.damages()).to.deep.equal([]);
      expect(await content(full)).to.equal('one');
      server.log.length = 0;
      expect(await server.damages()).to.deep.equal([]);
      expect(told('not_authenticated')).to.deep.equal([]);
      // Another machine finds the same.
      server.moveTo('newcomer');
      expect(await content(full)).to.equal('one');
      expect(told('not_authenticated').join()).to.contain('SHA256:');
      server.moveTo('state');
      // An old object that nobody had found is no old object.
      const planted = base.replace(/-[0-9a-f]{8}\.json$/, '-00000000.json');
      server.forge(planted, { id: full.replace(/-[0-9a-f]{8}$/, '-00000000') }, base, false);
      server.write(above, readFileSync(above, 'utf8').replace('"reason": "', '"reason": "x'));
      const found = (await server.damages()).join();
      expect(found)
        .to.include(planted.slice(planted.indexOf('snapshots/')))
        .and.to.include(above.slice(above.indexOf('snapshots/')));
    });
  });
}
