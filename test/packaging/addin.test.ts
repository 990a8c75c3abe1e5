import { rmSync } from 'node:fs';
import { expect } from 'chai';
import { StandInRoot } from './stand-in-root.ts';

/** As Bootstrapper's addin.yml: the role's tasks on this very machine. */
const PLAYBOOK = `- hosts: localhost
  connection: local
  gather_facts: no
  tasks:
    - import_tasks: FOLDER/tasks/main.yml
`;

describe('the addin for Bootstrapper', () => {
  let server: StandInRoot;
  before(async () => {
    server = new StandInRoot();
    await server.install();
    const folder = `${server.panel}/resources/playbooks/addins/apiscp-backup`;
    server.write('/addin.yml', PLAYBOOK.replace('FOLDER', folder));
  });
  after(() => server.remove());

  const play = async (...args: string[]) => {
    const { stdout, exitCode } = await server.run('env', 'HOME=/root', 'ansible-playbook', '-i', 'localhost,', '/addin.yml', ...args);
    expect(exitCode, stdout).to.equal(0);
    return Number(/changed=(\d+)/.exec(stdout)?.[1]);
  };

  it('changes nothing where all is well, mends what is lost, and takes everything away when it is asked to', async () => {
    expect(await play()).to.equal(0);
    rmSync(server.at(`${server.custom}/apiscp-backup`));
    expect(await play()).to.equal(1);
    expect(server.has(`${server.custom}/apiscp-backup/php-module/boot.php`)).to.equal(true);
    await play('--tags=uninstall');
    expect(server.has(`${server.custom}/apiscp-backup`) || server.has('/usr/libexec/apiscp-backup')).to.equal(false);
    expect(server.has('/var/lib/apiscp-backup')).to.equal(true);
  });
});
