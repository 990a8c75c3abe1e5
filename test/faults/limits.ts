/** How long a test that tries faults may take: a minute alone, and the machine may have other work; with SLOW=1 hours. */
export const FAULTS_TIMEOUT_MS = process.env.SLOW === '1' ? 12 * 3_600_000 : 600_000;
