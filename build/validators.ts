/**
 * Compiles the JSON Schemas to validators: plain functions without `eval` and without ajv at run time. Each generated
 * file stands beside the code that imports it and is never committed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';
import { settingsSchema } from '../core/config/schema.ts';

const ROOT = join(import.meta.dirname, '..');

/** By output file: the exported validators and the schema of each. */
const OUTPUTS: Record<string, Record<string, { readonly $id: string }>> = {
  'core/config/validators.generated.js': { validateSettings: settingsSchema },
};

async function compile(file: string, schemas: Record<string, { readonly $id: string }>): Promise<void> {
  const ajv = new Ajv2020({ schemas: Object.values(schemas), allErrors: true, strictTypes: false, code: { source: true, esm: true } });
  const names = Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, schema.$id]));
  const source = standalone.default(ajv, names);
  const path = join(ROOT, file);
  mkdirSync(dirname(path), { recursive: true });
  // The bundler pulls in ajv's few run-time helpers.
  await build({
    stdin: { contents: source, resolveDir: ROOT, loader: 'js' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile: path,
    logLevel: 'warning',
  });
  const validatorType = relative(dirname(file), 'core/config/schema-validator.ts');
  const declarations = [
    `import type { Validator } from '${validatorType.startsWith('.') ? validatorType : `./${validatorType}`}';`,
    ...Object.keys(schemas).map((name) => `export const ${name}: Validator<unknown>;`),
  ];
  writeFileSync(path.replace(/\.js$/, '.d.ts'), `${declarations.join('\n')}\n`);
}

await Promise.all(Object.entries(OUTPUTS).map(([file, schemas]) => compile(file, schemas)));
