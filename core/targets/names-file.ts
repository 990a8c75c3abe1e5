import type { ByteString } from '../manifest/entry.ts';

/** The ids in a file like /etc/passwd or /etc/group (passwd(5), group(5)) by their names; the first line of a name counts, as for the C library. */
export function idsByName(file: Buffer): Map<ByteString, number> {
  const ids = new Map<ByteString, number>();
  for (const line of file.toString('latin1').split('\n')) {
    const [name = '', , id = ''] = line.split(':');
    if (name !== '' && /^\d{1,10}$/.test(id) && !ids.has(name)) ids.set(name, Number(id));
  }
  return ids;
}
