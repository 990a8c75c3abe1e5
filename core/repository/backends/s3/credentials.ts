import { readPrivateFile } from '../../../config/private-file.ts';
import { Failure } from '../../../failure.ts';
import { externalDataInterceptor, fromInstanceMetadata, loadSharedConfigFiles } from './sdk.ts';

/** In the place of each file of settings that the library would look for. */
export const NO_FILE = '/dev/null';

/** A key pair, or what asks the machine's role for one that holds for some hours. */
export type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } | RoleProvider;

type RoleProvider = ReturnType<typeof fromInstanceMetadata>;

/**
 * The keys in section `profile` of a credentials file as the `aws` command writes it, or without a file those of the machine's role. Nothing
 * is taken from the environment. Throws `invalid_settings`.
 */
export async function readCredentials(file: string | undefined, profile: string): Promise<Credentials> {
  if (file === undefined) return fromRole();
  // The library takes what was read here, and opens nothing itself.
  externalDataInterceptor.interceptFile(file, readPrivateFile(file));
  const { credentialsFile } = await loadSharedConfigFiles({ filepath: file, configFilepath: NO_FILE, ignoreCache: true });
  const {
    aws_access_key_id: accessKeyId,
    aws_secret_access_key: secretAccessKey,
    aws_session_token: sessionToken,
  } = credentialsFile[profile] ?? {};
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new Failure('invalid_settings', `${file} has no aws_access_key_id and aws_secret_access_key in [${profile}]`, {
      affected: [file],
    });
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/** Asks the machine's role. Where it never answered this is no machine that has one; where it did it will again. */
function fromRole(): RoleProvider {
  const ask = fromInstanceMetadata({ timeout: 2000, maxRetries: 3 });
  let hasAnswered = false;
  return async () => {
    try {
      const credentials = await ask();
      hasAnswered = true;
      return credentials;
    } catch (cause) {
      const text = `this machine has no role that tells a key (${(cause as Error).message})`;
      const advice = 'Name the file that has the key as `credentialsFile` in the setting `s3`.';
      const details = { affected: ['s3.credentialsFile'], advice, cause };
      throw hasAnswered
        ? new Failure('repository_unreachable', text, { ...details, retry: true })
        : new Failure('invalid_settings', `the setting \`s3\` names no key, and ${text}`, details);
    }
  };
}
