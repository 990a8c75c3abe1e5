import { expect } from 'chai';
import { CountedList, NAMED_LIMIT } from '../../core/restore/counted-list.ts';

describe('the list of what went wrong with a restore', () => {
  it('names the first ones and counts all (case 45)', () => {
    const list = new CountedList<number>();
    for (let item = 0; item < NAMED_LIMIT + 500; item++) list.add(item);
    expect(list.first).to.have.length(NAMED_LIMIT);
    expect(list.count).to.equal(NAMED_LIMIT + 500);
  });
});
