import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { compressFrame } from '../../core/archive/frame.ts';
import { list } from '../../core/commands/list.ts';
import { prune } from '../../core/commands/prune.ts';
import { verify } from '../../core/commands/verify.ts';
import { DEFAULT_SCHEDULE } from '../../core/config/defaults.ts';
import { Sandbox } from '../commands/sandbox.ts';

const SLOW = process.env.SLOW !== undefined;
const DAY = 86_400_000;
/** The first Sunday of a month: the day of a full. */
const START = Date.parse('2027-03-07T12:00:00Z');
const FILES = SLOW ? 2000 : 300;
/** How many times the least may be held. */
const OVERHEAD = 1.3;

const SYNTHETIC_SCHEDULE = {
  ...DEFAULT_SCHEDULE,
  rules: DEFAULT_SCHEDULE.rules.map((rule) => (rule.level === 'full' ? { ...rule, level: 'synthetic' as const } : rule)),
};

/** Half of it can be compressed. */
function content(number: number): Buffer {
  const half = 4000 + (number % 7) * 1000;
  return Buffer.concat([randomBytes(half), Buffer.alloc(half, 'text ')]);
}

/** The account of a month or two: a tree of which 1 % changes a day, backed up and pruned daily. */
class Season {
  readonly sandbox = new Sandbox();
  readonly levels: (string | null)[] = [];
  #day = 0;
  /** Digests of the tree at each snapshot. */
  readonly #states = new Map<string, ReadonlySet<string>>();
  readonly #tree = new Map<number, string>();
  /** Compressed sizes of all contents that ever were. */
  readonly #sizes = new Map<string, number>();

  constructor() {
    this.sandbox.now = () => new Date(START + this.#day * DAY);
  }

  #write(number: number): void {
    const bytes = content(number);
    const folder = join(this.sandbox.shadow, `d${number % 20}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `f${number}`), bytes);
    const digest = createHash('sha256').update(bytes).digest('hex');
    this.#tree.set(number, digest);
    this.#sizes.set(digest, compressFrame(bytes).length);
  }

  async pass(days: number): Promise<void> {
    const changing = fc.sample(fc.integer({ min: 0, max: FILES - 1 }), { numRuns: (days * FILES) / 100, seed: 20270307 });
    for (let number = 0; number < FILES; number++) this.#write(number);
    await this.sandbox.init();
    for (; this.#day < days; this.#day++) {
      if (this.#day > 0) for (const number of changing.splice(0, FILES / 100)) this.#write(number);
      const { snapshot, level } = await this.sandbox.back('auto');
      this.#states.set(snapshot as string, new Set(this.#tree.values()));
      this.levels.push(level);
      await prune({ yes: true }, this.sandbox.context);
    }
    this.#day--;
  }

  /** Bytes of the whole repository. */
  held(): number {
    const { repository } = this.sandbox;
    const all = readdirSync(repository, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(repository, name)));
    return all.reduce((sum, status) => sum + (status.isFile() ? status.size : 0), 0);
  }

  /** Bytes of the different contents of all points in time that are kept, each compressed by itself. */
  async needed(): Promise<number> {
    const { snapshots } = await list({}, this.sandbox.context);
    const digests = new Set(snapshots.flatMap(({ id }) => [...(this.#states.get(id) as ReadonlySet<string>)]));
    return [...digests].reduce((sum, digest) => sum + (this.#sizes.get(digest) as number), 0);
  }
}

describe(`daily backups of a tree of which 1 % changes a day hold at most ${OVERHEAD} times what is needed`, () => {
  let season: Season;

  beforeEach(() => {
    season = new Season();
  });

  afterEach(() => season.sandbox.remove());

  async function expectSmallAndSound(): Promise<void> {
    expect(season.held() / (await season.needed())).to.be.within(1, OVERHEAD);
    expect(await season.sandbox.differences()).to.deep.equal([]);
    expect(await verify({}, season.sandbox.context)).to.include({ status: 'ok' });
  }

  it('after a month with the default schedule and retention', async function () {
    this.timeout(600_000);
    await season.pass(28);
    expect(season.levels.slice(0, 8)).to.deep.equal(['full', ...Array(6).fill('incremental'), 'differential']);
    await expectSmallAndSound();
  });

  // A quarter of a year takes a while.
  if (SLOW) {
    it('and after a quarter of a year, when the later fulls are synthetic', async function () {
      this.timeout(600_000);
      season.sandbox.set('schedule', SYNTHETIC_SCHEDULE);
      season.sandbox.set('retention', { levels: { full: '40 days', differential: '20 days', incremental: '4 days' } });
      await season.pass(92);
      expect(season.levels.filter((level) => level === 'full')).to.have.length(4);
      await expectSmallAndSound();
    });
  }
});
