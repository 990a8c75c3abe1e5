import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openStore } from '../../core/repository/backends/open-store.ts';
import { failureOf } from '../failure-of.ts';
import { backendConformance } from '../repository/conformance.ts';
import { Ceph } from './ceph.ts';
import { costsInStore } from './costs.ts';
import { objectLocksInStore } from './object-locks.ts';
import { ownFoldersInStore } from './own-folders.ts';
import { copyInStore, programInStore, programOverBadNetwork } from './program.ts';
import { separateKeysInStore } from './separate-keys.ts';
import { stagesInStore } from './stages.ts';
import { twoHostsInStore } from './two-hosts.ts';

let ceph: Ceph;

describe('a repository in a store that speaks S3', function () {
  this.timeout(180_000);
  before(async () => {
    ceph = await Ceph.start();
  });
  after(() => ceph.stop());

  let count = 0;
  const open = (prefix: string) => {
    const repository = `s3:${ceph.endpoint}/bucket-${++count}/${prefix}`;
    return openStore({ repository, s3: { credentialsFile: ceph.credentialsFile }, sftp: {}, rclone: {} });
  };
  backendConformance(
    'S3',
    () => open('some/prefix'),
    async () => {},
  );
  if (process.env.SLOW === '1') {
    backendConformance(
      'S3 without a prefix',
      () => open(''),
      async () => {},
    );
  }

  programInStore(
    'S3',
    async () => ({
      repository: `s3:${ceph.endpoint}/backups-of-a-server/some/prefix`,
      s3: { credentialsFile: ceph.credentialsFile },
    }),
    ['versions'],
  );

  copyInStore('S3', async () => ({
    repository: `s3:${ceph.endpoint}/copies/of/a-server`,
    s3: { credentialsFile: ceph.credentialsFile },
  }));

  programOverBadNetwork('S3', async () => ({
    port: Number(new URL(ceph.endpoint).port),
    settings: (port) => ({ repository: `s3:http://127.0.0.1:${port}/bad-network/p`, s3: { credentialsFile: ceph.credentialsFile } }),
  }));

  stagesInStore(() => ({ port: Number(new URL(ceph.endpoint).port), credentialsFile: ceph.credentialsFile }));

  costsInStore('S3', async () => ({
    repository: `s3:${ceph.endpoint}/many-accounts/some/prefix`,
    s3: { credentialsFile: ceph.credentialsFile },
  }));

  separateKeysInStore(() => ceph);

  ownFoldersInStore(() => ceph);
  objectLocksInStore(() => ceph);

  twoHostsInStore('S3', async () => ({
    port: Number(new URL(ceph.endpoint).port),
    place: (address, port) => ({ repository: `s3:http://${address}:${port}/fleet/all`, s3: { credentialsFile: ceph.credentialsFile } }),
  }));

  it('names what is wrong with the key, and does not try again', async () => {
    const file = join(ceph.folder, 'wrong');
    writeFileSync(file, `[default]\naws_access_key_id = ${ceph.accessKey}\naws_secret_access_key = other\n`, { mode: 0o600 });
    const store = await openStore({ repository: `s3:${ceph.endpoint}/bucket-x`, s3: { credentialsFile: file }, sftp: {}, rclone: {} });
    expect(await failureOf(() => store.inspect())).to.include({ code: 'repository_refused' });
    chmodSync(file, 0o644);
    const open = await openStore({ repository: `s3:${ceph.endpoint}/bucket-x`, s3: { credentialsFile: file }, sftp: {}, rclone: {} });
    expect(await failureOf(() => open.inspect())).to.include({ code: 'invalid_settings' });
  });
});
