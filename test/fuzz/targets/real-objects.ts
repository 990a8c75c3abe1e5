import { randomBytes } from 'node:crypto';
import { globSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newIdentity } from '../../../core/crypto/identity.ts';
import { WORLD } from './world.ts';

/** Objects of two small repositories, a plain and an encrypted one, by the end of their names; their ids are those of `WORLD`. */
export async function realObjects(ending: RegExp): Promise<Buffer[]> {
  const { Sandbox } = await import('../../commands/sandbox.ts');
  const { hold } = await import('../../../core/commands/hold.ts');
  const found: Buffer[] = [];
  for (const isSealed of [false, true]) {
    const sandbox = new Sandbox();
    try {
      await sandbox.init(isSealed ? { recipients: [(await newIdentity()).recipient], serverCanRead: true } : {});
      mkdirSync(join(sandbox.shadow, 'folder/deep'), { recursive: true });
      for (const name of ['a', 'folder/c', 'folder/deep/ä']) writeFileSync(join(sandbox.shadow, name), `content of ${name}`);
      writeFileSync(join(sandbox.shadow, 'random'), randomBytes(3000));
      linkSync(join(sandbox.shadow, 'a'), join(sandbox.shadow, 'folder/linked'));
      symlinkSync('a', join(sandbox.shadow, 'pointer'));
      await sandbox.back('full');
      rmSync(join(sandbox.shadow, 'folder/c'));
      writeFileSync(join(sandbox.shadow, 'later'), 'later');
      const { snapshot } = await sandbox.back('incremental');
      await hold({ unit: 'site1', snapshot: snapshot as string, reason: 'kept' }, sandbox.context);
      const files = [...globSync(join(sandbox.repository, '**/*')), ...globSync(join(sandbox.stateDirectory, '**/*'))];
      for (const file of files.sort()) if (ending.test(file)) found.push(renamed(readFileSync(file)));
    } finally {
      await sandbox.remove();
    }
  }
  return found;
}

function renamed(bytes: Buffer): Buffer {
  if (bytes[0] !== 0x7b) return bytes;
  const text = bytes
    .toString('latin1')
    .replaceAll(/("(?:repository|id)": ?")[0-9a-f]{32}"/g, `$1${WORLD.repository}"`)
    .replaceAll(/("server": ?")[0-9a-f]{16}"/g, `$1${WORLD.server}"`)
    .replaceAll(/site1-[0-9a-f]{8}/g, WORLD.unit)
    .replaceAll(/\d{8}T\d{9}Z-[0-9a-f]{8}/g, WORLD.id);
  return Buffer.from(text, 'latin1');
}

/** What a function writes into a folder, file by file. */
export async function written(write: (folder: string) => Promise<void> | void): Promise<Buffer[]> {
  const folder = mkdtempSync(join(tmpdir(), 'apiscp-backup-'));
  try {
    await write(folder);
    return globSync(join(folder, '**/*'), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
