import { expect } from 'chai';
import fc from 'fast-check';
import { parseRequest, RPC_ERRORS } from '../../core/rpc/message.ts';

function refusal(text: string | Buffer): [unknown, number | undefined] {
  const parsed = parseRequest(Buffer.from(text as string));
  return 'error' in parsed ? [parsed.id, parsed.error.code] : [parsed.id, undefined];
}

describe('a JSON-RPC request', () => {
  it('is an object with version, method and id', () => {
    expect(parseRequest(Buffer.from('{"jsonrpc":"2.0","id":"a","method":"list","params":{"unit":"site1"}}'))).to.deep.equal({
      id: 'a',
      method: 'list',
      params: { unit: 'site1' },
    });
  });

  it('without params has empty ones, without id is a notification', () => {
    expect(parseRequest(Buffer.from('{"jsonrpc":"2.0","method":"list"}'))).to.deep.equal({ id: undefined, method: 'list', params: {} });
  });

  it('that is not JSON in UTF-8 is a parse error', () => {
    for (const text of [
      '',
      '{',
      'nonsense',
      '{"a":1}}',
      Buffer.from([0x22, 0xff, 0x22]),
      '\ufeff{"jsonrpc":"2.0","id":1,"method":"x"}',
      '{a:1}',
    ]) {
      expect(refusal(text), String(text)).to.deep.equal([null, RPC_ERRORS.parseError]);
    }
  });

  it('of another shape is invalid, and answered under its id where there is one', () => {
    for (const text of [
      '[]',
      '1',
      'null',
      '"x"',
      '{}',
      '[{"jsonrpc":"2.0","id":1,"method":"x"}]',
      '{"jsonrpc":"2.0","id":{},"method":"x"}',
    ]) {
      expect(refusal(text), text).to.deep.equal([null, RPC_ERRORS.invalidRequest]);
    }
    expect(refusal('{"jsonrpc":"1.0","id":7,"method":"x"}')).to.deep.equal([7, RPC_ERRORS.invalidRequest]);
    expect(refusal('{"jsonrpc":"2.0","id":"b","method":3}')).to.deep.equal(['b', RPC_ERRORS.invalidRequest]);
  });

  it('can be any bytes: each is read or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => void parseRequest(bytes),
      ),
    );
  });
});
