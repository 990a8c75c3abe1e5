import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import type { InitResult } from '../../core/schemas/init.ts';
import { runProgram } from '../program.ts';
import { BadNetwork } from './bad-network.ts';

/** A server of one account, or more, whose backups are in a store. */
export class StoredServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'stored-'));
  readonly files = join(this.folder, 'virtual/site1/shadow/var/www');
  readonly settings = join(this.folder, 'config.json');

  constructor(settings: Readonly<Record<string, unknown>>, accounts = 1) {
    for (let number = 1; number <= accounts; number++) {
      mkdirSync(join(this.folder, `virtual/site${number}/shadow/var/www`), { recursive: true });
      mkdirSync(join(this.folder, `virtual/site${number}/info/current`), { recursive: true });
    }
    mkdirSync(join(this.folder, 'system'));
    for (let number = 0; number < 200; number++) writeFileSync(join(this.files, `file-${number}`), `content ${number}`);
    const places = { stateDirectory: 'state', accountsRoot: 'virtual', systemRoot: 'system' };
    const all = Object.fromEntries(Object.entries(places).map(([name, place]) => [name, join(this.folder, place)]));
    writeFileSync(this.settings, JSON.stringify({ ...all, databases: { method: 'none' }, ...settings }), { mode: 0o600 });
  }

  async run(...args: string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await runProgram(['--config', this.settings, ...args]);
    expect(exitCode, `${args.join(' ')}: ${stderr}`).to.equal(0);
    return stdout;
  }

  /** As `run`, however it ends. */
  async look(...args: string[]): Promise<{ readonly stdout: string; readonly exitCode?: number | undefined }> {
    return runProgram(['--config', this.settings, ...args]);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** A backup and a restore over a network that breaks connections off, before and after the store has done what it was asked for. */
export function programOverBadNetwork(
  title: string,
  place: () => Promise<{ port: number; settings: (port: number) => Readonly<Record<string, unknown>> }>,
): void {
  it(`a backup to ${title} and a restore come to their end over a network that resets connections`, async () => {
    const { port, settings } = await place();
    const network = await BadNetwork.start(port, 1);
    const server = new StoredServer(settings(network.port));
    const resets = (...after: number[]) => {
      network.troubles = after.map((bytes) => ({ after: bytes, kind: 'reset' }));
    };
    try {
      await server.run('init');
      // The first answer of a connection, and later ones: the store has done what it answers to.
      resets(1, 400);
      await server.run('run');
      writeFileSync(join(server.files, 'big'), Buffer.alloc(9_000_000, 'a line of text that is not random\n'));
      resets(1, 900);
      await server.run('run');
      resets(1);
      await server.run('restore', 'site1', '--to', join(server.folder, 'all'));
      await execa('diff', ['-r', join(server.folder, 'virtual/site1/shadow'), join(server.folder, 'all/shadow')]);
      expect(network.count, 'connections that were broken off').to.be.at.least(4);
      await server.run('verify');
    } finally {
      network.stop();
      server.remove();
    }
  });
}

/** A copy in a store, and one for recipients of its own, from which everything is restored when the local repository is gone. */
export function copyInStore(title: string, settings: () => Promise<Readonly<Record<string, unknown>>>): void {
  it(`a copy in ${title} has everything when the local repository is gone`, async () => {
    const local = mkdtempSync(join(tmpdir(), 'local-'));
    const place = await settings();
    const key = join(local, 'key');
    const { stderr: made } = await execa('age-keygen', ['-o', key]);
    const recipients = [/age1[a-z0-9]{58}/.exec(made)?.[0]];
    const copies = [
      { name: 'offsite', ...place },
      { name: 'private', ...place, repository: `${place.repository}-private`, recipients },
    ];
    const server = new StoredServer({ repository: join(local, 'repository'), copies });
    try {
      await server.run('init');
      await server.run('run');
      writeFileSync(join(server.files, 'big'), Buffer.alloc(9_000_000, 'a line of text that is not random\n'));
      await server.run('run');
      const { stdout: before } = await server.look('doctor', '--json');
      expect(before).to.contain('the first copy makes it');
      expect(await server.run('copy')).to.contain('offsite: ok');
      const { stdout: after } = await server.look('doctor', '--json');
      expect(after).to.match(/"check":"copy","result":"ok","message":"the copy offsite: [^"]*can be read and written to/);
      expect(await server.run('copy', 'offsite')).to.contain('0 objects');
      const again = JSON.parse(await server.run('copy', 'private', '--stats', '--json'));
      expect([again.copies[0].objects, again.copies[0].status]).to.deep.equal([0, 'ok']);
      expect(again.stats.requests, 'where nothing is new').to.be.at.most(20);
      rmSync(join(local, 'repository'), { recursive: true });
      expect(await server.run('list', 'site1', '--from', 'offsite')).to.contain('incremental');
      for (const [name, ...identity] of [['offsite'], ['private', '--identity', key]] as const) {
        const to = join(server.folder, `all-${name}`);
        await server.run('restore', 'site1', '--to', to, '--from', name, ...identity);
        await execa('diff', ['-r', join(server.folder, 'virtual/site1/shadow'), join(to, 'shadow')]);
        await server.run('verify', '--from', name, ...identity);
      }
    } finally {
      server.remove();
      rmSync(local, { recursive: true, force: true });
    }
  });
}

/** What the program does with a repository in a store, from the first backup to the loss of the server. `lacks` is what `init` says of it. */
export function programInStore(title: string, settings: () => Promise<Readonly<Record<string, unknown>>>, lacks: readonly string[]): void {
  it(`the program backs up to ${title}, restores from there, prunes, and goes on without its state`, async () => {
    const server = new StoredServer(await settings());
    try {
      const made = JSON.parse(await server.run('init', '--json')) as InitResult;
      expect(made.lacks.map(({ what }) => what)).to.deep.equal(lacks);
      await server.run('run');
      const big = Buffer.alloc(12_000_000, 'a line of text that is not random\n');
      writeFileSync(join(server.files, 'big'), big);
      writeFileSync(join(server.files, 'file-7'), 'another content');
      await server.run('run');
      expect(await server.run('run'), 'a run in which nothing changed').to.contain('unchanged');
      await server.run('restore', 'site1', 'shadow/var/www/file-7', '--to', join(server.folder, 'one'));
      expect(readFileSync(join(server.folder, 'one/shadow/var/www/file-7'), 'utf8')).to.equal('another content');
      await server.run('verify');
      const { stdout } = await server.look('doctor', '--json');
      expect(stdout).to.match(/"check":"destination","result":"ok","message":"[^"]*can be read and written to/);
      await server.run('prune');
      // Another machine has nothing but the settings.
      rmSync(join(server.folder, 'state'), { recursive: true });
      await server.run('restore', 'site1', '--to', join(server.folder, 'all'));
      await execa('diff', ['-r', join(server.folder, 'virtual/site1/shadow'), join(server.folder, 'all/shadow')]);
      await server.run('run');
      await server.run('verify');
    } finally {
      server.remove();
    }
  });
}
