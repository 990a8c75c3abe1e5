/** A part of a database that a dump does not have, because it cannot be dumped. */
export interface LeftOut {
  /**
   * `rows`: of a table that the dump has without them; `position`: of a sequence. Of the last five there is no name: all of the database.
   */
  readonly kind: 'table' | 'view' | 'rows' | 'position' | 'triggers' | 'routines' | 'events' | 'largeObjects' | 'history';
  /** As its server writes it where it has to be unambiguous: PostgreSQL's with its schema. */
  readonly name: string;
  /** In words. */
  readonly reason: string;
}

const WORDS: Readonly<Record<string, string>> = {
  table: 'the table ',
  view: 'the view ',
  rows: 'the rows of ',
  position: 'the position of the sequence ',
  triggers: 'the triggers',
  routines: 'the functions and procedures',
  events: 'the events',
  largeObjects: 'the large objects',
  history: 'the rows that tables had before',
};

/** Such as `the table posts`. Of a kind that a later version has recorded its own word. */
export function wordsOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return (WORDS[kind] ?? `${kind} `) + name;
}

/** Whether two are the same part of a database. */
export function isSamePart(a: LeftOut, b: LeftOut): boolean {
  return a.kind === b.kind && a.name === b.name;
}

/** One line for each, with its reason. */
export function partsInWords(parts: readonly { readonly kind: string; readonly name: string; readonly reason: string }[]): string[] {
  return parts.map((part) => `${wordsOf(part)} could not be dumped: ${part.reason}`);
}

/** A record takes no more of one database: an account can have any number of broken views. */
const MOST_RECORDED = 200;
const LONGEST_REASON = 500;

/** What a record says of them: tables before views. */
export function recordedParts(parts: readonly LeftOut[]): LeftOut[] {
  const inOrder = [...parts.filter(({ kind }) => kind !== 'view'), ...parts.filter(({ kind }) => kind === 'view')];
  return inOrder.slice(0, MOST_RECORDED).map((part) => ({ ...part, reason: part.reason.slice(0, LONGEST_REASON) }));
}
