/** Folder in which objects stand until they are whole; its name can be no object's. */
export const INCOMING = '.incoming';
/** What tells whether a place can be written to; it is removed at once. */
export const TRIAL_FILE = 'trial';

/** How deep a server's folder is: what it writes stands below that until it is whole, apart from what others write. */
const OWNER_DEPTH = 2;

/** The components of the folder in which an object is written, from the repository on. */
export function incomingOf(components: readonly string[]): string[] {
  return [...(components.length > OWNER_DEPTH ? components.slice(0, OWNER_DEPTH) : []), INCOMING];
}

/** What may stand in an otherwise empty place: our own folder of unfinished objects, and what mkfs puts into a new disk. */
const NOT_CONTENTS = new Set<string>([INCOMING, 'lost+found']);

/** Whether a name in the folder of a repository says that there is something. */
export function isContents(name: string): boolean {
  return !NOT_CONTENTS.has(name);
}
