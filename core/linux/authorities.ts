import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The servers' own lists of certificate authorities: EL's, then Debian's. An administrator's own authority is in there. */
const AUTHORITIES = ['etc/pki/tls/certs/ca-bundle.crt', 'etc/ssl/certs/ca-certificates.crt'];
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

let trusted: string | undefined;

/** Has connections that begin from now on trust the authorities of this system beside those that the program knows. */
export async function trustAuthoritiesOf(systemRoot: string): Promise<void> {
  if (trusted === systemRoot) return;
  trusted = systemRoot;
  const file = AUTHORITIES.map((path) => join(systemRoot, path)).find((path) => existsSync(path));
  if (file === undefined) return;
  try {
    const { getCACertificates, setDefaultCACertificates } = await import('node:tls');
    setDefaultCACertificates([...getCACertificates('bundled'), ...(readFileSync(file, 'utf8').match(CERTIFICATE) ?? [])]);
  } catch {
    // With a list that cannot be used those hold that the program knows.
  }
}
