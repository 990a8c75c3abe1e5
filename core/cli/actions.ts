import type { MethodName } from '../schemas/messages.ts';

/** What the commands have done. */
export interface Actions {
  /** Carries out a method with the request that the arguments make. */
  perform(method: MethodName, request: Readonly<Record<string, unknown>>): Promise<void>;
  serveRpc(): Promise<void>;
}
