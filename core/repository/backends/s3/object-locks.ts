import type { ObjectLockMode } from '@aws-sdk/client-s3';
import { type LockRule, lockRuleOf } from '../../../config/object-lock.ts';
import { Failure } from '../../../failure.ts';
import type { ObjectLock, ObjectLocks } from '../backend.ts';
import { checkObjectName } from '../object-name.ts';
import { isMissing, nameOf, statusOf } from './s3-failure.ts';
import { GetObjectLockConfigurationCommand, GetObjectRetentionCommand, PutObjectRetentionCommand } from './sdk.ts';
import type { S3Store } from './store.ts';

/** What stores answer about an object, or a bucket, that has no lock. */
const NO_LOCK = new Set(['NoSuchObjectLockConfiguration', 'ObjectLockConfigurationNotFoundError']);
/** Answers of stores that know no locks at all. */
const NO_SUCH_REQUEST = new Set([400, 405, 501]);

const MODES: Readonly<Record<LockRule['mode'], ObjectLockMode>> = { compliance: 'COMPLIANCE', governance: 'GOVERNANCE' };

/** A lock as it goes along with an object that is stored. */
export function lockProperties({ mode, until }: ObjectLock): {
  readonly ObjectLockMode: ObjectLockMode;
  readonly ObjectLockRetainUntilDate: Date;
} {
  return { ObjectLockMode: MODES[mode], ObjectLockRetainUntilDate: new Date(until) };
}

/** The locks of the objects in a bucket. Each belongs to one version of an object: asked and extended is that of the current one. */
export class S3ObjectLocks implements ObjectLocks {
  readonly rule: LockRule;
  readonly #store: S3Store;

  constructor(store: S3Store, rule: LockRule) {
    this.rule = rule;
    this.#store = store;
  }

  /** How an object is locked that is stored now; in whole seconds, which no store rounds. */
  ofNew(): ObjectLock {
    const { mode, period } = this.rule;
    return { mode, until: Math.floor((Date.now() + period) / 1000) * 1000 };
  }

  async check(): Promise<void> {
    const { bucket, description } = this.#store;
    const command = new GetObjectLockConfigurationCommand({ Bucket: bucket });
    try {
      const { ObjectLockConfiguration: found } = await this.#store.send(description, (client) => client.send(command));
      if (found?.ObjectLockEnabled === 'Enabled') return;
    } catch (error) {
      const { cause } = error as Failure;
      if (statusOf(cause) === 403) throw withoutRight(error as Failure, 's3:GetBucketObjectLockConfiguration');
      if (!NO_LOCK.has(nameOf(cause)) && !NO_SUCH_REQUEST.has(statusOf(cause) ?? 0)) throw error;
    }
    throw new Failure(
      'repository_refused',
      `${description}: the bucket ${bucket} has no object lock, which the setting s3.objectLock asks for`,
      {
        affected: [description],
        advice: 'Make a bucket with object lock: most stores have it only from the beginning. Or take objectLock out of the settings.',
      },
    );
  }

  async of(name: string): Promise<ObjectLock | 'unlocked' | 'missing'> {
    try {
      const command = new GetObjectRetentionCommand(this.#target(name));
      const { Mode, RetainUntilDate } = (await this.#store.send(name, (client) => client.send(command))).Retention ?? {};
      if (RetainUntilDate === undefined) return 'unlocked';
      return { mode: Mode === 'COMPLIANCE' ? 'compliance' : 'governance', until: RetainUntilDate.getTime() };
    } catch (error) {
      const { cause } = error as Failure;
      if (NO_LOCK.has(nameOf(cause))) return 'unlocked';
      if (isGone(cause)) return 'missing';
      throw statusOf(cause) === 403 ? withoutRight(error as Failure, 's3:GetObjectRetention') : error;
    }
  }

  async extend(name: string, { mode, until }: ObjectLock): Promise<boolean> {
    try {
      const Retention = { Mode: MODES[mode], RetainUntilDate: new Date(until) };
      const command = new PutObjectRetentionCommand({ ...this.#target(name), Retention });
      await this.#store.send(name, (client) => client.send(command));
      return true;
    } catch (error) {
      const { cause } = error as Failure;
      if (isGone(cause)) return false;
      throw statusOf(cause) === 403 ? withoutRight(error as Failure, 's3:PutObjectRetention') : error;
    }
  }

  #target(name: string): { readonly Bucket: string; readonly Key: string } {
    checkObjectName(name);
    return { Bucket: this.#store.bucket, Key: this.#store.keyOf(name) };
  }
}

/** Undefined where the settings ask for none. */
export function locksOf(store: S3Store): S3ObjectLocks | undefined {
  const rule = lockRuleOf(store.options);
  return rule === undefined ? undefined : new S3ObjectLocks(store, rule);
}

/** Whether there is no such object, or its current version is a mark of deletion. */
function isGone(cause: unknown): boolean {
  return isMissing(cause) || nameOf(cause) === 'MethodNotAllowed';
}

function withoutRight({ message, affected, cause }: Failure, right: string): Failure {
  const advice = `See that the key may do ${right} below the prefix; the guide on destinations has the whole policy.`;
  return new Failure('repository_refused', message, { affected, cause, advice });
}
