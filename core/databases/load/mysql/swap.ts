import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../../../failure.ts';
import type { MysqlConnection } from '../../sessions/mysql-connection.ts';
import type { SwapJournal } from '../swap-journal.ts';
import { type LinkedFolder, linkedFolderOf, makeDatabaseBeside } from './data-folder.ts';
import { type CodeName, dropCode, type KeptCode, keepCode, listCode, makeKeptCode } from './live-code.ts';
import { bringOrphanKeysAlong } from './orphan-keys.ts';
import { dropOutwardKeys } from './outward-keys.ts';
import { isDatabase, plainWord, quoteName } from './quoting.ts';
import { giveRightsOnRoutines, type RoutineRight, rightsOnRoutines } from './routine-rights.ts';
import { stuckTables } from './stuck-tables.ts';

/** How an exchange is undone. */
export interface SwapPlan {
  /** The shadow's name, which no other restore has. */
  readonly id: string;
  readonly live: string;
  readonly shadow: string;
  /** Where what was live goes; undefined: there was nothing live. */
  readonly replaced: string | undefined;
  /** The character set and collation of what was live. */
  readonly defaults: { readonly characterSet: string; readonly collation: string } | undefined;
  readonly oldTables: readonly string[];
  readonly newTables: readonly string[];
  readonly oldCode: readonly KeptCode[];
  /** On single routines of the live one; a plan of an earlier version has none. */
  readonly rights?: readonly RoutineRight[];
  /** Code of the live one that the server itself cannot tell any more, such as a view of a table that is gone. */
  readonly broken: readonly CodeName[];
  /** All that was restored stands in the live database: what is missing is the end, and it is not undone any more. */
  readonly isMade: boolean;
}

export interface SwapOrder {
  readonly admin: MysqlConnection;
  readonly journal: SwapJournal<SwapPlan>;
  readonly live: string;
  readonly shadow: string;
  /** Where the folders of these databases lie. */
  readonly beside: LinkedFolder | undefined;
  /** The name that what was live gets. */
  readonly replacedName: string;
  readonly characterSet: string;
  readonly collation: string;
  /** Makes the restored views, triggers, routines and events in the live database, which has the restored tables by then. */
  readonly makeCode: () => Promise<void>;
  /** Called before each step; a test lets it fail or die there. */
  readonly step: (name: string) => void | Promise<void>;
}

export interface Swapped {
  /** The name under which what was live before is kept. */
  readonly replaced: string | undefined;
  /** What of it could not be brought along there. */
  readonly lost: readonly CodeName[];
  /** Tables of it that are broken, and stand where they were. */
  readonly stuck: readonly string[];
  /** What of it would have kept others from changing their databases, and was taken from it, in words; and rights on routines that are gone. */
  readonly released: readonly string[];
}

/** Seconds that others' transactions are waited for, each time. */
const PATIENCE = 5;
const TRIES = 3;
const FREE_TO_MOVE = "('BASE TABLE', 'SEQUENCE', 'SYSTEM VERSIONED')";

/**
 * Puts a shadow database in the place of a live one. All tables change places in one statement, so that no reader sees a
 * mixture. Whatever fails, the live one is afterwards as it was; of a death in between the journal tells the next call.
 *
 * @throws Failure `database_busy` when others' transactions hold a table for too long
 */
export async function swapDatabase(order: SwapOrder): Promise<Swapped> {
  const { admin, journal } = order;
  await refuseForeignKeysFromOutside(admin, order.live);
  let stuck: readonly string[] = [];
  for (let attempt = 1; ; attempt++) {
    const plan = await makePlan(order, stuck);
    // Before the journal: a database that is there already is somebody else's, and nothing of it is undone.
    await makeDatabase(plan, order);
    try {
      journal.begin(plan.id, plan);
      const { lost, released } = await exchange(plan, order);
      journal.end(plan.id);
      return { replaced: plan.replaced, lost: [...plan.broken, ...lost], stuck, released };
    } catch (error) {
      await undoPatiently(admin, plan);
      journal.end(plan.id);
      if (stuck.length === 0) {
        stuck = await stuckTables(admin, order.live, plan.newTables, error);
        if (stuck.length > 0) continue;
      }
      if (attempt === TRIES || !(error instanceof Failure) || error.code !== 'database_busy') throw error;
    }
  }
}

