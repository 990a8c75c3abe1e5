import { createHash } from 'node:crypto';
import { newHeader, openHeader } from '../../../core/crypto/header.ts';
import { type Identity, isLocked, parseIdentities } from '../../../core/crypto/identity.ts';
import { seal, sealedContent, unseal } from '../../../core/crypto/seal.ts';
import { DirectStreamReader, StreamReader } from '../../../core/crypto/stream-reader.ts';
import { snapshotDocument, unitDocument } from '../../../core/repository/documents.ts';
import { reveal } from '../../../core/repository/keys/sealed-members.ts';
import { ServerKeys } from '../../../core/repository/keys/server-keys.ts';
import type { Target } from '../target.ts';
import { putState, SERVER, WORLD, World } from './world.ts';

/** Nobody's, for inputs alone. */
const IDENTITY: Identity = {
  secret: 'AGE-SECRET-KEY-1PWM83Y63USNDWLLGV49XSDC2QTELKUWDR93KH9PFL7ZMDUH7VEVQXY7C2Y',
  recipient: 'age1jww7v25dkx9rgucm8vxqrhfnwwyayt683sljeu9m55j25xkjacps0fn02w',
};
const KEY = createHash('sha256').update('a key').digest();
const UNIT_NAME = `${SERVER}/units/${WORLD.unit}/unit.json`;

async function header(): Promise<Buffer> {
  return (await newHeader([IDENTITY.recipient, IDENTITY.recipient])).bytes;
}

const stream = (content: Buffer): Promise<Buffer> => sealedContent([content], KEY);

const reading = (input: Buffer) => async (offset: number, length: number) => Buffer.from(input.subarray(offset, offset + length));

export const encryptionTargets: readonly Target[] = [
  {
    name: 'age-header',
    refuses: ['repository_damaged', 'identity_wrong'],
    words: ['age-encryption.org/v1\n', '-> X25519 ', '-> scrypt ', '\n--- ', '-> ssh-ed25519 ', '\n'],
    seeds: async () => [Buffer.concat([await header(), await stream(Buffer.from('content'))])],
    run: async (input) => void (await openHeader(input.length, reading(input), [IDENTITY])),
  },
  {
    name: 'age-stream',
    refuses: ['repository_damaged'],
    seeds: async () => [await stream(Buffer.from('content')), await stream(Buffer.alloc(0))],
    run: async (input) => {
      const reader = await StreamReader.open(input.length, { start: 0, key: KEY }, reading(input));
      const whole = await reader.read(0, reader.plainLength);
      const direct = new DirectStreamReader(input.length, { start: 0, key: KEY }, (offset, length) =>
        Buffer.from(input.subarray(offset, offset + length)),
      );
      if (!direct.read(0, direct.plainLength).equals(whole)) throw new Error('two readers read it differently');
    },
  },
  {
    name: 'age-file',
    refuses: ['repository_damaged', 'identity_wrong'],
    seeds: async () => [await seal('{}', [IDENTITY.recipient])],
    run: async (input) => void (await unseal(input, [IDENTITY])),
  },
  {
    name: 'sealed-members',
    refuses: ['repository_damaged', 'identity_wrong'],
    words: ['members', 'name', 'domain', 'adminUser', 'roots', 'warnings', '__proto__', 'formatVersion'],
    seeds: () => [
      Buffer.from(JSON.stringify({ name: UNIT_NAME, members: { domain: 'example.test', adminUser: 'admin1' } })),
      Buffer.from(JSON.stringify({ name: UNIT_NAME, members: {} })),
    ],
    run: async (input) => {
      const { bytes, key } = await newHeader([IDENTITY.recipient]);
      const age = Buffer.concat([bytes, await sealedContent([input], key.key)]).toString('base64');
      const world = new World();
      putState('identities', Buffer.from(`${IDENTITY.secret}\n`));
      const keys = new ServerKeys(world.place, WORLD.server);
      const unit = {
        formatVersion: 1,
        repository: WORLD.repository,
        server: WORLD.server,
        unit: WORLD.unit,
        name: 'site1',
        incarnation: '1-2',
        domain: null,
        adminUser: null,
        created: '2026-11-01T02:00:00Z',
      };
      const sealed = { keys: WORLD.id, age };
      const found = await reveal(unitDocument, UNIT_NAME, { ...unit, sealed }, keys);
      for (const name of ['unit', 'name', 'incarnation'] as const) if (found[name] !== unit[name]) throw new Error(`${name} was changed`);
      await reveal(snapshotDocument, UNIT_NAME, { ...unit, sealed } as never, keys);
    },
  },
  {
    name: 'identity-file',
    refuses: ['identity_wrong'],
    words: ['AGE-SECRET-KEY-1', '# ', '-----BEGIN AGE ENCRYPTED FILE-----', 'age-encryption.org/v1\n'],
    seeds: () => [Buffer.from(`# created: 2026-11-01\n# public key: ${IDENTITY.recipient}\n${IDENTITY.secret}\n`)],
    run: async (input) => {
      if (!isLocked(input)) await parseIdentities(input.toString('latin1'), 'the input');
    },
  },
];
