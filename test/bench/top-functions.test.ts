import { expect } from 'chai';
import { selfTimes } from '../../bench/top-functions.ts';

describe('bench profiles', () => {
  it('count a function once, however it was called, and sort by its own time', () => {
    const node = (id: number, functionName: string) => ({ id, callFrame: { functionName, url: 'evalmachine', lineNumber: 6 } });
    const profile = {
      nodes: [node(1, 'read'), node(2, 'hash'), node(3, 'read'), node(4, '')],
      samples: [1, 2, 3, 4, 2],
      timeDeltas: [1000, 2000, 4000, 500, 2000],
    };
    expect(selfTimes(profile)).to.deep.equal([
      { name: 'read evalmachine:7', milliseconds: 5 },
      { name: 'hash evalmachine:7', milliseconds: 4 },
      { name: '(anonymous) evalmachine:7', milliseconds: 0.5 },
    ]);
  });
});
