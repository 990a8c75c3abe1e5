const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** A wish to stop, from a signal or from the loss of whoever asked. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** 128 + the number of the signal that came, undefined when none did. */
  exitCode(): number | undefined;
  /** Stops for another reason than a signal. */
  stop(): void;
}

/**
 * Turns SIGINT, SIGTERM and SIGHUP (the terminal was closed) into an abort, so that a command ends at a safe point. The second signal ends
 * the process at once: nothing that is stored depends on a proper end.
 */
export function watchInterruption(): Interruption {
  const controller = new AbortController();
  let exitCode: number | undefined;
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (exitCode !== undefined) process.exit(EXIT_CODES[name]);
      exitCode = EXIT_CODES[name];
      controller.abort();
    });
  }
  return { signal: controller.signal, exitCode: () => exitCode, stop: () => controller.abort() };
}
