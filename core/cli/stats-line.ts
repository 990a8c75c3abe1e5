import type { WireStats } from '../schemas/counted.ts';
import { formatBytes, formatCount } from './quantities.ts';

/** `12 requests to the repository (3 read, 9 list), 0 B sent, 1.2 MiB received` */
export function statsLine({ requests, byKind, bytesSent, bytesReceived }: WireStats): string {
  const kinds = Object.entries(byKind).flatMap(([kind, count]) => (count === 0 ? [] : [`${formatCount(count)} ${kind}`]));
  const detail = kinds.length === 0 ? '' : ` (${kinds.join(', ')})`;
  return `${formatCount(requests)} requests to the repository${detail}, ${formatBytes(bytesSent)} sent, ${formatBytes(bytesReceived)} received`;
}
