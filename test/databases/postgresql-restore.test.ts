import { expect } from 'chai';
import { Failure } from '../../core/failure.ts';
import { failureOf } from '../failure-of.ts';
import { makePostgresqlAccount } from './account.ts';
import { dumpPostgresql, fillEveryKind } from './every-kind-of-postgresql.ts';
import { PostgresqlServer } from './postgresql-server.ts';
import { PostgresqlRestores } from './restoring.ts';

const ACCOUNT = {
  prefix: 'example_',
  user: 'exampleadm',
  password: "it's secret",
  databases: ['wp', 'o\'dd "name'],
  furtherUsers: ['web'],
};
const STEPS = ['make shadow', 'load', 'give', 'swap', 'rename shadow', 'commit'];

describe('Bringing a PostgreSQL database back', () => {
  let server: PostgresqlServer;
  before(async () => {
    server = await PostgresqlServer.start();
    await makePostgresqlAccount(server, ACCOUNT);
    await fillEveryKind(server, ACCOUNT.user, ACCOUNT.password, 'example_wp');
    await server.run('ALTER TABLE log OWNER TO example_web', 'example_wp');
    await server.run(`ALTER DATABASE example_wp SET search_path TO public, "odd; ""schema"`);
    await server.run("ALTER DATABASE example_wp SET work_mem TO '5MB'");
  });
  after(() => server.stop());

  const restore: PostgresqlRestores['restore'] = (bytes, given) => new PostgresqlRestores(server, ACCOUNT).restore(bytes, given);
  const databases = async () =>
    (await server.query('SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1')).map(({ datname }) => datname);
  const ofTheDatabase = () =>
    server.query(
      "SELECT datname, pg_get_userbyid(datdba), datacl::text, setconfig FROM pg_database LEFT JOIN pg_db_role_setting ON setdatabase = oid WHERE datname = 'example_wp'",
    );
  const temporaryRoles = () => server.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'apbk%'");

  it('makes every kind of object equal to what it was, while others are connected, and keeps what was live', async () => {
    const before = await ofTheDatabase();
    const bytes = await dumpPostgresql(server, 'example_wp');
    await server.run('DROP TABLE children CASCADE; DROP TYPE mood CASCADE; INSERT INTO parents VALUES (77)', 'example_wp');
    const other = await server.connect({ user: ACCOUNT.user, password: ACCOUNT.password, database: 'example_wp' });
    await other.query('BEGIN; SELECT * FROM parents');
    const outcome = await restore(bytes, {
      description: { name: 'example_wp', characterSet: 'UTF8', collation: 'C.UTF-8', tables: 10, rows: 15 },
    });
    expect(outcome).to.deep.equal({ tables: 10, rows: 15, bytes: bytes.length, replaced: 'example_wp_replaced', notes: [] });
    expect((await dumpPostgresql(server, 'example_wp')).toString()).to.equal(bytes.toString());
    expect(await ofTheDatabase()).to.deep.equal(before);
    expect(await server.query('SELECT id FROM parents WHERE id = 77', 'example_wp_replaced')).to.have.length(1);
    expect([await temporaryRoles(), await databases()]).to.deep.equal([
      [],
      ['example_o\'dd "name', 'example_wp', 'example_wp_replaced', 'postgres'],
    ]);
    await server.run('DROP DATABASE example_wp_replaced');
  });

  it('leaves what is live as it was when any step fails', async () => {
    const bytes = await dumpPostgresql(server, 'example_wp');
    for (const failing of STEPS) {
      const failure = await failureOf(() =>
        restore(bytes, {
          step: (name) => {
            if (name === failing) throw new Failure('io_error', `at ${name}`);
          },
        }),
      );
      expect([failing, failure.message]).to.deep.equal([failing, `at ${failing}`]);
      expect([await temporaryRoles(), await databases()]).to.deep.equal([[], ['example_o\'dd "name', 'example_wp', 'postgres']]);
    }
    expect((await dumpPostgresql(server, 'example_wp')).toString()).to.equal(bytes.toString());
  });

  it('changes nothing when the server dies while it loads, and the next restore takes away what that one left', async () => {
    const bytes = await dumpPostgresql(server, 'example_wp');
    async function* dying() {
      yield bytes.subarray(0, bytes.length / 2);
      await server.kill();
      yield bytes.subarray(bytes.length / 2);
    }
    expect((await failureOf(() => restore(bytes, { dump: dying }))).code).to.equal('database_unreachable');
    await server.startAgain();
    expect((await temporaryRoles()).length).to.equal(1);
    const step = (name: string) => {
      if (name === 'make shadow') throw new Failure('io_error', 'enough');
    };
    await failureOf(() => restore(bytes, { step }));
    expect([await temporaryRoles(), await databases()]).to.deep.equal([[], ['example_o\'dd "name', 'example_wp', 'postgres']]);
    expect((await dumpPostgresql(server, 'example_wp')).toString()).to.equal(bytes.toString());
  });
});
