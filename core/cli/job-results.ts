import { printable } from '../context/printable.ts';
import type { JobResult, JobsResult, JobView, LogResult, StartResult } from '../schemas/jobs.ts';
import type { MethodName } from '../schemas/messages.ts';
import { renderTable } from './table.ts';

/** Result of a method as text. */
type Render = (method: MethodName, result: unknown, isFirst: boolean) => string;

function unitsText({ units }: JobView): string {
  const [first, ...others] = units;
  if (first === undefined) return 'everything';
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

function stateText({ state, cancelling }: JobView): string {
  return cancelling ? `${state}, stopping` : state;
}

function askedBy({ role, site, user }: JobView): string {
  return [role, site, user].filter((word) => word !== null).join(' ');
}

export function renderJobs({ jobs }: JobsResult, isFirst: boolean): string {
  if (jobs.length === 0) return isFirst ? 'No jobs.\n' : '';
  const columns = [{ title: 'JOB' }, { title: 'STATE' }, { title: 'WHAT' }, { title: 'OF' }, { title: 'ASKED BY' }, { title: 'ENDED' }];
  return renderTable(
    columns,
    jobs.map((view) => [view.job, stateText(view), view.method, unitsText(view), printable(askedBy(view)), view.ended ?? '']),
  );
}

export function renderJobView(view: JobView): string {
  const { job, method, created, begun, ended, error } = view;
  const lines = [
    `${method} of ${unitsText(view)}: ${stateText(view)}`,
    `job ${job}, asked for by ${askedBy(view)} at ${created}`,
    ...(begun === null ? [] : [`begun at ${begun}`]),
    ...(ended === null ? [] : [`ended at ${ended}`]),
    ...(error === null ? [] : [`error: ${error.message} (${error.code})`, ...(error.advice === null ? [] : [error.advice])]),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

export function renderJob({ request: _, progress, result, ...view }: JobResult, render: Render): string {
  const shown = renderJobView(view);
  if (result !== null) return `${shown}${render(view.method, result, true)}`;
  if (progress === null) return shown;
  const { phase, unit, entries } = progress as { phase: string; unit: string; entries: number };
  return `${shown}${printable(`${unit}: ${phase}, ${entries} entries`)}\n`;
}

export function renderStart({ job, joined, state }: StartResult): string {
  const head = joined ? `The same was asked for already: job ${job}, ${state}.` : `Job ${job}.`;
  return `${head} See \`apiscp-backup job ${job}\`.\n`;
}

export function renderLog({ events }: LogResult): string {
  return events.map(({ time, level, message }) => `${time} ${level === 'info' ? '' : `${level}: `}${printable(message)}\n`).join('');
}
