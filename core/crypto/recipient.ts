import { Failure } from '../failure.ts';
import { age } from './age.ts';

/** Throws `usage` unless this is a recipient that the age of today's distributions can encrypt to: an X25519 key, `age1…`. */
export async function checkRecipient(text: string): Promise<void> {
  const { Encrypter } = await age();
  try {
    if (!/^age1[a-z0-9]{58}$/.test(text)) throw new Error('not an X25519 recipient');
    new Encrypter().addRecipient(text);
  } catch (cause) {
    const isSecret = /AGE-SECRET-KEY-/i.test(text);
    throw new Failure(
      'usage',
      isSecret ? 'this is an identity, which must stay secret' : `${JSON.stringify(text)} is no recipient of age`,
      {
        affected: isSecret ? [] : [text],
        advice: isSecret
          ? 'Give its recipient, `age-keygen -y FILE` tells it, and make a new identity: others may have seen this one in the list of processes.'
          : 'A recipient is what `age-keygen` calls the public key: age1 and 58 more characters.',
        cause,
      },
    );
  }
}
