import { PROGRAM } from '../version.ts';
import { askWeb, type Patience } from './ask-web.ts';
import { webPlace } from './web-place.ts';

export type Beat = 'start' | 'success' | 'failure';

export type HeartbeatSetting = { readonly [Each in Beat]?: string };

/** Lets a service that waits for it know. Throws what kept it from knowing; does nothing where no address is set for this. */
export async function beat(setting: HeartbeatSetting, which: Beat, signal: AbortSignal, patience: Patience): Promise<void> {
  const address = setting[which];
  if (address === undefined) return;
  // GET is what every such service takes.
  const request = { method: 'GET', headers: { 'user-agent': `${PROGRAM.name}/${PROGRAM.version}` } } as const;
  await askWeb(webPlace(address), () => request, signal, patience);
}
