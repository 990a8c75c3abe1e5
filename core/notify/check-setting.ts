import type { Settings } from '../config/settings.ts';
import { webPlace } from './web-place.ts';
import { webhookKey } from './webhook.ts';

/** Throws `invalid_settings` for what has the right form and would tell nobody: a key or an address that cannot be used. */
export function checkNotifySetting({ webhooks = [], heartbeats = [] }: Settings['notify']): void {
  for (const { url, key } of webhooks) {
    webPlace(url);
    if (key !== undefined) webhookKey(key);
  }
  for (const { start, success, failure } of heartbeats)
    for (const address of [start, success, failure]) if (address !== undefined) webPlace(address);
}
