import type { Place } from '../tools/tool.ts';

/** Where a tool that backs up databases works; the accounts have hardly a file. */
export interface DatabasePlace extends Place {
  readonly databases: readonly string[];
  readonly socket: string;
  /** An option file with the administrator's login and the socket. */
  readonly optionFile: string;
}
