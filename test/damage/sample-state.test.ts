import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { verify } from '../../core/commands/verify.ts';
import type { Notice } from '../../core/context/notice.ts';
import { repositoryStateFolder } from '../../core/repository/state-directory.ts';
import { BareMachine } from '../golden/golden.ts';

const ALL = process.env.SLOW === '1';
const PERCENT = 25;
/** After so many samples each pack had its turn, whatever was kept of the turns before. */
const PERIOD = 100 / PERCENT;
/** Every which bit of what is kept is flipped. */
const STEP = ALL ? 1 : 700;

describe('damage of what samples keep of their turns', function () {
  this.timeout(ALL ? 3_600_000 : 120_000);
  const machine = new BareMachine('complete-plain');
  const { id } = JSON.parse(readFileSync(join(machine.repository, 'repository.json'), 'utf8')) as { id: string };
  const state = repositoryStateFolder(join(machine.folder, 'state'), id);
  const packs = globSync(join(machine.repository, 'servers/*/units/*/packs/*')).sort();
  const sample = () => verify({ sample: PERCENT }, machine.context);
  let file = '';
  let kept = Buffer.alloc(0);
  let tries = 0;

  before(async () => {
    mkdirSync(state, { recursive: true, mode: 0o700 });
    await sample();
    file = globSync(join(state, 'samples/*.json'))[0] as string;
    kept = readFileSync(file);
    expect(JSON.parse(kept.toString())).to.not.deep.equal({});
  });
  after(() => machine.remove());

  /** How many samples it takes until the damage of a pack is named. */
  async function samplesUntilNamed(pack: string): Promise<number> {
    const sound = readFileSync(pack);
    const bytes = Buffer.from(sound);
    bytes[600]! ^= 4;
    writeFileSync(pack, bytes);
    try {
      for (let count = 1; count <= PERIOD; count++) {
        const { status, damages } = await sample();
        if (damages.some(({ object }) => object === relative(machine.repository, pack))) return count;
        expect({ status, damages }).to.deep.equal({ status: 'ok', damages: [] });
      }
      return Number.POSITIVE_INFINITY;
    } finally {
      writeFileSync(pack, sound);
    }
  }

  /** One pack after the other; with SLOW=1 all of them for each damage. */
  async function goesOn(what: string, apply: () => void): Promise<void> {
    for (const pack of ALL ? packs : [packs[tries++ % packs.length] as string]) {
      rmSync(dirname(file), { recursive: true, force: true });
      mkdirSync(dirname(file), { mode: 0o700 });
      writeFileSync(file, kept, { mode: 0o600 });
      apply();
      expect(await samplesUntilNamed(pack), `${what}: ${pack}`).to.be.at.most(PERIOD);
    }
  }

  const hold = (text: string) => () => writeFileSync(file, text);
  const waits = (wait: unknown) => JSON.stringify(Object.fromEntries(Object.keys(JSON.parse(kept.toString())).map((path) => [path, wait])));

  it('delays no pack beyond its period: missing, cut, empty, longer', async () => {
    await goesOn('sound', () => {});
    await goesOn('missing', () => rmSync(file));
    await goesOn('its folder missing', () => rmSync(dirname(file), { recursive: true }));
    for (let length = 0; length < kept.length; length += STEP / 10 + 1) {
      await goesOn(`cut to ${length}`, hold(kept.subarray(0, length).toString()));
    }
    await goesOn('longer', hold(`${kept}x`));
  });

  it('nor does a bit, or a value that is none', async () => {
    for (let bit = 0; bit < kept.length * 8; bit += STEP) {
      const bytes = Buffer.from(kept);
      bytes[Math.floor(bit / 8)]! ^= 1 << (bit % 8);
      await goesOn(`bit ${bit}`, () => writeFileSync(file, bytes));
    }
    const values = [-1e9, 99, 100, 1e308, 0.5, '75', null, [50], {}];
    for (const value of ALL ? values : values.slice(0, 3)) await goesOn(`waits of ${JSON.stringify(value)}`, hold(waits(value)));
    for (const text of ALL ? ['null', '[]', '1', '"x"', '{"__proto__":50}'] : ['null']) await goesOn(text, hold(text));
  });

  it('is said, when something stands in its place, for then the same packs are read each time', async () => {
    rmSync(file, { force: true });
    mkdirSync(file, { recursive: true });
    try {
      const notices: Notice[] = [];
      const reporter = { progress: () => {}, log: (notice: Notice) => notices.push(notice) };
      const read = await verify({ sample: PERCENT }, { ...machine.context, reporter });
      expect(read).to.include({ status: 'ok' });
      expect(notices.filter(({ code }) => code === 'state_unusable').map(({ level }) => level)).to.deep.equal(['warning']);
      expect(notices.find(({ code }) => code === 'state_unusable')!.message).to.include('the next sample reads the same again');
    } finally {
      rmSync(file, { recursive: true });
    }
  });

  it('and what is kept is right again after the first of them', async () => {
    await goesOn('null', hold('null'));
    expect(existsSync(file)).to.equal(true);
    for (const wait of Object.values(JSON.parse(readFileSync(file, 'utf8')))) expect(wait).to.be.within(1, 99);
  });
});
