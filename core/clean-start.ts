import { readFileSync } from 'node:fs';
import { isSea } from 'node:sea';

/**
 * Variables by which somebody's environment could have this program write files, load code or say more than it should: Node's,
 * and those of the libraries inside it. (`NODE_OPTIONS` has no effect in the single executable as it is built.)
 */
const STEERING = /^(?:NODE_|UV_|OPENSSL_|SSL_CERT_|ICU_)/;

/**
 * Those among them that the executable reads only when it connects to somebody with TLS. It is enough to take them away before; a server
 * with certificates of its own has them in every environment, and each command would start twice.
 */
const READ_LATE: readonly string[] = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_DIR', 'SSL_CERT_FILE'];

/**
 * Starts the single executable once more, in the same process, when its environment holds such variables, and without them: so they
 * have no effect on anything that follows, threads included. Resolves when there are none, or when this is no single executable.
 */
export async function startClean(): Promise<void> {
  if (!isSea()) return;
  for (const name of READ_LATE) delete process.env[name];
  if (!Object.keys(process.env).some((name) => STEERING.test(name))) return;
  // Node has put a character in the place of bytes that are not UTF-8, and would hand that on; the kernel has the bytes.
  if (!process.argv.some((argument) => argument.includes('\u{fffd}'))) {
    const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !STEERING.test(name)));
    process.execve?.(process.execPath, [process.argv0, ...process.argv.slice(2)], environment as Record<string, string>);
  }
  const environment = stringsOf('environ').filter((variable) => !STEERING.test(variable));
  const { replaceProcess } = await import('./linux/replace-process.ts');
  replaceProcess(Buffer.from(process.execPath).toString('latin1'), stringsOf('cmdline'), environment);
}

/** A list of C strings that the kernel shows of this process. */
function stringsOf(name: 'cmdline' | 'environ'): string[] {
  return readFileSync(`/proc/self/${name}`, 'latin1').split('\0').slice(0, -1);
}
