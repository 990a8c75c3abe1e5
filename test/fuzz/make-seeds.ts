/** Fills the corpus with inputs that are made of real objects. Those that are there stay. */
import { addToCorpus } from './corpus.ts';
import { INPUT_LIMIT } from './loop/shared-input.ts';
import { TARGETS } from './targets.ts';

/** A corpus is in the repository, and small. */
const SEED_LIMIT = 24 * 1024;

for (const { name, seeds } of TARGETS.filter(({ name }) => name.includes(process.env.TARGET ?? ''))) {
  for (const seed of await seeds()) {
    if (seed.length > Math.min(SEED_LIMIT, INPUT_LIMIT)) console.log(`${name}: a seed of ${seed.length} bytes is left out`);
    else addToCorpus(name, 'seed', seed);
  }
}
