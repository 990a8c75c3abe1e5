import type { Connection, RowDataPacket } from 'mysql2/promise';
import { type MariadbServer, named, quoted } from './mariadb-server.ts';

/** Statements that make one of each kind of object, with rows that are easily lost on the way. Run one at a time. */
const STATEMENTS = [
  `CREATE TABLE kinds (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, big BIGINT, exact DECIMAL(30,10), near DOUBLE, small TINYINT(1), bits BIT(13),
    day DATE, at DATETIME(6), stamp TIMESTAMP(3) NULL, clock TIME(2), year YEAR, word VARCHAR(60) CHARACTER SET latin1, letters CHAR(5),
    text LONGTEXT, bytes VARBINARY(40), blobs LONGBLOB, choice ENUM('a','it''s'), several SET('x','y','z'), doc JSON, place POINT, address INET6, name UUID,
    half BIGINT GENERATED ALWAYS AS (big DIV 2) STORED, twice INT AS (small * 2) VIRTUAL, KEY by_word (word), FULLTEXT KEY words (text)
  ) ENGINE=InnoDB COMMENT='it''s; a "table" \\\\ -- of kinds'`,
  `INSERT INTO kinds (big, exact, near, small, bits, day, at, stamp, clock, year, word, letters, text, bytes, blobs, choice, several, doc, place, address, name) VALUES
    (-9223372036854775808, -12345678901234567890.0123456789, 1e-300, 1, b'1010101010101', '2024-02-29', '1999-12-31 23:59:59.999999',
     '2038-01-19 03:14:07.123', '-838:59:59', 1901, 'Grüße', 'é', 'four bytes 𝄞 and 😀; a quote '' and "\\\\"', X'00FF27225C0A0D1A', X'C328A0A1', 'it''s', 'x,z',
     '{"a": [1, null, "\\\\u00e9"]}', POINT(1.5, -2), '2001:db8::1', '123e4567-e89b-12d3-a456-426655440000'),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', '', '', NULL, '', NULL, NULL, NULL, NULL)`,
  'CREATE TABLE parents (id INT PRIMARY KEY, name VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin UNIQUE, CHECK (id > 0))',
  `CREATE TABLE children (id INT PRIMARY KEY, parent INT, amount INT DEFAULT 0, CONSTRAINT \`of's parent\` FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE)`,
  "INSERT INTO parents VALUES (1, 'one'), (2, '二')",
  'INSERT INTO children VALUES (10, 1, 5), (20, 2, 7)',
  'CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, what TEXT)',
  `CREATE TABLE parted (id INT, at DATE) PARTITION BY RANGE (YEAR(at)) (PARTITION early VALUES LESS THAN (2000), PARTITION \`p'late\` VALUES LESS THAN MAXVALUE)`,
  "INSERT INTO parted VALUES (1, '1990-01-01'), (2, '2020-01-01')",
  'CREATE TABLE `odd-name; "`` \'` (`a``b` INT, `select` TEXT) ENGINE=MyISAM',
  "INSERT INTO `odd-name; \"`` '` VALUES (1, 'x')",
  'CREATE TABLE empty (id INT)',
  'CREATE SEQUENCE numbers START WITH 100 INCREMENT BY 5',
  'SELECT NEXTVAL(numbers)',
  'CREATE VIEW families AS SELECT p.name, c.amount FROM parents p JOIN children c ON c.parent = p.id',
  'CREATE SQL SECURITY INVOKER VIEW `a view of it` AS SELECT * FROM families WHERE amount > 5',
  `CREATE TRIGGER logged AFTER INSERT ON children FOR EACH ROW BEGIN
     -- a comment with ; and 'a quote
     INSERT INTO log (what) VALUES (CONCAT('child ', NEW.id, ';')); /* another ; */
   END`,
  'CREATE TRIGGER later BEFORE INSERT ON children FOR EACH ROW SET NEW.amount = NEW.amount + 1',
  `CREATE FUNCTION total() RETURNS INT READS SQL DATA BEGIN DECLARE answer INT; SELECT SUM(amount) INTO answer FROM children; RETURN answer; END`,
  `CREATE PROCEDURE add_child(IN one INT, IN parent_of INT) COMMENT 'it''s ;; one' BEGIN IF one > 0 THEN INSERT INTO children VALUES (one, parent_of, 1); END IF; END`,
  `CREATE AGGREGATE FUNCTION counted(x INT) RETURNS INT BEGIN DECLARE n INT DEFAULT 0; DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN n; LOOP FETCH GROUP NEXT ROW; SET n = n + 1; END LOOP; END`,
  `CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2031-01-01 03:00:00' ON COMPLETION PRESERVE COMMENT 'at; night' DO INSERT INTO log (what) VALUES ('event')`,
  `CREATE EVENT asleep ON SCHEDULE EVERY 5 MINUTE DISABLE DO DELETE FROM log`,
];

