import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { execaSync } from 'execa';
import { SMTPServer } from 'smtp-server';
import { Webhook } from 'standardwebhooks';
import { defaultSettings } from '../../core/config/defaults.ts';
import type { Settings } from '../../core/config/settings.ts';
import type { Notice } from '../../core/context/notice.ts';
import { deliver, heartbeat, type TellingContext } from '../../core/notify/deliver.ts';
import type { Message } from '../../core/notify/message.ts';
import { MailSink, WebSink } from './sinks.ts';

const KEY = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const QUICK = { answer: 300, again: [1, 1] };

const MESSAGE: Message = {
  id: 'msg_night1',
  type: 'backup.failed',
  time: '2026-11-26T01:30:00.000Z',
  isUrgent: true,
  subject: 'server: the backup failed — sofort ansehen',
  text: 'What failed.\nWhat to do.\n',
  short: 'What failed.',
  data: { outcome: 'failed' },
};

describe('telling', () => {
  let folder: string;
  let web: WebSink;
  let log: Notice[];
  before(async () => {
    web = await WebSink.open();
  });
  after(() => web.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'telling-'));
    log = [];
    web.asked.length = 0;
    web.answers = [200];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const contextOf = (notify: Settings['notify'], signal = new AbortController().signal): TellingContext => ({
    settings: { ...defaultSettings(), systemRoot: folder, notify: { mail: false, ...notify } },
    reporter: { progress: () => {}, log: (notice) => void log.push(notice) },
    signal,
    now: () => new Date(),
  });
  const secret = (name: string, text: string, mode = 0o600): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  };
  const tell = async (notify: Settings['notify']) => (await deliver(MESSAGE, contextOf(notify), QUICK)).failed;

  describe('by webhooks', () => {
    it('is signed so that another implementation of Standard Webhooks accepts it, and refuses what was altered', async () => {
      expect(await tell({ webhooks: [{ url: web.at('/hook?a=b'), key: secret('key', `${KEY}\n`) }] })).to.have.property('size', 0);
      const [asked] = web.asked;
      const headers = asked?.headers as Record<string, string>;
      expect(new Webhook(KEY).verify(asked?.body ?? '', headers)).to.deep.include({
        type: 'backup.failed',
        timestamp: MESSAGE.time,
        data: { subject: MESSAGE.subject, text: MESSAGE.text, outcome: 'failed' },
      });
      expect(() => new Webhook(KEY).verify(asked?.body.replace('failed', 'ok') ?? '', headers)).to.throw();
      expect(asked).to.include({ method: 'POST', path: '/hook?a=b' });
    });

    it('comes again with the same id after a server that fails, hangs up or says nothing, three times at most', async () => {
      const webhooks = [{ url: web.at() }];
      web.answers = [500, 'reset', 200];
      expect(await tell({ webhooks })).to.have.property('size', 0);
      expect(web.asked.map(({ headers }) => headers['webhook-id'])).to.deep.equal(Array(3).fill(MESSAGE.id));
      web.asked.length = 0;
      web.answers = ['silence'];
      expect([...(await tell({ webhooks })).values()]).to.deep.equal([`${web.at('')} gave no answer within 0.3 s`]);
      expect(web.asked).to.have.length(3);
    });

    it('does not follow to where it is sent, and does not ask again what was refused', async () => {
      const elsewhere = await WebSink.open();
      try {
        for (const answer of [{ location: elsewhere.at() }, { location: 'file:///etc/shadow' }, 401, 410] as const) {
          web.asked.length = 0;
          web.answers = [answer];
          expect((await tell({ webhooks: [{ url: web.at() }] })).size, String(answer)).to.equal(1);
          expect(web.asked).to.have.length(1);
        }
        expect(elsewhere.asked).to.deep.equal([]);
      } finally {
        elsewhere.close();
      }
    });

    it('reaches the others when one is not there, and tells of it without the secret in its address', async () => {
      const closed = await WebSink.open();
      const shown = closed.at('');
      closed.close();
      const hidden = secret('address', `${shown}/services/T0/SECRET`);
      const failed = await tell({ webhooks: [{ url: hidden }, { url: web.at() }] });
      expect([...failed]).to.deep.equal([['webhook 1', `${shown} cannot be reached (ECONNREFUSED)`]]);
      expect(web.asked).to.have.length(1);
      expect(JSON.stringify(log)).not.to.contain('SECRET');
      expect(log).to.have.length(1);
    });

    it('uses no key or address that others could read or change, that is short, or is none', async () => {
      const bad = [
        secret('open', KEY, 0o644),
        secret('short', 'whsec_c2hvcnQ='),
        secret('plain', 'correct horse battery staple, correct horse'),
        join(folder, 'missing'),
        folder,
      ];
      symlinkSync(secret('good', KEY), join(folder, 'link'));
      for (const key of [...bad, join(folder, 'link')]) expect((await tell({ webhooks: [{ url: web.at(), key }] })).size, key).to.equal(1);
      for (const url of [secret('ftp', 'ftp://localhost/x'), secret('user', 'https://a:b@localhost/'), secret('text', 'hello')])
        expect((await tell({ webhooks: [{ url }] })).size, url).to.equal(1);
      expect(web.asked).to.deep.equal([]);
      expect(JSON.stringify(log)).not.to.contain('horse').and.not.to.contain('a:b');
    });

    it('trusts no certificate but those that the system trusts', async () => {
      const [key, cert] = [join(folder, 'tls.key'), join(folder, 'tls.crt')];
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
      execaSync('openssl', [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
        ...subject,
      ]);
      const sink = await WebSink.open({ key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') });
      try {
        const failed = await tell({ webhooks: [{ url: sink.at() }] });
        expect([...failed.values()].join()).to.match(/cannot be reached \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
        expect(sink.asked).to.deep.equal([]);
        const root = join(folder, 'other-root');
        mkdirSync(join(root, 'etc/pki/tls/certs'), { recursive: true });
        writeFileSync(join(root, 'etc/pki/tls/certs/ca-bundle.crt'), readFileSync(cert));
        const context = contextOf({ webhooks: [{ url: sink.at() }] });
        const trusting = { ...context, settings: { ...context.settings, systemRoot: root } };
        expect((await deliver(MESSAGE, trusting, QUICK)).failed.size).to.equal(0);
      } finally {
        sink.close();
      }
    });

    it('ends at once when the program is stopped', async () => {
      web.answers = ['silence'];
      const stop = new AbortController();
      const patient = { answer: 600_000, again: [600_000] };
      const waiting = deliver(MESSAGE, contextOf({ webhooks: [{ url: web.at() }] }, stop.signal), patient);
      setTimeout(() => stop.abort(), 50);
      expect((await waiting).failed.size).to.equal(1);
    });
  });

  it('asks heartbeats for what happened, and for nothing where no address is set', async () => {
    const heartbeats = [{ start: web.at('/1/start'), success: web.at('/1') }, { failure: secret('beat', `${web.at('/2/fail')}\n`) }];
    const context = contextOf({ heartbeats });
    for (const which of ['start', 'failure', 'success'] as const) await heartbeat(which, context, QUICK);
    expect(web.asked.map(({ method, path }) => `${method} ${path}`)).to.deep.equal(['GET /1/start', 'GET /2/fail', 'GET /1']);
    web.answers = [500];
    expect((await heartbeat('success', context, QUICK)).failed.size).to.equal(1);
  });

  describe('by mail', () => {
    it('reaches a real SMTP server through a real sendmail, with its subject and text as they were', async () => {
      const received: string[] = [];
      const server = new SMTPServer({
        disabledCommands: ['AUTH', 'STARTTLS'],
        onData: (stream, session, done) => {
          let text = `${session.envelope.rcptTo.map(({ address }) => address).join()}\n`;
          stream.on('data', (part: Buffer) => (text += part.toString()));
          stream.on('end', () => {
            received.push(text);
            done();
          });
        },
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      try {
        const port = (server.server.address() as { port: number }).port;
        const configuration = secret('msmtprc', `account default\nhost 127.0.0.1\nport ${port}\nfrom root@localhost\n`);
        mkdirSync(join(folder, 'usr/sbin'), { recursive: true });
        secret('usr/sbin/sendmail', `#!/bin/sh\nexec msmtp -C ${configuration} "$@"\n`, 0o755);
        expect([...(await tell({ mail: ['ops@example.test', 'b@example.test'] })).values()]).to.deep.equal([]);
        const [mail = ''] = received;
        expect(mail).to.match(/^ops@example\.test,b@example\.test/);
        expect(decodedSubject(mail)).to.equal(MESSAGE.subject);
        expect(Buffer.from(mail.split('\r\n\r\n')[1] ?? '', 'base64').toString()).to.equal(MESSAGE.text);
      } finally {
        await new Promise<void>((resolve) => server.close(() => resolve()));
      }
    });

    it('goes to whom the panel names, and to root where it names nobody or something else than an address', async () => {
      const mails = new MailSink(folder);
      mkdirSync(join(folder, 'usr/local/apnscp/bin'), { recursive: true });
      mkdirSync(join(folder, 'usr/local/bin'), { recursive: true });
      secret('usr/local/apnscp/bin/cmd', '');
      const says = (answer: string) => secret('usr/local/bin/apnscp_php', `#!/bin/sh\n${answer}\n`, 0o755);
      const recipient = async () => {
        expect((await tell({ mail: true })).size).to.equal(0);
        return mails.take()[0]?.headers.get('to');
      };
      says(`[ "$*" = "${folder}/usr/local/apnscp/bin/cmd -i json -o json admin:get-email" ] && echo '"admin@example.test"'`);
      expect(await recipient()).to.equal('admin@example.test');
      for (const answer of ['exit 1', 'echo \'"a@b.test\\nBcc: x@y.test"\'', 'echo false', "echo '{}'", 'echo "MESSAGE SUMMARY"']) {
        says(answer);
        expect(await recipient(), answer).to.equal('root');
      }
    });

    it('is not sent by a sendmail that is not there or refuses it, and says why', async () => {
      expect([...(await tell({ mail: true })).values()]).to.deep.equal(['there is no sendmail on this server']);
      new MailSink(folder).works(false);
      expect([...(await tell({ mail: ['root'] })).values()].join()).to.equal('it ended with exit code 75: the queue is full');
    });

    it('has one header a line whatever the text holds, and no recipient of anybody else', async () => {
      const mails = new MailSink(folder);
      const hostile = { ...MESSAGE, subject: `x${'ü'.repeat(200)}`, text: '.\n\nFrom evil\r\nBcc: x@y.test\n' };
      await deliver(hostile, contextOf({ mail: ['root'] }), QUICK);
      const [mail] = mails.mails;
      expect(mail?.argv).to.equal('-i -t');
      expect([...(mail?.headers.keys() ?? [])])
        .to.include.members(['subject', 'to', 'date', 'message-id'])
        .and.not.to.include('bcc');
      expect(mail?.text).to.equal(hostile.text);
    });
  });

  it('goes through the panel’s Argos, and by its own program when the panel cannot', async () => {
    mkdirSync(join(folder, 'usr/local/apnscp/bin'), { recursive: true });
    mkdirSync(join(folder, 'usr/local/bin'), { recursive: true });
    mkdirSync(join(folder, 'root'));
    secret('usr/local/apnscp/bin/cmd', '');
    const told = join(folder, 'told');
    secret('usr/local/bin/apnscp_php', `#!/bin/sh\nprintf '%s\\n' "$@" >${told}\necho true\n`, 0o755);
    expect((await tell({ argos: true })).size).to.equal(0);
    const sent = ['-i', 'json', '-o', 'json', 'argos:send', '"What failed."', '"high"', JSON.stringify(MESSAGE.subject)];
    expect(readFileSync(told, 'utf8').split('\n').slice(1, -1)).to.deep.equal(sent);
    secret('usr/local/bin/apnscp_php', '#!/bin/sh\necho "no database" >&2\nexit 1\n', 0o755);
    expect([...(await tell({ argos: true })).values()]).to.deep.equal(['it ended with exit code 1: no database']);
    secret('root/.argos.conf', '');
    secret('usr/local/bin/ntfy', `#!/bin/sh\nprintf '%s\\n' "$@" >${told}\n`, 0o755);
    expect((await tell({ argos: true })).size).to.equal(0);
    expect(readFileSync(told, 'utf8')).to.equal(`-c\n${folder}/root/.argos.conf\n-t\n${MESSAGE.subject}\nsend\nWhat failed.\n`);
  });
});

/** The subject of a mail, its encoded words put together. */
function decodedSubject(mail: string): string {
  const [, header = ''] = /\r\nSubject: ((?:.*\r\n[ \t])*.*)\r\n/.exec(mail) ?? [];
  return [...header.matchAll(/=\?UTF-8\?B\?([^?]+)\?=/g)].map(([, word]) => Buffer.from(word ?? '', 'base64').toString()).join('');
}
