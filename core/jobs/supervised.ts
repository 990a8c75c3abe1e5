import type { Method, Methods } from '../commands/registry.ts';
import type { Context } from '../context/context.ts';
import { withPriority } from '../context/priority.ts';
import { askable } from '../context/progress-request.ts';
import { Failure } from '../failure.ts';
import type { NightlyRequest } from '../schemas/nightly.ts';
import type { RunRequest, RunResult } from '../schemas/run.ts';

/** The same methods, with a process of its own for what must come to its end whatever ends a process. */
export function supervised(methods: Methods): Methods {
  const run = known(methods, 'run');
  const nightly = known(methods, 'nightly');
  const backUp = supervisedRun(methods);
  return new Map([
    ...methods,
    ['run', { ...run, perform: (request, context) => backUp(request as RunRequest, context) }],
    [
      'nightly',
      {
        ...nightly,
        async perform(request, context) {
          const { nightlyWith } = await import('../commands/nightly.ts');
          return withPriority(nightlyWith(backUp))(request as NightlyRequest, context);
        },
      },
    ],
  ]);
}

/** A run with the work in a process of its own. */
export function supervisedRun(methods: Methods): (request: RunRequest, context: Context) => Promise<RunResult> {
  const run = known(methods, 'run');
  return async (request, context) => {
    const { superviseRun } = await import('./supervise-run.ts');
    const result = await askable(superviseRun)(request, context);
    if (result !== undefined) return result;
    const message = 'no second process could be started, so this one does the work: if it is ended, the remaining units get no backup';
    context.reporter.log({ level: 'warning', code: 'io_error', message });
    return run.perform(request, context) as Promise<RunResult>;
  };
}

function known(methods: Methods, name: string): Method {
  const method = methods.get(name);
  if (method === undefined) throw new Failure('internal', `there is no method ${name}`);
  return method;
}
