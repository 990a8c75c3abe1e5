import { createHash } from 'node:crypto';
import { cpSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execaSync } from 'execa';
import { OTHERS_LINES, StandInRoot } from './stand-in-root.ts';

const PROGRAM = '/usr/libexec/apiscp-backup';
const INSTALLED = `${PROGRAM}/packaging/install`;
/** How many interruptions of each story and kind are tried, spread over all calls. */
const SAMPLE = process.env.SLOW === '1' ? Number.POSITIVE_INFINITY : 2;
const KILL = 0;
const { ENOSPC } = constants.errno;

/** What may lie about until the next time: what is written beside its place, and versions of the plugin that are not in use. */
const TRANSIENT = /\.part$|\/\.apiscp-backup\.link$|\/\.apiscp-backup\//;
const LIVE = /\/custom\/apiscp-backup$/;

interface Story {
  readonly name: string;
  readonly command: () => string;
  readonly args: readonly string[];
  /** What makes the root as it is before. */
  readonly prepare: () => Promise<unknown>;
}

describe('the installer, interrupted', () => {
  let server: StandInRoot;
  let places: readonly string[];
  before(() => {
    server = new StandInRoot();
    server.addSource('/next', '0.2.0');
    server.write('/source/php-module/Former.php', '<?php // of this version alone');
    execaSync('gcc', ['-shared', '-fPIC', '-o', server.at('/interrupt.so'), join(import.meta.dirname, 'fixtures/interrupt.c')]);
    server.write(`${server.custom}/hooks/editDomain.php`, '<?php\necho "others";\n', 0o700);
    server.write(`${server.custom}/hooks/deleteDomain.sh`, '#!/bin/sh\necho others\nexit 0\n', 0o750);
    const addins = `${server.panel}/resources/playbooks/addins`;
    places = [server.custom, addins, PROGRAM, '/usr/local/sbin', '/etc/apiscp-backup', '/etc/cron.d', '/var/lib/apiscp-backup'];
  });
  after(() => server.remove());

  /** Every name, with all that counts of it. Folders of versions have random names. */
  const look = (): Map<string, string> => {
    const found = new Map<string, string>();
    const shorten = (path: string) => path.replace(/(\.apiscp-backup\/[\d.]+)\.\w{6}/, '$1');
    const add = (path: string): void => {
      const stat = lstatSync(server.at(path), { throwIfNoEntry: false });
      if (stat === undefined) return;
      const content = stat.isSymbolicLink()
        ? shorten(readlinkSync(server.at(path)))
        : stat.isFile()
          ? createHash('sha256')
              .update(readFileSync(server.at(path)))
              .digest('hex')
          : '';
      found.set(shorten(path), `${stat.mode.toString(8)} ${stat.uid} ${content}`);
      if (stat.isDirectory()) for (const name of readdirSync(server.at(path))) add(join(path, name));
    };
    places.forEach(add);
    return found;
  };
  const keep = (name: string) => {
    rmSync(server.at('/kept'), { recursive: true, force: true });
    for (const place of places)
      if (server.has(place))
        cpSync(server.at(place), server.at(`/kept/${name}${place}`), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  };
  const goBack = (name: string) =>
    server.run('/bin/sh', '-c', `for p in ${places.join(' ')}; do rm -rf $p; [ ! -e /kept/${name}$p ] || cp -a /kept/${name}$p $p; done`);

  const interruptedRun = async (story: Story, call: number, error: number) => {
    writeFileSync(server.at('/interrupt'), Buffer.from(Int32Array.of(0, call, error).buffer));
    const environment = ['LD_PRELOAD=/interrupt.so', 'INTERRUPT=/interrupt'];
    const ended = await server.run('setsid', '-w', 'env', ...environment, story.command(), ...story.args);
    return { ...ended, calls: readFileSync(server.at('/interrupt')).readInt32LE(0) };
  };
  const pluginOf = (found: Map<string, string>) => {
    const live = [...found].find(([path]) => LIVE.test(path))?.[1].split(' ')[2];
    return [...found].filter(([path]) => live !== undefined && path.startsWith(join(server.custom, live))).join('\n');
  };

  /** What is neither as before nor as afterwards. */
  const wrong = (before: Map<string, string>, after: Map<string, string>, now: Map<string, string>): string[] => {
    const strange = [...now].filter(([path, value]) => !TRANSIENT.test(path) && ![before.get(path), after.get(path)].includes(value));
    const lost = [...before.keys()].filter((path) => !TRANSIENT.test(path) && after.has(path) && !now.has(path));
    const plugin = pluginOf(now);
    const isWhole = plugin === '' || plugin === pluginOf(before) || plugin === pluginOf(after);
    return [...strange.map(String), ...lost.map((path) => `lost: ${path}`), ...(isWhole ? [] : ['the plugin is not whole'])];
  };

  const tell = async (story: Story, error: number) => {
    await story.prepare();
    const start = look();
    keep(story.name);
    const { calls, exitCode, stdout, stderr } = await interruptedRun(story, 0, error);
    expect(stderr, stdout).to.equal('');
    const end = look();
    const step = Math.max(1, Math.floor(calls / SAMPLE));
    let tried = 0;
    for (let call = Math.ceil(step / 2); call <= calls; call += step) {
      tried++;
      await goBack(story.name);
      const ended = await interruptedRun(story, call, error);
      const label = `${story.name}, ${error === KILL ? 'killed' : 'no room'} at call ${call} of ${calls}`;
      const now = look();
      expect(wrong(start, end, now), label).to.deep.equal([]);
      if (error !== KILL && ended.exitCode === exitCode && ended.stdout.split('left to do')[1] === stdout.split('left to do')[1])
        expect([...now], label).to.deep.equal([...end]);
      else if (error !== KILL) expect(ended.stderr + ended.stdout, label).to.match(/install: |left to do: /);
      const again = await interruptedRun(story, 0, error);
      expect(again.stderr, label).to.equal('');
      expect(Object.fromEntries(look()), label).to.deep.equal(Object.fromEntries(end));
    }
    expect(tried).to.be.greaterThan(1);
    console.log(`        ${story.name}: ${tried} of ${calls} calls`);
  };

  const clean = () => {
    for (const place of [PROGRAM, '/etc/apiscp-backup', '/var/lib/apiscp-backup'])
      rmSync(server.at(place), { recursive: true, force: true });
    server.write(`${server.custom}/boot.php`, OTHERS_LINES);
  };
  const stories: readonly Story[] = [
    { name: 'install', command: () => '/source/packaging/install', args: [], prepare: async () => clean() },
    { name: 'upgrade', command: () => '/next/packaging/install', args: ['--upgrade'], prepare: () => server.install() },
    {
      name: 'uninstall',
      // What was installed can be finished by what is left of it; with nothing left of it, nothing is to do.
      command: () => (server.has(INSTALLED) ? INSTALLED : '/bin/true'),
      args: ['--uninstall'],
      prepare: () => server.install(),
    },
  ];
  for (const story of stories) {
    it(`leaves all that worked before at work wherever it is killed, and the next one finishes it: ${story.name}`, () => tell(story, KILL));
    it(`does the same where there is no room any more: ${story.name}`, () => tell(story, ENOSPC));
  }
});
