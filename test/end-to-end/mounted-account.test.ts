import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { fillSite } from '../accounts/hosting-site.ts';
import { makeSmallWebApplication } from '../accounts/site-software.ts';
import { makeVirtualServer, type VirtualSite } from '../accounts/virtual-server.ts';
import { damageSite } from '../demo/damage.ts';
import { compareDescriptions, compareTrees, UPPER_LAYER } from '../fidelity/compare-trees.ts';
import { describeTree, saveDescription, savedDescription } from '../fidelity/description.ts';
import { TestServer } from './test-server.ts';

describe('an account that is mounted', function () {
  this.timeout(120_000);
  let server: TestServer;
  let site: VirtualSite;

  beforeEach(async () => {
    server = new TestServer();
    rmSync(server.accountsRoot, { recursive: true });
    const application = join(server.folder, 'application');
    makeSmallWebApplication(application);
    [site] = (await makeVirtualServer(server.accountsRoot, 1)) as [VirtualSite];
    await fillSite(site, application);
    await server.init();
  });

  afterEach(() => server.remove());

  it('is restored aside as its upper layer is, without live database files', async () => {
    await server.backUp();
    const restored = await server.restoreAside();
    const options = { exclude: ['var/lib/mysql'], ignoreProperties: ['link count'] as const };
    expect(await compareTrees(site.shadow, join(restored, 'shadow'), options)).to.deep.equal([]);
    expect(await compareTrees(site.info, join(restored, 'info'))).to.deep.equal([]);
  });

  it('is restored in place through the mount after every kind of damage', async () => {
    const trees = [{ place: site.fst }, { place: site.shadow, options: UPPER_LAYER }, { place: site.info }].map((tree, index) => ({
      ...tree,
      file: join(server.folder, `description-${index}`),
    }));
    for (const { place, file } of trees) await saveDescription(place, file);
    await server.backUp();
    await damageSite(site);
    const { exitCode, result } = await server.restore('--delete');
    expect(result, JSON.stringify(result.warnings)).to.include({ status: 'ok', failed: 0 });
    expect(exitCode).to.equal(0);
    for (const { place, file, options } of trees) {
      const { differences } = await compareDescriptions(savedDescription(file), describeTree(place), options);
      expect(differences, place).to.deep.equal([]);
    }
  });
});
