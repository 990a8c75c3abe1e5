import type { Meeting, Watch } from './change.ts';

let present: Watch | undefined;
let inside = false;
let calls = 0;

/** Whether a call of now is to be met: what the watch itself does is not. */
export function isWatched(): boolean {
  return present !== undefined && !inside;
}

function quietly(action: () => void): void {
  inside = true;
  try {
    action();
  } finally {
    inside = false;
  }
}

/** Passes on to whoever watches now. */
export const MEETING: Meeting = {
  before: (call) => {
    const nth = ++calls;
    quietly(() => present?.before(nth, call));
    return nth;
  },
  after: (nth, changes) => quietly(() => present?.after(nth, changes)),
};

/** Watches the changing calls of an action. */
export async function watching<T>(watch: Watch, action: () => Promise<T>): Promise<T> {
  present = watch;
  calls = 0;
  try {
    return await action();
  } finally {
    present = undefined;
  }
}
