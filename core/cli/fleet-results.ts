import { printable } from '../context/printable.ts';
import type { FleetServer, FleetStatusResult } from '../schemas/fleet.ts';
import { formatAge, formatBytes, formatCount } from './quantities.ts';
import { renderTable } from './table.ts';

const COLUMNS = [
  { title: 'SERVER' },
  { title: 'STATUS' },
  { title: 'LAST RUN', right: true },
  { title: 'OLDEST', right: true },
  { title: 'UNITS', right: true },
  { title: 'FAILED', right: true },
  { title: 'OVERDUE', right: true },
  { title: 'SIZE', right: true },
  { title: 'STORED', right: true },
  { title: 'VERIFIED' },
];

/** Problems of one server that people see; `--json` has more. */
const SHOWN = 10;

function verifiedText({ verified }: FleetServer): string {
  if (verified === null) return '';
  return verified.damaged.length > 0 ? 'DAMAGED' : verified.oldest === null ? 'not all' : verified.oldest.slice(0, 10);
}

function problemLines({ name, server, error, problems, problemCount, keys }: FleetServer): string[] {
  const place = `${name} (${server})`;
  const shown = problems.slice(0, SHOWN);
  const lines = shown.map(({ unit, message, code }) => `${place}${unit === null ? '' : `: ${unit}`}: ${message} (${code})`);
  if (error !== null) lines.push(`${place}: ${error.message} (${error.code})`);
  if (problemCount > shown.length) lines.push(`${place}: and ${formatCount(problemCount - shown.length)} more`);
  const unknown = keys.filter(({ known }) => !known);
  if (unknown.length > 0) lines.push(`${place}: met first; signs with ${unknown.map(({ fingerprint }) => fingerprint).join(' and ')}`);
  return lines.map((line) => `${printable(line)}\n`);
}

export function renderFleetStatus({ status, time, repository, servers }: FleetStatusResult): string {
  const age = (date: string | null): string => (date === null ? '' : formatAge(Math.max(0, (Date.parse(time) - Date.parse(date)) / 1000)));
  const isShared = ({ name, server }: FleetServer): boolean => servers.some((other) => other.name === name && other.server !== server);
  const rows = servers.map((server) => [
    printable(isShared(server) ? `${server.name} (${server.server})` : server.name),
    server.status,
    age(server.lastRun),
    age(server.oldest),
    formatCount(server.units),
    formatCount(server.failed),
    formatCount(server.overdue),
    server.size === null ? '' : formatBytes(server.size),
    server.stored === null ? '' : formatBytes(server.stored),
    verifiedText(server),
  ]);
  const counted = (wanted: FleetServer['status']): number => servers.filter((server) => server.status === wanted).length;
  const bad = (['partial', 'damaged', 'failed'] as const).map((each) => `${formatCount(counted(each))} ${each}`).join(', ');
  const table = servers.length === 0 ? '' : renderTable(COLUMNS, rows);
  const units = servers.reduce((sum, server) => sum + server.units, 0);
  const end = `Fleet: ${status}. ${formatCount(servers.length)} servers, ${formatCount(units)} units in ${printable(repository)}; ${bad}.\n`;
  return `${table}${servers.flatMap(problemLines).join('')}${end}`;
}
