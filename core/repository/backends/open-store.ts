import { type Location, parseLocation } from '../../config/location.ts';
import type { Backend, Store } from './backend.ts';
import { CountingBackend, CountingStore } from './counting-store.ts';
import { LimitedStore } from './limited-store.ts';
import { LocalBackend } from './local.ts';
import { currentTraffic } from './operation.ts';
import { RangeThread } from './range-thread.ts';
import { type Patience, usualPatience } from './retry.ts';
import { StoreBackend } from './store-backend.ts';
import type { StoreSettings } from './store-settings.ts';

/** The backend of the place that the settings name. Throws `invalid_settings`. */
export async function openStore(settings: StoreSettings): Promise<Backend> {
  const location = parseLocation(settings.repository);
  if (location.kind === 'directory') {
    const local = new LocalBackend(location.path);
    return currentTraffic() === undefined ? local : new CountingBackend(local);
  }
  const thread = new RangeThread(settings);
  const patience = usualPatience();
  const connections = settings.limits?.connections ?? USUAL_CONNECTIONS[location.kind];
  const store = new LimitedStore(await storeAt(location, settings, { patience, connections }), connections);
  return new StoreBackend(store, (name, offset, length) => thread.read(name, offset, length), patience);
}

/** Each thing that is asked of rclone is a process. */
const USUAL_CONNECTIONS = { s3: 16, sftp: 16, rclone: 4 } as const;

interface Manner {
  readonly patience: Patience;
  readonly connections: number;
}

/** The libraries are large, and most repositories are elsewhere: each is loaded when it is needed. */
async function storeAt(
  location: Exclude<Location, { kind: 'directory' }>,
  { s3, sftp, rclone }: StoreSettings,
  { patience, connections }: Manner,
): Promise<Store> {
  switch (location.kind) {
    case 's3':
      return (await import('./s3/open-s3.ts')).openS3(location, s3, patience, connections);
    case 'sftp':
      return new CountingStore((await import('./sftp/sftp.ts')).openSftp(location, sftp, patience));
    case 'rclone':
      return new CountingStore((await import('./rclone/rclone.ts')).openRclone(location, rclone));
  }
}
