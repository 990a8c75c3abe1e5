import { expect } from 'chai';
import { rebuildMysqlUsers } from '../../core/databases/load/mysql/users.ts';
import { rebuildPostgresqlUsers } from '../../core/databases/load/postgresql/users.ts';
import { ownerOf } from './account.ts';

const OWN = { ...ownerOf({ prefix: 'one_', user: 'owner1' }), databases: new Set(['old_name']) };
const HASH = `*${'0123456789'.repeat(4)}`;
const MARIADB = { isMariadb: true, version: 101_119 };
const SCRAM = 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy';

describe('The users of an account', () => {
  it('are written anew from what a backup of MariaDB says of them', () => {
    const text = [
      `CREATE USER \`owner1\`@\`localhost\` IDENTIFIED BY PASSWORD '${HASH}'`,
      `CREATE USER \`one_web\`@\`%\` IDENTIFIED VIA mysql_native_password USING '${HASH}'`,
      `GRANT USAGE ON *.* TO \`owner1\`@\`localhost\` IDENTIFIED BY PASSWORD '${HASH}'`,
      'GRANT ALL PRIVILEGES ON `one\\_wp`.* TO `owner1`@`localhost` WITH GRANT OPTION',
      'GRANT SELECT, INSERT ON `old_name`.`t\\`\\`x` TO `one_web`@`%`'.replaceAll('\\`\\`', '``'),
      'GRANT SELECT ON `one\\_%`.* TO `one_web`@`%`',
      '',
    ].join(';\n');
    const identified = `IDENTIFIED VIA mysql_native_password USING '${HASH}'`;
    expect(rebuildMysqlUsers(text, OWN, MARIADB)).to.deep.equal({
      users: ['owner1', 'one_web'],
      before: ['`owner1`@`localhost`', '`one_web`@`%`'].flatMap((user) => [
        `CREATE USER IF NOT EXISTS ${user} ${identified}`,
        `ALTER USER ${user} ${identified}`,
      ]),
      after: [
        'GRANT ALL PRIVILEGES ON `one\\_wp`.* TO `owner1`@`localhost` WITH GRANT OPTION',
        'GRANT SELECT, INSERT ON `old_name`.`t``x` TO `one_web`@`%`',
        'GRANT SELECT ON `one\\_%`.* TO `one_web`@`%`',
      ],
      notes: [],
    });
  });

  it('keep the passwords that they have on MySQL, however the server writes their hashes', () => {
    const mysql = { isMariadb: false, version: 90_704 };
    for (const rounds of ['303035', '303041']) {
      const hash = `0x244124${rounds}24${'0A1f'.repeat(31)}5B`;
      const { users, before } = rebuildMysqlUsers(
        `CREATE USER \`owner1\`@\`localhost\` IDENTIFIED WITH 'caching_sha2_password' AS ${hash} REQUIRE NONE PASSWORD EXPIRE DEFAULT;\n`,
        OWN,
        mysql,
      );
      expect(users).to.deep.equal(['owner1']);
      expect(before[0]).to.equal(
        `CREATE USER IF NOT EXISTS \`owner1\`@\`localhost\` IDENTIFIED WITH caching_sha2_password AS ${hash.toLowerCase()}`,
      );
    }
  });

  it('stay locked, limited and outdated as they were; what is not brought back is named', () => {
    const named = `\`one_web\`@\`%\` IDENTIFIED BY PASSWORD '${HASH}'`;
    const { before, notes } = rebuildMysqlUsers(
      `CREATE USER ${named} REQUIRE SUBJECT 'me' WITH MAX_USER_CONNECTIONS 5 ACCOUNT LOCK PASSWORD EXPIRE;\n`,
      OWN,
      MARIADB,
    );
    expect(before.at(-1)).to.equal('ALTER USER `one_web`@`%` ACCOUNT LOCK');
    expect(notes).to.deep.equal(['one_web is back without REQUIRE SUBJECT … WITH MAX_USER_CONNECTIONS 5 PASSWORD EXPIRE']);
    const usual = 'REQUIRE NONE PASSWORD EXPIRE DEFAULT ACCOUNT UNLOCK PASSWORD HISTORY DEFAULT PASSWORD REUSE INTERVAL DEFAULT';
    const unlocked = rebuildMysqlUsers(`CREATE USER ${named} ${usual} PASSWORD REQUIRE CURRENT DEFAULT;\n`, OWN, MARIADB);
    expect([unlocked.before.length, unlocked.notes]).to.deep.equal([2, []]);
    const role = `ALTER ROLE owner1 WITH NOSUPERUSER LOGIN CONNECTION LIMIT 5 PASSWORD '${SCRAM}' VALID UNTIL '2020-01-01 00:00:00+00'`;
    expect(rebuildPostgresqlUsers(`${role};\n`, OWN).before).to.deep.equal([
      `ALTER ROLE "owner1" WITH LOGIN CONNECTION LIMIT 5 VALID UNTIL '2020-01-01 00:00:00+00' PASSWORD '${SCRAM}'`,
    ]);
  });

  it('get nothing on the server, of others, or by a statement that does not look like one of a backup', () => {
    const lines = [
      'GRANT ALL PRIVILEGES ON *.* TO `owner1`@`localhost`',
      'GRANT FILE ON *.* TO `owner1`@`localhost`',
      'GRANT SELECT ON `mysql`.* TO `owner1`@`localhost`',
      'GRANT SELECT ON `two\\_wp`.* TO `owner1`@`localhost`',
      'GRANT SELECT ON `%`.* TO `owner1`@`localhost`',
      'GRANT SELECT ON `on%\\_wp`.* TO `owner1`@`localhost`',
      'GRANT SELECT ON `one\\_wp`.* TO `owner2`@`localhost`',
      'GRANT SUPER ON `one\\_wp`.* TO `owner1`@`localhost`',
      "GRANT PROXY ON ''@'%' TO `owner1`@`localhost`",
      'GRANT `root` TO `owner1`@`localhost`',
      'GRANT SELECT ON `one\\_wp`.* TO `owner1`@`localhost`, `root`@`localhost`',
      `CREATE USER \`root\`@\`localhost\` IDENTIFIED BY PASSWORD '${HASH}'`,
      "CREATE USER `one_x`@`localhost` IDENTIFIED VIA unix_socket USING 'root'",
      "CREATE USER `one_x`@`localhost` IDENTIFIED BY 'plain'",
      'SET GLOBAL event_scheduler = OFF',
      'DROP DATABASE two_wp',
    ];
    const { users, before, after, notes } = rebuildMysqlUsers(`${lines.join(';\n')};\n`, OWN, MARIADB);
    expect([users, before, after, notes.length]).to.deep.equal([[], [], [], lines.length]);
    expect(notes.join()).not.to.contain(HASH);
  });

  it('are written anew from what a backup of PostgreSQL says of them, as no more than who logs in', () => {
    const text = [
      'CREATE ROLE owner1',
      'CREATE ROLE "one_We""b"',
      `ALTER ROLE owner1 WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS CONNECTION LIMIT -1 PASSWORD '${SCRAM}'`,
      "ALTER ROLE owner1 SET search_path TO 'a''b'",
      'GRANT owner1 TO "one_We""b"',
      'GRANT CONNECT, TEMPORARY ON DATABASE one_wp TO owner1',
      'ALTER ROLE postgres WITH LOGIN',
      "ALTER ROLE owner1 SET session_preload_libraries TO 'x'",
      'GRANT pg_execute_server_program TO owner1',
      'GRANT owner1 TO owner2',
      'GRANT CONNECT ON DATABASE two_wp TO owner1',
      "ALTER ROLE owner1 WITH LOGIN PASSWORD 'plain'",
      'DROP ROLE owner1',
      '',
    ].join(';\n');
    const { notes, ...made } = rebuildPostgresqlUsers(text, OWN);
    expect(made).to.deep.equal({
      users: ['owner1', 'one_We"b'],
      before: [
        `ALTER ROLE "owner1" WITH LOGIN PASSWORD '${SCRAM}'`,
        `ALTER ROLE "owner1" SET SEARCH_PATH TO 'a''b'`,
        'GRANT "owner1" TO "one_We""b"',
      ],
      after: ['GRANT CONNECT, TEMPORARY ON DATABASE "one_wp" TO "owner1"'],
    });
    expect(notes).to.have.length(7);
  });

  it('are not those of another account whose prefix begins with this one’s', () => {
    const own = { ...ownerOf({ prefix: 'one_', user: 'owner1' }, 'one_two_'), databases: new Set<string>() };
    const lines = [
      `CREATE USER \`one_two_web\`@\`localhost\` IDENTIFIED BY PASSWORD '${HASH}'`,
      'GRANT SELECT ON `one\\_two\\_wp`.* TO `owner1`@`localhost`',
      'GRANT SELECT ON `one\\_two\\_%`.* TO `owner1`@`localhost`',
      'GRANT SELECT ON `one\\_%`.* TO `owner1`@`localhost`',
    ];
    const { users, before, after, notes } = rebuildMysqlUsers(`${lines.join(';\n')};\n`, own, MARIADB);
    expect([users, before, after, notes.length]).to.deep.equal([[], [], [], lines.length]);
    const roles = rebuildPostgresqlUsers(
      `CREATE ROLE one_two_web;\nALTER ROLE one_two_web WITH LOGIN PASSWORD '${SCRAM}';\nGRANT one_two_web TO owner1;\nGRANT CONNECT ON DATABASE one_two_wp TO owner1;\n`,
      own,
    );
    expect([roles.users, roles.before, roles.after, roles.notes.length]).to.deep.equal([[], [], [], 4]);
  });
});
