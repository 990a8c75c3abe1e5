import { rmSync } from 'node:fs';
import { expect } from 'chai';
import { StandInRoot } from './stand-in-root.ts';

/** As Bootstrapper's addin.yml: it includes the role by its name, and the tags of the command line are those of the task that does so, too. */
const PLAYBOOK = `- hosts: localhost
  become: yes
  connection: local
  gather_facts: no
  tasks:
    - include_role:
        name: "addins/{{ addin }}"
`;

describe('the addin for Bootstrapper', () => {
  let server: StandInRoot;
  before(async () => {
    server = new StandInRoot();
    await server.install();
    server.write(`${server.panel}/resources/playbooks/addin.yml`, PLAYBOOK);
  });
  after(() => server.remove());

  const play = async (addin: string, ...args: string[]) => {
    const command = `cd ${server.panel}/resources/playbooks && HOME=/root exec ansible-playbook addin.yml --extra-vars=addin=${addin} "$@"`;
    const { stdout, exitCode } = await server.run('/bin/sh', '-c', command, 'sh', ...args);
    expect(exitCode, stdout).to.equal(0);
    return Number(/changed=(\d+)/.exec(stdout)?.[1]);
  };

  it('changes nothing where all is well, mends what is lost, and takes everything away when it is asked to, each once', async () => {
    const ours = 'apiscp-backup';
    expect(await play(ours)).to.equal(0);
    rmSync(server.at(`${server.custom}/apiscp-backup`));
    expect(await play(ours)).to.equal(1);
    expect(server.has(`${server.custom}/apiscp-backup/php-module/boot.php`)).to.equal(true);
    // The removal takes the role away as well; another copy of it finds nothing to do.
    await server.run('cp', '-r', `${server.panel}/resources/playbooks/addins/${ours}`, `${server.panel}/resources/playbooks/addins/again`);
    expect(await play(ours, '--tags=uninstall,all')).to.equal(1);
    expect(server.has(`${server.custom}/apiscp-backup`) || server.has('/usr/libexec/apiscp-backup')).to.equal(false);
    expect(server.has('/var/lib/apiscp-backup')).to.equal(true);
    expect(await play('again', '--tags=uninstall,all')).to.equal(0);
    expect(await play('again')).to.equal(0);
  });
});
