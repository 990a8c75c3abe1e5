import { copyNamed, settingsOfCopy } from '../config/copies.ts';
import type { Settings } from '../config/settings.ts';
import { checkRecipientsOf } from '../copy/copy-keys.ts';
import { readCopyState } from '../copy/copy-state.ts';
import { copyProblem } from '../copy/open-copy.ts';
import { asFailure } from '../failure.ts';
import { openStore } from '../repository/backends/open-store.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { Repository } from '../repository/repository.ts';
import { copyStateFolder, repositoryStateFolder } from '../repository/state-directory.ts';
import type { Check } from '../schemas/doctor.ts';
import { checkWriting } from './check-writing.ts';
import { ok, problem } from './checks.ts';

/** Whether each copy can be reached and written to, and is one of this repository, which is undefined where it cannot be opened. */
export function checkCopies(settings: Settings, source: Repository | undefined): Promise<Check[]> {
  return Promise.all(settings.copies.map(({ name }) => checkCopy(name, settings, source)));
}

async function checkCopy(name: string, settings: Settings, source: Repository | undefined): Promise<Check> {
  const ofCopy = settingsOfCopy(name, settings);
  const named = `the copy ${name}`;
  try {
    const { recipients } = copyNamed(name, settings);
    if (recipients !== undefined && source !== undefined) await checkRecipientsOf(name, recipients, source);
    const occupation = await (await openStore(ofCopy)).inspect();
    if (occupation !== 'occupied') {
      const what = occupation === 'absent' ? `there is nothing at ${ofCopy.repository}` : `${ofCopy.repository} is empty`;
      return wasMade(name, settings, source)
        ? problem(
            'copy',
            `${named}: ${what}, and it was made before`,
            'Mount what it is on; where it is lost, the next copy makes it anew.',
          )
        : ok('copy', `${named}: ${what}; the first copy makes it`);
    }
    const copy = await openRepository(ofCopy, 'read', () => {});
    const foreign = source === undefined ? undefined : await copyProblem(name, settings, source, copy.place);
    if (foreign !== undefined) return problem('copy', `${named}: ${foreign.message}`, 'Name an empty place for it in `copies`.');
    const found = await checkWriting('copy', ofCopy.repository, copy.backend, source);
    return { ...found, message: `${named}: ${found.message}` };
  } catch (error) {
    const { message, advice } = asFailure(error);
    return problem('copy', `${named}: ${message}`, advice ?? 'Mount what it is on, or correct it in `copies`.');
  }
}

function wasMade(name: string, { stateDirectory }: Settings, source: Repository | undefined): boolean {
  if (source === undefined) return false;
  return readCopyState(copyStateFolder(repositoryStateFolder(stateDirectory, source.identity.id), name))?.lastGood != null;
}
