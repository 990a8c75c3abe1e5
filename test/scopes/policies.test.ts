import { expect } from 'chai';
import { defaultSettings } from '../../core/config/defaults.ts';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

type Case = {
  setting:
    | 'accounts'
    | 'copies'
    | 'databases'
    | 'enabled'
    | 'schedule'
    | 'retention'
    | 'exclude'
    | 'limits'
    | 'notify'
    | 'includeSubvolumes'
    | 'rclone'
    | 's3'
    | 'sftp'
    | 'recovery';
  words: string;
  value: unknown;
  wrong: string[];
};

const SCOPES: Record<string, Case> = {
  'backups.enabled': { setting: 'enabled', words: 'false', value: false, wrong: ['7', 'yes', '[]'] },
  'backups.schedule': {
    setting: 'schedule',
    words: `[maxFullAge:'1 month',time:"03:30",verifyWithin:false]`,
    value: { maxFullAge: '1 month', time: '03:30', verifyWithin: false },
    wrong: ['daily', '12', 'true', '[]'],
  },
  'backups.retention': {
    setting: 'retention',
    words: "[keepDaily:7,levels:[full:'3 months']]",
    value: { keepDaily: 7, levels: { full: '3 months' } },
    wrong: ['7', '4 days', 'true', '[]'],
  },
  'backups.exclude': {
    setting: 'exclude',
    words: '[cache/,*.log]',
    value: ['cache/', '*.log'],
    wrong: ['cache/', 'true', '[1,2]', '[a:b]'],
  },
  'backups.include-subvolumes': {
    setting: 'includeSubvolumes',
    words: 'true',
    value: true,
    wrong: ['7', 'yes', '[]'],
  },
  'backups.accounts': {
    setting: 'accounts',
    words: '[firstBackup:false,lastBackup:10,keepDeleted:"3 months"]',
    value: { firstBackup: false, lastBackup: 10, keepDeleted: '3 months' },
    wrong: ['10', '3 months', 'false', '[]'],
  },
  'backups.copies': {
    setting: 'copies',
    words: "[[name:offsite,repository:'sftp:backup@example.com:/srv/copy',retention:[keepWeekly:8]],[name:usb,repository:/mnt/usb]]",
    value: [
      { name: 'offsite', repository: 'sftp:backup@example.com:/srv/copy', retention: { keepWeekly: 8 } },
      { name: 'usb', repository: '/mnt/usb' },
    ],
    wrong: ['/mnt/usb', '[/mnt/usb]', '[name:usb,repository:/mnt/usb]', 'true', '[]', '[[name:usb,repository:/mnt/usb],]'],
  },
  'backups.s3': {
    setting: 's3',
    words: '[credentialsFile:/etc/apiscp-backup/s3,region:eu-central-1,pathStyle:false]',
    value: { credentialsFile: '/etc/apiscp-backup/s3', region: 'eu-central-1', pathStyle: false },
    wrong: ['/etc/apiscp-backup/s3', 'true', '7', '[]'],
  },
  'backups.sftp': {
    setting: 'sftp',
    words: '[identityFile:/root/.ssh/backup]',
    value: { identityFile: '/root/.ssh/backup' },
    wrong: ['/root/.ssh/backup', 'true', '[]'],
  },
  'backups.rclone': {
    setting: 'rclone',
    words: '[configFile:/root/rclone.conf]',
    value: { configFile: '/root/rclone.conf' },
    wrong: ['/root/rclone.conf', '[]'],
  },
  'backups.databases': {
    setting: 'databases',
    words: '[method:panel,timeLimit:60]',
    value: { method: 'panel', timeLimit: 60 },
    wrong: ['panel', '60', 'true', '[]'],
  },
  'backups.notify': {
    setting: 'notify',
    words: '[mail:[ops@example.com],argos:true,webhooks:[[url:"https://example.com/hook",key:/etc/apiscp-backup/key]]]',
    value: { mail: ['ops@example.com'], argos: true, webhooks: [{ url: 'https://example.com/hook', key: '/etc/apiscp-backup/key' }] },
    wrong: ['true', 'ops@example.com', '7', '[]'],
  },
  'backups.recovery': { setting: 'recovery', words: '[percent:5]', value: { percent: 5 }, wrong: ['5', 'true', '[]'] },
  'backups.limits': {
    setting: 'limits',
    words: "[load:4,nice:19,ioClass:idle,readRate:'50 MiB/s']",
    value: { load: 4, nice: 19, ioClass: 'idle', readRate: '50 MiB/s' },
    wrong: ['4', 'idle', 'true', '[]'],
  },
};

/** A value with each of its texts, lists and maps emptied, one at a time, as a variable that is not set leaves them. */
function emptied(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [''];
  const put = (key: string, item: unknown) =>
    Array.isArray(value) ? value.map((old, at) => (String(at) === key ? item : old)) : { ...value, [key]: item };
  const inside = Object.entries(value).flatMap(([key, item]) => emptied(item).map((less) => put(key, less)));
  return [...inside, []];
}

