import { expect } from 'chai';
import fc from 'fast-check';
import { printable } from '../../core/context/printable.ts';
import { jsonLine } from '../../core/schemas/json-text.ts';

describe('text shown on a terminal', () => {
  it('keeps letters of every language', () => {
    for (const text of ['index.php', 'Käse', '日本', 'файл', '📦', '\\']) expect(printable(text)).to.equal(text);
  });

  it('shows what would steer the terminal as an escape (case 24)', () => {
    expect(printable('\x1b[31mred\x07\r\n\t\x7f')).to.equal('\\x1b[31mred\\x07\\x0d\\x0a\\x09\\x7f');
    expect(printable('\u009b2J')).to.equal('\\x9b2J');
    expect(printable('photo\u202egpj.exe')).to.equal('photo\\u202egpj.exe');
    expect(printable('\ud800')).to.equal('\\ud800');
    expect(printable('\u{e0041}')).to.equal('\\u{e0041}');
  });
});

describe('a line of JSON', () => {
  it('holds no control character and one line feed, and means the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const line = jsonLine({ [text]: text });
        expect(JSON.parse(line)).to.deep.equal({ [text]: text });
        expect(line.slice(0, -1)).not.to.match(/\p{Cc}/u);
        expect(line.indexOf('\n')).to.equal(line.length - 1);
      }),
    );
  });

  it('escapes the controls that JSON lets through', () => {
    expect(jsonLine('\u009b\u007f\u2028')).to.equal('"\\u009b\\u007f\\u2028"\n');
  });
});
