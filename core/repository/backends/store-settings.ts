import type { Settings } from '../../config/settings-type.ts';

/** The settings that say where a repository is and how it is reached. */
export type StoreSettings = Pick<Settings, 'repository' | 's3' | 'sftp' | 'rclone'> & Partial<Pick<Settings, 'limits'>>;
