import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { emptyFolder } from '../tools/folders.ts';
import { restic } from '../tools/restic.ts';
import type { ToolKind } from '../tools/tool.ts';
import type { LinePlace } from './line-place.ts';

export const resticOverLine: ToolKind<LinePlace> = {
  ...restic,
  at({ accountsRoot, folder, line, store }) {
    let name = '';
    let count = 0;
    const passwordFile = join(folder, 'password');
    const ssh = ['ssh', '-p', `${line.portOf('sftp')}`, '-i', line.ssh.identityFile, '-o', `UserKnownHostsFile=${line.knownHostsFile}`];
    const place = (): string[] =>
      store === 's3'
        ? ['--repo', `s3:http://${line.address}:${line.portOf('s3')}/line-restic/${name}`]
        : [
            ...['--repo', `sftp:root@${line.address}:${join(line.folderOfSftp, name)}`],
            ...['--option', `sftp.command=${[...ssh, `root@${line.address}`, '-s', 'sftp'].join(' ')}`],
          ];
    const environment = { AWS_ACCESS_KEY_ID: line.ceph.accessKey, AWS_SECRET_ACCESS_KEY: line.ceph.secretKey };
    const command = (...args: string[]) =>
      line.atThisEnd({
        program: 'restic',
        args: ['--quiet', ...place(), '--password-file', passwordFile, '--cache-dir', join(folder, 'cache'), ...args],
        environment,
      });
    return {
      repository: folder,
      async reset() {
        emptyFolder(folder);
        name = `restic-${++count}`;
        writeFileSync(passwordFile, 'bench\n');
        const { program, args } = command('init', '--repository-version', '2');
        await execa(program, [...args], { env: environment });
      },
      operations: {
        full: () => [command('backup', '--compression', 'auto', accountsRoot)],
        restoreAccount: ({ account, target }) => [
          command('restore', 'latest', '--target', target, '--include', join(accountsRoot, account)),
        ],
      },
      restoredAccount: (target, account) => join(target, accountsRoot, account),
    };
  },
};
