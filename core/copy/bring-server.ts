import { Failure } from '../failure.ts';
import { machinePath, SERVER_FILE } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { machineIds } from '../repository/signatures/announcements.ts';
import { writeBytes } from '../repository/stored-document.ts';
import { remade } from './remade-documents.ts';

/**
 * Says in a copy that is a repository of its own whose it is and which keys sign there, before anything else is signed. Throws `server_contested` where
 * another machine went on as the server in the copy itself.
 */
export async function bringServer(source: Repository, target: Repository): Promise<void> {
  target.expectAll();
  const [here, there] = [await machineIds(source.backend, source.server), await machineIds(target.backend, target.server)];
  const strange = there.find((id) => !here.includes(id));
  if (strange !== undefined) {
    const message = `${target.backend.description} is no copy any more: a machine went on with backups there as this server (${strange})`;
    throw new Failure('server_contested', message, {
      affected: [target.nameOf(machinePath(strange))],
      advice: 'Name another place for the copy, which begins anew.',
    });
  }
  const missing = here.filter((id) => !there.includes(id)).map(machinePath);
  if ((await target.objectSize(SERVER_FILE)) === undefined) missing.unshift(SERVER_FILE);
  for (const path of missing) {
    const bytes = await remade(path, { source, target }, () => undefined);
    await writeBytes(target.backend, target.nameOf(path), bytes);
  }
}
