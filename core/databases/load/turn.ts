/** What a restore knows of the others on its server. Those of several units go on at the same time. */
export interface RestoreTurn {
  /** Whose databases are restored; no other process restores any of its. */
  readonly unit: string;
  /** Milliseconds that one statement of a dump may take, or a piece of its rows. */
  readonly statementLimit: number;
  /** Whether another process restores databases of a unit now: what lies about of that one is not left over. */
  isUnderWay(unit: string): boolean;
  /** Does what no two restores of the server may do at once. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}