async function makePlan({ admin, live, shadow, replacedName }: SwapOrder, stuck: readonly string[]): Promise<SwapPlan> {
  const defaults = await defaultsOf(admin, live);
  const exists = defaults !== undefined;
  const oldCode: KeptCode[] = [];
  const broken: CodeName[] = [];
  if (exists) {
    await admin.query(`USE ${quoteName(live)}`);
    for (const each of await listCode(admin, live)) {
      try {
        oldCode.push(await keepCode(admin, each));
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'database_refused') throw error;
        broken.push(each);
      }
    }
  }
  const replaced = exists ? replacedName : undefined;
  return {
    id: shadow,
    live,
    shadow,
    replaced,
    defaults,
    oldTables: (await tablesOf(admin, live)).filter((table) => !stuck.includes(table)),
    newTables: await tablesOf(admin, shadow),
    oldCode,
    rights: exists ? await rightsOnRoutines(admin, live) : [],
    broken,
    isMade: false,
  };
}

/** Undefined when there is no such database. */
async function defaultsOf(admin: MysqlConnection, database: string): Promise<SwapPlan['defaults']> {
  const [row] = await admin.query(
    `SELECT DEFAULT_CHARACTER_SET_NAME AS cs, DEFAULT_COLLATION_NAME AS co FROM information_schema.SCHEMATA WHERE ${isDatabase('SCHEMA_NAME', database)}`,
  );
  return row === undefined ? undefined : { characterSet: row.cs!, collation: row.co! };
}

/** Makes the database in which what was live is kept; where nothing was, the live one. */
async function makeDatabase({ live, replaced, defaults }: SwapPlan, order: SwapOrder): Promise<void> {
  await order.step('make databases');
  const counted = replaced === undefined ? 'with the account' : 'with the server';
  await makeDatabaseBeside(order.admin, replaced ?? live, setsOf(defaults ?? order), order.beside, counted);
}

function setsOf({ characterSet, collation }: { readonly characterSet: string; readonly collation: string }): string {
  return `CHARACTER SET ${plainWord(characterSet)} COLLATE ${plainWord(collation)}`;
}

/** @returns what of the old code could not be made in the database where it is kept, and what was taken from that */
async function exchange(plan: SwapPlan, order: SwapOrder): Promise<{ readonly lost: CodeName[]; readonly released: string[] }> {
  const { live, shadow, replaced } = plan;
  const { admin, journal, step } = order;
  await admin.query(`SET lock_wait_timeout = ${PATIENCE}`);
  await step('drop triggers');
  // A table with triggers cannot change its database.
  await dropTriggers(admin, shadow);
  await dropTriggers(admin, live);
  await step('rename');
  await moveTables(admin, [
    ...plan.oldTables.map((table) => [live, table, replaced!] as const),
    ...plan.newTables.map((table) => [shadow, table, live] as const),
  ]);
  await bringOrphanKeysAlong(admin, live, shadow);
  await step('drop code');
  await admin.query(`USE ${quoteName(live)}`);
  for (const each of await listCode(admin, live)) await dropCode(admin, each);
  await admin.query(`ALTER DATABASE ${quoteName(live)} ${setsOf(order)}`);
  await step('make code');
  await order.makeCode();
  const noRights = await giveRightsOnRoutines(admin, live, plan.rights ?? []);
  journal.begin(plan.id, { ...plan, isMade: true });
  await step('keep old code');
  const released = replaced === undefined ? [] : await freeFromOthers(admin, replaced, live);
  const lost = replaced === undefined ? [] : await makeAll(admin, replaced, plan.oldCode, live);
  await step('end');
  return { lost, released: [...released, ...noRights] };
}

/** What is kept points to itself, and to no other database. */
async function freeFromOthers(admin: MysqlConnection, kept: string, live: string): Promise<string[]> {
  await bringOrphanKeysAlong(admin, kept, live);
  return await dropOutwardKeys(admin, kept);
}

/**
 * Ends an exchange whose process died. Where all that was restored stood in its place, it stays there. Else the live database
 * becomes what it was; the restored tables, in which others may have written since, are kept under a name that is returned.
 */
