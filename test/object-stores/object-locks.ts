import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { METHODS } from '../../core/commands/registry.ts';
import { openContext } from '../../core/context/open-context.ts';
import type { LockResult } from '../../core/schemas/lock.ts';
import type { Ceph } from './ceph.ts';
import { StoredServer } from './program.ts';

const DAY = 86_400_000;

/** An object as the store has it. */
interface Locked {
  readonly key: string;
  readonly version: string;
  readonly size: number;
  readonly mode: string | undefined;
  /** Days from now on, rounded; undefined: it has no lock. */
  readonly days: number | undefined;
}

/** What a bucket locks, asked of the store itself. */
export class LockedBucket {
  readonly client: S3Client;
  readonly #bucket: string;

  constructor(ceph: Ceph, bucket: string) {
    this.#bucket = bucket;
    const { endpoint, accessKey: accessKeyId, secretKey: secretAccessKey } = ceph;
    this.client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  }

  async objects(): Promise<Locked[]> {
    const { Versions = [] } = await this.client.send(new ListObjectVersionsCommand({ Bucket: this.#bucket }));
    const current = Versions.filter(({ IsLatest }) => IsLatest);
    return Promise.all(
      current.map(async ({ Key = '', VersionId = '', Size = 0 }) => {
        const command = new GetObjectRetentionCommand({ Bucket: this.#bucket, Key, VersionId });
        const found = await this.client.send(command).catch(() => undefined);
        const until = found?.Retention?.RetainUntilDate?.getTime();
        const days = until === undefined ? undefined : Math.round((until - Date.now()) / DAY);
        return { key: Key, version: VersionId, size: Size, mode: found?.Retention?.Mode, days };
      }),
    );
  }

  /** Tries to delete a version for good, with all that might allow it; what the store says to that. */
  remove({ key, version }: Locked): Promise<string> {
    const all = { Bucket: this.#bucket, Key: key, VersionId: version, BypassGovernanceRetention: true };
    return refusal(this.client.send(new DeleteObjectCommand(all)));
  }

  shorten({ key }: Locked, mode: 'COMPLIANCE' | 'GOVERNANCE'): Promise<string> {
    const retention = { Mode: mode, RetainUntilDate: new Date(Date.now() + DAY) };
    return refusal(this.client.send(new PutObjectRetentionCommand({ Bucket: this.#bucket, Key: key, Retention: retention })));
  }
}

export const refusal = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'done',
    ({ name }: Error) => name,
  );

/** A command of the server in this process, some days later. */
export async function later(
  server: StoredServer,
  days: number,
  command: 'lock' | 'prune' | 'nightly',
  request: object = {},
): Promise<unknown> {
  const context = openContext(server.settings, { progress: () => {}, log: () => {} }, new AbortController().signal);
  return METHODS.get(command)?.perform(request, { ...context, now: () => new Date(Date.now() + days * DAY) });
}

const ofUnit = ({ key }: Locked) => key.includes('/units/site1-') && !key.endsWith('unit.json');

/** Objects that the store locks as long as retention keeps what needs them. */
export function objectLocksInStore(cephOf: () => Ceph): void {
  describe('locks of objects', () => {
    let server: StoredServer;
    let bucket: LockedBucket;
    const lockLater = async (days: number) => (await later(server, days, 'lock')) as LockResult;
    before(async () => {
      const ceph = cephOf();
      const name = `locked-${randomBytes(4).toString('hex')}`;
      bucket = new LockedBucket(ceph, name);
      const s3 = { credentialsFile: ceph.credentialsFile, objectLock: { mode: 'compliance' } };
      server = new StoredServer({ repository: `s3:${ceph.endpoint}/${name}/p`, s3 });
      await server.run('init');
      // Longer than what is sent in one piece.
      writeFileSync(join(server.files, 'big'), randomBytes(9_000_000));
      await server.run('run', 'site1', '--level', 'full');
    });
    after(() => server.remove());

    it('are there for everything from the beginning, and nobody can delete what they are on', async () => {
      const objects = await bucket.objects();
      expect(Math.max(...objects.map(({ size }) => size)), 'sent in parts').to.be.above(8 * 1024 ** 2);
      for (const { key, mode, days } of objects) expect({ key, mode, days }).to.deep.equal({ key, mode: 'COMPLIANCE', days: 30 });
      for (const object of objects.filter(ofUnit)) {
        expect(await bucket.remove(object), object.key).to.equal('AccessDenied');
        for (const mode of ['COMPLIANCE', 'GOVERNANCE'] as const) expect(await bucket.shorten(object, mode)).to.equal('AccessDenied');
      }
      const { stdout } = await server.look('doctor', '--json');
      expect(stdout).to.match(/"check":"destination","result":"ok","message":"[^"]*what is stored is locked \(compliance\)/);
    });

    it('last as long as retention keeps what needs an object, and are asked for once', async () => {
      const first = await lockLater(0);
      expect(first).to.include({ status: 'ok', mode: 'compliance' });
      expect(first.asked).to.equal(first.objects);
      const objects = await bucket.objects();
      expect(first.objects).to.equal(objects.length);
      // A full is kept for two months.
      for (const { key, days } of objects.filter(ofUnit)) expect(days, key).to.be.within(59, 63);
      for (const { key, days } of objects.filter((each) => !ofUnit(each))) expect(days, key).to.equal(30);
      expect(await lockLater(0)).to.include({ asked: 0, extended: 0, objects: first.objects });
    });

    it('are renewed before they end, for what is kept, and not for what goes', async () => {
      writeFileSync(join(server.files, 'file-7'), 'something else');
      await server.run('run', 'site1', '--level', 'incremental');
      const [record] = (await bucket.objects()).filter(({ key, days }) => key.includes('/snapshots/') && days === 30) as [Locked];
      const soon = await lockLater(5);
      expect(soon.asked, 'the new objects').to.be.within(3, 6);
      expect(soon.extended).to.equal(0);
      const renewed = await lockLater(20);
      expect(renewed.status).to.equal('ok');
      const after = await bucket.objects();
      // The newest state stays whatever the rules say, as long as it is the newest.
      expect(after.find(({ key }) => key === record.key)?.days).to.equal(50);
      for (const { key, days } of after.filter((each) => !ofUnit(each))) expect(days, key).to.equal(50);
      expect(new Date(renewed.soonest as string).getTime()).to.be.within(Date.now() + 49 * DAY, Date.now() + 51 * DAY);

      writeFileSync(join(server.files, 'file-7'), 'something else again');
      await server.run('run', 'site1', '--level', 'incremental');
      const old = (await bucket.objects()).filter(({ key, days }) => key.includes('/units/site1-') && days === 50);
      const before = new Map(old.map(({ key, days }) => [key, days]));
      await lockLater(45);
      const isOfRecord = (key: string) => key.includes(/snapshots\/([^.]*)/.exec(record.key)?.[1] as string);
      for (const { key, days } of await bucket.objects()) {
        if (isOfRecord(key) && key.includes('/snapshots/')) expect(days, 'needed by the newest').to.equal(75);
        if (!key.includes('/units/site1-')) expect(days, key).to.equal(75);
      }
      expect(before.size).to.be.at.least(3);
    });

    it('are known again when the state is lost, and extended by nothing more', async () => {
      const state = join(server.folder, 'state');
      rmSync(state, { recursive: true });
      await server.run('run', 'site1');
      const again = await lockLater(0);
      expect(again.asked).to.equal(again.objects);
      expect(again.extended).to.be.at.most(2);
      expect((await lockLater(0)).asked).to.equal(0);
    });

    it('do not keep a prune from its work: the store keeps what it deletes until the locks end', async () => {
      const before = await bucket.objects();
      await server.run('run', 'site1', '--level', 'full');
      expect(await later(server, 70, 'prune', { yes: true })).to.deep.include({ status: 'ok' });
      const gone = before.filter(({ key }) => key.includes('/packs/'));
      const current = new Set((await bucket.objects()).map(({ key }) => key));
      expect(gone.filter(({ key }) => current.has(key))).to.deep.equal([]);
      for (const object of gone) expect(await bucket.remove(object)).to.equal('AccessDenied');
      const { steps } = (await later(server, 0, 'nightly', { now: true })) as {
        steps: { step: string; status: string; message: string }[];
      };
      expect(steps.find(({ step }) => step === 'lock')).to.include({ status: 'ok' });
      expect(steps.map(({ step }) => step)).to.deep.equal(['run', 'prune', 'lock', 'verify']);
    });

    it('are refused with their cause by a bucket that has none', async () => {
      const ceph = cephOf();
      const s3 = { credentialsFile: ceph.credentialsFile };
      const plain = new StoredServer({ repository: `s3:${ceph.endpoint}/unlocked-${randomBytes(4).toString('hex')}/p`, s3 });
      try {
        await plain.run('init');
        const settings = JSON.parse(readFileSync(plain.settings, 'utf8'));
        writeFileSync(plain.settings, JSON.stringify({ ...settings, s3: { ...s3, objectLock: { mode: 'governance', days: 1 } } }), {
          mode: 0o600,
        });
        for (const command of ['init', 'lock']) {
          const { stdout } = await plain.look('--json', command);
          expect(JSON.parse(stdout).error, command)
            .to.include({ code: 'repository_refused' })
            .and.to.have.property('message')
            .that.contains('no object lock');
        }
        expect((await plain.look('doctor', '--json')).stdout).to.match(
          /"check":"destination","result":"problem","message":"[^"]*no object lock/,
        );
        const { stdout } = await plain.look('--json', 'run', 'site1');
        expect(JSON.parse(stdout).status).to.equal('failed');
      } finally {
        plain.remove();
      }
    });
  });
}
