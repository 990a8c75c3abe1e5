import type { Method, Methods } from '../commands/registry.ts';
import { askable } from '../context/progress-request.ts';
import type { RunRequest } from '../schemas/run.ts';

/** The same methods, with a process of its own for what must come to its end whatever ends a process. */
export function supervised(methods: Methods): Methods {
  const run = methods.get('run') as Method;
  return new Map([
    ...methods,
    [
      'run',
      {
        ...run,
        async perform(request, context) {
          const { superviseRun } = await import('./supervise-run.ts');
          const result = await askable(superviseRun)(request as RunRequest, context);
          if (result !== undefined) return result;
          const message =
            'no second process could be started, so this one does the work: if it is ended, the remaining units get no backup';
          context.reporter.log({ level: 'warning', code: 'io_error', message });
          return run.perform(request, context);
        },
      },
    ],
  ]);
}
