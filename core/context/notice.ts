/** Something that the operator should know and that does not stop the operation. */
export interface Notice {
  readonly level: 'info' | 'warning' | 'error';
  /** A `FailureCode`, or a word that names the event. */
  readonly code: string;
  readonly message: string;
  readonly affected?: readonly string[];
}

export type Notify = (notice: Notice) => void;
