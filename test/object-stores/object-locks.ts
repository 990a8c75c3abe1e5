import { randomBytes } from 'node:crypto';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { METHODS, type RequestOf, type ResultOf } from '../../core/commands/registry.ts';
import type { Notice } from '../../core/context/notice.ts';
import { openContext } from '../../core/context/open-context.ts';
import type { MethodName } from '../../core/schemas/messages.ts';
import { failureOf } from '../failure-of.ts';
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

/** A command of a server in this process, some days later. */
async function ask<Name extends MethodName>(
  server: Pick<StoredServer, 'settings'>,
  command: Name,
  request: RequestOf<Name>,
  { days = 0, log = [] }: { readonly days?: number; readonly log?: Notice[] } = {},
): Promise<ResultOf<Name>> {
  const reporter = { progress: () => {}, log: (notice: Notice) => void log.push(notice) };
  const context = { ...openContext(server.settings, reporter, new AbortController().signal), now: () => new Date(Date.now() + days * DAY) };
  return (await METHODS.get(command)?.perform(request, context)) as ResultOf<Name>;
}

const ofUnit = ({ key }: Locked) => key.includes('/units/site1-') && !key.endsWith('unit.json');

/** Objects that the store locks as long as retention keeps what needs them. */
export function objectLocksInStore(cephOf: () => Ceph): void {
  describe('locks of objects', () => {
    let server: StoredServer;
    let bucket: LockedBucket;
    const lockLater = (days: number, log: Notice[] = []) => ask(server, 'lock', {}, { days, log });
    const back = (level: 'full' | 'incremental') => ask(server, 'run', { units: ['site1'], level });
    const destination = async (ofServer: StoredServer) =>
      (await ask(ofServer, 'doctor', {})).checks.find(({ check }) => check === 'destination');
    /** A server whose place is a new bucket. */
    const serverAt = (kind: string, objectLock?: object, more: object = {}) => {
      const ceph = cephOf();
      const name = `${kind}-${randomBytes(4).toString('hex')}`;
      const s3 = { credentialsFile: ceph.credentialsFile, ...(objectLock && { objectLock }) };
      const place = { repository: `s3:${ceph.endpoint}/${name}/p`, s3 };
      return { name, place, server: new StoredServer({ ...place, ...more }) };
    };
    before(async () => {
      const made = serverAt('locked', { mode: 'compliance' });
      bucket = new LockedBucket(cephOf(), made.name);
      server = made.server;
      await ask(server, 'init', {});
      // Longer than what is sent in one piece.
      writeFileSync(join(server.files, 'big'), randomBytes(9_000_000));
      await back('full');
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
      expect(await destination(server)).to.deep.include({ result: 'ok' });
      expect((await destination(server))?.message).to.contain('what is stored is locked (compliance)');
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
      const again = await ask(server, 'lock', { stats: true });
      expect(again).to.include({ asked: 0, extended: 0, objects: first.objects });
      expect(again.stats?.requests).to.be.at.most(6);
    });

    it('are renewed before they end, for what is kept, and not for what goes', async () => {
      writeFileSync(join(server.files, 'file-7'), 'something else');
      await back('incremental');
      const [record] = (await bucket.objects()).filter(({ key, days }) => key.includes('/snapshots/') && days === 30) as [Locked];
      const soon = await lockLater(5);
      expect(soon.asked, 'the new objects').to.be.within(3, 6);
      expect(soon.extended).to.equal(0);
      const renewed = await lockLater(20);
      const after = await bucket.objects();
      // The newest state stays whatever the rules say, as long as it is the newest.
      expect(after.find(({ key }) => key === record.key)?.days).to.equal(50);
      for (const { key, days } of after.filter((each) => !ofUnit(each))) expect(days, key).to.equal(50);
      expect(new Date(renewed.soonest as string).getTime()).to.be.within(Date.now() + 49 * DAY, Date.now() + 51 * DAY);

      writeFileSync(join(server.files, 'file-7'), 'something else again');
      await back('incremental');
      await lockLater(45);
      const last = await bucket.objects();
      expect(last.find(({ key }) => key === record.key)?.days, 'needed by the newest').to.equal(75);
      for (const { key, days } of last.filter((each) => !each.key.includes('/units/site1-'))) expect(days, key).to.equal(75);
    });

    it('are known again when the state is lost, and extended by nothing more; a state that cannot be kept is said', async () => {
      rmSync(join(server.folder, 'state'), { recursive: true });
      await ask(server, 'run', { units: ['site1'] });
      const log: Notice[] = [];
      const [folder] = globSync(join(server.folder, 'state/repositories/*')) as [string];
      mkdirSync(join(folder, 'object-locks.json'));
      const again = await lockLater(0, log);
      expect(again.asked).to.equal(again.objects);
      expect(again.extended).to.be.at.most(2);
      expect(log.map(({ code }) => code)).to.include('state_unusable');
      rmSync(join(folder, 'object-locks.json'), { recursive: true });
      expect((await lockLater(0)).asked).to.equal(again.objects);
      expect((await lockLater(0)).asked).to.equal(0);
    });

    it('do not keep a prune from its work: the store keeps what it deletes until the locks end', async () => {
      const before = await bucket.objects();
      await back('full');
      expect(await ask(server, 'prune', { yes: true }, { days: 70 })).to.deep.include({ status: 'ok' });
      const gone = before.filter(({ key }) => key.includes('/packs/'));
      const current = new Set((await bucket.objects()).map(({ key }) => key));
      expect(gone.filter(({ key }) => current.has(key))).to.deep.equal([]);
      for (const object of gone) expect(await bucket.remove(object)).to.equal('AccessDenied');
    });

    it('are refused with their cause by a bucket that has none, and in a place that knows none', async () => {
      const { server: plain, place } = serverAt('unlocked');
      const settings = JSON.parse(readFileSync(plain.settings, 'utf8'));
      const set = (more: object) => writeFileSync(plain.settings, JSON.stringify({ ...settings, ...more }), { mode: 0o600 });
      try {
        await ask(plain, 'init', {});
        expect(await failureOf(() => ask(plain, 'lock', {}))).to.include({ code: 'usage' });
        set({ s3: { ...place.s3, objectLock: { mode: 'governance', days: 1 } } });
        for (const command of ['init', 'lock'] as const) {
          const failure = await failureOf(() => ask(plain, command, {}));
          expect([failure.code, failure.message]).to.deep.equal([
            'repository_refused',
            failure.message.match(/.*has no object lock.*/)?.[0],
          ]);
        }
        expect(await destination(plain)).to.deep.include({ result: 'problem' });
        expect((await ask(plain, 'run', { units: ['site1'] })).status).to.equal('failed');
      } finally {
        plain.remove();
      }
    });

    it('are renewed in the copies, too, each night; what one place refuses keeps none of the others from it', async () => {
      const [locked, plain] = [serverAt('copied', { mode: 'governance', days: 2 }), serverAt('plain')];
      for (const { server: made } of [locked, plain]) made.remove();
      const local = mkdtempSync(join(tmpdir(), 'locks-'));
      const copies = [
        { name: 'plain', repository: plain.place.repository, s3: plain.place.s3 },
        { name: 'locked', repository: locked.place.repository, s3: locked.place.s3 },
      ];
      // What is set for stores is nothing to a directory.
      const s3 = { objectLock: { mode: 'compliance' } };
      const near = new StoredServer({ repository: join(local, 'repository'), s3, copies, schedule: { verifyWithin: false } });
      const stepsOf = async (days: number) => {
        const { steps } = await ask(near, 'nightly', { now: true }, { days });
        return new Map(steps.map(({ step, status, message }) => [step, { status, message }]));
      };
      try {
        await ask(near, 'init', {});
        const first = await stepsOf(0);
        expect(first.get('lock')?.status).to.equal('ok');
        expect(first.get('lock')?.message).to.match(/^locked: \d+ of \d+ locks extended/);
        // The full of the copy, and what else is there.
        const objects = await new LockedBucket(cephOf(), locked.name).objects();
        expect(objects.filter(ofUnit).every(({ mode, days = 0 }) => mode === 'GOVERNANCE' && days >= 59)).to.equal(true);
        const settings = JSON.parse(readFileSync(near.settings, 'utf8'));
        copies[0] = { ...copies[0], s3: { ...plain.place.s3, objectLock: { mode: 'compliance' } } } as never;
        writeFileSync(near.settings, JSON.stringify({ ...settings, copies }), { mode: 0o600 });
        const second = await stepsOf(2);
        expect(second.get('lock')?.status).to.equal('failed');
        expect(second.get('lock')?.message).to.match(/plain: .*has no object lock.*; locked: \d+ of \d+ locks extended/);
        const { problems } = await ask(near, 'status', {});
        expect(problems.map(({ message }) => message).join()).to.contain('lock of the last automatic backup: plain');
      } finally {
        near.remove();
        rmSync(local, { recursive: true });
      }
    });
  });
}
