import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import type { WireStats } from '../../core/schemas/counted.ts';
import type { FleetStatusResult } from '../../core/schemas/fleet.ts';
import { MAIN } from '../program.ts';
import { GeneratedFleet } from './generated-fleet.ts';

const IS_SLOW = process.env.SLOW === '1';
/** A thousand servers with half a million accounts; a share of them in the normal run. */
const SERVERS = IS_SLOW ? 1000 : 4;
const SNAPSHOTS = 3;
const ACCOUNTS = 500;
/** Of the process, in KiB. The program itself takes some 120 MiB; what was parsed of listings is garbage until somebody collects it. */
const MOST_MEMORY = 450 * 1024;

describe('what the status of a fleet costs', function () {
  this.timeout(3_600_000);
  const folder = mkdtempSync(join(tmpdir(), 'fleet-costs-'));
  let fleet: GeneratedFleet;
  before(async () => {
    fleet = await GeneratedFleet.start(SERVERS, ACCOUNTS, SNAPSHOTS, 90);
    writeFileSync(join(folder, 'credentials'), '[default]\naws_access_key_id = K\naws_secret_access_key = S\n', { mode: 0o600 });
    mkdirSync(join(folder, 'state'), { mode: 0o700 });
    const settings = { stateDirectory: join(folder, 'state'), s3: { credentialsFile: join(folder, 'credentials') } };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(settings), { mode: 0o600 });
  });
  after(() => {
    fleet.stop();
    rmSync(folder, { recursive: true });
  });

  async function status(...options: string[]): Promise<{ result: FleetStatusResult; stats: WireStats; memory: number }> {
    const place = ['--repository', `s3:${fleet.endpoint}/fleet`];
    const command = ['--config', join(folder, 'config.json'), '--json', '--stats', 'fleet', 'status', ...place, ...options];
    const [requests, bytes] = [fleet.requests, fleet.bytes];
    const begin = performance.now();
    const { stdout, stderr } = await execa('/usr/bin/time', ['-f', '%M', process.execPath, MAIN, ...command]);
    const result = JSON.parse(stdout) as FleetStatusResult & { stats: WireStats };
    const memory = Number(stderr.trim().split('\n').at(-1));
    expect(result.stats.requests, 'what it says that it asked').to.equal(fleet.requests - requests);
    if (IS_SLOW) {
      const [seconds, megabytes] = [(performance.now() - begin) / 1000, (fleet.bytes - bytes) / 1e6];
      console.log(
        `      ${options.join(' ')}: ${result.stats.requests} requests, ${megabytes.toFixed()} MB, ${seconds.toFixed()} s, ${memory} KiB`,
      );
    }
    return { result, stats: result.stats, memory };
  }

  it('is three requests a server, of a machine that met them before two, in bounded memory', async () => {
    const first = await status();
    expect(first.result.status).to.equal('ok');
    expect(first.result.servers).to.have.length(SERVERS);
    for (const { units, overdue, size } of first.result.servers)
      expect([units, overdue, size]).to.deep.equal([ACCOUNTS, 0, ACCOUNTS * 123_456_789]);
    expect(first.stats.requests).to.be.at.most(3 * SERVERS + 5);
    expect(first.stats.bytesReceived, 'one record each').to.be.at.most(SERVERS * 300_000);
    expect(first.memory).to.be.at.most(MOST_MEMORY);
    const again = await status();
    expect(again.stats.requests).to.be.at.most(2 * SERVERS + 5);
  });

  it('is one more for each thousand objects where sizes are asked for', async () => {
    const { result, stats, memory } = await status('--sizes');
    for (const { stored } of result.servers) expect(stored).to.be.greaterThan(ACCOUNTS * SNAPSHOTS * 5_000_000);
    expect(stats.requests).to.be.at.most(SERVERS * (3 + Math.ceil(fleet.objectsOfServer / 1000)) + 5);
    expect(memory).to.be.at.most(MOST_MEMORY);
  });
});
