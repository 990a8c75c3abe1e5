import { expect } from 'chai';
import { followingPage, ROWS_OF_PAGES } from '../../core/cli/pages.ts';
import { MESSAGES, type MethodName } from '../../core/schemas/messages.ts';

describe('pages of an answer', () => {
  it('are those of the methods whose schemas have them, at the size that these allow', () => {
    const paged = Object.entries(MESSAGES).flatMap(([method, { request, result }]) => {
      const properties = request.properties as Record<string, { type?: string; maximum?: number }>;
      const next = (result.properties as Record<string, { anyOf?: readonly { type: string }[] }>).next;
      const isText = properties.after?.type === 'string' && next?.anyOf?.some(({ type }) => type === 'string') === true;
      return isText ? [[method, properties.limit?.maximum]] : [];
    });
    expect(ROWS_OF_PAGES).to.deep.equal(Object.fromEntries(paged));
  });

  it('follow one another until the last', () => {
    const wanted = { unit: 'site1' };
    expect(followingPage('ls', wanted, wanted, { next: 'a' })).to.deep.equal({ unit: 'site1', limit: 10_000, after: 'a' });
    expect(followingPage('ls', wanted, { ...wanted, after: 'a' }, { next: null })).to.equal(undefined);
    expect(followingPage('ls', { ...wanted, limit: 5 }, { ...wanted, limit: 5 }, { next: 'a' })).to.equal(undefined);
  });

  it('do not go on for ever: with a field of another answer, or a page that names itself', () => {
    for (const method of Object.keys(MESSAGES).filter((name) => !(name in ROWS_OF_PAGES)) as MethodName[]) {
      expect(followingPage(method, {}, {}, { next: 'a' }), method).to.equal(undefined);
    }
    expect(followingPage('find', {}, { after: 'a' }, { next: 'a' })).to.equal(undefined);
    expect(followingPage('find', {}, {}, null)).to.equal(undefined);
  });
});
