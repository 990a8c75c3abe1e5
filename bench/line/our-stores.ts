import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { emptyFolder } from '../tools/folders.ts';
import { ENCRYPTED, EXECUTABLE, OURS, OURS_ENCRYPTED, ours, oursEncrypted, SAME_PRIORITY } from '../tools/ours.ts';
import type { Tool, ToolKind } from '../tools/tool.ts';
import type { LinePlace } from './line-place.ts';

/** Each full of it is the first of a new repository. */
function toolAt({ accountsRoot, folder, line, store }: LinePlace, initArguments: readonly string[]): Tool {
  const settingsFile = join(folder, 'settings.json');
  let count = 0;
  const place = () => {
    const name = `${folder.replace(/\W/g, '-')}-${++count}`;
    if (store === 's3') {
      return {
        repository: `s3:http://${line.address}:${line.portOf('s3')}/line/${name}`,
        s3: { credentialsFile: line.ceph.credentialsFile },
      };
    }
    const sftp = { identityFile: line.ssh.identityFile, knownHostsFile: line.knownHostsFile };
    return { repository: `sftp:root@${line.address}:${line.portOf('sftp')}:${join(line.folderOfSftp, name)}`, sftp };
  };
  const command = (...args: string[]) => line.atThisEnd({ program: EXECUTABLE, args: ['--config', settingsFile, ...args] });
  return {
    repository: folder,
    async reset() {
      emptyFolder(folder);
      const [systemRoot, stateDirectory] = [join(folder, 'system'), join(folder, 'state')];
      mkdirSync(systemRoot);
      const settings = { stateDirectory, accountsRoot, systemRoot, databases: { method: 'none' }, limits: SAME_PRIORITY, ...place() };
      writeFileSync(settingsFile, JSON.stringify(settings), { mode: 0o600 });
      const { program, args } = command('init', ...initArguments);
      await execa(program, [...args]);
    },
    operations: {
      full: () => [command('run', '--level', 'full')],
      restoreAccount: ({ account, target }) => [command('restore', account, '--to', target)],
    },
    restoredAccount: (target) => target,
  };
}

export const oursOverLine: ToolKind<LinePlace> = { ...ours, name: OURS, at: (place) => toolAt(place, []) };

export const oursEncryptedOverLine: ToolKind<LinePlace> = {
  ...oursEncrypted,
  name: OURS_ENCRYPTED,
  at: (place) => toolAt(place, ENCRYPTED),
};
