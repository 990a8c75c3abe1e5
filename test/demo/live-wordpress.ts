import { randomBytes } from 'node:crypto';
import { chmodSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UnitDatabasesResult } from '../../core/schemas/databases.ts';
import type { RestoreResult } from '../../core/schemas/restore.ts';
import type { RunResult } from '../../core/schemas/run.ts';
import type { VirtualSite } from '../accounts/virtual-server.ts';
import { makeMariadbAccount } from '../databases/account.ts';
import { named } from '../databases/mariadb-server.ts';
import type { Proceedings } from './proceedings.ts';
import { databaseLines, restoreLines, runLines } from './results.ts';
import { say, showStep } from './screen.ts';
import { type Page, WebServer } from './web-server.ts';

const TITLE = 'Still here, naïve and 😀';
const PUBLISH = join(import.meta.dirname, 'publish-post.php');

/** An account's WordPress with its database: installed, asked for its page, backed up, broken, restored, and asked again. */
export class LiveWordPress {
  readonly #proceedings: Proceedings;
  readonly #site: VirtualSite;
  readonly #database: string;
  readonly #documents: string;

  constructor(proceedings: Proceedings, site: VirtualSite) {
    this.#proceedings = proceedings;
    this.#site = site;
    this.#database = `${site.adminUser}_wp`;
    this.#documents = join(site.fst, 'var/www/html');
  }

  async run(): Promise<void> {
    const web = await showStep(`give ${this.#site.name}'s WordPress a database and a web server`, () => this.#connect());
    try {
      await showStep('install WordPress and publish a post', () => this.#install(web));
      await this.#loseAndRestore(web);
    } finally {
      await web.stop();
    }
  }

  async #loseAndRestore(web: WebServer): Promise<void> {
    const { name } = this.#site;
    const page = await this.#ask(web);
    this.#proceedings.expect('the page has the post', hasPost(page));
    const tables = await this.#checksums();
    await showStep(`describe ${name}'s documents`, () => this.#proceedings.remember('live', this.#documents));
    say(runLines(await this.#proceedings.cpcmd<RunResult>('backup:run', name)));
    say(databaseLines(await this.#proceedings.cpcmd<UnitDatabasesResult>('backup:databases', name)));

    await showStep(`break ${name}: drop all ${tables.size} tables, cut wp-config.php short`, () => this.#break([...tables.keys()]));
    this.#proceedings.expect('the page is gone', !hasPost(await this.#ask(web)));

    say(restoreLines(await this.#proceedings.cpcmd<RestoreResult>('backup:restore', name, 'all', '[withDatabases:true]')));
    const restored = await this.#checksums();
    const equal = [...tables].filter(([table, sum]) => restored.get(table) === sum).length;
    this.#proceedings.expect(
      `${equal} of ${tables.size} tables have the checksum that they had`,
      equal === tables.size && equal === restored.size,
    );
    this.#proceedings.judge('the documents', await this.#proceedings.compare('live', this.#documents));
    const again = await this.#ask(web);
    this.#proceedings.expect('the page has the post and is the same', hasPost(again) && again.text === page.text);
  }

  async #ask(web: WebServer): Promise<Page> {
    const page = await showStep('GET /', () => web.get('/'));
    const title = /<title>(.*?)<\/title>/s.exec(page.text)?.[1] ?? '';
    say([`${page.status}, ${page.text.length} characters${title === '' ? '' : `, "${title.trim()}"`}`]);
    return page;
  }

  async #connect(): Promise<WebServer> {
    const { mariadb } = this.#proceedings.server;
    const { adminUser: user } = this.#site;
    const password = randomBytes(16).toString('hex');
    await makeMariadbAccount(mariadb, { prefix: `${user}_`, user, password, databases: ['wp'] });
    // Its user is the server's own; others get to the socket by being in that user's group.
    chmodSync(mariadb.folder, 0o710);
    const constants = {
      DB_NAME: this.#database,
      DB_USER: user,
      DB_PASSWORD: password,
      DB_HOST: `localhost:${mariadb.socket}`,
      DB_CHARSET: 'utf8mb4',
      // Nothing is asked of the internet, and nothing changes by itself.
      WP_HTTP_BLOCK_EXTERNAL: 'yes',
      DISABLE_WP_CRON: 'yes',
    };
    const lines = Object.entries(constants).map(([name, value]) => `define('${name}', '${value}');\n`);
    const end = "$table_prefix = 'wp_';\ndefined('ABSPATH') || define('ABSPATH', __DIR__ . '/');\nrequire ABSPATH . 'wp-settings.php';\n";
    writeFileSync(join(this.#documents, 'wp-config.php'), `<?php\n${lines.join('')}${end}`);
    return await WebServer.start(this.#site, 'mysql');
  }

  async #install(web: WebServer): Promise<void> {
    const password = randomBytes(16).toString('hex');
    const { status, text } = await web.post('/wp-admin/install.php?step=2', {
      weblog_title: `The shop of ${this.#site.domain}`,
      user_name: 'keeper',
      admin_password: password,
      admin_password2: password,
      admin_email: `owner@${this.#site.domain}`,
      language: '',
    });
    if (!text.includes('Success!')) throw new Error(`WordPress was not installed (${status}):\n${text}`);
    await web.runScript(PUBLISH, TITLE);
  }

  /** The checksum of each table's rows, as the server computes it. */
  async #checksums(): Promise<Map<string, unknown>> {
    const { mariadb } = this.#proceedings.server;
    const tables = (await mariadb.query('SHOW TABLES', this.#database)).map((row) => named(String(Object.values(row)[0])));
    if (tables.length === 0) return new Map();
    const rows = await mariadb.query(`CHECKSUM TABLE ${tables.join(', ')}`, this.#database);
    return new Map(rows.map(({ Table, Checksum }) => [String(Table), Checksum]));
  }

  async #break(tables: readonly string[]): Promise<void> {
    const names = tables.map((table) => table.split('.').map(named).join('.'));
    await this.#proceedings.server.mariadb.run(`DROP TABLE ${names.join(', ')}`);
    const config = join(this.#documents, 'wp-config.php');
    truncateSync(config, Math.floor(statSync(config).size / 2));
  }
}

function hasPost({ status, text }: Page): boolean {
  return status === 200 && text.includes(TITLE);
}
