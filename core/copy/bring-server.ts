import { Failure } from '../failure.ts';
import { machinePath, SERVER_FILE } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { machineIds, readAnnouncements, type SignedMachine } from '../repository/signatures/announcements.ts';
import { writeBytes } from '../repository/stored-document.ts';
import { remade } from './remade-documents.ts';

/**
 * Says in a copy that is a repository of its own whose it is and which keys sign there, before anything else is signed. Throws `server_contested` where
 * another machine went on as the server in the copy itself.
 */
export async function bringServer(source: Repository, target: Repository): Promise<void> {
  target.expectAll();
  const { backend, identity, server } = target;
  const [here, there] = [await machineIds(source.backend, server), await machineIds(backend, server)];
  const unknown = there.filter((id) => !here.includes(id));
  if (unknown.length > 0) requireOwn(unknown, (await readAnnouncements(backend, identity.id, server)).machines, source, target);
  const missing = here.filter((id) => !there.includes(id)).map(machinePath);
  if ((await target.objectSize(SERVER_FILE)) === undefined) missing.unshift(SERVER_FILE);
  for (const path of missing) {
    const bytes = await remade(path, { source, target }, () => undefined);
    await writeBytes(target.backend, target.nameOf(path), bytes);
  }
}

/** A prune of the copy may have said there first that this server has another key. */
function requireOwn(ids: readonly string[], machines: readonly SignedMachine[], source: Repository, target: Repository): void {
  const own = source.signatures.ownKey(source.server)?.publicKey.toString('base64');
  const strange = machines.find(({ record, signer }) => ids.includes(record.id) && signer !== own);
  if (strange === undefined) return;
  const { id, name } = strange.record;
  const message = `${target.backend.description} is no copy any more: the machine ${name} went on with backups there as this server`;
  throw new Failure('server_contested', message, {
    affected: [target.nameOf(machinePath(id))],
    advice: 'Name another place for the copy, which begins anew.',
  });
}
