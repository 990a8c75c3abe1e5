import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SettingsFile } from '../../core/config/settings.ts';
import type { RecordedDatabase, SnapshotRecord } from '../../core/repository/record.ts';
import { TestServer } from '../end-to-end/test-server.ts';
import type { MariadbServer } from './mariadb-server.ts';
import type { PostgresqlServer } from './postgresql-server.ts';

/** A server with an account whose databases lie on private database servers. */
export class DatabaseSite extends TestServer {
  readonly #servers: { readonly mariadb?: MariadbServer | undefined; readonly postgresql?: PostgresqlServer | undefined };

  constructor(servers: { readonly mariadb?: MariadbServer; readonly postgresql?: PostgresqlServer }) {
    super();
    this.#servers = servers;
    mkdirSync(this.shadow, { recursive: true });
    writeFileSync(join(this.shadow, 'index.html'), 'a page');
    this.setDatabases();
  }

  /** Sets how databases are backed up; as shipped what is left out. */
  setDatabases(databases: NonNullable<SettingsFile['databases']> = {}): void {
    const { mariadb, postgresql } = this.#servers;
    this.set({
      databases: {
        ...(mariadb === undefined ? {} : { mysql: { socket: mariadb.socket, credentials: mariadb.optionFile } }),
        ...(postgresql === undefined ? {} : { postgresql: { socket: postgresql.socketFolder, credentials: postgresql.passwordFile } }),
        ...databases,
      },
    });
  }

  /** Writes what the panel says of an account and a service. */
  setLogin(service: 'mysql' | 'pgsql', prefix: string, admin: string, site = this.site): void {
    mkdirSync(join(site, 'info/current'), { recursive: true });
    writeFileSync(join(site, 'info/current', service), `[${service}]\nenabled = 1\ndbaseprefix = ${prefix}\ndbaseadmin = ${admin}\n`);
  }

  /** The databases of a unit's newest record, by name. */
  recorded(unit = 'site1'): Record<string, RecordedDatabase> {
    const records = this.objects('.json').filter((name) => name.includes(`/units/${unit}-`) && name.includes('/snapshots/'));
    const newest = records.sort().at(-1);
    if (newest === undefined) return {};
    const { databases = [] } = JSON.parse(readFileSync(join(this.repository, newest), 'utf8')) as SnapshotRecord;
    return Object.fromEntries(databases.map((each) => [each.name, each]));
  }
}
