import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { keys } from '../../core/commands/keys.ts';
import { list } from '../../core/commands/list.ts';
import { restore } from '../../core/commands/restore.ts';
import { status } from '../../core/commands/status.ts';
import { newIdentity } from '../../core/crypto/identity.ts';
import { failureOf } from '../failure-of.ts';
import { Sandbox } from './sandbox.ts';

describe('an account that gets another domain', () => {
  let server: Sandbox;
  beforeEach(() => {
    server = new Sandbox();
    writeFileSync(join(server.shadow, 'file'), 'content');
  });
  afterEach(() => server.remove());

  const rename = (domain: string) => writeFileSync(join(server.site, 'info/current/siteinfo'), `[DEFAULT]\ndomain = ${domain}\n`);
  const domains = async (domain?: string) =>
    (await list(domain === undefined ? {} : { domain }, server.context)).snapshots
      .filter(({ unit }) => unit === 'site1')
      .map((snapshot) => snapshot.domain);
  const former = async () => (await status({}, server.context)).units.find(({ unit }) => unit === 'site1')?.formerDomains;
  const told = () => server.log.filter(({ code }) => code === 'unit_renamed').map(({ message }) => message);

  for (const kind of ['plain', 'for others to read'] as const) {
    it(`is found by each that it had, in a repository that is ${kind}`, async () => {
      await server.init();
      if (kind !== 'plain') await keys({ recipients: [(await newIdentity()).recipient], serverCanRead: false }, server.context);
      await server.back();
      for (const domain of ['second.test', 'third.test']) {
        rename(domain);
        await server.back();
      }
      const all = ['example.test', 'second.test', 'third.test'];
      expect(await domains()).to.deep.equal(all);
      for (const domain of ['example.test', 'SECOND.test', 'third.test']) expect(await domains(domain)).to.deep.equal(all);
      expect(await former()).to.deep.equal(['example.test', 'second.test']);
      expect(told()).to.have.length(2);
      expect(told()[0]).to.equal('site1: it was renamed from example.test to second.test');
      expect((await failureOf(() => list({ domain: 'nobody.test' }, server.context))).code).to.equal('unit_unknown');
      expect((await failureOf(() => list({ domain: 'example.test', unit: 'site1', policy: 'owner' }, server.context))).code).to.equal(
        'usage',
      );
      if (kind === 'plain') return;
      // Without what the state remembers nobody here can tell, and nothing else is lost by that.
      rmSync(join(server.stateDirectory), { recursive: true });
      expect(await domains()).to.deep.equal([null, null, null]);
    });
  }

  it('is the same customer’s still when it was restored to a new folder', async () => {
    await server.init();
    await server.back();
    rename('second.test');
    await server.back();
    rmSync(server.site, { recursive: true });
    server.addAccount('site1');
    rename('second.test');
    await restore({ unit: 'site1', paths: [{ path: 'shadow/file' }] }, server.context);
    expect(readFileSync(join(server.shadow, 'file'), 'utf8')).to.equal('content');
  });
});
