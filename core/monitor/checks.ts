import type { Check } from '../schemas/doctor.ts';

type Name = Check['check'];

/** What puts back whatever of an installation is missing. */
export const INSTALL = 'Run packaging/install again, or /usr/libexec/apiscp-backup/packaging/install.';

/** What a check found. */
export const ok = (check: Name, message: string): Check => ({ check, result: 'ok', message, advice: null });
export const warning = (check: Name, message: string, advice: string): Check => ({ check, result: 'warning', message, advice });
export const problem = (check: Name, message: string, advice: string): Check => ({ check, result: 'problem', message, advice });
