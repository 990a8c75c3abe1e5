import { PassThrough, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Context } from '../../core/context/context.ts';
import { serve } from '../../core/rpc/serve.ts';
import { jsonLines } from '../program.ts';

const REQUESTS = 2000;
const ANSWER = 'x'.repeat(10_000);

/** A peer that reads nothing until it is told to. */
class Peer extends Writable {
  text = '';
  #release: (() => void) | undefined;
  #reads = false;

  constructor() {
    super({ decodeStrings: false });
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    if (this.#reads) done();
    else this.#release = done;
  }

  read(): void {
    this.#reads = true;
    this.#release?.();
  }
}

function session(perform: (context: Context) => Promise<unknown>) {
  const input = new PassThrough();
  const peer = new Peer();
  const controller = new AbortController();
  const interruption = { signal: controller.signal, exitCode: () => undefined, stop: () => controller.abort() };
  const methods = new Map([['work', { check: () => undefined, perform: (_request: unknown, context: Context) => perform(context) }]]);
  const openContext = (reporter: Context['reporter']) => ({ reporter, signal: controller.signal }) as Context;
  const ended = serve({ methods, input, output: peer, interruption, openContext });
  const ask = (count: number) => {
    for (let id = 0; id < count; id++) input.write(`{"jsonrpc":"2.0","id":${id},"method":"work"}\n`);
    input.end();
  };
  return { peer, ended, ask, interruption };
}

describe('answers that nobody reads', () => {
  it('are not made: the requests behind them wait until the peer reads', async () => {
    let performed = 0;
    const { peer, ended, ask } = session(async () => {
      performed++;
      return ANSWER;
    });
    ask(REQUESTS);
    for (let round = 0; round < 20; round++) await sleep(1);
    expect(performed).to.be.below(10);
    peer.read();
    expect(await ended).to.equal(0);
    expect(jsonLines(peer.text)).to.have.length(REQUESTS);
  });

  it('cost bounded memory while one request talks a lot, and the peer learns how much it missed', async () => {
    const lines = 1000;
    const { peer, ended, ask } = session(async ({ reporter }) => {
      for (let line = 0; line < lines; line++) {
        reporter.progress({ phase: 'backup', unit: 'site1', entries: line, bytes: 0 });
        reporter.log({ level: 'warning', code: 'vanished', message: ANSWER });
      }
      expect(peer.writableLength).to.be.below(2 * 1024 * 1024);
      return {};
    });
    ask(1);
    await sleep(1);
    peer.read();
    await ended;
    const messages = jsonLines(peer.text) as { method?: string; id?: number; params?: { code: string; message: string } }[];
    expect(messages.some(({ id }) => id === 0)).to.equal(true);
    const logged = messages.filter(({ params }) => params?.code === 'vanished').length;
    expect(messages.find(({ params }) => params?.code === 'unread')?.params?.message).to.contain(`${lines - logged} log lines`);
  });

  it('do not keep the program when it is told to end', async () => {
    const { ended, ask, interruption } = session(async () => ANSWER);
    ask(REQUESTS);
    await sleep(1);
    interruption.stop();
    await ended;
  });
});
