import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { execa } from 'execa';
import { jsonLines } from '../program.ts';

const FIXTURE = join(import.meta.dirname, 'fixtures/session.ts');

const call = (id: number, method: string, params = {}): string => `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;

const start = (args: string[] = []) =>
  execa(process.execPath, [FIXTURE, ...args], { reject: false, stripFinalNewline: false, forceKillAfterDelay: false });

/** Waits for the first line, which shows that the request is being carried out. */
async function firstLine(session: ReturnType<typeof start>): Promise<string> {
  const [line] = await once(createInterface(session.stdout), 'line');
  return line;
}

async function answers(
  input: string | Buffer,
  args: string[] = [],
): Promise<{ messages: Record<string, unknown>[]; exitCode: number | undefined; stderr: string }> {
  const session = start(args);
  session.stdin.end(input);
  const { stdout, stderr, exitCode } = await session;
  return { messages: jsonLines(stdout), exitCode, stderr };
}

describe('a JSON-RPC session', () => {
  it('answers requests in order', async () => {
    const { messages, exitCode } = await answers(call(1, 'finish') + call(2, 'echo', { a: 'ü' }) + call(3, 'finish'));
    expect(messages.map(({ id }) => id)).to.deep.equal([1, 2, 3]);
    expect(messages[1]?.result).to.deep.equal({ a: 'ü' });
    expect(exitCode).to.equal(0);
  });

  it('tells how jobs stand while something is searched for, and searches while something long is done; each kind in its order', async () => {
    const session = start();
    const said = createInterface(session.stdout)[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await said.next()).value ?? '{}').id;
    // Both end when they are asked to, no sooner.
    session.stdin.write(call(1, 'run') + call(2, 'find', { pattern: 'x' }) + call(3, 'echo') + call(4, 'jobs') + call(5, 'version'));
    expect([await next(), await next()]).to.deep.equal([4, 5]);
    session.stdin.write(call(6, 'cancel', { end: 'find' }));
    expect([await next(), await next(), await next()]).to.deep.equal([6, 2, 3]);
    session.stdin.write(call(7, 'run') + call(8, 'plan') + call(9, 'cancel', { end: 'run' }) + call(10, 'cancel', { end: 'plan' }));
    const rest = [await next(), await next(), await next(), await next(), await next()];
    expect(rest.filter((id) => id === 1 || id === 7)).to.deep.equal([1, 7]);
    expect(rest.sort((a, b) => a - b)).to.deep.equal([1, 7, 8, 9, 10]);
    session.stdin.end();
    expect((await session).exitCode).to.equal(0);
  });

  it('finishes the running request when the input ends', async () => {
    const { messages, exitCode } = await answers(call(1, 'finish'));
    expect(messages).to.deep.equal([{ jsonrpc: '2.0', id: 1, result: { finished: true } }]);
    expect(exitCode).to.equal(0);
  });

  it('keeps stray output away from the messages', async () => {
    const { messages, stderr } = await answers(call(1, 'chatter'));
    expect(messages).to.deep.equal([{ jsonrpc: '2.0', id: 1, result: {} }]);
    expect(stderr).to.contain('a stray console.log').and.to.contain('a stray write');
  });

  it('goes on after garbage, a line that is too long and a failure', async () => {
    const huge = `{"jsonrpc":"2.0","id":9,"method":"echo","params":{"x":"${'x'.repeat(17 * 1024 * 1024)}"}}\n`;
    const { messages, exitCode } = await answers(`\u0000\u0001 garbage\n${huge}${call(1, 'fail')}\n\n${call(2, 'echo')}`);
    expect(messages.map(({ id, error }) => [id, (error as { code: number } | undefined)?.code])).to.deep.equal([
      [null, -32700],
      [null, -32700],
      [1, -32000],
      [2, undefined],
    ]);
    expect(exitCode).to.equal(0);
  });

  it('does not carry out a request that the input cuts off', async () => {
    const { messages, exitCode } = await answers(call(1, 'echo') + call(2, 'echo').trimEnd());
    expect(messages.map(({ id, error }) => [id, (error as { code: number } | undefined)?.code])).to.deep.equal([
      [1, undefined],
      [null, -32700],
    ]);
    expect(exitCode).to.equal(0);
  });

  it('says of a failure what code it has, whom it affects and what to do', async () => {
    const { messages } = await answers(call(1, 'fail'));
    expect(messages[0]?.error).to.deep.equal({
      code: -32000,
      message: 'another run holds the lock',
      data: { code: 'locked', message: 'another run holds the lock', affected: ['site1'], advice: 'Wait.', retry: true },
    });
  });

  it('tells nobody where a defect is, unless it is to be looked for', async () => {
    const { messages, stderr } = await answers(call(1, 'break') + call(2, 'echo'));
    expect(messages[0]?.error).to.deep.include({ code: -32000, message: 'a defect' });
    expect(JSON.stringify(messages) + stderr).not.to.contain('session.ts');
    const debugged = await answers(call(1, 'show-defects') + call(2, 'break'));
    expect(JSON.stringify(debugged.messages)).not.to.contain('session.ts');
    expect(debugged.stderr).to.contain('session.ts');
    expect(messages[1]).to.have.property('result');
  });

  it('answers a request that has no id with a log line alone', async () => {
    const { messages } = await answers('{"jsonrpc":"2.0","method":"break"}\n');
    expect(messages.map(({ method }) => method)).to.deep.equal(['log']);
  });

  it('reports broken settings under the request that needs them', async () => {
    const { messages } = await answers(call(1, 'settings') + call(2, 'echo'), ['/nonexistent/settings.json']);
    expect(messages[0]?.error).to.have.nested.property('data.code', 'invalid_settings');
    expect(messages[1]).to.have.property('result');
  });

  for (const [signal, code] of [
    ['SIGHUP', 129],
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    it(`cancels and answers the running request on ${signal}`, async () => {
      const session = start();
      session.stdin.write(call(1, 'last') + call(2, 'echo'));
      await firstLine(session);
      session.kill(signal);
      const { stdout, exitCode } = await session;
      const messages = jsonLines(stdout).filter(({ method }) => method === undefined);
      expect(messages).to.have.length(1);
      expect(messages[0]).to.have.nested.property('error.data.code', 'cancelled');
      expect(exitCode).to.equal(code);
    });

    it(`ends on ${signal} when it waits for a request`, async () => {
      const session = start();
      session.stdin.write(call(1, 'echo'));
      await firstLine(session);
      session.kill(signal);
      expect((await session).exitCode).to.equal(code);
    });
  }

  it('stops quietly when nobody reads its answers', async () => {
    const session = start();
    session.stdin.write(call(1, 'last'));
    await firstLine(session);
    session.stdout.destroy();
    const { exitCode, stderr } = await session;
    expect(exitCode).to.equal(1);
    expect(stderr).to.equal('');
  });
});
