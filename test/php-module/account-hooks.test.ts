import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { execa } from 'execa';
import { FakePanel } from '../stand-in-panel/fake-panel.ts';

const DONE = [{ result: { status: 'ok', message: 'done', snapshot: null, until: null, job: null } }];

describe('what the panel tells the module of accounts', () => {
  let panel: FakePanel;
  before(() => {
    panel = new FakePanel();
  });
  after(() => panel.remove());
  beforeEach(() => panel.answer({ account: DONE, version: [{ result: { version: '9' } }] }));

  const asked = () => panel.notes.map(({ request }) => [request.method, request.params]);
  const event = async (...words: string[]) => {
    const { stdout, stderr, exitCode } = await execa(join(panel.panel.home, 'bin/account-event'), words, { reject: false });
    return { told: stdout.includes('backup was told'), stderr, exitCode };
  };

  for (const [words, told] of [
    [['create', 'site1'], 'created'],
    [['edit', 'site2', 'old.example'], 'renamed'],
    [['delete', 'site3'], 'deleting'],
  ] as const) {
    it(`reaches the core: ${words.join(' ')}`, async () => {
      expect(await event(...words)).to.deep.equal({ told: true, stderr: '', exitCode: 0 });
      expect(asked()).to.deep.equal([['account', { event: told, unit: words[1], by: 'module' }]]);
    });
  }

  it('does nothing where nothing is to be done: no other domain, other users', async () => {
    for (const words of [
      ['edit', 'site1'],
      ['create_user', 'site1'],
      ['delete_user', 'site1'],
      ['edit_user', 'site1'],
    ])
      expect(await event(...words)).to.deep.equal({ told: true, stderr: '', exitCode: 0 });
    expect(asked()).to.deep.equal([]);
  });

  it('never stops the panel nor raises an error, whatever becomes of it', async () => {
    for (const step of [{ exit: 1 }, { error: { code: -32000, message: 'x', data: { code: 'disk_full', message: 'no room' } } }]) {
      panel.answer({ account: [step] });
      const { told, stderr, exitCode } = await event('delete', 'site1');
      expect({ told, exitCode }).to.deep.equal({ told: true, exitCode: 0 });
      expect(stderr).to.match(/^(.*apiscp-backup: site1, deleting: .*\s*)+$/);
    }
  });

  it('is no command that anybody could call', async () => {
    for (const name of ['_create', '_delete']) expect((await panel.cpcmd('-d', 'site1', `backup:${name}`)).stderr).to.contain('not found');
  });

  const file = (name: string) => join(panel.panel.home, 'lib', name);
  const OTHERS: [string, string, (text: string) => string][] = [
    ['has no such interface', 'Opcenter/Hookable.php', () => '<?php\n'],
    [
      'has one more method',
      'Opcenter/Hookable.php',
      (text) => text.replace('public function _create();', 'public function _create(); public function _suspend();'),
    ],
    ['wants another type', 'Opcenter/Hookable.php', (text) => text.replace('function _create();', 'function _create(): void;')],
    ['hands over a reference', 'Opcenter/Hookable.php', (text) => text.replace('string $user)', 'string &$user)')],
    ['has a final method of that name', 'Module_Skeleton.php', (text) => text.replace(/\}\s*$/, 'final public function _edit() {}\n}\n')],
    [
      'has a typed method of that name',
      'Module_Skeleton.php',
      (text) => text.replace(/\}\s*$/, 'public function _edit(): bool { return true; }\n}\n'),
    ],
    ['hands over more', 'Opcenter/Hookable.php', (text) => text.replace('_delete();', '_delete($a, $b, $c, $d, $e);')],
    ['hands over any number', 'Opcenter/Hookable.php', (text) => text.replace('_delete();', '_delete(...$all);')],
  ];
  for (const [what, name, change] of OTHERS) {
    it(`leaves the module as it is where the panel ${what}`, async () => {
      const text = readFileSync(file(name), 'utf8');
      writeFileSync(file(name), change(text));
      try {
        expect((await panel.cpcmd('backup:version')).stdout).to.contain('version: "9"');
        if (name.startsWith('Opcenter')) expect((await event('create', 'site1')).told).to.equal(false);
      } finally {
        writeFileSync(file(name), text);
      }
    });
  }

  it('is heard where the panel’s methods take more than is published', async () => {
    const text = readFileSync(file('Opcenter/Hookable.php'), 'utf8');
    writeFileSync(file('Opcenter/Hookable.php'), text.replace('_create();', '_create(array $more, int $flags = 0);'));
    try {
      expect((await event('create', 'site1')).told).to.equal(true);
    } finally {
      writeFileSync(file('Opcenter/Hookable.php'), text);
    }
    rmSync(join(panel.panel.home, 'config/custom/apiscp-backup/php-module/HookedModule.php'));
    expect((await panel.cpcmd('backup:version')).stdout).to.contain('version: "9"');
  });
});
