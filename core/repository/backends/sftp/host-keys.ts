import { untrusted } from '../../../config/trusted-place.ts';
import { Failure } from '../../../failure.ts';

/** A key that a host may show: its type, and what goes over the wire. */
export interface HostKey {
  readonly type: string;
  readonly blob: Buffer;
}

/**
 * The keys by which a host is known in a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). OpenSSH's own program looks them up, also
 * where names are hashed. Keys of authorities are left out, and so is each that is revoked in any line. Throws `repository_refused` when there is none,
 * `invalid_settings` for a file that others could change: they could have another machine taken for this one.
 */
export async function knownHostKeys(host: string, port: number, file: string): Promise<HostKey[]> {
  const weak = untrusted(file);
  if (weak !== undefined) {
    throw new Failure('invalid_settings', `${file} could be changed by others: ${weak.place}: ${weak.reason}`, {
      affected: [file],
      advice: `chown root: ${file}; chmod go-w ${file}`,
    });
  }
  // As OpenSSH, which looks for names in small letters.
  const name = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
  const { execa } = await import('execa');
  const { stdout } = await execa('ssh-keygen', ['-F', name, '-f', file], {
    stdin: 'ignore',
    reject: false,
    extendEnv: false,
    env: { PATH: process.env.PATH ?? '' },
  });
  const keys: HostKey[] = [];
  const revoked: Buffer[] = [];
  for (const line of (stdout ?? '').split('\n')) {
    if (line.startsWith('#') || line.startsWith('@cert-authority')) continue;
    const isRevoked = line.startsWith('@revoked');
    const [, type, key] = line
      .trim()
      .split(/\s+/)
      .slice(isRevoked ? 1 : 0);
    if (type === undefined || key === undefined) continue;
    const blob = Buffer.from(key, 'base64');
    if (isRevoked) revoked.push(blob);
    else keys.push({ type, blob });
  }
  const valid = keys.filter(({ blob }) => !revoked.some((other) => other.equals(blob)));
  if (valid.length > 0) return valid;
  if (keys.length > 0) {
    throw new Failure('repository_refused', `each known key of the host ${name} is revoked in ${file}`, { affected: [name] });
  }
  throw new Failure('repository_refused', `the host ${name} is not in ${file}, so nobody can tell whether it is the right one`, {
    affected: [name],
    advice: `Get its key in a way that you trust, such as \`ssh-keyscan -p ${port} ${host}\` on the host itself, and put it there.`,
  });
}

/** What was shown in the place of a known key. */
export function keyChanged(host: string): Failure {
  return new Failure(
    'repository_refused',
    `the host ${host} shows another key than the known one: it is another machine, or somebody in between`,
    {
      affected: [host],
      advice: 'Ask whoever runs it. When its key was really changed, put the new one into the file of known hosts.',
    },
  );
}
