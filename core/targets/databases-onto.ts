import { type Databases, SERVICES } from '../databases/databases.ts';
import type { Engine } from '../databases/engine.ts';
import { Failure } from '../failure.ts';
import type { ByteString } from '../manifest/entry.ts';
import { iniValue } from '../panel/ini.ts';
import { pathBytes } from '../panel/unit.ts';

/** Where a snapshot has the panel's files about an account's services. */
const FOLDERS = ['info/current', 'info/cur'] as const;

/** Gives what a snapshot has at a path; undefined: no such file. */
type ReadThen = (path: ByteString) => Promise<Buffer | undefined>;

/**
 * What a database of a snapshot is called in another account: names begin with the prefix of their account, that of the snapshot is changed into the one
 * of now. Throws `database_refused` where one of them is not known, or the name has another beginning.
 */
export async function nameOnto(account: string, name: string, engine: Engine, readThen: ReadThen, databases: Databases): Promise<string> {
  const before = await prefixThen(engine, readThen);
  const now = databases.loginOf(engine, account)?.prefix;
  if (before !== undefined && now !== undefined && name.startsWith(before)) return now + name.slice(before.length);
  throw new Failure(
    'database_refused',
    `it cannot be told what ${name} is to be called in ${account}: not both prefixes are known, or it has another one`,
    {
      affected: [name],
      advice: 'Restore it alone, and say with --as how it is to be called.',
    },
  );
}

async function prefixThen(engine: Engine, readThen: ReadThen): Promise<string | undefined> {
  const service = SERVICES[engine];
  for (const folder of FOLDERS) {
    const text = await readThen(pathBytes(`${folder}/${service}`));
    if (text !== undefined) return iniValue(text.toString('utf8'), service, 'dbaseprefix');
  }
  return undefined;
}