export async function settleSwap(admin: MysqlConnection, plan: SwapPlan): Promise<string | undefined> {
  if (plan.isMade) {
    if (plan.replaced !== undefined) await freeFromOthers(admin, plan.replaced, plan.live);
    if (plan.replaced !== undefined) await makeAll(admin, plan.replaced, await missingCode(admin, plan.replaced, plan.oldCode), plan.live);
    return undefined;
  }
  const kept = `${plan.live.slice(0, LONGEST_BEGINNING)}_broken_off_${plan.id.slice(-KEPT_DIGITS)}`;
  const moved = await undoSwap(admin, plan, kept);
  return moved ? kept : undefined;
}

/** Others may hold what has to go back. What cannot go back now stays in the journal. */
async function undoPatiently(admin: MysqlConnection, plan: SwapPlan): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await undoSwap(admin, plan, plan.shadow);
      return;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'database_busy') throw error;
      if (attempt < TRIES) continue;
      const message = `${plan.live} is not yet as it was; the next run or restore puts it back: ${error.message}`;
      throw new Failure('database_left', message, { affected: [plan.live], retry: true, cause: error });
    }
  }
}

const KEPT_DIGITS = 12;
/** A name of a database has 64 characters at most. */
const LONGEST_BEGINNING = 64 - '_broken_off_'.length - KEPT_DIGITS;

async function missingCode(admin: MysqlConnection, database: string, code: readonly KeptCode[]): Promise<KeptCode[]> {
  const present = new Set((await listCode(admin, database)).map(keyOf));
  return code.filter((each) => !present.has(keyOf(each)));
}

/**
 * Puts the live database back as it was before an exchange that did not come to its end, and the restored tables into another.
 * Can be repeated. Returns whether there were any to be put there.
 */
async function undoSwap(admin: MysqlConnection, plan: SwapPlan, aside: string): Promise<boolean> {
  const { live, shadow, replaced, oldTables, newTables } = plan;
  const [inLive, inShadow] = [new Set(await tablesOf(admin, live)), new Set(await tablesOf(admin, shadow))];
  const inReplaced = new Set(replaced === undefined ? [] : await tablesOf(admin, replaced));
  // A table of the shadow's is in the live one when it left the shadow, and what had its name made room; only then must it make room itself.
  const hasMoved = (table: string) => !inShadow.has(table) && (!oldTables.includes(table) || inReplaced.has(table));
  const back = newTables.filter((table) => inLive.has(table) && hasMoved(table)).map((table) => [live, table, aside] as const);
  const home = oldTables.filter((table) => inReplaced.has(table)).map((table) => [replaced!, table, live] as const);
  if (back.length > 0 || home.length > 0) {
    if (back.length > 0 && !(await isThere(admin, aside))) await makeAside(admin, aside, plan);
    for (const database of replaced === undefined ? [live] : [live, replaced]) await dropTriggers(admin, database);
    await moveTables(admin, [...back, ...home]);
    if (back.length > 0) for (const from of [live, plan.shadow]) if (from !== aside) await bringOrphanKeysAlong(admin, aside, from);
    if (replaced !== undefined) await bringOrphanKeysAlong(admin, live, replaced);
  }
  if (replaced === undefined) {
    await removeIfEmpty(admin, live);
    return back.length > 0;
  }
  if (plan.defaults !== undefined && !isDeepStrictEqual(await defaultsOf(admin, live), plan.defaults))
    await admin.query(`ALTER DATABASE ${quoteName(live)} ${setsOf(plan.defaults)}`);
  const lost = await makeCodeAsItWas(admin, plan);
  await giveRightsOnRoutines(admin, live, plan.rights ?? []);
  await removeIfEmpty(admin, replaced);
  if (lost.length === 0) return back.length > 0;
  const names = lost.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  throw new Failure('database_left', `these could not be made again in ${live}: ${names}`, { affected: [live] });
}

async function isThere(admin: MysqlConnection, database: string): Promise<boolean> {
  return (await admin.query(`SELECT 1 FROM information_schema.SCHEMATA WHERE ${isDatabase('SCHEMA_NAME', database)}`)).length > 0;
}

async function makeAside(admin: MysqlConnection, aside: string, { live, defaults }: SwapPlan): Promise<void> {
  const beside = await linkedFolderOf(admin, live, () => false);
  await makeDatabaseBeside(admin, aside, defaults === undefined ? '' : setsOf(defaults), beside, 'with the server');
}

/** Somebody else may have made a database of the name meanwhile. */
async function removeIfEmpty(admin: MysqlConnection, database: string): Promise<void> {
  if ((await tablesOf(admin, database)).length === 0) await admin.query(`DROP DATABASE IF EXISTS ${quoteName(database)}`);
}

