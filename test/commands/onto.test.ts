import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lchownSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { METHODS, type RequestOf, type ResultOf } from '../../core/commands/registry.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { takeLock } from '../../core/locks/locks.ts';
import type { InitRequest } from '../../core/schemas/init.ts';
import { failureOf } from '../failure-of.ts';
import { Sandbox } from './sandbox.ts';

/** Ids on the server that the backup is of. */
const THEN = { admin: 10_001, joe: 10_002, gone: 10_003, group: 10_001, stranger: 10_777 };
/** And on the one that it goes to, where the old ids are other customers'. */
const NOW = { admin: 20_001, joe: 20_002, jane: 20_003, group: 20_001 };
const APACHE = 48;

describe('a restore onto another account', () => {
  let sandbox: Sandbox;
  let from: string;
  let onto: string;

  const own = (path: string, uid: number, gid: number) => lchownSync(path, uid, gid);
  const file = (path: string, uid: number, gid: number) => {
    writeFileSync(path, path);
    own(path, uid, gid);
  };
  const home = (account: string, name: string, uid: number, gid: number) => {
    mkdirSync(join(account, 'shadow/home', name), { recursive: true });
    own(join(account, 'shadow/home', name), uid, gid);
  };
  const acl = (path: string) => execFileSync('getfacl', ['-ncp', path], { encoding: 'utf8' }).trim().split('\n');
  const owner = (path: string) => {
    const { uid, gid } = lstatSync(join(onto, 'shadow', path));
    return [uid, gid];
  };
  const backUp = async (repository: InitRequest = {}) => {
    await sandbox.init(repository);
    await sandbox.back();
  };
  const perform = async <Name extends 'restore' | 'plan'>(name: Name, request: RequestOf<Name>): Promise<ResultOf<Name>> => {
    expect(METHODS.get(name)?.check(request)).to.equal(undefined);
    return (await METHODS.get(name)?.perform(request, sandbox.context)) as ResultOf<Name>;
  };

  beforeEach(async () => {
    sandbox = new Sandbox();
    sandbox.set('databases', { method: 'none' });
    from = sandbox.site;
    onto = sandbox.addAccount('site2');
    home(from, 'admin1', THEN.admin, THEN.group);
    home(from, 'joe', THEN.joe, THEN.group);
    home(from, 'gone', THEN.gone, THEN.group);
    home(onto, 'admin2', NOW.admin, NOW.group);
    home(onto, 'joe', NOW.joe, NOW.group);
    home(onto, 'jane', NOW.jane, NOW.group);
    for (const [account, admin] of [
      [from, THEN.admin],
      [onto, NOW.admin],
    ] as const) {
      mkdirSync(join(account, 'shadow/etc'), { recursive: true });
      writeFileSync(join(account, 'shadow/etc/passwd'), `root:x:0:0::/:/bin/sh\nadmin:x:${admin}:${admin}::/:/bin/sh\n`);
    }
  });
  afterEach(() => sandbox.remove());

  it('gives each user of the same name, the administrator and the group what was theirs, in lists of access, too', async () => {
    const joes = join(from, 'shadow/home/joe');
    file(join(joes, 'letter'), THEN.joe, THEN.group);
    symlinkSync('letter', join(joes, 'link'));
    own(join(joes, 'link'), THEN.joe, THEN.group);
    mkdirSync(join(from, 'shadow/var/www'), { recursive: true });
    own(join(from, 'shadow/var/www'), THEN.admin, THEN.group);
    file(join(from, 'shadow/var/www/index'), THEN.admin, THEN.group);
    file(join(from, 'shadow/var/www/of-apache'), APACHE, THEN.group);
    const rights = `u:${THEN.joe}:rwx,u:${THEN.admin}:r-x,u:${APACHE}:r-x,g:${THEN.group}:r-x`;
    execFileSync('setfacl', ['-m', rights, join(from, 'shadow/var/www')]);
    execFileSync('setfacl', ['-d', '-m', rights, join(from, 'shadow/var/www')]);
    execFileSync('setfacl', ['-m', `u:${THEN.joe}:rw-`, join(from, 'shadow/var/www/index')]);
    file(join(from, 'shadow/var/www/program'), THEN.joe, THEN.group);
    execFileSync('setcap', ['-n', String(THEN.joe), 'cap_net_raw=ep', join(from, 'shadow/var/www/program')]);
    await backUp();
    const result = await perform('restore', { unit: 'site1', onto: 'site2' });
    expect(result.warnings.map(({ message }) => message).join()).to.contain(`the user ${THEN.gone} of the snapshot is nobody`);
    expect(owner('home/joe')).to.deep.equal([NOW.joe, NOW.group]);
    expect(owner('home/joe/letter')).to.deep.equal([NOW.joe, NOW.group]);
    expect(owner('home/joe/link'), 'a link, and not what it leads to').to.deep.equal([NOW.joe, NOW.group]);
    expect(owner('var/www/index')).to.deep.equal([NOW.admin, NOW.group]);
    expect(owner('var/www/of-apache'), 'the system’s users are the same everywhere').to.deep.equal([APACHE, NOW.group]);
    const named = [`user:${APACHE}:r-x`, `user:${NOW.admin}:r-x`, `user:${NOW.joe}:rwx`, `group:${NOW.group}:r-x`];
    expect(acl(join(onto, 'shadow/var/www'))).to.include.members([...named, ...named.map((each) => `default:${each}`)]);
    expect(acl(join(onto, 'shadow/var/www/index'))).to.include(`user:${NOW.joe}:rw-`);
    expect(acl(join(onto, 'shadow/var/www')).join()).to.not.contain('1000');
    const capability = execFileSync('getcap', ['-n', join(onto, 'shadow/var/www/program')], { encoding: 'utf8' });
    expect(capability).to.contain('cap_net_raw=ep').and.to.contain(`[rootid=${NOW.joe}]`);
    expect(readFileSync(join(onto, 'shadow/home/joe/letter'), 'utf8')).to.equal(join(joes, 'letter'));
    // What was the account's before, and what the panel keeps of it, is as it was.
    expect(owner('home/jane')).to.deep.equal([NOW.jane, NOW.group]);
    expect(readFileSync(join(onto, 'shadow/etc/passwd'), 'utf8')).to.contain(`:${NOW.admin}:`);
    expect(readFileSync(join(onto, 'info/current/siteinfo'), 'utf8')).to.contain('admin2');
  });

  it('leaves nothing to ids that are another customer’s there: they become the account’s, and lists name them no more', async () => {
    const folder = join(from, 'shadow/odd');
    mkdirSync(folder);
    own(folder, THEN.stranger, THEN.stranger);
    file(join(folder, 'file'), THEN.gone, THEN.group);
    execFileSync('setfacl', ['-m', `u:${THEN.stranger}:rwx,g:${THEN.stranger}:rwx,u:${THEN.gone}:r--`, folder]);
    await backUp();
    const { status, warnings } = await perform('restore', { unit: 'site1', onto: 'site2' });
    expect(status).to.equal('partial');
    const told = warnings.map(({ code, message }) => `${code} ${/the (user|group) \d+/.exec(message)?.[0]}`);
    const strangers = [`user ${THEN.gone}`, `user ${THEN.stranger}`, `group ${THEN.stranger}`];
    expect(told, 'once each').to.have.members(strangers.map((each) => `attribute_refused the ${each}`));
    expect(owner('odd')).to.deep.equal([NOW.admin, NOW.group]);
    expect(owner('odd/file')).to.deep.equal([NOW.admin, NOW.group]);
    expect(acl(join(onto, 'shadow/odd')).filter((line) => /^(user|group):\d/.test(line))).to.deep.equal([]);
  });

  it('takes a map of names or ids before anything else, and plans as it writes', async () => {
    writeFileSync(join(from, 'shadow/etc/passwd'), `caller:x:${THEN.gone}:${THEN.group}::/:/bin/sh\n`);
    file(join(from, 'shadow/home/gone/mine'), THEN.gone, THEN.group);
    execFileSync('setfacl', ['-m', `u:${THEN.gone}:r--,u:${THEN.joe}:-w-`, join(from, 'shadow/home/gone/mine')]);
    file(join(from, 'shadow/home/joe/mine'), THEN.joe, THEN.group);
    await backUp();
    const request = {
      unit: 'site1',
      onto: 'site2',
      mapUsers: ['caller:jane', `${THEN.joe}:jane`],
      mapGroups: [`${THEN.group}:${APACHE}`],
    };
    const planned = await perform('plan', request);
    expect(existsSync(join(onto, 'shadow/home/gone'))).to.equal(false);
    const done = await perform('restore', request);
    expect(done).to.deep.include({ status: 'ok', written: planned.written, failed: 0 });
    expect(owner('home/gone/mine')).to.deep.equal([NOW.jane, APACHE]);
    expect(owner('home/joe/mine')).to.deep.equal([NOW.jane, APACHE]);
    expect(acl(join(onto, 'shadow/home/gone/mine')), 'two who became one have what both had').to.include(`user:${NOW.jane}:rw-`);
    const again = await perform('restore', { ...request, overwrite: 'changed' });
    expect(again, 'its files are right already').to.include({ status: 'ok', unchanged: 2, bytesWritten: 0 });
  });

  it('reaches an account that is mounted through its mount, with lists of access', async () => {
    const [lower, work, fst] = ['lower', 'work', 'virtual/site2/fst'].map((name) => join(sandbox.folder, name)) as [string, string, string];
    for (const folder of [join(lower, 'opt'), work, fst, join(from, 'shadow/opt')]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(lower, 'opt/tool'), 'of the layer below');
    execFileSync('mknod', [join(from, 'shadow/opt/tool'), 'c', '0', '0']);
    file(join(from, 'shadow/home/joe/letter'), THEN.joe, THEN.group);
    execFileSync('setfacl', ['-m', `u:${THEN.admin}:rwx`, join(from, 'shadow/home/joe/letter')]);
    execFileSync('setfacl', ['-d', '-m', `u:${THEN.admin}:rwx`, join(from, 'shadow/home/joe')]);
    file(join(onto, 'shadow/home/joe/letter'), NOW.joe, NOW.group);
    await backUp();
    const options = `lowerdir=${lower},upperdir=${join(onto, 'shadow')},workdir=${work}`;
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, fst]);
    try {
      const planned = await perform('plan', { unit: 'site1', onto: 'site2' });
      const result = await perform('restore', { unit: 'site1', onto: 'site2' });
      expect(result).to.include({ target: fst, written: planned.written, failed: 0 });
      // What the mount shows at once, without being mounted anew.
      expect(readFileSync(join(fst, 'home/joe/letter'), 'utf8')).to.equal(join(from, 'shadow/home/joe/letter'));
      expect(acl(join(fst, 'home/joe/letter'))).to.include(`user:${NOW.admin}:rwx`);
      expect(acl(join(fst, 'home/joe'))).to.include(`default:user:${NOW.admin}:rwx`);
      expect(existsSync(join(fst, 'opt/tool')), 'deleted there').to.equal(false);
      expect(lstatSync(join(fst, 'home/joe/letter'))).to.include({ uid: NOW.joe, gid: NOW.group });
      expect(owner('home/joe/letter')).to.deep.equal([NOW.joe, NOW.group]);
    } finally {
      execFileSync('umount', [fst]);
    }
  });

  it('lets two users change places', async () => {
    writeFileSync(join(from, 'shadow/etc/passwd'), `one:x:${THEN.joe}:1::/:/bin/sh\ntwo:x:${THEN.gone}:1::/:/bin/sh\n`);
    file(join(from, 'shadow/home/joe/mine'), THEN.joe, THEN.group);
    file(join(from, 'shadow/home/gone/mine'), THEN.gone, THEN.group);
    await backUp();
    const to = join(sandbox.folder, 'out');
    await perform('restore', { unit: 'site1', to, mapUsers: [`one:${THEN.gone}`, `two:${THEN.joe}`, `${THEN.joe}:${THEN.gone}`] });
    const uid = (path: string) => lstatSync(join(to, 'shadow/home', path)).uid;
    expect([uid('joe/mine'), uid('gone/mine')]).to.deep.equal([THEN.gone, THEN.joe]);
  });

  it('lends nobody of the account the powers of the system: another server says what has them', async () => {
    const folder = join(from, 'shadow/odd');
    mkdirSync(folder);
    const program = (name: string, uid: number, gid: number, mode: number) => {
      file(join(folder, name), uid, gid);
      chmodSync(join(folder, name), mode);
    };
    program('of-root', 0, 0, 0o6755);
    program('of-joe', THEN.joe, THEN.group, 0o6755);
    program('to-apache', THEN.gone, THEN.group, 0o4755);
    program('capable', THEN.joe, THEN.group, 0o755);
    execFileSync('setcap', ['cap_setuid=ep', join(folder, 'capable')]);
    execFileSync('mknod', [join(folder, 'disk'), 'b', '7', '0']);
    execFileSync('mknod', [join(folder, 'memory'), 'c', '1', '1']);
    execFileSync('mknod', [join(folder, 'deleted'), 'c', '0', '0']);
    mkdirSync(join(folder, 'shared'), { mode: 0o755 });
    own(join(folder, 'shared'), 0, 0);
    chmodSync(join(folder, 'shared'), 0o2755);
    await backUp();
    const mapUsers = [`${THEN.gone}:${APACHE}`];
    const { status, warnings } = await perform('restore', { unit: 'site1', onto: 'site2', mapUsers });
    expect(status).to.equal('partial');
    const told = warnings.map(({ path = '', message }) => `${path.slice(11)} ${/restored: (.*?)(?:, which|$)/.exec(message)?.[1]}`);
    expect(told).to.have.members([
      ...['of-root the set-uid bit', 'of-root the set-gid bit', 'to-apache the set-uid bit', 'capable file capabilities'],
      ...['disk a device', 'memory a device'],
    ]);
    const mode = (name: string) => lstatSync(join(onto, 'shadow/odd', name)).mode & 0o7777;
    expect([mode('of-root'), mode('of-joe'), mode('to-apache'), mode('shared')]).to.deep.equal([0o755, 0o6755, 0o755, 0o2755]);
    expect(execFileSync('getcap', [join(onto, 'shadow/odd/capable')], { encoding: 'utf8' })).to.equal('');
    expect(existsSync(join(onto, 'shadow/odd/disk'))).to.equal(false);
    // In its own place, by its own backups, all of it is what it was.
    const again = await perform('restore', { unit: 'site1', paths: ['shadow/odd'], to: join(sandbox.folder, 'same') });
    expect(again.status).to.equal('ok');
    // To a folder any map is taken, and what it makes root's runs as nobody else.
    const to = join(sandbox.folder, 'roots');
    const roots = await perform('restore', { unit: 'site1', paths: ['shadow/odd'], to, mapUsers: [`${THEN.joe}:0`] });
    expect(lstatSync(join(to, 'shadow/odd/of-joe'))).to.include({ uid: 0, mode: 0o102755 });
    expect(roots.warnings.map(({ path }) => path)).to.deep.equal(['shadow/odd/of-joe']);
  });

  it('to a folder changes the ids that are named, and no others', async () => {
    file(join(from, 'shadow/home/joe/mine'), THEN.joe, THEN.group);
    file(join(from, 'shadow/home/admin1/mine'), THEN.admin, THEN.group);
    await backUp();
    const to = join(sandbox.folder, 'out');
    await perform('restore', { unit: 'site1', to, mapUsers: [`${THEN.joe}:daemon`], mapGroups: [`${THEN.group}:0`] });
    const ids = (path: string) => [lstatSync(join(to, 'shadow', path)).uid, lstatSync(join(to, 'shadow', path)).gid];
    expect(ids('home/joe/mine')).to.deep.equal([Number(execFileSync('id', ['-u', 'daemon'])), 0]);
    expect(ids('home/admin1/mine')).to.deep.equal([THEN.admin, 0]);
  });

  it('works with threads, and where the names are sealed', async () => {
    const identity = await newIdentity();
    const key = join(sandbox.folder, 'key');
    writeFileSync(key, identity.secret, { mode: 0o600 });
    // So much that threads write it.
    writeFileSync(join(from, 'shadow/home/joe/large'), Buffer.alloc(33 * 1024 * 1024, 'a line that compresses well\n'));
    own(join(from, 'shadow/home/joe/large'), THEN.joe, THEN.group);
    for (const number of [1, 2, 3]) file(join(from, `shadow/home/joe/${number}`), THEN.joe, THEN.group);
    execFileSync('setfacl', ['-m', `u:${THEN.admin}:rwx`, join(from, 'shadow/home/joe/1')]);
    await backUp({ recipients: [identity.recipient] });
    await perform('restore', { unit: 'site1', onto: 'site2', identity: key });
    for (const name of ['large', 1, 2, 3]) expect(owner(`home/joe/${name}`)).to.deep.equal([NOW.joe, NOW.group]);
    expect(acl(join(onto, 'shadow/home/joe/1'))).to.include(`user:${NOW.admin}:rwx`);
  });

  it('is refused where it cannot be meant', async () => {
    await backUp();
    const refused = async (request: object) =>
      (await failureOf(() => perform('restore', { unit: 'site1', onto: 'site2', ...request }))).code;
    for (const request of [
      { to: '/x' },
      { delete: true },
      { recreate: true },
      { withDatabases: true },
      { mapUsers: ['nobody-here:joe'] },
      { mapUsers: ['admin:root'] },
      { mapGroups: [`${THEN.group}:0`] },
      { mapUsers: [`admin:${THEN.stranger}`] },
      { mapGroups: [`${THEN.group}:${THEN.group}`, `${THEN.group}:${NOW.group}`] },
      { mapUsers: [`admin:joe`, `${THEN.admin}:jane`] },
      { mapUsers: ['admin:4294967295'] },
      { onto: undefined, mapUsers: ['admin:0'] },
    ]) {
      expect(await refused(request), JSON.stringify(request)).to.equal('usage');
    }
    expect(await refused({ onto: 'site9' })).to.equal('unit_unknown');
    const another = takeLock(sandbox.stateDirectory, 'site2.restore', 'another restore');
    expect(await refused({}), 'another one writes there').to.equal('locked');
    another.release();
    expect(await refused({ paths: ['shadow/etc/passwd'] })).to.equal('owner_not_allowed');
    expect(await refused({ paths: ['info/current'] })).to.equal('owner_not_allowed');
    const owners = await failureOf(() => perform('restore', { unit: 'site1', policy: 'owner', mapUsers: ['0:0'] }));
    expect(owners.code).to.equal('owner_not_allowed');
    expect(METHODS.get('restore')?.check({ unit: 'site1', mapUsers: ['joe'] })).to.not.equal(undefined);
    chmodSync(join(onto, 'shadow/home'), 0o755);
    chownSync(join(onto, 'shadow/home/admin2'), 0, 0);
    expect(await refused({}), 'nobody knows who the administrator is').to.equal('unsupported');
  });
});
