/** What dumps consist of, as mariadb-dump and pg_dump write it. */

const text = (...lines: string[]): Buffer => Buffer.from(`${lines.join('\n')}\n`, 'utf8');

export const MYSQL_DUMP: readonly Buffer[] = [
  text(
    '/*M!999999\\- enable the sandbox mode */',
    '-- MariaDB dump 10.19',
    '/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;',
    '/*!40101 SET NAMES utf8mb4 */;',
    '/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;',
    "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;",
    'DROP TABLE IF EXISTS `posts`;',
    'CREATE TABLE `posts` (',
    '  `id` int(11) NOT NULL AUTO_INCREMENT,',
    "  `text` varchar(20) DEFAULT 'it''s' COMMENT 'a; b',",
    '  PRIMARY KEY (`id`)',
    ') ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;',
    'LOCK TABLES `posts` WRITE;',
    '/*!40000 ALTER TABLE `posts` DISABLE KEYS */;',
    "INSERT INTO `posts` VALUES (1,'a\\'b; -- c'),(2,'/* d */ ü');",
    '/*!40000 ALTER TABLE `posts` ENABLE KEYS */;',
    'UNLOCK TABLES;',
  ),
  text(
    '/*!50003 SET @saved_sql_mode = @@sql_mode */ ;',
    'DELIMITER ;;',
    '/*!50003 CREATE*/ /*!50017 DEFINER=`owner1`@`localhost`*/ /*!50003 TRIGGER `t` BEFORE INSERT ON `posts` FOR EACH ROW BEGIN',
    "  SET NEW.text = CONCAT(NEW.text, ';'); # a comment",
    'END */;;',
    'DELIMITER ;',
    'CREATE ALGORITHM=UNDEFINED DEFINER=`owner1`@`localhost` SQL SECURITY DEFINER VIEW `v` AS SELECT 1 AS `1`;',
    'ALTER DATABASE `one_wp` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;',
    'DELIMITER ;;',
    'CREATE DEFINER=`owner1`@`localhost` PROCEDURE `p`() BEGIN SELECT "x"; END ;;',
    'CREATE DEFINER=`owner1`@`localhost` EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE ENABLE DO DELETE FROM posts ;;',
    'DELIMITER ;',
    'CREATE SEQUENCE `s` start with 1 minvalue 1 maxvalue 9223372036854775806 increment by 1 cache 1000 nocycle ENGINE=InnoDB;',
    'DO SETVAL(`s`, 5, 0);',
    '/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;',
    '-- Dump completed on 2026-11-01  3:00:00',
  ),
];

export const POSTGRESQL_DUMP: readonly Buffer[] = [
  text(
    '\\restrict apiscpbackup',
    '',
    'SET statement_timeout = 0;',
    "SET client_encoding = 'UTF8';",
    'SET standard_conforming_strings = on;',
    "SELECT pg_catalog.set_config('search_path', '', false);",
    'CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public;',
    "COMMENT ON EXTENSION hstore IS 'data type; pairs';",
    'CREATE TABLE public.posts (',
    '    id integer NOT NULL,',
    "    text text DEFAULT E'it\\'s'::text",
    ');',
    'ALTER TABLE public.posts OWNER TO one_web;',
    '-- Data for Name: posts; Type: TABLE DATA; Schema: public; Owner: owner1',
    'COPY public.posts (id, text) FROM stdin;',
    '1\ta; b\\nc',
    '2\t\\N',
    '\\.',
    '',
    "SELECT pg_catalog.setval('public.posts_id_seq', 2, true);",
    '\\unrestrict apiscpbackup',
  ),
  text(
    'CREATE FUNCTION public.f(a integer) RETURNS integer LANGUAGE plpgsql AS $_$',
    'BEGIN RETURN $1; END; $_$;',
    'CREATE PROCEDURE public.p() LANGUAGE sql',
    '    BEGIN ATOMIC',
    '    SELECT CASE WHEN true THEN 1 ELSE 2 END;',
    'END;',
    'ALTER FUNCTION public.f(a integer) OWNER TO owner1;',
    '/* a /* nested */ comment */',
    'ALTER DEFAULT PRIVILEGES FOR ROLE owner1 IN SCHEMA public GRANT SELECT,INSERT ON TABLES TO one_web WITH GRANT OPTION;',
    'GRANT SELECT ON TABLE public.posts TO one_web;',
    'CREATE TABLE public."a;b" ("c""d" text);',
    'COPY public.empty FROM stdin;',
    '\\.',
    'REFRESH MATERIALIZED VIEW public.m;',
  ),
];

export const MYSQL_USERS: readonly Buffer[] = [
  text(
    "CREATE USER `one_web`@`localhost` IDENTIFIED BY PASSWORD '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19';",
    "CREATE USER `owner1`@`%` IDENTIFIED VIA ed25519 USING 'ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY';",
    'GRANT USAGE ON *.* TO `one_web`@`localhost`;',
    'GRANT ALL PRIVILEGES ON `one\\_%`.* TO `one_web`@`localhost` WITH GRANT OPTION;',
    'GRANT SELECT (`id`), INSERT ON `one_wp`.`posts` TO `one_web`@`localhost`;',
  ),
];

export const POSTGRESQL_USERS: readonly Buffer[] = [
  text(
    'CREATE ROLE one_web;',
    "ALTER ROLE one_web WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1 PASSWORD 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy';",
    "ALTER ROLE one_web SET search_path TO 'public';",
    'GRANT owner1 TO one_web;',
    'GRANT CONNECT, TEMPORARY ON DATABASE one_wp TO one_web;',
  ),
];
