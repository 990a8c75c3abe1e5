import { createHmac } from 'node:crypto';
import { readPrivateFile } from '../config/private-file.ts';
import { Failure } from '../failure.ts';
import { PROGRAM } from '../version.ts';
import { askWeb, type Patience } from './ask-web.ts';
import type { Message } from './message.ts';
import { webPlace } from './web-place.ts';

export interface WebhookSetting {
  readonly url: string;
  readonly key?: string;
}

const PREFIX = 'whsec_';
/** In bytes; what Standard Webhooks asks for. */
const SHORTEST_KEY = 24;

/** The key in a file, `whsec_` and base64. Throws `invalid_settings`. */
export function webhookKey(file: string): Buffer {
  const text = readPrivateFile(file);
  const key = text.startsWith(PREFIX) ? Buffer.from(text.slice(PREFIX.length), 'base64') : Buffer.alloc(0);
  if (key.length >= SHORTEST_KEY) return key;
  throw new Failure('invalid_settings', `${file} holds no key: whsec_ and at least ${SHORTEST_KEY} bytes in base64 are needed`, {
    affected: [file],
    advice: `(umask 077; echo "whsec_$(openssl rand -base64 32)" >${file})`,
  });
}

/**
 * Posts a message as JSON, signed as Standard Webhooks says: HMAC-SHA256 over id, time and body. Receivers know a repeated delivery by its
 * id and an old one by its time. Throws what kept it from being delivered.
 */
export async function postWebhook(
  { url, key: keyFile }: WebhookSetting,
  message: Message,
  signal: AbortSignal,
  patience: Patience,
  now: () => Date,
): Promise<void> {
  const place = webPlace(url);
  const key = keyFile === undefined ? undefined : webhookKey(keyFile);
  const { id, type, time, subject, text, short, data } = message;
  // `text` at the top is what chat servers show.
  const body = JSON.stringify({ type, timestamp: time, text: short, data: { subject, text, ...data } });
  const makeRequest = () => {
    const seconds = Math.floor(now().getTime() / 1000);
    const signed = key === undefined ? {} : { 'webhook-signature': signatureOf(key, `${id}.${seconds}.${body}`) };
    return {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': `${PROGRAM.name}/${PROGRAM.version}`,
        'webhook-id': id,
        'webhook-timestamp': String(seconds),
        ...signed,
      },
    } as const;
  };
  await askWeb(place, makeRequest, signal, patience);
}

function signatureOf(key: Buffer, content: string): string {
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
}
