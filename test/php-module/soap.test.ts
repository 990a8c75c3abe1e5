import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';

const PROJECT = join(import.meta.dirname, '../..');

/** What a SOAP client gets of an answer, with PHP's own setting for floats, and with the one that many servers have. */
async function received(answer: object, precision: number): Promise<Record<string, unknown>> {
  const { stdout } = await execa(
    'php',
    ['-d', `precision=${precision}`, join(import.meta.dirname, 'fixtures/soap-round-trip.phps'), PROJECT],
    {
      input: JSON.stringify(answer),
    },
  );
  return JSON.parse(stdout);
}

const ODD_NAMES = [
  '\u0000',
  '\u001b[31m',
  '\u007f\u0085',
  '\ufffe',
  '\uffff',
  'a\uffffb',
  '\u202e.gpj',
  '\ud83d\ude00',
  '\u{1fffe}',
  '<&">',
  ']]>',
];

describe('answers over SOAP', () => {
  for (const precision of [14, 17]) {
    it(`carry every integer exactly, as a number or a text, with precision=${precision}`, async () => {
      const numbers = [
        0, -1, 2_147_483_647, -2_147_483_648, 2_147_483_648, 5_000_000_000, 99_999_999_999_999, 100_000_000_000_000, 140_737_488_355_327,
      ];
      const large = ['9007199254740991', '-140737488355327'].map(Number);
      const got = await received(
        { numbers: Object.fromEntries([...numbers, ...large].map((number, at) => [`n${at}`, number])) },
        precision,
      );
      const values = Object.values(got.numbers as object);
      expect(values.map(String)).to.deep.equal([...numbers, ...large].map(String));
    });
  }

  it('carry every name, shown safely, and its exact bytes beside it (case 24)', async () => {
    for (const name of ODD_NAMES) {
      const got = await received({ path: name, affected: ['plain', name], entries: [{ path: name }] }, 14);
      expect(got, JSON.stringify(name)).to.not.have.property('fault');
      const exact = (value: unknown, base64: unknown) =>
        base64 === undefined ? value : Buffer.from(base64 as string, 'base64').toString();
      expect(exact(got.path, got.path_b64)).to.equal(name);
      const affected = got.affected as string[];
      expect(affected.map((value, at) => exact(value, (got.affected_b64 as string[] | undefined)?.[at]))).to.deep.equal(['plain', name]);
      const [entry] = got.entries as { path: string; path_b64?: string }[];
      expect(exact(entry?.path, entry?.path_b64)).to.equal(name);
      expect(JSON.stringify(got)).to.not.match(/\\u00[01]|\ufffe|\uffff|\u202e/);
    }
  });
});
