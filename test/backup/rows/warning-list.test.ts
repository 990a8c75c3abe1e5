import { expect } from 'chai';
import { WarningList } from '../../../core/backup/rows/warning-list.ts';
import { WARNING_LIMIT } from '../../../core/scan/limits.ts';

describe('the list of what went wrong with a backup', () => {
  it('names the first ones and counts all (case 45)', () => {
    const list = new WarningList();
    for (let item = 0; item < WARNING_LIMIT + 500; item++) list.add(`f${item}`, 'unreadable', 'no');
    expect(list.list).to.have.length(WARNING_LIMIT);
    expect(list.count).to.equal(WARNING_LIMIT + 500);
  });
});
