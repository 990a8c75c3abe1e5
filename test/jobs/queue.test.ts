import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nextOf, waitForTurn } from '../../core/jobs/queue.ts';
import { ticketsFolder } from '../../core/jobs/record/places.ts';
import { createTicket, HeldTicket, type LiveTicket, liveTicket, liveTickets, type Ticket } from '../../core/jobs/record/ticket.ts';
import { failureOf } from '../failure-of.ts';
import { JobServer } from './server.ts';

const id = (number: number): string => `20261126T000000${String(number).padStart(3, '0')}Z-00000000`;
const ticket = (number: number, given: Partial<LiveTicket> = {}): LiveTicket => ({
  ...{ id: id(number), site: null, size: 1, key: id(number), isQueued: true, isHeld: true, isWorking: false },
  ...given,
});
/** A second after the first of them. */
const NOW = Date.parse('2026-11-26T00:00:01Z');
const numbers = (tickets: readonly Ticket[]): number[] => tickets.map(({ id }) => Number(id.slice(15, 18)));

describe('the queue of jobs', () => {
  let server: JobServer;

  before(() => {
    server = new JobServer();
  });
  after(() => server.remove());

  it('takes administrators before owners, small before large, then who came first', () => {
    const waiting = [
      ticket(1, { site: 'site1', key: 'site1', size: 0 }),
      ticket(2, { size: 3 }),
      ticket(3, { size: 1 }),
      ticket(4, { size: 1 }),
      ticket(5, { size: 0 }),
    ];
    expect(numbers(nextOf(waiting, NOW))).to.deep.equal([5, 3, 4]);
  });

  it('puts nobody off for ever: whoever has waited long comes before small ones that keep coming', () => {
    const waiting = [ticket(1, { size: 3 }), ticket(2, { size: 2 }), ...[3, 4, 5].map((number) => ticket(number, { size: 0 }))];
    expect(numbers(nextOf(waiting, NOW))).to.deep.equal([3, 4, 5]);
    const owners = ticket(6, { site: 'site1', key: 'site1' });
    expect(numbers(nextOf([owners, ...waiting], NOW + 10 * 60_000))).to.deep.equal([1, 2, 3]);
    // By a clock that was put back, nobody has waited.
    expect(numbers(nextOf(waiting, NOW - 3_600_000))).to.deep.equal([3, 4, 5]);
  });

  it('lets nobody pass one whose number is of days to come, because the clock was put back since', () => {
    const ahead = { ...ticket(7, { size: 3 }), id: '20991126T000000007Z-00000000', key: 'ahead' };
    const waiting = [...[3, 4, 5].map((number) => ticket(number, { size: 0 })), ahead];
    expect(numbers(nextOf(waiting, NOW))).to.deep.equal([7, 3, 4]);
  });

  it('never lets owners take all places, nor one owner two', () => {
    const own = (number: number, site: string, given: Partial<LiveTicket> = {}) => ticket(number, { site, key: site, ...given });
    expect(numbers(nextOf([own(1, 'site1'), own(2, 'site1'), own(3, 'site2'), own(4, 'site3')], NOW))).to.deep.equal([1, 3]);
    const busy = [own(1, 'site1', { isWorking: true }), own(2, 'site2', { isWorking: true }), own(3, 'site3'), ticket(4)];
    expect(numbers(nextOf(busy, NOW))).to.deep.equal([4]);
  });

  it('lets what would wait for another one all the same take no place', () => {
    const runs = [ticket(1, { key: 'server', isWorking: true }), ticket(2, { key: 'server' }), ticket(3, { size: 3 })];
    expect(numbers(nextOf(runs, NOW))).to.deep.equal([3]);
  });

  it('passes over whoever is dead, in a terminal, or has not come yet', () => {
    const three = [1, 2, 3].map((number) => ticket(number, { isWorking: true, isHeld: false }));
    expect(numbers(nextOf([...three, ticket(4, { isQueued: false, isWorking: true }), ticket(5)], NOW))).to.deep.equal([5]);
  });

  it('gives the turn on when the one before ends in whatever way, and a waiting one can be stopped', async () => {
    const { stateDirectory } = server;
    const hold = async (number: number): Promise<HeldTicket> => {
      createTicket(stateDirectory, { ...ticket(number), key: 'server' });
      return (await HeldTicket.take(stateDirectory, id(number))) as HeldTicket;
    };
    const [first, second, third] = [await hold(1), await hold(2), await hold(3)];
    const waits: number[] = [];
    const waiting = (signal = new AbortController().signal) => ({
      stateDirectory,
      signal,
      onWait: (ahead: number) => void waits.push(ahead),
    });
    await waitForTurn(first, waiting());
    expect(liveTickets(stateDirectory).map(({ isWorking }) => isWorking)).to.deep.equal([true, false, false]);
    const stopped = new AbortController();
    const last = failureOf(() => waitForTurn(third, waiting(stopped.signal)));
    const next = waitForTurn(second, waiting());
    stopped.abort();
    expect((await last).code).to.equal('cancelled');
    first.giveBack();
    await next;
    expect(waits).to.include.members([0]);
    second.giveBack();
    third.giveBack();
    expect(liveTickets(stateDirectory)).to.deep.equal([]);
  });

  it('knows a job whose process has not come yet from one whose process never will', async () => {
    createTicket(server.stateDirectory, ticket(7));
    expect(liveTicket(server.stateDirectory, id(7))).to.include({ isHeld: false });
    for (const hours of [-1, 1]) {
      const then = Date.now() / 1000 + hours * 3600;
      utimesSync(join(ticketsFolder(server.stateDirectory), id(7)), then, then);
      expect(liveTicket(server.stateDirectory, id(7)), `${hours} h`).to.equal(undefined);
    }
  });
});
