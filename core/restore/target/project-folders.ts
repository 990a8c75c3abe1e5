import { closeDescriptor, makeDirectoryAt, openDirectoryAt, removeDirectoryAt } from '../../linux/files.ts';
import { FS_PROJINHERIT_FL, writeInodeFlags } from '../../linux/inode-flags.ts';
import { inheritedProjectId, writeProjectId } from '../../linux/project-id.ts';
import { errorCode } from '../../linux/system-error.ts';
import type { ByteString } from '../../manifest/entry.ts';
import { stagedName } from './names.ts';

const PRIVATE = 0o700;

interface ProjectFolder {
  readonly staging: number;
  readonly name: ByteString;
  readonly descriptor: number;
}

/**
 * Folders in staging folders, one for each project that a place gives to what is new in it: XFS and ext4 let nothing be renamed to there
 * that belongs to another one, and links and special files have only the project that they were made with. One per thread.
 */
export class ProjectFolders {
  readonly #folders = new Map<string, ProjectFolder>();

  /** The folder of `staging` from which something can be renamed into an open directory: in nearly all cases the staging folder itself. */
  in(staging: number, directory: number): number {
    const project = inheritedProjectId(directory);
    if (project === undefined) return staging;
    const key = `${staging}:${project}`;
    let folder = this.#folders.get(key);
    if (folder === undefined) {
      folder = makeFolder(staging, project);
      this.#folders.set(key, folder);
    }
    return folder.descriptor;
  }

  /** Removes them; to be called before the staging folders are closed. */
  close(): void {
    for (const { staging, name, descriptor } of this.#folders.values()) {
      closeDescriptor(descriptor);
      try {
        removeDirectoryAt(staging, name);
      } catch (error) {
        // What is left in it goes with the staging folder.
        if (errorCode(error) === undefined) throw error;
      }
    }
    this.#folders.clear();
  }
}

function makeFolder(staging: number, project: number): ProjectFolder {
  const name = stagedName();
  makeDirectoryAt(staging, name, PRIVATE);
  const descriptor = openDirectoryAt(staging, name);
  writeProjectId(descriptor, project);
  writeInodeFlags(descriptor, FS_PROJINHERIT_FL);
  return { staging, name, descriptor };
}
