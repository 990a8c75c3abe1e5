import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { execa } from 'execa';
import { runProgram } from '../program.ts';
import type { Ceph } from './ceph.ts';
import { StoredServer } from './program.ts';

const BUCKET = `locked-${randomBytes(4).toString('hex')}`;

const user = (name: string) => `arn:aws:iam:::user/${name}`;

/** The policy of the guide, for this bucket and these users. */
function policyOf(): string {
  const guide = readFileSync(join(import.meta.dirname, '../../docs/guide/destinations.md'), 'utf8');
  const [, policy] = /```json\n(\{\n {2}"Version": "2012-10-17"[\s\S]*?)```/.exec(guide) as unknown as [string, string];
  return policy
    .replaceAll('BUCKET', BUCKET)
    .replaceAll('PREFIX', 'all')
    .replaceAll('SERVER', user('server'))
    .replaceAll('PRUNER', user('pruner'))
    .replaceAll('RESCUER', user('rescuer'));
}

export function clientOf(ceph: Ceph, file: string): S3Client {
  const [, accessKeyId = '', secretAccessKey = ''] = /key_id = (.*)\n.*= (.*)\n/.exec(readFileSync(file, 'utf8')) ?? [];
  return new S3Client({
    endpoint: ceph.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
}

export const refusal = async (asked: Promise<unknown> | undefined): Promise<string> =>
  await (asked ?? Promise.resolve()).then(
    () => 'done',
    ({ name }: Error) => name,
  );

/** A server that can write and not delete, and another key for `prune`, in a bucket that keeps what is deleted. */
export function separateKeysInStore(cephOf: () => Ceph): void {
  it('a server whose key cannot delete backs up and restores; prune takes another key; what either deletes stays for a time', async () => {
    const ceph = cephOf();
    const [serverKey, pruneKey, rescueKey] = [await ceph.addUser('server'), await ceph.addUser('pruner'), await ceph.addUser('rescuer')];
    const [owner, intruder, pruner] = [ceph.credentialsFile, serverKey, pruneKey].map((file) => clientOf(ceph, file)) as [
      S3Client,
      S3Client,
      S3Client,
    ];
    await owner.send(new CreateBucketCommand({ Bucket: BUCKET, ObjectLockEnabledForBucket: true }));
    await owner.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: policyOf() }));
    const home = mkdtempSync(join(tmpdir(), 'keys-'));
    const shown = join(home, 'prune-key');
    const s3 = { credentialsFile: serverKey, pruneCredentialsFile: shown, objectLock: { mode: 'compliance', days: 2 } };
    const repository = `s3:${ceph.endpoint}/${BUCKET}/all`;
    const server = new StoredServer({ repository, s3, retention: { keepWithin: '1 hour' } });
    const settings = join(server.folder, 'config.json');
    const objects = async () => {
      const { Versions = [] } = await owner.send(new ListObjectVersionsCommand({ Bucket: BUCKET }));
      return { versions: Versions, live: Versions.filter(({ IsLatest }) => IsLatest) };
    };
    try {
      await server.run('init');
      await server.run('run');
      writeFileSync(join(server.files, 'big'), Buffer.alloc(9_000_000, 'a line of text that is not random\n'));
      // The first of a day is kept, and the newest.
      for (const _ of [2, 3]) await server.run('run', 'site1', '--level', 'full');
      const { live } = await objects();
      const record = live.find(({ Key = '' }) => Key.includes('/snapshots/')) as { Key: string; VersionId: string };
      expect(await refusal(intruder.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: record.Key })))).to.equal('AccessDenied');
      const version = { Bucket: BUCKET, Key: record.Key, VersionId: record.VersionId };
      for (const client of [intruder, pruner])
        expect(await refusal(client.send(new DeleteObjectCommand(version)))).to.equal('AccessDenied');
      // The owner of the bucket may, and the lock does not let even that one.
      expect(await refusal(owner.send(new DeleteObjectCommand(version)))).to.equal('AccessDenied');
      // Who has the server's key can lock for longer, and not for less.
      const lockedFor = (days: number) => {
        const Retention = { Mode: 'COMPLIANCE', RetainUntilDate: new Date(Date.now() + days * 86_400_000) } as const;
        return refusal(intruder.send(new PutObjectRetentionCommand({ ...version, Retention })));
      };
      expect([await lockedFor(1), await lockedFor(3)]).to.deep.equal(['AccessDenied', 'done']);
      expect(await server.run('lock')).to.contain('Lock: ok');
      // What a server writes again and takes back all the same.
      const snapshot = /\/snapshots\/(.*)\.json$/.exec(record.Key)?.[1] as string;
      await server.run('hold', snapshot, '--reason', 'kept');
      await server.run('release', snapshot);

      const old = { ...JSON.parse(readFileSync(settings, 'utf8')), retention: { keepDaily: 1, guardShare: 1 } };
      writeFileSync(settings, JSON.stringify(old), { mode: 0o600 });
      const refused = await runProgram(['--config', settings, '--json', 'prune', '--yes']);
      expect(JSON.parse(refused.stdout).error, 'the key is not there').to.deep.include({ code: 'invalid_settings', affected: [shown] });
      renameSync(pruneKey, shown);
      expect(await server.run('prune', '--yes')).to.contain('ok');
      const after = await objects();
      expect(after.live.length, 'deleted').to.be.lessThan(live.length);
      expect(after.versions.length, 'and kept by the store').to.be.at.least(live.length);

      // Who has both keys can delete all, and put something else in the place of each.
      const before = new Date(Date.now() + 1000).toISOString();
      await wait(1500);
      for (const { Key } of after.live) {
        await pruner.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
        await intruder.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'nothing of yours' }));
      }
      for (const { Key } of after.live.slice(0, 3)) await pruner.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
      rmSync(join(server.folder, 'state'), { recursive: true });
      expect((await server.look('restore', 'site1', '--to', join(server.folder, 'none'))).exitCode).to.not.equal(0);
      // The store gives all of it back, as it was before.
      const past = { ...old, s3: { credentialsFile: rescueKey, asOf: before } };
      writeFileSync(settings, JSON.stringify(past), { mode: 0o600 });
      await server.run('restore', 'site1', '--to', join(server.folder, 'all'));
      await execa('diff', ['-r', join(server.folder, 'virtual/site1/shadow'), join(server.folder, 'all/shadow')]);
      expect(await server.run('verify')).to.contain('ok');
      const refusedRun = await server.look('--json', 'run');
      expect(JSON.parse(refusedRun.stdout).error.message).to.contain('can only be read');
    } finally {
      server.remove();
      rmSync(home, { recursive: true });
    }
  });
}
