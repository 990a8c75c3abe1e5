import { notifyOf } from '../config/notify.ts';
import type { Context } from '../context/context.ts';
import { trustAuthoritiesOf } from '../linux/authorities.ts';
import { sendByArgos } from './argos.ts';
import { PATIENCE, type Patience } from './ask-web.ts';
import { type Beat, beat } from './heartbeat.ts';
import { sendMail } from './mail.ts';
import type { Message } from './message.ts';
import { oneLine } from './plain-text.ts';
import { postWebhook } from './webhook.ts';

/** Milliseconds for sendmail, or for the panel to send something. */
const PROGRAM_PATIENCE = 60_000;
const LONGEST_REASON = 500;

export type TellingContext = Pick<Context, 'settings' | 'reporter' | 'signal' | 'now'>;

/** What became of telling. */
export interface Delivered {
  /** How many ways there are. */
  readonly ways: number;
  /** What kept each way from working, by its name. */
  readonly failed: ReadonlyMap<string, string>;
}

type Way = readonly [name: string, deliver: () => Promise<void>];

/** Tells a message by every way that is set, all at once. Never throws: what fails is named, and logged. */
export async function deliver(message: Message, context: TellingContext, patience: Patience = PATIENCE): Promise<Delivered> {
  const { settings, signal, now } = context;
  const { mail, argos, webhooks = [] } = notifyOf(settings);
  const { systemRoot } = settings;
  const watch = { timeLimit: PROGRAM_PATIENCE, signal };
  const ways: Way[] = [];
  if (mail !== false) ways.push(['mail', () => sendMail(mail, message, systemRoot, watch)]);
  if (argos) ways.push(['argos', () => sendByArgos(message, systemRoot, watch)]);
  for (const [index, webhook] of webhooks.entries())
    ways.push([`webhook ${index + 1}`, () => postWebhook(webhook, message, signal, patience, now)]);
  return tryAll(ways, context);
}

const HEARTBEAT = 'heartbeat ';

/** Whether this is the name of a heartbeat, among those of all ways. */
export function isHeartbeat(way: string): boolean {
  return way.startsWith(HEARTBEAT);
}

/** Tells the services that wait for it what becomes of a night. Never throws. */
export async function heartbeat(which: Beat, context: TellingContext, patience: Patience = PATIENCE): Promise<Delivered> {
  const { heartbeats = [] } = notifyOf(context.settings);
  const ways = heartbeats.flatMap((each, index): Way[] =>
    each[which] === undefined ? [] : [[`${HEARTBEAT}${index + 1}`, () => beat(each, which, context.signal, patience)]],
  );
  return tryAll(ways, context);
}

async function tryAll(ways: readonly Way[], { settings, reporter }: TellingContext): Promise<Delivered> {
  const failed = new Map<string, string>();
  if (ways.length > 0) await trustAuthoritiesOf(settings.systemRoot);
  await Promise.all(
    ways.map(async ([name, attempt]) => {
      try {
        await attempt();
      } catch (error) {
        const reason = oneLine((error as Error).message, LONGEST_REASON);
        failed.set(name, reason);
        reporter.log({ level: 'warning', code: 'not_told', message: `${name}: nobody could be told: ${reason}` });
      }
    }),
  );
  return { ways: ways.length, failed };
}
