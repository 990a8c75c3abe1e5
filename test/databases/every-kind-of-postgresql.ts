import { execa } from 'execa';
import { literal, type PostgresqlServer, postgresqlPrograms } from './postgresql-server.ts';

/** Statements that make one of each kind of object, with rows that are easily lost on the way. */
const STATEMENTS = String.raw`
CREATE EXTENSION pg_trgm;
CREATE SCHEMA "odd; ""schema";
CREATE TYPE mood AS ENUM ('sad', 'it''s');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE COLLATION plain FROM "C";
CREATE TABLE kinds (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, serial bigserial, big bigint, exact numeric(40,10), near float8, day date, at timestamptz, span interval,
  word varchar(40) COLLATE plain, bytes bytea, flag boolean, doc jsonb, tree xml, tags text[], feeling mood, both_of pair, amount positive, range int4range, address inet, bits bit(5),
  uid uuid, words tsvector, half numeric GENERATED ALWAYS AS (exact / 2) STORED);
INSERT INTO kinds (big, exact, near, day, at, span, word, bytes, flag, doc, tree, tags, feeling, both_of, amount, range, address, bits, uid, words) VALUES
  (-9223372036854775808, -123456789012345678901234567890.0123456789, 'NaN', '0044-03-15 BC', 'infinity', '1 year 2 days 3.5 seconds', E'tab\t nl\n back\\ 𝄞 ''q', '\x00ff275c0a', true,
   '{"a": [1, null, "\u00e9"]}', '<a>;</a>', '{"a,b","c\"d",NULL}', 'it''s', '(1,"x,y")', 5, '[1,5)', '2001:db8::1/64', B'10101', '123e4567-e89b-12d3-a456-426655440000', 'a b c'),
  (NULL, NULL, 1e-300, NULL, NULL, NULL, '\.', '', NULL, NULL, NULL, '{}', NULL, NULL, NULL, 'empty', NULL, NULL, NULL, NULL);
CREATE TABLE parents (id int PRIMARY KEY, name text UNIQUE);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE, amount int DEFAULT 0, CHECK (amount >= 0));
INSERT INTO parents VALUES (1, 'one'), (2, '二');
INSERT INTO children VALUES (10, 1, 5), (20, 2, 7);
CREATE TABLE lines (text text);
INSERT INTO lines VALUES (''), ('\.'), (E'\n\\.\n'), (NULL);
CREATE TABLE log (what text);
CREATE TABLE parted (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE parted_early PARTITION OF parted FOR VALUES FROM (MINVALUE) TO ('2000-01-01');
CREATE TABLE parted_late PARTITION OF parted DEFAULT;
INSERT INTO parted VALUES (1, '1990-01-01'), (2, '2020-01-01');
CREATE TABLE base (a int); CREATE TABLE derived (b int) INHERITS (base); INSERT INTO base VALUES (1); INSERT INTO derived VALUES (2, 3);
CREATE TABLE "odd; ""schema"."Odd-name; ""'" ("a""b" int, "select" text); INSERT INTO "odd; ""schema"."Odd-name; ""'" VALUES (1, 'x');
CREATE SEQUENCE numbers START 100 INCREMENT 5; SELECT nextval('numbers');
CREATE INDEX by_likeness ON parents USING gin (name gin_trgm_ops);
CREATE INDEX by_expression ON children ((amount * 2)) WHERE amount > 1;
CREATE STATISTICS of_children ON parent, amount FROM children;
CREATE VIEW families AS SELECT p.name, c.amount FROM parents p JOIN children c ON c.parent = p.id;
CREATE MATERIALIZED VIEW kept AS SELECT name FROM families;
CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN -- ; a comment
  INSERT INTO public.log VALUES ('child ' || NEW.id || ';$x$'); RETURN NEW; END $body$;
CREATE TRIGGER logged AFTER INSERT ON children FOR EACH ROW EXECUTE FUNCTION logged();
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(CASE WHEN amount > 1 THEN amount ELSE 0 END) FROM children; END;
CREATE PROCEDURE add_child(one int, of_parent int DEFAULT 1) LANGUAGE sql AS 'INSERT INTO public.children VALUES (one, of_parent, 1)';
CREATE AGGREGATE summed(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE OPERATOR ~~~ (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl);
CREATE RULE both_ways AS ON UPDATE TO log DO ALSO (INSERT INTO lines VALUES ('a;b'); INSERT INTO lines VALUES ('c'));
ALTER TABLE parents ENABLE ROW LEVEL SECURITY; CREATE POLICY "for some" ON parents USING (id > 0);
COMMENT ON TABLE kinds IS 'it''s; a "table" \ -- of kinds';
SELECT lo_from_bytea(0, '\x00ff270a');
GRANT SELECT ON children TO example_web; GRANT INSERT (id) ON children TO example_web;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO example_web;
CREATE TEXT SEARCH CONFIGURATION own (COPY = simple);
`;

/** Fills a database as `user`, who will own all in it. */
export async function fillEveryKind(server: PostgresqlServer, user: string, password: string, database: string): Promise<void> {
  const client = await server.connect({ user, password, database });
  try {
    const { rows } = await client.query('SHOW server_version_num');
    // Bodies that are parsed came with version 14.
    const isOld = Number(rows[0].server_version_num) < 140_000;
    await client.query(isOld ? STATEMENTS.replace(/BEGIN ATOMIC (.*?); END;/, "AS '$1';") : STATEMENTS);
  } finally {
    await client.end();
  }
}

/** A whole dump, with owners and rights: two databases are equal when theirs are. Large objects keep their numbers. */
export async function dumpPostgresql(server: PostgresqlServer, database: string): Promise<Buffer> {
  const login = `host=${server.socketFolder} port=${server.port} user=postgres passfile=${server.passwordFile} dbname=${literal(database)}`;
  const program = `${postgresqlPrograms()}/pg_dump`;
  // Not every version knows it.
  const isKnown = (await execa(program, ['--help'])).stdout.includes('--restrict-key');
  const { stdout } = await execa(program, [...(isKnown ? ['--restrict-key=apiscpbackup'] : []), '--dbname', login], { encoding: 'buffer' });
  return Buffer.from(stdout);
}
