import { readdirSync, readFileSync } from 'node:fs';

/** The processes that one started, and still has. */
export function childrenOf(pid: number | undefined): number[] {
  const lists = readdirSync(`/proc/${pid}/task`).map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'));
  return lists.flatMap((list) => list.split(' ').filter((each) => each !== '')).map(Number);
}

/** Whether there is a process of this id that has not ended. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
