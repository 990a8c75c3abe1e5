import { SigningKey } from '../../../core/crypto/ed25519.ts';
import { encodeDocument, machineDocument, unitDocument } from '../../../core/repository/documents.ts';
import { readAnnouncements } from '../../../core/repository/signatures/announcements.ts';
import { signatureOf, withSignature } from '../../../core/repository/signatures/signed-document.ts';
import { unsignedObjects } from '../../../core/repository/signatures/unsigned-objects.ts';
import type { Target } from '../target.ts';
import { SERVER, WORLD, World } from './world.ts';

/** The same key each time, on which nothing depends but these targets: PKCS#8 around 32 bytes of 7. */
export const PEM = `-----BEGIN PRIVATE KEY-----\n${Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]).toString('base64')}\n-----END PRIVATE KEY-----\n`;
const KEY = SigningKey.parse(PEM);
const PUBLIC = KEY.publicKey.toString('base64');
const UNIT = `${SERVER}/units/${WORLD.unit}/unit.json`;
const MACHINE = `${SERVER}/machines/${WORLD.id}.json`;

const head = { formatVersion: 1, repository: WORLD.repository, server: WORLD.server };
const unit = { ...head, unit: WORLD.unit, name: 'site1', incarnation: '1-2', domain: 'example.test', adminUser: 'admin' };
const created = '2026-11-01T02:00:00Z';

/** What the server signed, under the name for which it did. */
const GENUINE: readonly Buffer[] = [null, 'example.test', 'ä'].map((domain) =>
  withSignature(encodeDocument(unitDocument, { ...unit, domain, created }), UNIT, KEY),
);

const machine = { ...head, id: WORLD.id, name: 'host', machine: '0'.repeat(64), adopted: [{ path: 'x', sha256: '0'.repeat(64) }], created };
const WORDS = ['"signature": {', '"key": "', '"value": "', PUBLIC, '==', '=\n', '\n}\n', ',\n  ', '"adopted":'];

export const signatureTargets: readonly Target[] = [
  {
    name: 'signature-ending',
    refuses: ['repository_damaged', 'repository_newer'],
    words: WORDS,
    seeds: () => [...GENUINE, withSignature(encodeDocument(unitDocument, { ...unit, created }), `${UNIT}x`, KEY)],
    run: async (input) => {
      const { repository } = await World.of({ [UNIT]: input });
      await repository.signatures.trust(WORLD.server, [PUBLIC]);
      await repository.units.read(WORLD.unit);
      if (!GENUINE.some((each) => each.equals(input))) throw new Error('taken for signed, and nobody signed it');
    },
  },
  {
    name: 'signature-announcement',
    refuses: ['repository_damaged', 'repository_newer'],
    words: WORDS,
    seeds: () => [withSignature(encodeDocument(machineDocument, machine), MACHINE, KEY), encodeDocument(machineDocument, machine)],
    run: async (input) => {
      const { backend, place, repository } = await World.of({ [MACHINE]: input, [UNIT]: GENUINE[0] as Buffer });
      const { keys } = await readAnnouncements(backend, WORLD.repository, WORLD.server);
      // A key is named by what it signed alone.
      if (keys.length > 0 && signatureOf(input)?.key.toString('base64') !== keys[0]) throw new Error('a key that signed nothing is named');
      await unsignedObjects(backend, WORLD.server);
      await place.signatures.believe(WORLD.server);
      await repository.units.all();
    },
  },
];
