import { printable } from '../context/printable.ts';
import type { AdoptResult } from '../schemas/adopt.ts';
import type { ForgetResult } from '../schemas/forget.ts';
import type { JoinResult } from '../schemas/join.ts';
import type { ServersResult } from '../schemas/servers.ts';
import { formatCount } from './quantities.ts';
import { renderTable } from './table.ts';

/** Enough of a digest to see that two are not the same. */
const SHORT_DIGEST = 12;

export function renderServers({ servers }: ServersResult): string {
  if (servers.length === 0) return 'No servers.\n';
  const columns = [
    { title: 'NAME' },
    { title: 'ID' },
    { title: 'FIRST RUN' },
    { title: 'LAST RUN' },
    { title: 'UNITS', right: true },
    { title: 'MACHINE' },
    { title: 'KEYS' },
    { title: '' },
  ];
  const rows = servers.map((server) => [
    printable(server.name),
    server.server,
    server.firstRun ?? '',
    server.lastRun ?? '',
    formatCount(server.units),
    server.machine.slice(0, SHORT_DIGEST),
    server.keys.map(({ fingerprint, known }) => `${fingerprint}${known ? '' : ' (not known here)'}`).join(', '),
    server.here ? 'this machine' : '',
  ]);
  return renderTable(columns, rows);
}

export function renderAdopt({ server, name }: AdoptResult): string {
  return `This machine continues as the server ${server}, until now ${printable(name)}.\n`;
}

export function renderJoin({ unit, unitId, joined }: JoinResult): string {
  return unitId === joined ? `${unit} goes on as ${joined}.\n` : `The backups of ${joined} now also belong to ${unit} (${unitId}).\n`;
}

export function renderForget({ unit, unitId, snapshots }: ForgetResult): string {
  return `${unit} (${unitId}) is no longer expected on this server. Its ${formatCount(snapshots)} snapshots stay as long as the rules of retention keep them.\n`;
}
