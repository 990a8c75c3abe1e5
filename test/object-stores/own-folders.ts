import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, PutBucketPolicyCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { execa } from 'execa';
import type { FleetStatusResult } from '../../core/schemas/fleet.ts';
import { runProgram } from '../program.ts';
import type { Ceph } from './ceph.ts';
import { StoredServer } from './program.ts';
import { clientOf, refusal } from './separate-keys.ts';

const BUCKET = `shared-${randomBytes(4).toString('hex')}`;

interface Statement {
  readonly Principal: { readonly AWS: string };
}

/** The statements of the guide for many servers, for one of these users. */
function statementsOf(principal: 'SERVER' | 'WATCHER', user: string, id = ''): Statement[] {
  const guide = readFileSync(join(import.meta.dirname, '../../docs/guide/destinations.md'), 'utf8');
  const [, section = ''] = guide.split('### A key for each server');
  const [, statements = ''] = /```json\n([\s\S]*?)```/.exec(section) ?? [];
  const filled = statements.replaceAll('BUCKET', BUCKET).replaceAll('PREFIX', 'all').replaceAll('/ID/', `/${id}/`);
  return (JSON.parse(filled) as Statement[])
    .filter(({ Principal }) => Principal.AWS === principal)
    .map((statement) => ({ ...statement, Principal: { AWS: `arn:aws:iam:::user/${user}` } }));
}

/** Two servers that share a bucket, each with a key for its own folder alone, and a machine that reads all. */
export function ownFoldersInStore(cephOf: () => Ceph): void {
  it('servers whose keys reach their own folders alone share a bucket; a key that only reads tells how all stand', async () => {
    const ceph = cephOf();
    const users = ['one', 'two', 'watcher'];
    const keys = await Promise.all(users.map((name) => ceph.addUser(name)));
    const repository = `s3:${ceph.endpoint}/${BUCKET}/all`;
    const servers = [0, 1].map(() => new StoredServer({ repository, s3: { credentialsFile: ceph.credentialsFile } }));
    const [one, two] = servers as [StoredServer, StoredServer];
    try {
      for (const server of servers) await server.run('init', '--new-server');
      const { stdout } = await one.look('--json', 'servers');
      const ids = (JSON.parse(stdout).servers as { server: string; here: boolean }[]).sort((a, b) => Number(b.here) - Number(a.here));
      const [ofOne, ofTwo] = ids.map(({ server }) => server) as [string, string];
      const Statement = [
        statementsOf('SERVER', 'one', ofOne),
        statementsOf('SERVER', 'two', ofTwo),
        statementsOf('WATCHER', 'watcher'),
      ].flat();
      const owner = clientOf(ceph, ceph.credentialsFile);
      await owner.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
      for (const [index, server] of servers.entries()) {
        const file = join(server.folder, 'config.json');
        const settings = { ...JSON.parse(readFileSync(file, 'utf8')), s3: { credentialsFile: keys[index] } };
        writeFileSync(file, JSON.stringify(settings), { mode: 0o600 });
      }
      for (const server of servers) await server.run('run');
      await two.run('verify');
      // Whoever has the one server reads nothing of the other one's, and changes nothing.
      const { Contents = [] } = await owner.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: `all/servers/${ofTwo}/units/` }));
      expect(Contents.length).to.be.greaterThan(3);
      const [intruder, watcher] = [keys[0], keys[2]].map((file) => clientOf(ceph, file as string));
      for (const { Key = '' } of Contents) {
        expect(await refusal(intruder?.send(new GetObjectCommand({ Bucket: BUCKET, Key })))).to.equal('AccessDenied');
        for (const client of [intruder, watcher])
          expect(await refusal(client?.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x' })))).to.equal('AccessDenied');
      }
      const settings = join(one.folder, 'watcher.json');
      writeFileSync(settings, JSON.stringify({ stateDirectory: join(one.folder, 'none'), s3: { credentialsFile: keys[2] } }), {
        mode: 0o600,
      });
      const asked = await runProgram(['--config', settings, '--json', 'fleet', 'status', '--repository', repository, '--sizes']);
      expect(asked.exitCode, asked.stderr + asked.stdout).to.equal(0);
      expect((JSON.parse(asked.stdout) as FleetStatusResult).servers.map(({ status, units }) => [status, units])).to.deep.equal([
        ['ok', 2],
        ['ok', 2],
      ]);
      await two.run('restore', 'site1', '--to', join(two.folder, 'all'));
      await execa('diff', ['-r', join(two.folder, 'virtual/site1/shadow'), join(two.folder, 'all/shadow')]);
    } finally {
      for (const server of servers) server.remove();
    }
  });
}
