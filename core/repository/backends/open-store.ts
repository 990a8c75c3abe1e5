import { type Location, parseLocation } from '../../config/location.ts';
import type { Backend } from './backend.ts';
import { CountingBackend, CountingStore } from './counting-store.ts';
import { LocalBackend } from './local.ts';
import { currentTraffic } from './operation.ts';
import { RangeThread } from './range-thread.ts';
import { type Store, StoreBackend } from './store-backend.ts';
import type { StoreSettings } from './store-settings.ts';

/** The backend of the place that the settings name. Throws `invalid_settings`. */
export async function openStore(settings: StoreSettings): Promise<Backend> {
  const location = parseLocation(settings.repository);
  if (location.kind === 'directory') {
    const local = new LocalBackend(location.path);
    return currentTraffic() === undefined ? local : new CountingBackend(local);
  }
  const thread = new RangeThread(settings);
  return new StoreBackend(await storeAt(location, settings), (name, offset, length) => thread.read(name, offset, length));
}

/** The libraries are large, and most repositories are elsewhere: each is loaded when it is needed. */
async function storeAt(location: Exclude<Location, { kind: 'directory' }>, { s3, sftp, rclone }: StoreSettings): Promise<Store> {
  switch (location.kind) {
    case 's3':
      return (await import('./s3/open-s3.ts')).openS3(location, s3);
    case 'sftp':
      return new CountingStore((await import('./sftp/sftp.ts')).openSftp(location, sftp));
    case 'rclone':
      return new CountingStore((await import('./rclone/rclone.ts')).openRclone(location, rclone));
  }
}
