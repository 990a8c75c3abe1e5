import { Failure } from '../failure.ts';
import type { Settings } from './settings-type.ts';

type Copy = Settings['copies'][number];

/** The copy of this name. Throws `usage`. */
export function copyNamed(name: string, { copies }: Pick<Settings, 'copies'>): Copy {
  const found = copies.find((copy) => copy.name === name);
  if (found !== undefined) return found;
  const advice = copies.length === 0 ? 'The setting `copies` names none.' : `Copies: ${copies.map((copy) => copy.name).join(', ')}.`;
  throw new Failure('usage', `there is no copy ${JSON.stringify(name)}`, { affected: [name], advice });
}

/** The settings with the place of a copy for the repository, which is one of the other places then: nothing may be restored over it. */
export function settingsOfCopy(name: string, settings: Settings): Settings {
  const { repository, s3 = {}, sftp = {}, rclone = {}, retention = settings.retention } = copyNamed(name, settings);
  const copies = [...settings.copies, { name: 'repository', repository: settings.repository }];
  return { ...settings, repository, s3, sftp, rclone, retention, copies };
}

/** The name of the copy that these settings are of; undefined: of none. */
export function copyOf({ repository, copies }: Pick<Settings, 'repository' | 'copies'>): string | undefined {
  return copies.find((copy) => copy.repository === repository)?.name;
}
