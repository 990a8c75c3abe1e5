import { Failure } from '../../../failure.ts';

/** A key that a host may show: its type, and what goes over the wire. */
export interface HostKey {
  readonly type: string;
  readonly blob: Buffer;
}

/**
 * The keys by which a host is known in a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). OpenSSH's own program looks them up, also
 * where names are hashed. Revoked keys and those of authorities are left out. Throws `repository_refused` when there is none.
 */
export async function knownHostKeys(host: string, port: number, file: string): Promise<HostKey[]> {
  const name = port === 22 ? host : `[${host}]:${port}`;
  const { execa } = await import('execa');
  const { stdout } = await execa('ssh-keygen', ['-F', name, '-f', file], {
    stdin: 'ignore',
    reject: false,
    extendEnv: false,
    env: { PATH: process.env.PATH ?? '' },
  });
  const keys: HostKey[] = [];
  for (const line of (stdout ?? '').split('\n')) {
    if (line.startsWith('#') || line.startsWith('@')) continue;
    const [, type, key] = line.trim().split(/\s+/);
    if (type !== undefined && key !== undefined) keys.push({ type, blob: Buffer.from(key, 'base64') });
  }
  if (keys.length > 0) return keys;
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
