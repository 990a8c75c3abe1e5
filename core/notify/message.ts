/** What is told, in every form that a channel may want. Nothing in it is a secret, and every text is of bounded length. */
export interface Message {
  /** The same for every try to deliver it. */
  readonly id: string;
  /** For programs: `backup.failed` and the like. */
  readonly type: string;
  /** RFC 3339 UTC. */
  readonly time: string;
  /** Whether somebody should look at it soon. */
  readonly isUrgent: boolean;
  /** One line. */
  readonly subject: string;
  /** Lines for people. */
  readonly text: string;
  /** A few lines, for a telephone. */
  readonly short: string;
  /** For programs: what becomes the `data` of a webhook. */
  readonly data: object;
}
