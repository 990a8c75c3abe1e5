import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeSmallWebApplication } from '../accounts/site-software.ts';
import { TestServer } from './test-server.ts';

/** Starts a program as a root that may not read what others have closed. */
const WITHOUT_OVERRIDE = ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-all'];

describe('what cannot be read', function () {
  this.timeout(120_000);
  let server: TestServer;

  beforeEach(async () => {
    server = new TestServer();
    makeSmallWebApplication(server.shadow);
    await server.init();
  });

  afterEach(() => server.remove());

  it('is named, all else is kept, and the next run brings it in', async () => {
    mkdirSync(join(server.shadow, 'closed'));
    for (const name of ['secret', 'closed/inside']) writeFileSync(join(server.shadow, name), 'x'.repeat(5000), { mode: 0o600 });
    for (const name of ['secret', 'closed/inside', 'closed']) chownSync(join(server.shadow, name), 1001, 1001);
    chmodSync(join(server.shadow, 'closed'), 0o700);

    const { exitCode, result } = await server.run(['site1'], WITHOUT_OVERRIDE);
    expect(exitCode).to.equal(3);
    const [unit] = result.units;
    expect(unit).to.include({ status: 'partial', error: null });
    expect(unit!.warnings.map(({ path, code }) => `${path}: ${code}`)).to.have.members([
      'shadow/secret: unreadable',
      'shadow/closed: unreadable',
    ]);
    expect((await server.verify()).result).to.include({ status: 'ok' });
    await server.expectPerfectRun();
  });
});
