import { expect } from 'chai';
import { releaseBuffer } from '../../core/linux/allocator.ts';

describe('releasing a buffer', () => {
  it('frees what is its own, once, and does nothing when that is done or the memory is elsewhere', () => {
    const bytes = new Uint8Array(64);
    releaseBuffer(bytes);
    expect(bytes.byteLength).to.equal(0);
    releaseBuffer(bytes);
    const sent = new Uint8Array(64);
    structuredClone(sent.buffer, { transfer: [sent.buffer] });
    releaseBuffer(sent);
  });

  it('leaves alone what may be a piece of a pool', () => {
    const [one, other] = [Buffer.allocUnsafe(16), Buffer.allocUnsafe(16).fill('x')];
    releaseBuffer(one);
    expect(other.toString()).to.equal('x'.repeat(16));
  });
});
