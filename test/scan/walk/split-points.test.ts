import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { SEGMENT_ROWS, SMALL_TREE } from '../../../core/scan/limits.ts';
import { chooseSplitPoints } from '../../../core/scan/walk/split-points.ts';
import { Sandbox } from '../../commands/sandbox.ts';
import { entry, written } from '../../manifest/sample.ts';

const files = (count: number, name = ''): ReturnType<typeof entry>[] =>
  Array.from({ length: count }, (_, number) => entry(`${name}${String(number).padStart(6, '0')}`));

describe('where readers take over', () => {
  it('is at paths of the largest manifest, a segment apart', () => {
    const full = written(files(4 * SEGMENT_ROWS));
    const cuts = chooseSplitPoints([full, written(files(10))]);
    expect(cuts).to.deep.equal([1, 2, 3].map((segment) => String(segment * SEGMENT_ROWS).padStart(6, '0')));
  });

  it('is nowhere in a small tree, nor in an unknown one', () => {
    expect(chooseSplitPoints([])).to.equal(undefined);
    expect(chooseSplitPoints([written(files(SMALL_TREE - 1))])).to.equal(undefined);
    expect(chooseSplitPoints([written(files(SMALL_TREE))])).to.deep.equal([]);
  });

  it('is at no path that would take long to come to', () => {
    const name = 'n'.repeat(250);
    const deep = [name, `${name}/${name}`, `${name}/${name}/${name}`, `${name}/${name}/${name}/${name}`];
    const below = files(2 * SEGMENT_ROWS, `${deep.at(-1)}/${name}`);
    const rows = [...deep.map((path) => entry(path, 'directory')), ...below];
    expect(chooseSplitPoints([written(rows)])).to.deep.equal([]);
  });

  it('is in the middle of an account, of which a backup still sees every change', async () => {
    const sandbox = new Sandbox();
    try {
      const count = SEGMENT_ROWS + 2000;
      for (let number = 0; number < count; number++) {
        const folder = join(sandbox.shadow, String(number % 7));
        if (number < 7) mkdirSync(folder);
        writeFileSync(join(folder, `file ${number}`), '');
      }
      await sandbox.init();
      await sandbox.back();
      expect((await sandbox.back()).status).to.equal('unchanged');
      for (const number of [0, 3000, count - 1]) writeFileSync(join(sandbox.shadow, String(number % 7), `file ${number}`), 'changed');
      rmSync(join(sandbox.shadow, '5'), { recursive: true });
      mkdirSync(join(sandbox.shadow, '55'));
      const outcome = await sandbox.back();
      // Three files, the new folder, and the folder that both lie in.
      expect([outcome.status, outcome.changed, outcome.deleted]).to.deep.equal(['ok', 5, 1]);
      expect(await sandbox.differences()).to.deep.equal([]);
    } finally {
      await sandbox.remove();
    }
  });
});
