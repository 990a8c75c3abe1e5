/** What a request is about. */
export const REQUEST_KINDS = ['read', 'size', 'list', 'write', 'remove', 'other'] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/** Numbers of requests by kind, and bytes of objects. */
export interface Stats {
  readonly requests: number;
  readonly byKind: Readonly<Record<RequestKind, number>>;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** What was asked of the place of a repository, attempts that failed included. */
export class Traffic {
  readonly #byKind: Record<RequestKind, number> = { read: 0, size: 0, list: 0, write: 0, remove: 0, other: 0 };
  #sent = 0;
  #received = 0;

  count(kind: RequestKind): void {
    this.#byKind[kind]++;
  }

  sent(bytes: number): void {
    this.#sent += bytes;
  }

  received(bytes: number): void {
    this.#received += bytes;
  }

  /** What another thread counted. */
  add({ byKind, bytesSent, bytesReceived }: Stats): void {
    for (const kind of REQUEST_KINDS) this.#byKind[kind] += byKind[kind];
    this.#sent += bytesSent;
    this.#received += bytesReceived;
  }

  get stats(): Stats {
    const requests = REQUEST_KINDS.reduce((sum, kind) => sum + this.#byKind[kind], 0);
    return { requests, byKind: { ...this.#byKind }, bytesSent: this.#sent, bytesReceived: this.#received };
  }
}
