import { Failure } from '../../failure.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { parentPath } from '../../manifest/paths.ts';
import { toWirePath } from '../../manifest/wire-path.ts';

/** The tree of an account that people forget to name: what they see as `/var/www` is `shadow/var/www` in the backup. */
const FORGOTTEN: ByteString = 'shadow';

const shown = (path: ByteString): string => toWirePath(path).path;

/**
 * Says that paths are not there, each by its name, with the nearest that is: the same below `shadow`, or the last folder of the
 * path that there is. `sentence` begins what is said, such as "no snapshot has"; `has` tells of any path whether it is there.
 */
export function unknownPath(sentence: string, paths: readonly ByteString[], has: (path: ByteString) => boolean): Failure {
  const list = paths.map(shown).join(', ');
  return new Failure('path_unknown', `${sentence} ${list}`, {
    affected: paths.map(shown),
    advice: adviceFor(paths[0] as ByteString, has),
  });
}

function adviceFor(path: ByteString, has: (path: ByteString) => boolean): string {
  const below = `${FORGOTTEN}/${path.replace(/^fst\//, '')}`;
  if (has(below)) return `Did you mean ${shown(below)}?`;
  for (let above = parentPath(path); above !== ''; above = parentPath(above)) {
    if (has(above)) return `There is ${shown(above)}: list it with \`ls\`, or look for the name in all snapshots with \`find\`.`;
  }
  return 'Paths begin as `ls` without a folder shows them, such as shadow/var/www. Look for a name in all snapshots with `find`.';
}