async function makeCodeAsItWas(admin: MysqlConnection, { live, oldCode, broken }: SwapPlan): Promise<CodeName[]> {
  await admin.query(`USE ${quoteName(live)}`);
  const missing = new Map(oldCode.map((each) => [keyOf(each), each]));
  const untouchable = new Set(broken.map(keyOf));
  for (const each of await listCode(admin, live)) {
    const old = missing.get(keyOf(each));
    if (old === undefined && untouchable.has(keyOf(each))) continue;
    if (old !== undefined && (await isAsKept(admin, old))) missing.delete(keyOf(each));
    else await dropCode(admin, each);
  }
  return await makeAll(admin, live, [...missing.values()]);
}

async function isAsKept(admin: MysqlConnection, old: KeptCode): Promise<boolean> {
  try {
    return isDeepStrictEqual(await keepCode(admin, old), old);
  } catch (error) {
    if (error instanceof Failure && error.code === 'database_refused') return false;
    throw error;
  }
}

function keyOf({ kind, name }: CodeName): string {
  return `${kind} ${name}`;
}

/** Makes code objects, of another database where `from` says of which; a view may need another that comes later, so what fails is tried again as long as one more succeeds. */
async function makeAll(admin: MysqlConnection, database: string, code: readonly KeptCode[], from?: string): Promise<CodeName[]> {
  await admin.query(`USE ${quoteName(database)}`);
  let missing = [...code];
  for (;;) {
    const failed: KeptCode[] = [];
    for (const each of missing) {
      try {
        await makeKeptCode(admin, each, from);
      } catch (error) {
        if (!(error instanceof Failure) || !['database_refused', 'dump_refused'].includes(error.code)) throw error;
        failed.push(each);
      }
    }
    if (failed.length === 0 || failed.length === missing.length) return failed.map(({ kind, name }) => ({ kind, name }));
    missing = failed;
  }
}

async function tablesOf(admin: MysqlConnection, database: string): Promise<string[]> {
  const sql = `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE ${isDatabase('TABLE_SCHEMA', database)} AND TABLE_TYPE IN ${FREE_TO_MOVE}`;
  return (await admin.query(sql)).map(({ name }) => name!);
}

async function dropTriggers(admin: MysqlConnection, database: string): Promise<void> {
  const code = (await listCode(admin, database)).filter(({ kind }) => kind === 'TRIGGER');
  for (const { name } of code) await admin.query(`DROP TRIGGER IF EXISTS ${quoteName(database)}.${quoteName(name)}`);
}

async function moveTables(admin: MysqlConnection, moves: readonly (readonly [from: string, table: string, to: string])[]): Promise<void> {
  if (moves.length === 0) return;
  const each = moves.map(([from, table, to]) => `${quoteName(from)}.${quoteName(table)} TO ${quoteName(to)}.${quoteName(table)}`);
  try {
    await admin.query(`RENAME TABLE ${each.join(', ')}`);
  } catch (error) {
    if (!(error instanceof Failure) || !OTHER_FILE_SYSTEM.test(error.message)) throw error;
    throw new Failure('database_refused', `tables cannot change places across file systems or project quotas: ${error.message}`, {
      advice: 'The folder of the database is a link to where others than the database server may write: see `ls -l` in its data directory.',
      cause: error,
    });
  }
}

const OTHER_FILE_SYSTEM = /errno: 18\b|Errcode: 18\b|cross-device/i;

/** A foreign key follows its parent: one in another database would then point at what was replaced. */
async function refuseForeignKeysFromOutside(admin: MysqlConnection, live: string): Promise<void> {
  const [found] = await admin.query(
    `SELECT CONSTRAINT_SCHEMA AS db, TABLE_NAME AS tab FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE ${isDatabase('UNIQUE_CONSTRAINT_SCHEMA', live)} AND NOT (${isDatabase('CONSTRAINT_SCHEMA', live)})`,
  );
  if (found === undefined) return;
  throw new Failure(
    'database_refused',
    `a foreign key of ${found.db}.${found.tab} points into ${live}, which can therefore not be exchanged`,
    {
      affected: [live, `${found.db}.${found.tab}`],
      advice: 'Restore it under another name with --as, or take that foreign key away first.',
    },
  );
}
