import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import timers from 'node:timers/promises';
import { expect } from 'chai';
import { METHODS } from '../../core/commands/registry.ts';
import { breath } from '../../core/context/breath.ts';
import { JobServer } from '../jobs/server.ts';

const FILES = 200;
const SNAPSHOTS = 4;

/** What each command looks at with a look at the clock in between, at least: so often others are let in where the clock says each time that it is time. */
const LEAST: Record<string, { readonly request: object; readonly breaths: number }> = {
  list: { request: {}, breaths: 3 * SNAPSHOTS },
  status: { request: {}, breaths: 6 },
  databases: { request: {}, breaths: SNAPSHOTS },
  ls: { request: { unit: 'site1', folder: { path: 'shadow/var/many' } }, breaths: FILES / 64 },
  find: { request: { unit: 'site1', pattern: '*' }, breaths: FILES / 64 },
  history: { request: { unit: 'site1', path: { path: 'shadow/var/small' } }, breaths: SNAPSHOTS },
  diff: { request: { unit: 'site1' }, breaths: SNAPSHOTS },
  plan: { request: { unit: 'site1', paths: [{ path: 'shadow' }], to: '/tmp' }, breaths: FILES / 64 },
  verify: { request: { unit: 'site1' }, breaths: FILES },
  prune: { request: { dryRun: true }, breaths: 2 * SNAPSHOTS },
  copy: { request: {}, breaths: 2 * SNAPSHOTS },
  fleetStatus: { request: {}, breaths: 4 },
};

describe('while it works', function () {
  this.timeout(60_000);
  const server = new JobServer();
  const { setImmediate } = timers;
  const { now } = performance;
  let time = 0;
  let taken = 0;

  before(async () => {
    const counted: typeof setImmediate = (...rest) => {
      taken++;
      return setImmediate(...rest);
    };
    Object.assign(timers, { setImmediate: counted });
    syncBuiltinESMExports();
    const settings = JSON.parse(readFileSync(server.settingsFile, 'utf8'));
    const copies = [{ name: 'second', repository: join(server.folder, 'copy') }];
    writeFileSync(server.settingsFile, JSON.stringify({ ...settings, copies }));
    await server.program(['init']);
    const many = join(server.folder, 'virtual/site1/shadow/var/many');
    mkdirSync(many);
    for (let number = 0; number < FILES; number++) writeFileSync(join(many, `${number}`), `${number}`);
    for (let snapshot = 0; snapshot < SNAPSHOTS; snapshot++) {
      for (const site of ['site1', 'site2']) appendFileSync(join(server.folder, 'virtual', site, 'shadow/var/small'), 'more');
      await server.program(['run']);
    }
  });
  after(async () => {
    performance.now = now;
    // From now on it is real time again.
    await breath();
    Object.assign(timers, { setImmediate });
    syncBuiltinESMExports();
    server.remove();
  });

  for (const [name, { request, breaths }] of Object.entries(LEAST)) {
    it(`${name} lets others in, again and again`, async () => {
      taken = 0;
      // A clock never goes back.
      time = Math.max(time, now.call(performance));
      performance.now = () => (time += 25);
      try {
        await METHODS.get(name)?.perform(request, server.context);
      } finally {
        performance.now = now;
      }
      expect(taken).to.be.at.least(breaths);
    });
  }
});
