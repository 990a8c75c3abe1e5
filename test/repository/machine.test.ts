import { expect } from 'chai';
import { differences, type Machine } from '../../core/repository/machine.ts';

describe('two machines with the same machine id', () => {
  const here: Machine = { name: 'web1.example.com', machine: 'a', product: 'p' };

  it('are one when only the domain or the case of the name is another, or the hardware tells no number', () => {
    for (const other of [{ name: 'web1' }, { name: 'WEB1.other.org' }]) expect(differences({ ...here, ...other }, here)).to.deep.equal([]);
    expect(differences({ name: 'web1', machine: 'a' }, here)).to.deep.equal([]);
  });

  it('are two when the name or the number of the hardware is another', () => {
    expect(differences({ ...here, name: 'web2.example.com' }, here)).to.have.length(1);
    expect(differences({ ...here, product: 'q' }, here)).to.have.length(1);
    expect(differences({ ...here, name: 'web10', product: 'q' }, here)).to.have.length(2);
  });
});
