import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { LocalBackend } from '../../core/repository/backends/local.ts';
import { failureOf } from '../failure-of.ts';
import { ROOT } from '../program.ts';

describe('the local backend', () => {
  let folder: string;
  let root: string;
  let backend: LocalBackend;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'local-'));
    root = join(folder, 'repository');
    mkdirSync(root);
    backend = new LocalBackend(root);
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  async function store(name: string, content = 'x'): Promise<void> {
    const writer = await backend.create(name);
    await writer.write(Buffer.from(content));
    await writer.commit();
  }

  it('keeps everything from other users', async () => {
    await new LocalBackend(join(folder, 'new')).prepare();
    expect(statSync(join(folder, 'new')).mode & 0o7777).to.equal(0o700);
    await store('a/b/c');
    expect(statSync(join(root, 'a')).mode & 0o7777).to.equal(0o700);
    expect(statSync(join(root, 'a/b/c')).mode & 0o7777).to.equal(0o600);
  });

  it('says which it is: that others can write, or that this user is not its owner', async () => {
    const { seteuid } = process;
    chmodSync(folder, 0o755);
    chmodSync(root, 0o755);
    seteuid?.(65534);
    const failure = await failureOf(() => backend.inspect()).finally(() => seteuid?.(0));
    expect(failure).to.include({ code: 'not_root' });
    expect(failure.message).not.to.contain('can write');
    chmodSync(root, 0o777);
    expect((await failureOf(() => backend.inspect())).message).to.contain('can write');
  });

  it('refuses a place that others can write to', async () => {
    chmodSync(root, 0o777);
    expect(await failureOf(() => backend.inspect())).to.include({ code: 'repository_foreign' });
    chmodSync(root, 0o755);
    expect(await backend.inspect()).to.equal('empty');
    chownSync(root, 12345, 0);
    expect(await failureOf(() => backend.inspect())).to.include({ code: 'repository_foreign' });
  });

  it('says of a file in the place of the repository that it is none', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await failureOf(() => new LocalBackend(join(folder, 'file')).inspect())).to.include({ code: 'repository_missing' });
    expect(await failureOf(() => new LocalBackend(join(folder, 'file/below')).inspect())).to.include({ code: 'repository_missing' });
  });

  it('may be named through a link', async () => {
    symlinkSync(root, join(folder, 'link'));
    backend = new LocalBackend(join(folder, 'link'));
    await store('a');
    expect(readdirSync(root)).to.include('a');
  });

  it('takes a fresh disk as empty', async () => {
    mkdirSync(join(root, 'lost+found'));
    expect(await backend.inspect()).to.equal('empty');
    writeFileSync(join(root, '.somebody-elses'), '');
    expect(await backend.inspect()).to.equal('occupied');
  });

  it('never reads, writes or removes through a link', async () => {
    mkdirSync(join(folder, 'outside'));
    writeFileSync(join(folder, 'outside/secret'), 'secret');
    symlinkSync(join(folder, 'outside'), join(root, 'a'));
    symlinkSync(join(folder, 'outside/secret'), join(root, 'b'));
    expect(await failureOf(() => backend.read('a/secret'))).to.include({ code: 'repository_damaged' });
    expect(await failureOf(() => backend.size('a/secret'))).to.include({ code: 'repository_damaged' });
    expect(await failureOf(() => backend.remove('a/secret'))).to.include({ code: 'repository_damaged' });
    expect(await failureOf(() => store('a/new'))).to.include({ code: 'repository_damaged' });
    expect(await failureOf(() => backend.read('b'))).to.include({ code: 'repository_damaged' });
    expect(await backend.size('b')).to.equal(undefined);
    const names: string[] = [];
    for await (const { name } of backend.list('')) names.push(name);
    expect(names).to.deep.equal([]);
    expect(readdirSync(join(folder, 'outside'))).to.deep.equal(['secret']);
  });

  it('does not wait for a FIFO that stands in the place of an object', async () => {
    execFileSync('mkfifo', [join(root, 'a')]);
    expect(await failureOf(() => backend.read('a'))).to.include({ code: 'repository_damaged' });
    expect(await backend.size('a')).to.equal(undefined);
  });

  it('removes what killed writers left behind, once it is old', async () => {
    const incoming = join(root, '.incoming');
    mkdirSync(incoming);
    writeFileSync(join(incoming, 'old'), 'x');
    writeFileSync(join(incoming, 'new'), 'x');
    const now = Date.now();
    utimesSync(join(incoming, 'old'), now / 1000 - 100, now / 1000 - 100);
    expect(await backend.discardAbandoned(now - 50_000)).to.equal(1);
    expect(readdirSync(incoming)).to.deep.equal(['new']);
  });

  it('removes, once it is old, the folder of a server that was stopped before it stored anything, and no other', async () => {
    const old = Date.now() / 1000 - 100;
    await store('servers/living/server.json');
    for (const name of ['dead', 'living', 'beginning']) {
      const incoming = join(root, 'servers', name, '.incoming');
      mkdirSync(incoming, { recursive: true });
      writeFileSync(join(incoming, 'unfinished'), '');
      if (name === 'beginning') continue;
      for (const path of [join(incoming, 'unfinished'), incoming, join(incoming, '..')]) utimesSync(path, old, old);
    }
    expect(await backend.discardAbandoned(Date.now() - 50_000)).to.equal(1);
    expect(readdirSync(join(root, 'servers')).sort()).to.deep.equal(['beginning', 'living']);
    expect(readdirSync(join(root, 'servers/living/.incoming'))).to.deep.equal(['unfinished']);
    expect(readdirSync(join(root, 'servers/beginning/.incoming'))).to.deep.equal(['unfinished']);
  });

  it('removes at once what killed writers of a server left behind, and never what is being written, whatever its time', async () => {
    const longAgo = 1_000_000;
    const writer = await backend.create('servers/1/a/b');
    await writer.write(Buffer.from('x'));
    const other = await backend.create('servers/2/a/b');
    const [mine, others] = [join(root, 'servers/1/.incoming'), join(root, 'servers/2/.incoming')];
    for (const folder of [mine, others]) {
      expect(readdirSync(folder), 'where it is written').to.have.length(1);
      for (const name of readdirSync(folder)) utimesSync(join(folder, name), longAgo, longAgo);
      writeFileSync(join(folder, 'left'), 'x');
    }
    expect(await backend.discardUnfinished('servers/1')).to.equal(1);
    expect(readdirSync(mine)).to.have.length(1);
    expect(readdirSync(others)).to.include('left').and.have.length(2);
    for (const each of [writer, other]) await each.commit();
    expect((await backend.read('servers/1/a/b')).toString()).to.equal('x');
    expect(await backend.folders('servers/1')).to.deep.equal(['a']);
    expect(await backend.discardUnfinished('servers/3')).to.equal(0);
  });

  describe('on a disk that is unmounted meanwhile', () => {
    const mountDisk = () => execFileSync('mount', ['--bind', join(folder, 'disk'), root]);

    beforeEach(() => {
      mkdirSync(join(folder, 'disk'), { mode: 0o700 });
      mountDisk();
    });

    afterEach(() => {
      execFileSync('sh', ['-c', `umount -l ${root} 2>/dev/null || true`]);
    });

    it('writes nothing into the folder below, and takes nothing for absent', async () => {
      await store('servers/1/a/b');
      const writer = await backend.create('servers/1/a/c');
      execFileSync('umount', ['-l', root]);
      const actions: (() => Promise<unknown>)[] = [
        () => writer.commit(),
        () => store('servers/1/a/d'),
        () => backend.size('servers/1/a/b'),
        () => backend.folders('servers'),
        () => backend.list('servers/')[Symbol.asyncIterator]().next(),
        () => backend.remove('servers/1/a/b'),
      ];
      for (const action of actions) expect(await failureOf(action), String(action)).to.include({ code: 'repository_missing', retry: true });
      expect(readdirSync(root)).to.deep.equal([]);
      rmSync(root, { recursive: true });
      expect((await failureOf(() => backend.size('servers/1/a/b'))).code).to.equal('repository_missing');
      mkdirSync(root);
    });

    it('goes on when it is mounted again', async () => {
      await store('servers/1/a/b');
      execFileSync('umount', ['-l', root]);
      mountDisk();
      await store('servers/1/a/c');
      expect(await backend.size('servers/1/a/b')).to.equal(1);
    });
  });

  it('never takes for abandoned what a writer is just about to lock', async function () {
    this.timeout(60_000);
    const script = (action: string) => [
      '--input-type=module',
      '-e',
      `import { LocalBackend } from ${JSON.stringify(join(ROOT, 'core/repository/backends/local.ts'))};
      const backend = new LocalBackend(${JSON.stringify(root)});
      ${action}`,
    ];
    // The writer rests between making the file and locking it, whoever removes it between looking and removing.
    const slowly = (call: string, milliseconds: number, action: string) =>
      execa('strace', [
        ...['-f', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:delay_enter=${milliseconds}ms`],
        ...[process.execPath, ...script(action)],
      ]);
    const remover = slowly(
      'unlinkat',
      1000,
      `console.log('looking');
      for (let found = 0; found === 0; ) {
        found = await backend.discardUnfinished('servers/1');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }`,
    );
    await once(remover.stdout, 'data');
    await slowly(
      'flock',
      500,
      `const writer = await backend.create('servers/1/a/b'); await new Promise((resolve) => setTimeout(resolve, 1500)); await writer.commit();`,
    );
    await remover;
    expect(await backend.size('servers/1/a/b')).to.equal(0);
    expect(readdirSync(join(root, 'servers/1/.incoming'))).to.deep.equal([]);
  });

  it('leaves no descriptor open, whether it succeeds or fails', async () => {
    const open = () => readdirSync('/proc/self/fd').length;
    symlinkSync('/', join(root, 'link'));
    const before = open();
    for (let round = 0; round < 20; round++) {
      await store(`a/${round}`);
      await failureOf(() => store('a/0'));
      await failureOf(() => store('link/x'));
      await failureOf(() => backend.read('link/x'));
      await failureOf(() => backend.read('missing/x'));
      await (await backend.create('b')).abort();
      await backend.read('a/0');
      await backend.remove('a/none');
    }
    expect(open()).to.equal(before);
    expect(readdirSync(join(root, '.incoming'))).to.deep.equal([]);
  });

  it('says that the disk is full, leaves no name, and works again when there is room', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=700', 'none', root]);
    try {
      await store('keep', 'kept');
      const writer = await backend.create('big');
      expect(await failureOf(() => writer.write(Buffer.alloc(1024 * 1024)))).to.include({ code: 'disk_full', retry: true });
      await writer.abort();
      expect(await backend.size('big')).to.equal(undefined);
      await store('small', 'y'.repeat(10_000));
      expect((await backend.read('keep')).toString()).to.equal('kept');
    } finally {
      execFileSync('umount', [root]);
    }
  });
});
