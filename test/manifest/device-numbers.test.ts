import { expect } from 'chai';
import fc from 'fast-check';
import { DeviceNumbers } from '../../core/manifest/device-numbers.ts';

describe('device numbers of a unit', () => {
  const numbers = fc.uniqueArray(fc.bigInt({ min: 0n, max: 6n }), { minLength: 0, maxLength: 5 });

  it('translate back and forth, and never make two devices one', () => {
    fc.assert(
      fc.property(numbers, numbers, (recorded, present) => {
        const length = Math.min(recorded.length, present.length);
        const given = recorded.slice(0, length).map((number, index) => ({ recorded: number, present: present[index] as bigint }));
        const devices = new DeviceNumbers(given);
        for (const each of given) expect(devices.toPresent(each.recorded)).to.equal(each.present);
        const all = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n];
        expect(new Set(all.map((number) => devices.toPresent(number))).size).to.equal(all.length);
        for (const number of all) expect(devices.toRecorded(devices.toPresent(number))).to.equal(number);
      }),
    );
  });

  it('are translated in the words of a block', () => {
    const devices = new DeviceNumbers([{ recorded: (7n << 32n) | 1n, present: (8n << 32n) | 5n }]);
    const words = Uint32Array.of(7, 1, 9, 9);
    devices.translateWords(words);
    expect([...words]).to.deep.equal([8, 5, 9, 9]);
  });
});