describe('the Scopes of the policies', () => {
  let panel: FakePanel;
  before(() => {
    panel = new FakePanel();
  });
  after(() => panel.remove());

  const asked = () => panel.notes.map(({ request }) => [request.method, request.params]);

  for (const [scope, { setting, words, value, wrong }] of Object.entries(SCOPES)) {
    describe(scope, () => {
      it('is listed, for the administrator alone', async () => {
        expect((await panel.cpcmd('scope:list')).stdout).to.contain(scope);
        expect((await panel.cpcmd('-d', 'site1', 'scope:get', scope)).stderr).to.contain('not permitted');
      });

      it('has the default of the core, and shows no guess when the core cannot be asked', async () => {
        panel.answer({ 'settings.get': [{ exit: 1 }] });
        const info = JSON.parse((await panel.frontend('-o', 'json', 'scope:info', scope)).stdout);
        // PHP has one word for an empty list and an empty map.
        const byDefault = defaultSettings()[setting];
        expect(info.default).to.deep.equal(JSON.stringify(byDefault) === '{}' ? [] : byDefault);
        expect(info.value).to.equal(null);
      });

      it('sets through the core, and nothing when the value is what it was', async () => {
        const answer = (current: unknown) => [{ result: { name: setting, value: current, default: null } }];
        panel.answer({ 'settings.get': answer(null), 'settings.set': answer(value) });
        expect(await panel.cpcmd('scope:set', scope, words)).to.include({ stdout: '1', stderr: '' });
        expect(asked().at(-1)).to.deep.equal(['settings.set', { name: setting, value }]);
        panel.answer({ 'settings.get': answer(value), 'settings.set': answer(value) });
        expect((await panel.cpcmd('scope:set', scope, words)).stdout).to.equal('1');
        expect(asked()).to.deep.equal([['settings.get', { name: setting }]]);
      });

      it('refuses another type without asking', async () => {
        panel.answer({});
        for (const text of wrong) {
          expect((await panel.cpcmd('scope:set', scope, text)).stderr, text).to.match(
            /cannot take `.*'; it takes (a (map|list).*such as ['"]\[|true or false)/,
          );
        }
        expect(asked()).to.deep.equal([]);
      });
    });
  }

  it('store nothing that is empty somewhere, in whichever place', async () => {
    panel.answer({});
    const values = Object.entries(SCOPES)
      .flatMap(([scope, { value }]) => emptied(value).map((less) => [scope, less] as const))
      .filter(
        // Without patterns more is backed up, so that is a value.
        ([scope, less]) => !(scope === 'backups.exclude' && (less as unknown[]).length === 0),
      );
    const typed = values.flatMap(([scope, less], at) => [
      ...(at > 0 ? [';'] : []),
      'scope:set',
      JSON.stringify(scope),
      JSON.stringify(less),
    ]);
    const { stdout, stderr } = await panel.cpcmd('-i', 'json', '-o', 'json', ...typed);
    expect(stdout.split('\n').map((line) => JSON.parse(line))).to.deep.equal(values.map(() => false));
    expect(stderr).to.contain("`webhooks.0.key' is empty in it").and.to.contain("`levels.full' is empty in it");
    const words = [
      ['backups.schedule', '[rules:[[weekdays:[sunday],level:full],],prune:true]', 'rules'],
      ['backups.schedule', '[rules:[[weekdays:[sunday,],level:full]]]', 'rules.0.weekdays'],
      ['backups.notify', '[webhooks:[[url:"https://example.com/hook",key:/etc/x],],argos:true]', 'webhooks'],
      ['backups.notify', '[mail:[ops@example.com,],argos:true]', 'mail'],
      ['backups.retention', '[levels:[full:2months,incremental:],keepDaily:7]', 'levels'],
      ['backups.self-service', '[interval:,share:0.05]', 'interval'],
    ];
    for (const [scope, word, name] of words)
      expect((await panel.cpcmd('scope:set', scope!, word!)).stderr, word).to.contain(`\`${name}' is empty in it`);
    expect(asked().filter(([method]) => method === 'settings.set')).to.deep.equal([]);
  });

  it('take what they tell, also when something in it is empty', async () => {
    const value = { mail: [], argos: true };
    panel.answer({ 'settings.get': [{ result: { name: 'notify', value, default: {} } }] });
    const { stdout } = await panel.cpcmd('-i', 'json', 'scope:set', '"backups.notify"', JSON.stringify(value));
    expect(stdout).to.equal('1');
    expect(asked().filter(([method]) => method === 'settings.set')).to.deep.equal([]);
  });

  it('an empty list of patterns is one', async () => {
    const answer = (current: unknown) => [{ result: { name: 'exclude', value: current, default: [] } }];
    panel.answer({ 'settings.get': answer(['a']), 'settings.set': answer([]) });
    expect((await panel.cpcmd('scope:set', 'backups.exclude', '[]')).stdout).to.equal('1');
    expect(asked().at(-1)).to.deep.equal(['settings.set', { name: 'exclude', value: [] }]);
  });
});
