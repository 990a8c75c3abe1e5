import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalBackend } from '../../core/repository/backends/local.ts';
import { MemoryBackend } from '../../core/repository/backends/memory.ts';
import { backendConformance } from './conformance.ts';
import { FaultyBackend } from './faulty-backend.ts';

const nothing = async () => {};

backendConformance('memory', async () => new MemoryBackend(), nothing);
backendConformance('faulty (without faults)', async () => new FaultyBackend(new MemoryBackend()), nothing);

let folder: string;
backendConformance(
  'local',
  async () => {
    folder = mkdtempSync(join(tmpdir(), 'local-'));
    return new LocalBackend(join(folder, 'deep/repository'));
  },
  async () => rmSync(folder, { recursive: true }),
);
