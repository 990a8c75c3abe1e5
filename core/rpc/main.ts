import { Writable } from 'node:stream';
import { watchInterruption } from '../context/interruption.ts';
import { openContext } from '../context/open-context.ts';
import { ALL_METHODS } from '../jobs/methods.ts';
import { serve } from './serve.ts';

/**
 * Takes stdout for the messages alone: whatever else writes there, a library's warning or a forgotten `console.log`, is
 * led to stderr.
 */
export function claimStdout(): Writable {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  const output = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      write(chunk, (error) => done(error ?? null));
    },
  });
  // The stream reports a broken pipe a second time, to whoever listens here.
  stdout.on('error', (error) => output.destroy(error));
  return output;
}

/** `apiscp-backup rpc`: JSON-RPC 2.0 over stdin and stdout, one message a line. Returns the exit code. */
export async function runRpc(settingsFile: string | undefined): Promise<number> {
  const output = claimStdout();
  const interruption = watchInterruption();
  return serve({
    methods: ALL_METHODS,
    input: process.stdin,
    output,
    interruption,
    openContext: (reporter, method) => openContext(settingsFile, reporter, interruption.signal, method),
  });
}
