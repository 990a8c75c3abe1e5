import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CopyResult } from '../../core/schemas/copy.ts';
import type { RestoreResult } from '../../core/schemas/restore.ts';
import type { RunResult } from '../../core/schemas/run.ts';
import type { VirtualSite } from '../accounts/virtual-server.ts';
import { UPPER_LAYER } from '../fidelity/compare-trees.ts';
import { Ceph } from '../object-stores/ceph.ts';
import { PlainProgram } from './plain-program.ts';
import type { Proceedings } from './proceedings.ts';
import { restoreLines, runLines } from './results.ts';
import { say, showStep } from './screen.ts';

/** What is compared; raw database files are in no backup. */
const TREES = ['var/www', 'home'] as const;

const nameOf = (tree: string): string => `copied-${tree.replace('/', '-')}`;

/** A repository that is copied to a bucket of a Ceph gateway; then it is deleted, and the account comes back from the copy. */
export class CopiedRepository {
  readonly #proceedings: Proceedings;
  readonly #site: VirtualSite;

  constructor(proceedings: Proceedings, site: VirtualSite) {
    this.#proceedings = proceedings;
    this.#site = site;
  }

  async run(): Promise<void> {
    const { folder } = this.#proceedings.server;
    const ceph = await showStep('start a Ceph cluster with its gateway for S3', () => Ceph.start(join(folder, 'ceph')));
    try {
      const copy = { repository: `s3:${ceph.endpoint}/backups/server-1`, s3: { credentialsFile: ceph.credentialsFile } };
      const repository = join(folder, 'copied');
      const places = { repository, stateDirectory: join(folder, 'copied-state') };
      await this.#copyAndRestore(
        new PlainProgram(this.#proceedings, 'copied', { ...places, copies: [{ name: 'offsite', ...copy }] }),
        repository,
      );
    } finally {
      await ceph.stop();
    }
  }

  async #copyAndRestore(program: PlainProgram, repository: string): Promise<void> {
    const { name, shadow } = this.#site;
    for (const tree of TREES) await this.#proceedings.remember(nameOf(tree), join(shadow, tree));
    await program.ask(['init']);
    say(runLines(await program.ask<RunResult>(['run', name])));
    const { status, copies } = await program.ask<CopyResult>(['copy', 'offsite']);
    this.#proceedings.expect(`${copies[0]?.snapshots} snapshot copied, ${copies[0]?.objects} objects`, status === 'ok');
    await showStep('delete the local repository', () => rm(repository, { recursive: true }));
    const to = join(this.#proceedings.server.folder, 'from-copy');
    const restored = await program.ask<RestoreResult>(['restore', name, '--from', 'offsite', '--to', to]);
    say(restoreLines(restored));
    this.#proceedings.expect('the restore is complete', restored.status === 'ok');
    for (const tree of TREES) {
      const place = join(to, 'shadow', tree);
      this.#proceedings.judge(`${tree} from the copy`, await this.#proceedings.compare(nameOf(tree), place, UPPER_LAYER));
    }
  }
}
