import { setTimeout as wait } from 'node:timers/promises';
import type { WebPlace } from './web-place.ts';

/** How long somebody is waited for, and how often something is tried. */
export interface Patience {
  /** Milliseconds for one answer. */
  readonly answer: number;
  /** Milliseconds before each further try. */
  readonly again: readonly number[];
}

export const PATIENCE: Patience = { answer: 10_000, again: [1000, 4000] };

/** Answers with which the same request may succeed a moment later. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

/** What is sent; anew for each try, which may carry its time. */
export type MakeRequest = () => { readonly method: 'GET' | 'POST'; readonly headers: Record<string, string>; readonly body?: string };

/**
 * Sends a request until an answer says that it was taken, at most as often as `patience` allows. Follows no redirect, and reads nothing of
 * what is answered. Throws an `Error` that names the server and no more of its address.
 */
export async function askWeb(place: WebPlace, makeRequest: MakeRequest, signal: AbortSignal, patience: Patience): Promise<void> {
  for (let tried = 0; ; tried++) {
    const problem = await askOnce(place, makeRequest, signal, patience.answer);
    if (problem === undefined) return;
    const pause = patience.again[tried];
    if (!problem.passes || pause === undefined || signal.aborted) throw new Error(`${place.shown} ${problem.reason}`);
    await wait(pause, undefined, { signal }).catch(() => {});
  }
}

interface Refusal {
  readonly reason: string;
  readonly passes: boolean;
}

async function askOnce(
  { url }: WebPlace,
  makeRequest: MakeRequest,
  signal: AbortSignal,
  milliseconds: number,
): Promise<Refusal | undefined> {
  const limit = AbortSignal.timeout(milliseconds);
  try {
    const answer = await fetch(url, { ...makeRequest(), redirect: 'manual', signal: AbortSignal.any([limit, signal]) });
    void answer.body?.cancel().catch(() => {});
    if (answer.ok) return undefined;
    if (answer.status >= 300 && answer.status < 400)
      return { reason: `answers with ${answer.status}, a redirect, which is not followed`, passes: false };
    return { reason: `answers with ${answer.status}`, passes: answer.status >= 500 || PASSING.has(answer.status) };
  } catch (error) {
    if (signal.aborted) return { reason: 'was not waited for, because the program was stopped', passes: false };
    if (limit.aborted) return { reason: `gave no answer within ${milliseconds / 1000} s`, passes: true };
    // The message of fetch can hold the whole address.
    const code = (error as { cause?: { code?: unknown } }).cause?.code;
    return { reason: `cannot be reached${typeof code === 'string' ? ` (${code})` : ''}`, passes: true };
  }
}
