import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { apply, DAMAGES, HARMLESS_SINCE, NAMED_SINCE, objectOf } from './damages.ts';
import { BareMachine, digestOf, expectedOf, filesOf, goldenNames, hasServersIdentity, pinnedDigestOf, placeOf } from './golden.ts';

const ALL = process.env.SLOW === '1';
/** Of the damages a share, and another one for each repository, what they come to is looked at in every run. */
const SHARE = ALL ? 1 : 6;
const SHARE_OF_COMPLETE = ALL ? 1 : 14;

describe('the golden repositories', function () {
  this.timeout(300_000);
  for (const [turn, name] of goldenNames().entries()) {
    describe(name, () => {
      const expected = expectedOf(name);
      /** Written before there was an object of every kind in one. */
      const isOlder = expected.databases === undefined;
      const share = isOlder ? SHARE : SHARE_OF_COMPLETE;
      const [first, last] = [expected.snapshots[0]!, expected.snapshots.at(-1)!];

      it('is as it was written', () => {
        expect(digestOf(name)).to.equal(pinnedDigestOf(name));
      });

      it('is listed, is whole, and gives back every snapshot in every property', async () => {
        const machine = new BareMachine(name);
        try {
          expect(await machine.list()).to.deep.equal(expected.snapshots);
          expect(await machine.verify()).to.deep.equal({ status: 'ok', damages: [] });
          for (const { id } of expected.snapshots) {
            expect(await machine.restore(id, expected.trees[id]!, true), id).to.deep.equal({ result: 'ok', lost: [] });
          }
        } finally {
          machine.remove();
        }
      });

      if (ALL || name === 'complete-plain' || name === 'unsigned-server-reads') {
        it('is as whole as a copy for other recipients', async () => {
          const machine = new BareMachine(name);
          try {
            await machine.becomeCopy();
            expect(await machine.list()).to.deep.equal(expected.snapshots);
            expect(await machine.verify()).to.deep.equal({ status: 'ok', damages: [] });
            for (const { id } of ALL ? expected.snapshots : [first, last]) {
              expect(await machine.restore(id, expected.trees[id]!, true), id).to.deep.equal({ result: 'ok', lost: [] });
            }
          } finally {
            machine.remove();
          }
        });
      }

      if (expected.databases !== undefined) {
        it('gives back the databases of every snapshot, and heals what its recovery data is for', async () => {
          const machine = new BareMachine(name);
          try {
            for (const [id, databases] of Object.entries(expected.databases!)) {
              expect(databases.map(({ engine }) => engine)).to.include.members(['mysql', 'postgresql']);
              expect(await machine.databases(id), id).to.deep.equal(databases);
            }
            const healed = ['the first record flipped', 'the first manifest flipped', 'the last pack cut'];
            const objects = healed.map((what) => {
              expect(apply(DAMAGES[what]!, machine.repository)).to.equal(true);
              return objectOf(DAMAGES[what]!, machine.repository);
            });
            const repaired = await machine.repair();
            expect(repaired.healed).to.include.members(objects);
            expect(repaired.lost).to.deep.equal([]);
            expect(await machine.verify()).to.deep.equal({ status: 'ok', damages: [] });
            for (const file of filesOf(join(placeOf(name), 'repository'))) {
              const written = readFileSync(join(placeOf(name), 'repository', file));
              expect(readFileSync(join(machine.repository, file)).equals(written), file).to.equal(true);
            }
          } finally {
            machine.remove();
          }
        });
      }

      if (hasServersIdentity(name)) {
        it('is opened by what its server had in its state', async () => {
          const machine = new BareMachine(name, 'of the server');
          try {
            expect(await machine.verify()).to.deep.equal({ status: 'ok', damages: [] });
            expect(await machine.restore(last.id, expected.trees[last.id]!, true)).to.deep.equal({ result: 'ok', lost: [] });
          } finally {
            machine.remove();
          }
        });
      }

      for (const [number, [what, { verified, restored }]] of Object.entries(expected.damages).entries()) {
        if (number % share !== turn % share) continue;
        it(`with ${what} is damaged as it was, and gives back what it did`, async () => {
          const machine = new BareMachine(name);
          try {
            const object = objectOf(DAMAGES[what]!, machine.repository);
            expect(apply(DAMAGES[what]!, machine.repository)).to.equal(true);
            const named = { code: 'repository_damaged', files: 0, object, snapshots: [] };
            const wanted = isOlder && NAMED_SINCE.includes(what) ? { status: 'damaged', damages: [...verified.damages, named] } : verified;
            expect(await machine.verify().catch((error) => ({ status: error.code, damages: [] }))).to.deep.equal(wanted);
            for (const { id } of ALL ? expected.snapshots : [first, last]) {
              const given = HARMLESS_SINCE.includes(what) ? { result: 'ok', lost: [] } : restored[id];
              expect(await machine.restore(id, expected.trees[id]!, false), id).to.deep.equal(given);
            }
          } finally {
            machine.remove();
          }
        });
      }
    });
  }
});
