import { expect } from 'chai';
import fc from 'fast-check';
import { Failure } from '../../core/failure.ts';
import { fromTreePath, fromWirePath, toWirePath } from '../../core/manifest/wire-path.ts';

const pathBytes = fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)).toString('latin1'));

describe('a path in JSON', () => {
  it('comes back byte for byte, whatever its bytes', () => {
    fc.assert(
      fc.property(pathBytes, (path) => {
        expect(fromWirePath(JSON.parse(JSON.stringify(toWirePath(path))))).to.equal(path);
      }),
    );
  });

  it('is text alone when it is UTF-8', () => {
    expect(toWirePath(Buffer.from('käse/日本').toString('latin1'))).to.deep.equal({ path: 'käse/日本' });
    expect(fromWirePath('käse')).to.equal(Buffer.from('käse').toString('latin1'));
  });

  it('has its bytes beside it when it is not', () => {
    expect(toWirePath('bad\xff')).to.deep.equal({ path: 'bad\ufffd', path_b64: Buffer.from('bad\xff', 'latin1').toString('base64') });
  });

  it('that is UTF-8 for U+FFFD or begins with a byte order mark is exact', () => {
    for (const text of ['\ufffd', '\ufeffname']) expect(toWirePath(Buffer.from(text).toString('latin1'))).to.deep.equal({ path: text });
  });

  it('cannot hold a NUL byte', () => {
    for (const wire of ['a\0b', { path: 'a', path_b64: Buffer.from('a\0b').toString('base64') }]) {
      expect(() => fromWirePath(wire))
        .to.throw(Failure)
        .with.property('code', 'usage');
    }
  });

  it('of a tree has no slashes at its ends, nor two in a row', () => {
    for (const text of ['shadow/a', '/shadow/a/', 'shadow//a', '//shadow///a//']) expect(fromTreePath(text)).to.equal('shadow/a');
    for (const text of ['', '/', '///']) expect(fromTreePath(text)).to.equal('');
  });
});
