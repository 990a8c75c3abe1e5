/** `make bench`: measures this program and its peers side by side; `bench/README.md` says how. Needs root. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Journal } from './journal.ts';
import { judge, renderVerdicts } from './report/budgets.ts';
import { renderChart } from './report/chart.ts';
import { describeMachine } from './report/machine.ts';
import { summarize } from './report/summary.ts';
import { renderTable } from './report/table.ts';
import type { Bench } from './scenarios/bench.ts';
import { runDatabases } from './scenarios/databases.ts';
import { runDump } from './scenarios/dump.ts';
import { runJobs } from './scenarios/jobs.ts';
import { runLine } from './scenarios/line.ts';
import { runChain, runFourfold } from './scenarios/own.ts';
import { runRecovery } from './scenarios/recovery.ts';
import { runServer } from './scenarios/server.ts';
import { ScratchDisk } from './scratch-disk.ts';
import { type Part, readSettings } from './settings.ts';
import { DATABASE_STEPS, DUMP_STEPS, JOB_STEPS, LINE_STEPS, OWN_STEPS, RECOVERY_STEPS, SERVER_STEPS } from './steps.ts';
import { chooseTools } from './tools/choose.ts';
import { DATABASE_TOOL_KINDS, LINE_TOOL_KINDS, TOOL_KINDS } from './tools/kinds.ts';
import { Text } from './tree/text.ts';

const ROOT = join(import.meta.dirname, '..');
const RESULTS = join(import.meta.dirname, 'results');
const STEPS = [...SERVER_STEPS, ...DUMP_STEPS, ...OWN_STEPS, ...RECOVERY_STEPS, ...DATABASE_STEPS, ...JOB_STEPS, ...LINE_STEPS];
// Of code-like text: long enough that no compressor finds many files again in others.
const TEXT_LENGTH = 64 * 2 ** 20;

/** Where the chart is that the README shows. */
const SHOWN_CHART = join(ROOT, 'docs/images/bench.svg');

async function main(): Promise<void> {
  if (process.geteuid?.() !== 0) throw new Error('the bench needs root: it sets owners and attributes, and empties the caches');
  const settings = readSettings(process.env);
  const folder = resolve(settings.folder);
  mkdirSync(folder, { recursive: true });
  await new ScratchDisk(join(folder, 'work')).remove();
  const machine = await describeMachine(folder);
  const isWanted = (part: Part) => settings.parts.includes(part);
  const none = { present: [], missing: [] };
  const ofFiles = settings.parts.some((part) => part !== 'databases' && part !== 'line')
    ? await chooseTools(TOOL_KINDS, settings.tools)
    : none;
  const ofDatabases = isWanted('databases') ? await chooseTools(DATABASE_TOOL_KINDS, settings.tools) : none;
  const ofLine = isWanted('line') ? await chooseTools(LINE_TOOL_KINDS, settings.tools) : none;
  const missing = [...ofFiles.missing, ...ofDatabases.missing, ...ofLine.missing];
  const present = [...ofFiles.present, ...ofDatabases.present, ...ofLine.present];
  const journal = new Journal();
  for (const line of missing) journal.say(line);
  for (const { kind, version } of present) journal.say(`${kind.name}: ${version}; ${kind.note}`);
  const bench: Bench = {
    size: settings.size,
    folder,
    rounds: settings.rounds,
    tools: ofFiles.present,
    text: new Text(TEXT_LENGTH),
    journal,
  };
  const started = new Date();
  const day = isWanted('server') ? await runServer(bench) : undefined;
  if (isWanted('dump')) await runDump(bench);
  const bytesReadForOneFile = isWanted('own') ? await runChain(bench) : undefined;
  if (isWanted('own')) await runFourfold(bench);
  if (isWanted('recovery')) await runRecovery(bench);
  if (isWanted('databases')) await runDatabases(bench, ofDatabases.present);
  if (isWanted('jobs')) await runJobs(bench);
  if (isWanted('line')) await runLine(bench, ofLine.present);

  const summaries = summarize(journal.samples);
  const verdicts = judge({ summaries, bytesReadForOneFile }, settings.sizeName);
  const name = [started.toISOString().slice(0, 10), settings.sizeName, ...settings.namedParts].join('-');
  const tools = present.map(({ kind, version }) => ({ name: kind.name, version, note: kind.note }));
  const { size, rounds, parts } = settings;
  const record = { started, size, parts, day, rounds, machine, tools, missing, verdicts, bytesReadForOneFile, summaries, ...journal };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(record, null, 1)}\n`);
  const written = [`${name}.json`];
  if (isWanted('server')) {
    const title = `${size.entries.toLocaleString('en')} files, ${machine.processors} processors, median of ${rounds}: seconds, shorter is better`;
    const chart = renderChart(title, SERVER_STEPS, summaries);
    writeFileSync(join(RESULTS, `${name}.svg`), chart);
    written.push(`${name}.svg`);
    if (settings.isShown) {
      mkdirSync(join(SHOWN_CHART, '..'), { recursive: true });
      writeFileSync(SHOWN_CHART, chart);
    }
  }

  journal.say(renderTable(STEPS, summaries));
  for (const line of renderVerdicts(verdicts)) journal.say(line);
  for (const { step, tool, message } of journal.failures) journal.say(`FAILED ${step} ${tool}: ${message}`);
  for (const file of written) journal.say(`written: bench/results/${file}`);
}

await main();
