/**
 * Has nothing that is outside end the work: a reader of the progress that goes away, a terminal that is closed, a folder that was
 * deleted under the shell, a limit on the size of files (a write is refused then, and the command says so).
 */
export function outliveWatchers(): void {
  process.stderr.on('error', () => {});
  for (const signal of ['SIGHUP', 'SIGXFSZ'] as const) process.on(signal, () => {});
  try {
    process.cwd();
  } catch {
    // Threads do not start in a folder that is gone.
    process.chdir('/');
  }
}
