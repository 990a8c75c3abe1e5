import { expect } from 'chai';
import { aftermath } from './aftermath.ts';
import { type Call, changingCalls, killAt, type Point } from './kill.ts';
import { prepareStory, STORIES, type Story } from './stories.ts';

const SLOW = process.env.SLOW === '1';
/** In the normal run so many of the points of each command. */
const SAMPLE = 1;

/** Every changing call, before and after it was carried out; or a few, before and after in turn, at other places in each story. */
function pointsOf(story: Story, calls: readonly Call[]): Pick<Point, 'nth' | 'moment'>[] {
  if (SLOW)
    return calls.flatMap(({ isRefused }, index) => {
      const before = { nth: index + 1, moment: 'before' } as const;
      return isRefused ? [before] : [before, { ...before, moment: 'after' } as const];
    });
  const start = STORIES.indexOf(story.name) / STORIES.length;
  const points = Array.from({ length: SAMPLE }, (_, part) => Math.floor(((part + start) * calls.length) / SAMPLE));
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

describe('a process that is killed at a call that changes something', function () {
  this.timeout(SLOW ? 3_600_000 : 120_000);

  for (const name of STORIES) {
    it(`in ${name}: leaves what was there, is gone on with, and leaves nothing over`, async () => {
      const story = await prepareStory(name);
      try {
        const whole = story.world.copy();
        story.target?.reset(whole);
        const calls = await changingCalls(whole, { method: story.method, request: story.request(whole) });
        const points = pointsOf(story, calls);
        const wrong: string[] = [];
        for (const point of points) wrong.push(...(await tryPoint(story, point, (calls[point.nth - 1] as Call).name)));
        console.log(`        ${name}: ${calls.length} calls change something; killed at ${points.length} points`);
        expect(wrong).to.deep.equal([]);
      } finally {
        story.world.remove();
      }
    });
  }
});
