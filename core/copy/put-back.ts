import { keptNames, keptObject } from '../repository/kept-objects.ts';
import type { Place } from '../repository/opened-place.ts';
import { writeBytes } from '../repository/stored-document.ts';

/** Puts back what a copy said itself (its keys, what it deleted) and somebody cut or took away: by the copies in the state directory. Told. */
export async function putBackKept({ backend, stateFolder, notify }: Place, server: string): Promise<void> {
  for (const name of keptNames(stateFolder, server)) {
    const bytes = keptObject(stateFolder, name);
    if (bytes === undefined || (await backend.size(name)) === bytes.length) continue;
    await writeBytes(backend, name, bytes, 'replacing');
    const message = `${name} was damaged or missing in the copy ${backend.description}, and was put back`;
    notify({ level: 'warning', code: 'mended', message, affected: [name] });
  }
}
