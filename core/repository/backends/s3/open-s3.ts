import { Failure } from '../../../failure.ts';
import type { Store } from '../backend.ts';
import type { Patience } from '../retry.ts';
import { S3Past } from './past.ts';
import { S3Backend } from './s3.ts';
import { type S3Location, type S3Settings, S3Store } from './store.ts';

/** The place that a location names, now or as it was at a time. Nothing is asked of it yet. Throws `invalid_settings`. */
export function openS3(location: S3Location, options: S3Settings, patience: Patience, connections: number): Store {
  const store = new S3Store(location, options, { connections });
  if (options.asOf === undefined) return new S3Backend(store, patience);
  const at = Date.parse(options.asOf);
  if (Number.isNaN(at)) throw new Failure('invalid_settings', `s3.asOf is no time: ${options.asOf}`, { affected: [options.asOf] });
  return new S3Past(store, at);
}
