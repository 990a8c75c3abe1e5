import type { Context } from '../context/context.ts';
import { openRepository } from '../repository/open-repository.ts';
import { initRepository, openBackend } from '../repository/place.ts';
import type { InitRequest, InitResult } from '../schemas/init.ts';

/** Makes the repository that the settings name, or finds it, and gives this server its folder there. */
export async function init(request: InitRequest, { settings, reporter }: Context): Promise<InitResult> {
  const { created } = await initRepository(openBackend(settings.repository));
  const { identity, server } = await openRepository(settings, 'write', (notice) => reporter.log(notice), { isNew: request.newServer });
  return { status: 'ok', repository: settings.repository, id: identity.id, server, created };
}
