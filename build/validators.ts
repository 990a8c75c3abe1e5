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
import * as repositorySchemas from '../core/repository/schemas.ts';
import { MESSAGES, type MethodName, publishedSchema } from '../core/schemas/messages.ts';

const ROOT = join(import.meta.dirname, '..');

type Side = 'request' | 'result';

/** `settings.get` and `request` make `validateSettingsGetRequest`. */
function validatorName(method: MethodName, side: Side): string {
  const words = [...method.split('.'), side].map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `validate${words.join('')}`;
}

function messageValidators(side: Side): Record<string, { readonly $id: string }> {
  const methods = Object.keys(MESSAGES) as MethodName[];
  return Object.fromEntries(methods.map((method) => [validatorName(method, side), publishedSchema(method, side)]));
}

/** By output file: the exported validators and the schema of each. */
const OUTPUTS: Record<string, Record<string, { readonly $id: string }>> = {
  'core/config/validators.generated.js': { validateSettings: settingsSchema },
  'core/repository/validators.generated.js': {
    validateRepository: repositorySchemas.repositorySchema,
    validateServer: repositorySchemas.serverSchema,
    validateMachine: repositorySchemas.machineSchema,
    validateNote: repositorySchemas.noteSchema,
    validateUnit: repositorySchemas.unitSchema,
    validateSnapshot: repositorySchemas.snapshotSchema,
    validateRun: repositorySchemas.runSchema,
    validateHold: repositorySchemas.holdSchema,
    validateKey: repositorySchemas.keySchema,
    validateDeletion: repositorySchemas.deletionSchema,
  },
  'core/commands/validators.generated.js': messageValidators('request'),
  // The program trusts its own answers; the tests do not.
  'test/commands/results.generated.js': messageValidators('result'),
};

async function compile(file: string, schemas: Record<string, { readonly $id: string }>): Promise<void> {
  // The first offence is enough: a hostile document could have as many as it has bytes.
  const ajv = new Ajv2020({ schemas: Object.values(schemas), strictTypes: false, code: { source: true, esm: true } });
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
