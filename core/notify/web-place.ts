import { readPrivateFile } from '../config/private-file.ts';
import { Failure } from '../failure.ts';

/** An address of the web. It may be a secret as a whole, so only `shown` is ever told. */
export interface WebPlace {
  readonly url: URL;
  /** Protocol and server alone. */
  readonly shown: string;
}

/** The address that a setting names, itself or by a file of root. Throws `invalid_settings`. */
export function webPlace(setting: string): WebPlace {
  const text = setting.startsWith('/') ? readPrivateFile(setting) : setting;
  const named = setting.startsWith('/') ? setting : 'an address in notify';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new Failure('invalid_settings', `${named} is no address that begins with https:// or http://`, { affected: [] });
  }
  if (url.username !== '' || url.password !== '') {
    throw new Failure('invalid_settings', `${named} holds a password, which is not sent`, { advice: 'Take it out of the address.' });
  }
  return { url, shown: url.origin };
}
