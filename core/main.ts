import { startClean } from './clean-start.ts';
import { PERFORM_JOB, SETTLE_JOB, STAND_IN_FOR_JOB, WORK_FOR_SUPERVISOR } from './jobs/messages.ts';
import { outliveWatchers } from './outlive-watchers.ts';

async function main(args: readonly string[]): Promise<void> {
  if (args.length === 1 && args[0] === '--version') {
    const { PROGRAM } = await import('./version.ts');
    process.stdout.write(`${PROGRAM.version}\n`);
    return;
  }
  if (args.length === 1 && args[0] === WORK_FOR_SUPERVISOR) {
    const { workForSupervisor } = await import('./jobs/worker.ts');
    process.exitCode = await workForSupervisor();
    return;
  }
  if ((args[0] === PERFORM_JOB || args[0] === STAND_IN_FOR_JOB) && args[1] !== undefined) {
    const { performJob, standIn } = await import('./jobs/perform-job.ts');
    const { METHODS_OF_A_JOB } = await import('./jobs/methods.ts');
    process.exitCode = await (args[0] === PERFORM_JOB ? performJob : standIn)(args[1], args[2], METHODS_OF_A_JOB);
    return;
  }
  if (args[0] === SETTLE_JOB && args[1] !== undefined) {
    const { settleJob } = await import('./jobs/settle-job.ts');
    process.exitCode = settleJob(args[1], process.env);
    return;
  }
  const { runCli } = await import('./cli/main.ts');
  process.exitCode = await runCli(args, {
    serveRpc: async (settingsFile) => (await import('./rpc/main.ts')).runRpc(settingsFile),
  });
}

// Whoever asks for the progress must not end the program by it, not even in its last moment.
process.on('SIGUSR1', () => {});
// Whatever is made without a mode of its own is root's alone.
process.umask(0o077);
outliveWatchers();
// No top-level await: the bundle is CommonJS.
void startClean().then(() => main(process.argv.slice(2)));
