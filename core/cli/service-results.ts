import { printable } from '../context/printable.ts';
import type { AccountResult } from '../schemas/account.ts';
import type { DoctorResult } from '../schemas/doctor.ts';
import type { NightlyResult } from '../schemas/nightly.ts';
import type { StatusResult, UnitStatus } from '../schemas/status.ts';
import type { WatchResult } from '../schemas/watch.ts';
import { formatAge, formatBytes, formatCount } from './quantities.ts';
import { renderTable } from './table.ts';

export function renderNightly({ status, due, reason, nextDue, steps }: NightlyResult): string {
  const following = nextDue === null ? '' : ` The next one is due at ${nextDue}.`;
  if (!due) return `Nothing to do: ${printable(reason)}.${following}\n`;
  const lines = steps.map(({ step, status, message }) => `  ${step}: ${status}: ${printable(message)}\n`);
  return `${lines.join('')}Automatic backup: ${status}.${following}\n`;
}

export function renderWatch({ status, told, message, failed }: WatchResult): string {
  const lines = failed.map(({ way, reason }) => `  ${printable(`${way}: ${reason}`)}\n`);
  return `${lines.join('')}${told ? 'Told' : 'Not told'}: ${printable(message)}. Status: ${status}.\n`;
}

export function renderAccount({ status, message, snapshot, until, job }: AccountResult): string {
  const held = snapshot === null ? '' : ` The backup ${snapshot} is held until ${until}.`;
  return `${printable(message)}${job === null ? '' : `: ${job}`}.${held} Status: ${status}.\n`;
}

function unitRow({
  unit,
  formerDomains,
  level,
  age,
  overdue,
  complete,
  snapshot,
  chainLength,
  bytes,
  chainBytes,
  verified,
  living,
  copies,
}: UnitStatus): string[] {
  const states = [
    snapshot === null ? 'none' : complete ? 'complete' : 'incomplete',
    ...(overdue ? ['overdue'] : []),
    ...(living ? [] : ['vanished']),
  ];
  const numbers = [formatCount(chainLength), formatBytes(bytes), formatBytes(chainBytes)];
  const before = formerDomains.length === 0 ? '' : ` (formerly ${printable(formerDomains.join(', '))})`;
  return [
    `${unit}${before}`,
    states.join(', '),
    level ?? '',
    age === null ? '' : formatAge(age),
    ...numbers,
    verified === null ? 'never' : verified.slice(0, 10),
    ...(copies.length === 0 ? [] : [copies.map(copyText).join(', ')]),
  ];
}

function copyText({ name, snapshot, newest, overdue, damaged }: UnitStatus['copies'][number]): string {
  const states = [
    snapshot === null ? 'none' : newest ? undefined : 'older',
    overdue ? 'overdue' : undefined,
    damaged ? 'damaged' : undefined,
  ].filter((state) => state !== undefined);
  return `${name}: ${states.length === 0 ? 'ok' : states.join(', ')}`;
}

export function renderStatus({ status, automatic, coverage, problems, units }: StatusResult): string {
  const columns = [
    { title: 'UNIT' },
    { title: 'LAST BACKUP' },
    { title: 'LEVEL' },
    { title: 'AGE', right: true },
    { title: 'CHAIN', right: true },
    { title: 'SIZE', right: true },
    { title: 'STORED', right: true },
    { title: 'VERIFIED' },
    ...(units.some(({ copies }) => copies.length > 0) ? [{ title: 'COPIES' }] : []),
  ];
  const lines = problems.map(({ unit, message, advice, code, since }) => {
    const place = unit === null ? '' : `${unit}: `;
    const text = since === null ? '' : `, since ${since}`;
    return `${printable(`${place}${message}`)} (${code}${text})\n  ${printable(advice)}\n`;
  });
  const when = automatic.enabled ? `every day at ${automatic.timeOfDay}, next ${automatic.nextDue}` : 'off';
  const counted = `${formatCount(coverage.living)} units, ${formatCount(coverage.withoutBackup.length)} without a backup, ${formatCount(coverage.vanished.length)} vanished`;
  return `${renderTable(columns, units.map(unitRow))}${lines.join('')}Automatic backups: ${when}.\nStatus: ${status}. ${counted}.\n`;
}

const SIGNS = { ok: 'ok', warning: 'WARNING', problem: 'PROBLEM' } as const;

export function renderDoctor({ status, checks }: DoctorResult): string {
  const lines = checks.map(({ check, result, message, advice }) => {
    const help = advice === null ? '' : `\n         ${printable(advice)}`;
    return `${SIGNS[result].padEnd(8)} ${check}: ${printable(message)}${help}\n`;
  });
  return `${lines.join('')}Doctor: ${status}.\n`;
}
