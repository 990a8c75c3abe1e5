import { posix } from 'node:path';
import { Failure } from '../failure.ts';
import { withoutSecrets } from './shown-value.ts';

/** Where a repository is. */
export type Location =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 's3'; readonly endpoint: string; readonly bucket: string; readonly prefix: string }
  | {
      readonly kind: 'sftp';
      readonly user: string | undefined;
      readonly host: string;
      readonly port: number | undefined;
      readonly path: string;
    }
  | { readonly kind: 'rclone'; readonly remote: string; readonly path: string };

/** What a location can look like, for people. */
export const LOCATION_FORMS = '/srv/backups, s3:https://endpoint/bucket/prefix, sftp:user@host:22:/srv/backups or rclone:remote:path';

/** As buckets are named everywhere (S3 User Guide, "General purpose bucket naming rules"). */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** A prefix is a name of an object: what means something else on another kind of storage stays out of it. */
const PREFIX = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const SFTP = /^(?:([A-Za-z0-9_][A-Za-z0-9._+=@-]*)@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(?::(\d{1,5}))?:(\/[^\0\n]*)$/;
/** A name in rclone's settings (rclone.org/docs, "Valid remote names"), without those that would read as an option or settings. */
const RCLONE = /^([A-Za-z0-9_][A-Za-z0-9_.+@ -]*):([^\0\n]*)$/;

/** What means another folder than it seems to, depending on who reads it. */
const DOTS = /(?:^|\/)\.{1,2}(?:\/|$)/;

/** Reads the setting `repository`; throws `invalid_settings`, with the value, without secrets in it, and what it could be. */
export function parseLocation(text: string): Location {
  const location = text.startsWith('/') ? ({ kind: 'directory', path: text } as const) : schemed(text);
  if (typeof location !== 'string') return location;
  const shown = withoutSecrets(text);
  throw new Failure('invalid_settings', `the repository ${JSON.stringify(shown)} cannot be used: ${location}`, {
    affected: [shown],
    advice: `Name one like ${LOCATION_FORMS}.`,
  });
}

/** A location with a scheme, or what is wrong with it. */
function schemed(text: string): Location | string {
  const colon = text.indexOf(':');
  const scheme = text.slice(0, Math.max(colon, 0));
  const rest = text.slice(colon + 1);
  if (scheme === 's3') return s3Location(rest);
  if (scheme === 'sftp') return sftpLocation(rest);
  if (scheme === 'rclone') {
    const [, remote, path] = RCLONE.exec(rest) ?? [];
    if (remote === undefined || path === undefined) return 'after rclone: come a remote, a colon and a path';
    return DOTS.test(path) ? 'its path has . or .. in it' : { kind: 'rclone', remote, path };
  }
  if (colon < 0) return 'it is neither a path from the root on nor a location with a scheme';
  const known = ['s3', 'sftp', 'rclone'].includes(scheme.toLowerCase()) ? ': schemes have small letters' : '';
  return `the scheme ${JSON.stringify(scheme)} is unknown${known}`;
}

function s3Location(text: string): Location | string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return 'after s3: comes the address of the store, https://…';
  // What is read otherwise than it is written would be another place for another program.
  const [, written = ''] = /^https?:\/\/[^/\\\s]+(\/\S*)?$/i.exec(text) ?? [];
  if (url.username === '' && url.password === '' && url.search === '' && url.hash === '' && written !== url.pathname)
    return 'after https:// come the host, a slash, the bucket and a prefix, written plainly';
  if (url.username !== '' || url.password !== '') return 'a key does not belong into it: name a file in the setting `s3`';
  if (url.search !== '' || url.hash !== '') return 'nothing follows the prefix';
  const [bucket = '', ...rest] = url.pathname.slice(1).split('/');
  const prefix = rest.join('/').replace(/\/$/, '');
  if (!BUCKET.test(bucket)) return `${JSON.stringify(bucket)} is no name of a bucket`;
  if (prefix !== '' && !PREFIX.test(prefix)) return `the prefix ${JSON.stringify(prefix)} has characters that names of objects have not`;
  return { kind: 's3', endpoint: url.origin, bucket, prefix };
}

function sftpLocation(text: string): Location | string {
  const [, user, host, port, path] = SFTP.exec(text) ?? [];
  if (host === undefined || path === undefined) return 'after sftp: come [user@]host[:port]: and a path from the root on';
  const number = port === undefined ? undefined : Number(port);
  if (number !== undefined && (number < 1 || number > 65_535)) return `${number} is no port`;
  if (DOTS.test(path)) return 'its path has . or .. in it';
  return { kind: 'sftp', user, host: host.replace(/^\[|\]$/g, ''), port: number, path };
}

/** Whether a place is another one, or a part of it, as far as their names tell. */
export function isWithinPlace(place: Location, other: Location): boolean {
  const [inner, outer] = [addressOf(place), addressOf(other)];
  return inner.store === outer.store && `${inner.path}/`.startsWith(`${outer.path}/`);
}

/** A path without a slash at its end, in a store that has one name. */
function addressOf(location: Location): { readonly store: string; readonly path: string } {
  const plain = (path: string) => posix.normalize(`/${path}`).replace(/\/$/, '');
  switch (location.kind) {
    case 'directory':
      return { store: '', path: plain(location.path) };
    case 's3':
      return { store: `s3 ${location.endpoint}/${location.bucket}`, path: plain(location.prefix) };
    case 'sftp':
      return { store: `sftp ${location.user ?? 'root'}@${location.host.toLowerCase()}:${location.port ?? 22}`, path: plain(location.path) };
    case 'rclone':
      return { store: `rclone ${location.remote}`, path: plain(location.path) };
  }
}

/** The folders of this program that are on a disk of this server. */
export function ownFolders({ repository, stateDirectory, copies }: OwnPlaces): string[] {
  const locations = [repository, ...copies.map((copy) => copy.repository)].map(parseLocation);
  return [...locations.flatMap((location) => (location.kind === 'directory' ? [location.path] : [])), stateDirectory];
}

interface OwnPlaces {
  readonly repository: string;
  readonly stateDirectory: string;
  readonly copies: readonly { readonly repository: string }[];
}
