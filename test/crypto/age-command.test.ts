import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { newHeader, openHeader } from '../../core/crypto/header.ts';
import { type Identity, isLocked, lockIdentity, newIdentity, parseIdentities, unlockIdentities } from '../../core/crypto/identity.ts';
import { checkRecipient } from '../../core/crypto/recipient.ts';
import { seal, sealedContent, unseal } from '../../core/crypto/seal.ts';
import { CHUNK } from '../../core/crypto/stream.ts';
import { DirectStreamReader } from '../../core/crypto/stream-reader.ts';
import { asFailure } from '../../core/failure.ts';

const LENGTHS = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17];

async function codeOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    return asFailure(error).code;
  }
  return 'none';
}

describe('age, the command', () => {
  let folder: string;
  let identity: Identity;
  let other: Identity;
  const file = (name: string): string => join(folder, name);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'age-'));
    identity = await newIdentity();
    other = await newIdentity();
    writeFileSync(file('key'), `# a comment\n${identity.secret}\n`);
  });

  after(() => rmSync(folder, { recursive: true }));

  it('opens what this program encrypts, for each of its recipients', async () => {
    writeFileSync(file('other'), other.secret);
    for (const length of LENGTHS) {
      const plain = randomBytes(length);
      const { bytes, key } = await newHeader([identity.recipient, other.recipient]);
      writeFileSync(file('sealed'), Buffer.concat([bytes, await sealedContent([plain], key.key)]));
      for (const name of ['key', 'other']) {
        const { stdout } = await execa('age', ['-d', '-i', file(name), file('sealed')], { encoding: 'buffer', stripFinalNewline: false });
        expect(Buffer.from(stdout).equals(plain), `${length} bytes`).to.equal(true);
      }
    }
  });

  it('encrypts what this program opens', async () => {
    for (const length of LENGTHS) {
      const plain = randomBytes(length);
      writeFileSync(file('plain'), plain);
      await execa('age', ['-r', identity.recipient, '-o', file(`sealed-${length}`), file('plain')]);
      const stored = readFileSync(file(`sealed-${length}`));
      const read = (offset: number, count: number): Buffer => stored.subarray(offset, offset + count);
      const identities = await parseIdentities(readFileSync(file('key'), 'utf8'), 'key');
      const key = await openHeader(stored.length, async (offset, count) => read(offset, count), [other, ...identities]);
      const reader = new DirectStreamReader(stored.length, key, read);
      expect(reader.read(0, reader.plainLength).equals(plain)).to.equal(true);
    }
  });

  it('makes identities that this program reads, and reads those that this one makes', async () => {
    const { stdout } = await execa('age-keygen', []);
    const [made] = await parseIdentities(stdout, 'age-keygen');
    expect(stdout).to.include(made?.recipient);
    const told = await execa('age-keygen', ['-y'], { input: `${identity.secret}\n` });
    expect(told.stdout).to.equal(identity.recipient);
  });

  it('is asked for the passphrase of an identity that this program locked, which opens with that alone', async function () {
    this.timeout(60_000);
    const locked = await lockIdentity(identity, 'correct horse');
    expect(isLocked(locked)).to.equal(true);
    expect(await unlockIdentities(locked, 'correct horse', 'it')).to.deep.equal([identity]);
    expect(await codeOf(() => unlockIdentities(locked, 'correct horses', 'it'))).to.equal('identity_wrong');
    writeFileSync(file('locked'), locked);
    const sealed = await seal('found', [identity.recipient]);
    // age reads a passphrase from a terminal alone.
    const script = `age -d -i ${file('locked')} ${file('found')}`;
    writeFileSync(file('found'), sealed);
    const { stdout } = await execa('script', ['-qec', script, '/dev/null'], { input: 'correct horse\n' });
    expect(stdout).to.include('found');
  });

  it('and this program tell a foreign identity from damage', async () => {
    const sealed = await seal('secret', [identity.recipient]);
    expect(await unseal(sealed, [identity])).to.equal('secret');
    expect(await codeOf(() => unseal(sealed, [other]))).to.equal('identity_wrong');
    expect(await codeOf(() => unseal(sealed, []))).to.equal('identity_wrong');
    for (let at = 0; at < sealed.length; at += 7) {
      const altered = Buffer.from(sealed);
      altered[at] = (altered[at] as number) ^ 1;
      // In the first stanza it may look like another one's.
      expect(await codeOf(() => unseal(altered, [identity])), `byte ${at}`).to.be.oneOf(['repository_damaged', 'identity_wrong']);
      expect(await codeOf(() => unseal(sealed.subarray(0, at), [identity]))).to.equal('repository_damaged');
    }
  });

  it('and this program say the same of what is no recipient and no identity; no secret is said back', async () => {
    await checkRecipient(identity.recipient);
    const wrong = [
      '',
      'age1',
      `${identity.recipient}q`,
      identity.recipient.toUpperCase(),
      identity.recipient.replace(/.$/, (c) => (c === 'q' ? 'p' : 'q')),
    ];
    for (const text of [...wrong, 'ssh-ed25519 AAAA', 'age1yubikey1qqqq', ' age1 '])
      expect(await codeOf(() => checkRecipient(text)), text).to.equal('usage');
    for (const text of ['', '# nothing', 'AGE-SECRET-KEY-1QQQ', 'nonsense', `${identity.secret}X`]) {
      expect(await codeOf(() => parseIdentities(text, 'a file')), text).to.equal('identity_wrong');
    }
    try {
      await checkRecipient(identity.secret);
      expect.fail();
    } catch (error) {
      const { code, message, advice, affected } = asFailure(error);
      expect(code).to.equal('usage');
      expect(`${message} ${advice} ${affected}`).not.to.include(identity.secret.slice(20));
    }
  });
});
