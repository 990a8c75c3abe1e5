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
import { runDump } from './scenarios/dump.ts';
import { runChain, runFourfold } from './scenarios/own.ts';
import { runServer } from './scenarios/server.ts';
import { ScratchDisk } from './scratch-disk.ts';
import { readSettings } from './settings.ts';
import { DUMP_STEPS, OWN_STEPS, SERVER_STEPS } from './steps.ts';
import { chooseTools } from './tools/choose.ts';
import { Text } from './tree/text.ts';

const ROOT = join(import.meta.dirname, '..');
const RESULTS = join(import.meta.dirname, 'results');
const STEPS = [...SERVER_STEPS, ...DUMP_STEPS, ...OWN_STEPS];
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
  const { present, missing } = await chooseTools(settings.tools);
  const journal = new Journal();
  for (const line of missing) journal.say(line);
  for (const { kind, version } of present) journal.say(`${kind.name}: ${version}; ${kind.note}`);
  const bench: Bench = { size: settings.size, folder, rounds: settings.rounds, tools: present, text: new Text(TEXT_LENGTH), journal };
  const started = new Date();
  const day = await runServer(bench);
  await runDump(bench);
  const bytesReadForOneFile = await runChain(bench);
  await runFourfold(bench);

  const summaries = summarize(journal.samples);
  const verdicts = judge({ summaries, bytesReadForOneFile }, settings.sizeName);
  const name = `${started.toISOString().slice(0, 10)}-${settings.sizeName}`;
  const tools = present.map(({ kind, version }) => ({ name: kind.name, version, note: kind.note }));
  const { size, rounds } = settings;
  const record = { started, size, day, rounds, machine, tools, missing, verdicts, bytesReadForOneFile, summaries, ...journal };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(record, null, 1)}\n`);
  const title = `${size.entries.toLocaleString('en')} files, ${machine.processors} processors, median of ${rounds}: seconds, shorter is better`;
  const chart = renderChart(title, SERVER_STEPS, summaries);
  writeFileSync(join(RESULTS, `${name}.svg`), chart);
  if (settings.isShown) {
    mkdirSync(join(SHOWN_CHART, '..'), { recursive: true });
    writeFileSync(SHOWN_CHART, chart);
  }

  journal.say(renderTable(STEPS, summaries));
  for (const line of renderVerdicts(verdicts)) journal.say(line);
  for (const { step, tool, message } of journal.failures) journal.say(`FAILED ${step} ${tool}: ${message}`);
  journal.say(`written: bench/results/${name}.json and .svg`);
}

await main();
