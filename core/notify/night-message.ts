import type { Message } from './message.ts';
import { type NightOutcome, type NightReport, outcomeOf } from './night-report.ts';
import { longAgo, nightText } from './night-text.ts';
import { oneLine } from './plain-text.ts';
import { groupProblems, type ProblemGroup } from './problem-groups.ts';

const LONGEST_SUBJECT = 150;
const MOST_RECOVERED = 50;
const LONGEST_STEP = 600;

/** What is told of a night; of bounded length, whatever happened to however many accounts. */
export function nightMessage(report: NightReport): Message {
  const outcome = outcomeOf(report);
  const groups = groupProblems(report.problems, report.domains);
  const bounded: NightReport = {
    ...report,
    steps: report.steps.map((step) => ({ ...step, message: oneLine(step.message, LONGEST_STEP) })),
    recovered: report.recovered.slice(0, MOST_RECOVERED),
  };
  const subject = oneLine(`${report.server}: ${headline(outcome, report)}`, LONGEST_SUBJECT);
  return {
    id: `msg_${report.event.replaceAll(/[^A-Za-z0-9]/g, '')}`,
    type: `backup.${outcome}`,
    time: report.time,
    isUrgent: outcome === 'failed' || outcome === 'damaged' || outcome === 'missed',
    subject,
    text: nightText(bounded, groups, report.recovered.length),
    short: shortText(subject, groups, report.time),
    data: {
      server: report.server,
      outcome,
      began: report.began,
      steps: bounded.steps,
      problemCount: report.problems.length,
      problems: groups.shown,
      recoveredCount: report.recovered.length,
      recovered: bounded.recovered,
    },
  };
}

function headline(outcome: NightOutcome, { problems }: NightReport): string {
  const units = new Set(problems.map(({ unit }) => unit).filter((unit) => unit !== null)).size;
  switch (outcome) {
    case 'damaged':
      return 'stored backups are damaged';
    case 'missed':
      return 'a backup that was due was not made';
    case 'failed':
      return 'the backup failed';
    case 'partial':
      return units === 0 ? 'backups need attention' : `backups of ${units === 1 ? 'one account' : `${units} accounts`} need attention`;
    case 'recovered':
      return 'backups are in order again';
    case 'ok':
      return 'all backups are in order';
  }
}

/** What a telephone shows. */
function shortText(subject: string, { shown, left }: { shown: readonly ProblemGroup[]; left: number }, time: string): string {
  const lines = shown.slice(0, 3).map(({ who, message, since }) => {
    return oneLine(`${who === '' ? '' : `${who}: `}${message}${since === null ? '' : `, ${longAgo(since, time)}`}`, 200);
  });
  const more = Math.max(0, shown.length - 3) + left;
  return [...(lines.length === 0 ? [subject] : lines), ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}
