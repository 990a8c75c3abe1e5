import { parseLocation } from '../../config/location.ts';
import type { Backend } from './backend.ts';
import { LocalBackend } from './local.ts';
import { RangeThread } from './range-thread.ts';
import { PersistentBackend } from './retry.ts';
import type { ReadObjectNow } from './sparse-copy.ts';
import type { StoreSettings } from './store-settings.ts';

/** The backend of the place that the settings name. Throws `invalid_settings`. */
export async function openStore(settings: StoreSettings): Promise<Backend> {
  const { repository, s3, sftp, rclone } = settings;
  const location = parseLocation(repository);
  if (location.kind === 'directory') return new LocalBackend(location.path);
  const thread = new RangeThread(settings);
  const readNow: ReadObjectNow = (name, offset, length) => thread.read(name, offset, length);
  // The libraries are large, and most repositories are elsewhere.
  switch (location.kind) {
    case 's3': {
      const { openS3 } = await import('./s3/s3.ts');
      return new PersistentBackend(openS3(location, s3, readNow));
    }
    case 'sftp': {
      const { openSftp } = await import('./sftp/sftp.ts');
      return new PersistentBackend(openSftp(location, sftp, readNow));
    }
    case 'rclone': {
      const { openRclone } = await import('./rclone/rclone.ts');
      return new PersistentBackend(openRclone(location, rclone, readNow));
    }
  }
}
