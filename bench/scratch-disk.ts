import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

/** Of the image, which takes room only for what is written. */
const LENGTH = 100 * 2 ** 30;

/**
 * A file system for what is restored, new and empty for each restore. In a folder that was emptied a moment ago ext4 gives out none of
 * the inodes that were just deleted and passes over all of them for each new file: that, and not the restore, would be measured.
 */
export class ScratchDisk {
  readonly folder: string;
  readonly #image: string;

  /** Nothing is made below `workFolder` before `renew`. */
  constructor(workFolder: string) {
    this.folder = join(workFolder, 'scratch');
    this.#image = join(workFolder, 'scratch.image');
  }

  /** Makes it new and empty, and mounts it. */
  async renew(): Promise<void> {
    await this.remove();
    mkdirSync(this.folder);
    writeFileSync(this.#image, '');
    truncateSync(this.#image, LENGTH);
    await execa('mkfs.ext4', ['-q', '-F', '-m', '0', this.#image]);
    // Past the page cache of the file system below, or else everything would be in memory twice.
    const { stdout } = await execa('losetup', ['--find', '--show', '--direct-io=on', this.#image]);
    await execa('mount', [stdout.trim(), this.folder]);
  }

  /** Unmounts and removes it, also one that a killed bench left. */
  async remove(): Promise<void> {
    // It may not be mounted.
    await execa('umount', ['--detach-loop', this.folder], { reject: false });
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.#image, { force: true });
  }
}
