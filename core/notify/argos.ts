import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { askPanel, type ProgramWatch, programIn, runProgram } from './local-program.ts';
import type { Message } from './message.ts';

const CONFIGURATION = 'root/.argos.conf';

/**
 * Sends a message through the panel's Argos. The panel cannot while its database is down, which is when backups fail; then Argos' own program
 * is started. Throws what kept it from being sent.
 */
export async function sendByArgos(message: Message, systemRoot: string, watch: ProgramWatch): Promise<void> {
  const { subject, short, isUrgent } = message;
  try {
    const answer = await askPanel(systemRoot, 'argos:send', [short, isUrgent ? 'high' : 'default', subject], watch);
    if (answer !== false && answer !== '') return;
    throw new Error('the panel refused it');
  } catch (error) {
    watch.signal.throwIfAborted();
    const ntfy = programIn(systemRoot, 'ntfy');
    const configuration = join(systemRoot, CONFIGURATION);
    if (ntfy === undefined || !existsSync(configuration)) throw error;
    await runProgram(ntfy, ['-c', configuration, '-t', subject, 'send', short], '', watch);
  }
}