/** What was created by a session with another mind about quotes. */
const IN_ANSI = [
  'SET sql_mode = "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"',
  `CREATE FUNCTION "ansi" () RETURNS VARCHAR(20) DETERMINISTIC RETURN '\\'`,
];

/** Fills a database as `user`, who will be the definer of all in it. */
export async function fillEveryKind(server: MariadbServer, user: string, password: string, database: string): Promise<void> {
  const connection = await server.connect({ user, password, database });
  try {
    const [{ version } = {}] = await rows(connection, 'SELECT VERSION() AS version');
    const [, major, minor] = (/^(\d+)\.(\d+)/.exec(String(version)) ?? []).map(Number);
    // The type came with 10.7.
    const known = (text: string) => (major! * 100 + minor! >= 1007 ? text : text.replace(' name UUID', ' name CHAR(36)'));
    for (const statement of [...STATEMENTS, ...IN_ANSI]) await connection.query(known(statement));
  } finally {
    await connection.end();
  }
}

async function rows(connection: Connection, sql: string): Promise<Record<string, unknown>[]> {
  return (await connection.query<RowDataPacket[]>(sql))[0].map((row) => ({ ...row }));
}

const OF_OBJECT = { 'BASE TABLE': 'TABLE', SEQUENCE: 'SEQUENCE', VIEW: 'VIEW' } as const;

/**
 * All that can be told of a database, for comparing two of them: how each object is made, who its definer is, under which mode
 * of the server, and a digest of every table's rows.
 */
export async function describeMariadb(server: MariadbServer, database: string): Promise<Record<string, unknown>> {
  const connection = await server.connect({ database });
  const found: Record<string, unknown> = {};
  try {
    const of = quoted(database);
    found.database = await rows(
      connection,
      `SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${of}`,
    );
    for (const { TABLE_NAME, TABLE_TYPE } of await rows(
      connection,
      `SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${of} ORDER BY TABLE_NAME`,
    )) {
      const name = named(String(TABLE_NAME));
      const kind = OF_OBJECT[TABLE_TYPE as keyof typeof OF_OBJECT];
      found[`${kind} ${name}`] = await rows(connection, `SHOW CREATE ${kind === 'SEQUENCE' ? 'TABLE' : kind} ${name}`);
      if (kind === 'TABLE') found[`rows ${name}`] = await rows(connection, `SELECT * FROM ${name} ORDER BY 1`);
      if (kind === 'SEQUENCE') found[`next ${name}`] = await rows(connection, `SELECT next_not_cached_value, increment FROM ${name}`);
    }
    for (const [kind, sql] of [
      ['TRIGGER', `SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ${of}`],
      [
        'PROCEDURE',
        `SELECT ROUTINE_NAME AS name FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'PROCEDURE' AND ROUTINE_SCHEMA = ${of}`,
      ],
      [
        'FUNCTION',
        `SELECT ROUTINE_NAME AS name FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_SCHEMA = ${of}`,
      ],
      ['EVENT', `SELECT EVENT_NAME AS name FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ${of}`],
    ] as const) {
      for (const { name } of await rows(connection, `${sql} ORDER BY 1`)) {
        const made = await rows(connection, `SHOW CREATE ${kind} ${named(String(name))}`);
        found[`${kind} ${name}`] = made.map(({ Created, ...rest }) => rest);
      }
    }
    return found;
  } finally {
    await connection.end();
  }
}
