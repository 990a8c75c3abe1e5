import { readdirSync, readFileSync } from 'node:fs';
import { execa } from 'execa';

/** Of each thread of a process its nice value and what ionice(1) says, such as `10 best-effort: prio 7`. */
export async function threadPriorities(pid: number): Promise<string[]> {
  const threads = readdirSync(`/proc/${pid}/task`);
  return Promise.all(
    threads.map(async (thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      // The name in parentheses may hold anything; nice is the 17th field behind it.
      const nice = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16];
      return `${nice} ${(await execa('ionice', ['-p', thread])).stdout}`;
    }),
  );
}
