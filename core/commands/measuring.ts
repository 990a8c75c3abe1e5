import { notifyOf } from '../config/notify.ts';
import type { Context } from '../context/context.ts';
import { asFailure } from '../failure.ts';
import { roomOf } from '../monitor/check-destination.ts';
import { metricsText, writeMetrics } from '../notify/metrics.ts';
import { openRepository } from '../repository/open-repository.ts';
import type { StatusResult } from '../schemas/status.ts';
import { readNight } from '../timeline/last-night.ts';
import { status } from './status.ts';

/** Looks how the backups stand, and writes the metrics; does nothing where no file is set for them. */
export async function measureNow(context: Context): Promise<void> {
  if (notifyOf(context.settings).metrics === undefined) return;
  await measure(await status({}, context).catch(() => undefined), context);
}

/** Writes the metrics, where a file is set for them; `found` is undefined when the state could not be told. Never throws. */
export async function measure(found: StatusResult | undefined, context: Context): Promise<void> {
  const { settings, reporter } = context;
  const { metrics } = notifyOf(settings);
  if (metrics === undefined) return;
  try {
    const night = readNight(settings.stateDirectory);
    writeMetrics(metrics, metricsText({ status: found, night, lastRun: await lastRun(context), freeBytes: roomOfEach(settings) }));
  } catch (error) {
    const message = `the metrics could not be written to ${metrics}: ${asFailure(error).message}`;
    reporter.log({ level: 'warning', code: 'not_told', message, affected: [metrics] });
  }
}

/** The free room of each place that is a folder. */
function roomOfEach({ repository, copies }: Context['settings']): Map<string, number> {
  const rooms = [repository, ...copies.map((copy) => copy.repository)].map((place) => [place, roomOf(place)?.bytes] as const);
  return new Map(rooms.filter((room): room is [string, number] => room[1] !== undefined));
}

async function lastRun({ settings, now }: Context): Promise<{ finished: number; seconds: number } | undefined> {
  try {
    const repository = await openRepository(settings, 'read', () => {});
    for await (const { time, finished } of repository.runs.backFrom(now())) {
      const end = Date.parse(finished) / 1000;
      return { finished: end, seconds: Math.max(0, end - Date.parse(time) / 1000) };
    }
  } catch {
    // The status has said so.
  }
  return undefined;
}
