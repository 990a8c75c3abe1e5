import { isSea } from 'node:sea';

/**
 * Variables by which somebody's environment could have this program write files, load code or say more than it should: Node's,
 * and those of the libraries inside it. (`NODE_OPTIONS` has no effect in the single executable as it is built.)
 */
const STEERING = /^(?:NODE_|UV_|OPENSSL_|SSL_CERT_|ICU_)/;

/**
 * Starts the single executable once more, in the same process, when its environment holds such variables, and without them: so they
 * have no effect on anything that follows, threads included. Returns when there are none, or when this is no single executable.
 */
export function startClean(): void {
  if (!isSea() || !Object.keys(process.env).some((name) => STEERING.test(name))) return;
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !STEERING.test(name)));
  process.execve?.(process.execPath, [process.argv0, ...process.argv.slice(2)], environment as Record<string, string>);
}
