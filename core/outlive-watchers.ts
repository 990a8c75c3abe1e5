/** Has nothing that is outside end the work: a reader of the progress that goes away, a folder that was deleted under the shell. */
export function outliveWatchers(): void {
  process.stderr.on('error', () => {});
  try {
    process.cwd();
  } catch {
    // Threads do not start in a folder that is gone.
    process.chdir('/');
  }
}
