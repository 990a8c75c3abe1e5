/**
 * Tries new inputs at each target, one after the other: `SECONDS=600 TARGET=manifest-block node test/fuzz/fuzz.ts`. What goes wrong is added to the
 * corpus, where the tests find it. What led on is kept in `.fuzz`, where the next run begins.
 */
import { addToCorpus, corpusOf, foundFor, keepFound } from './corpus.ts';
import { watch } from './loop/watch.ts';
import { TARGETS } from './targets.ts';

const seconds = Number(process.env.SECONDS ?? 120);
const wanted = TARGETS.filter(({ name }) => name.includes(process.env.TARGET ?? ''));
if (wanted.length === 0 || !(seconds > 0)) throw new Error('SECONDS is a number, and TARGET a part of the name of a target');
const seed = Number(process.env.SEED ?? Date.now());
console.log(`seed ${seed}, ${wanted.length} targets, ${seconds} seconds`);
let crashed = 0;
for (const { name } of wanted) {
  const { crashes, kept, rounds, coverage } = await watch({
    jobs: [{ target: name, files: [...corpusOf(name), ...foundFor(name)] }],
    seconds: seconds / wanted.length,
    seed,
  });
  for (const input of kept) keepFound(name, input);
  console.log(`${name}: ${rounds} inputs, ${kept.length} led on, ${coverage} blocks, ${crashes.length} crashes`);
  for (const { verdict, input } of crashes) {
    crashed++;
    console.log(`  ${addToCorpus(name, 'crashed', input)}\n    ${verdict.split('\n').slice(0, 6).join('\n    ')}`);
  }
}
process.exitCode = crashed === 0 ? 0 : 1;
