import { expect } from 'chai';
import { type DumpKind, dumpCounter } from '../../../core/scan/stream/dump-counter.ts';

const MYSQL = [
  '-- MariaDB dump',
  'CREATE TABLE `a` (',
  '  `x` int',
  ');',
  'LOCK TABLES `a` WRITE;',
  'INSERT INTO `a` (`x(`, `V`) VALUES',
  "(1,'it''s (not) a row; ('),",
  "(2,'\\\\'),",
  "(3,'\\'),(;'),",
  "(NULL,_binary 'x');",
  "INSERT INTO `a` VALUES (4,0x27),(5,'LOCK TABLES `'),(6,'\\'),(');",
  'UNLOCK TABLES;',
  'LOCK TABLES `empty` WRITE;',
  'UNLOCK TABLES;',
  'CREATE PROCEDURE p()',
  'INSERT INTO `a` VALUES (1),(2),(3);',
  '-- Dump completed',
  '',
].join('\n');

const POSTGRESQL = [
  'CREATE FUNCTION f() RETURNS text AS $$',
  'COPY public.a (x) FROM stdin;',
  '$$;',
  '-- Data for Name: a; Type: TABLE DATA; Schema: public; Owner: o',
  '--',
  '',
  'COPY public.a (x, y) FROM stdin;',
  '1\t\\N',
  '2\t\\\\.',
  '',
  '-- Data for Name: b;',
  '\\.',
  '',
  '-- Data for Name: empty; Type: TABLE DATA; Schema: public; Owner: o',
  'COPY public.empty (x) FROM stdin;',
  '\\.',
  'CREATE INDEX i;',
  '',
].join('\n');

function count(kind: DumpKind, text: string, step: number): { tables: number; rows: number } {
  const counter = dumpCounter(kind);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += step) counter.take(bytes.subarray(at, at + step));
  const { tables, rows } = counter;
  return { tables, rows };
}

describe('dumpCounter', () => {
  for (const step of [1, 2, 3, 7, 23, 24, 25, 100_000]) {
    it(`counts the tables and rows of a dump that comes in pieces of ${step} bytes`, () => {
      expect(count('mysql', MYSQL, step)).to.deep.equal({ tables: 2, rows: 7 });
      expect(count('postgresql', POSTGRESQL, step)).to.deep.equal({ tables: 2, rows: 4 });
    });
  }
});
