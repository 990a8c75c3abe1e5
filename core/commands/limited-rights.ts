import type { Method, Methods } from './registry.ts';

/** What tells or changes a setting needs no system calls of ours, and starts without them. */
const LIGHT: ReadonlySet<string> = new Set(['version', 'settings.get', 'settings.set']);

/** The same methods; before the first that does any work the process gives up for good what none of them needs. */
export function withLimitedRights(methods: Methods): Methods {
  let isLimited = false;
  const limited = (method: Method): Method => ({
    ...method,
    async perform(request, context) {
      if (!isLimited) (await import('../linux/process-rights.ts')).limitRights();
      isLimited = true;
      return method.perform(request, context);
    },
  });
  return new Map([...methods].map(([name, method]) => [name, LIGHT.has(name) ? method : limited(method)]));
}
