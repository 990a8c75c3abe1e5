import { expect } from 'chai';
import { aftermath } from './aftermath.ts';
import { type Call, killAt, type Point, recordChanges } from './kill.ts';
import { Recorded, type Remains, tryRemains } from './remains.ts';
import { prepareStory, STORIES, type Story } from './stories.ts';

const SLOW = process.env.SLOW === '1';
/** In the normal run so many of the points of each command, and of the disks that it may leave; all of these are looked at. */
const POINTS = 1;
const DISKS = 3;
/** What others stand for in the normal run. */
const ALIKE: ReadonlySet<string> = new Set(['a first copy', 'a restore that is encrypted', 'init with keys']);

/** Every changing call, before and after it was carried out; or a few, before and after in turn, at other places in each story. */
function pointsOf(story: Story, calls: readonly Call[]): Pick<Point, 'nth' | 'moment'>[] {
  if (SLOW)
    return calls.flatMap(({ isRefused }, index) => {
      const before = { nth: index + 1, moment: 'before' } as const;
      return isRefused ? [before] : [before, { ...before, moment: 'after' } as const];
    });
  const start = STORIES.indexOf(story.name) / STORIES.length;
  const points = Array.from({ length: POINTS }, (_, part) => Math.floor(((part + start) * calls.length) / POINTS));
  return points.map((index, part) => ({
    nth: index + 1,
    moment: part % 2 === 0 && calls[index]?.isRefused === false ? 'after' : 'before',
  }));
}

async function tryPoint(story: Story, point: Pick<Point, 'nth' | 'moment'>, call: string): Promise<string[]> {
  const server = story.world.copy();
  story.target?.reset(server);
  try {
    const wasKilled = await killAt(server, { method: story.method, request: story.request(server) }, point);
    const wrong = wasKilled ? [] : ['it ended before the call came'];
    wrong.push(...(await aftermath(story, server)));
    return wrong.map((text) => `${point.moment} call ${point.nth} (${call}): ${text}`);
  } finally {
    server.remove();
  }
}

/** A few, spread over the whole command; the last one is of when it has ended. */
function sampleOf(remains: readonly Remains[]): readonly Remains[] {
  if (SLOW || remains.length <= DISKS) return remains;
  return Array.from({ length: DISKS }, (_, part) => remains[Math.round(((part + 1) * (remains.length - 1)) / DISKS)] as Remains);
}

for (const name of STORIES.filter((each) => SLOW || !ALIKE.has(each))) {
  describe(`${name}, when it is stopped at a call that changes something`, function () {
    this.timeout(SLOW ? 3_600_000 : 120_000);
    let story: Story;
    let calls: readonly Call[];
    let remains: readonly Remains[];

    before(async () => {
      story = await prepareStory(name);
      const whole = story.world.copy();
      story.target?.reset(whole);
      const recorded = new Recorded(story, whole);
      const { changes, ...rest } = await recordChanges(whole, { method: story.method, request: story.request(whole) });
      calls = rest.calls;
      remains = recorded.remains(changes, whole);
      // What stories change afterwards is not in these.
      story.world.know(whole);
      whole.remove();
      console.log(`        ${calls.length} calls made ${changes.length} changes, which leave ${remains.length} different disks`);
    });
    after(() => story?.world.remove());

    it('as its process is killed: leaves what was there, is gone on with, and leaves nothing over', async () => {
      const points = pointsOf(story, calls);
      const wrong: string[] = [];
      for (const point of points) wrong.push(...(await tryPoint(story, point, (calls[point.nth - 1] as Call).name)));
      if (SLOW) console.log(`        killed at ${points.length} points`);
      expect(wrong).to.deep.equal([]);
    });

    it('as power fails: takes nothing that was said to be there, and what it leaves is gone on with', async () => {
      const wrong = remains.flatMap((each) => each.wrong);
      for (const each of sampleOf(remains)) wrong.push(...(await tryRemains(story, each)));
      expect(wrong).to.deep.equal([]);
    });
  });
}
