import { lookingAgain } from '../browse/looking-again.ts';
import type { FromSchema } from '../config/schema-type.ts';
import { describeSchemaErrors, type Meant, type SchemaError, type Validator } from '../config/schema-validator.ts';
import type { Context } from '../context/context.ts';
import { withPriority } from '../context/priority.ts';
import { askable } from '../context/progress-request.ts';
import { joinRequest } from '../schemas/join.ts';
import type { MESSAGES, MethodName } from '../schemas/messages.ts';
import { unitNameSchema, wirePathSchema } from '../schemas/parts.ts';
import { unitArgumentSchema } from '../schemas/reading.ts';
import { checking, operation } from './operation.ts';
import * as validators from './validators.generated.js';

export type RequestOf<Method extends MethodName> = FromSchema<(typeof MESSAGES)[Method]['request']>;
export type ResultOf<Method extends MethodName> = FromSchema<(typeof MESSAGES)[Method]['result']>;

type Command<Method extends MethodName> = (request: RequestOf<Method>, context: Context) => Promise<ResultOf<Method>>;

/** About operations in processes of their own: `core/jobs` has them, which stands above. */
type MethodAboutJobs = 'start' | 'account' | 'job' | 'jobs' | 'cancel' | 'log';

type Commands = { readonly [Method in Exclude<MethodName, MethodAboutJobs>]: () => Promise<Command<Method>> };

/** Each command in its file, loaded when it is asked for: `--version` and `rpc` start without the engine. */
const COMMANDS: Commands = {
  version: async () => (await import('./version.ts')).version,
  init: async () => (await import('./init.ts')).init,
  keys: async () => (await import('./keys.ts')).keys,
  servers: async () => (await import('./servers.ts')).servers,
  adopt: async () => (await import('./adopt.ts')).adopt,
  forget: async () => (await import('./forget.ts')).forget,
  join: async () => (await import('./join.ts')).join,
  run: async () => askable(withPriority((await import('./run.ts')).run)),
  list: async () => (await import('./list.ts')).list,
  plan: async () => askable((await import('./plan.ts')).plan),
  ls: async () => lookingAgain((await import('./ls.ts')).ls),
  find: async () => lookingAgain((await import('./find.ts')).find),
  history: async () => lookingAgain((await import('./history.ts')).history),
  diff: async () => lookingAgain((await import('./diff.ts')).diff),
  databases: async () => lookingAgain((await import('./databases.ts')).databases),
  restore: async () => askable((await import('./restore.ts')).restore),
  restoreDatabase: async () => askable((await import('./restore-database.ts')).restoreDatabase),
  download: async () => askable((await import('./download.ts')).download),
  verify: async () => askable(withPriority(checking((await import('./verify.ts')).verify))),
  repair: async () => askable(withPriority(checking((await import('./repair.ts')).repair))),
  copy: async () => askable(withPriority((await import('./copy.ts')).copy)),
  lock: async () => askable(withPriority((await import('./lock.ts')).lock)),
  explain: async () => (await import('./explain.ts')).explain,
  prune: async () => askable(withPriority((await import('./prune.ts')).prune)),
  nightly: async () => askable(withPriority((await import('./nightly.ts')).nightlyWith((await import('./run.ts')).run))),
  watch: async () => (await import('./watch.ts')).watch,
  status: async () => (await import('./status.ts')).status,
  fleetStatus: async () => (await import('./fleet-status.ts')).fleetStatus,
  doctor: async () => (await import('./doctor.ts')).doctor,
  simulate: async () => (await import('./simulate.ts')).simulateRetention,
  hold: async () => (await import('./hold.ts')).hold,
  release: async () => (await import('./hold.ts')).release,
  'settings.get': async () => (await import('./settings.ts')).getSetting,
  'settings.set': async () => (await import('./settings.ts')).setSetting,
};

const VALIDATORS: { readonly [Method in MethodName]: Validator<unknown> } = {
  version: validators.validateVersionRequest,
  init: validators.validateInitRequest,
  keys: validators.validateKeysRequest,
  servers: validators.validateServersRequest,
  adopt: validators.validateAdoptRequest,
  forget: validators.validateForgetRequest,
  join: validators.validateJoinRequest,
  run: validators.validateRunRequest,
  list: validators.validateListRequest,
  plan: validators.validatePlanRequest,
  ls: validators.validateLsRequest,
  find: validators.validateFindRequest,
  history: validators.validateHistoryRequest,
  diff: validators.validateDiffRequest,
  databases: validators.validateDatabasesRequest,
  restore: validators.validateRestoreRequest,
  restoreDatabase: validators.validateRestoreDatabaseRequest,
  download: validators.validateDownloadRequest,
  verify: validators.validateVerifyRequest,
  repair: validators.validateRepairRequest,
  copy: validators.validateCopyRequest,
  lock: validators.validateLockRequest,
  explain: validators.validateExplainRequest,
  prune: validators.validatePruneRequest,
  nightly: validators.validateNightlyRequest,
  watch: validators.validateWatchRequest,
  status: validators.validateStatusRequest,
  fleetStatus: validators.validateFleetStatusRequest,
  doctor: validators.validateDoctorRequest,
  simulate: validators.validateSimulateRequest,
  hold: validators.validateHoldRequest,
  release: validators.validateReleaseRequest,
  start: validators.validateStartRequest,
  account: validators.validateAccountRequest,
  job: validators.validateJobRequest,
  jobs: validators.validateJobsRequest,
  cancel: validators.validateCancelRequest,
  log: validators.validateLogRequest,
  'settings.get': validators.validateSettingsGetRequest,
  'settings.set': validators.validateSettingsSetRequest,
};

/** What the texts of requests have to be. */
const MEANT: Meant = new Map([
  [unitNameSchema.pattern, 'a unit: site12, in small letters, or system'],
  [unitArgumentSchema.pattern, 'a unit: site12, in small letters, system, or an id as `list` shows it, such as site12-1f3a9c2e'],
  [wirePathSchema.properties.path_b64.pattern, 'base64'],
  [joinRequest.properties.unit.pattern, 'the id of a unit as `list` shows it, such as site12-1f3a9c2e'],
]);

/** Enough to mend a request by; a request of a million wrong values gets no answer of a million sentences. */
const SENTENCES = 5;

/** What is wrong with a request, undefined when nothing is. */
export interface RequestProblem {
  /** JSON Pointer (RFC 6901) of the offending value, or of the place where one is missing. */
  readonly path: string;
  readonly message: string;
}

/** A method as the front ends see it. */
export interface Method {
  check(request: unknown): RequestProblem | undefined;
  /** Carries out a request that `check` had nothing against. */
  perform(request: unknown, context: Context): Promise<unknown>;
}

export type Methods = ReadonlyMap<string, Method>;

function pointerTo(error: SchemaError): string {
  const key = error.params.additionalProperty ?? error.params.missingProperty;
  if (typeof key !== 'string') return error.instancePath;
  return `${error.instancePath}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function checkWith(validate: Validator<unknown>, request: unknown): RequestProblem | undefined {
  if (validate(request)) return undefined;
  const errors = validate.errors ?? [];
  const [first] = errors;
  return { path: first === undefined ? '' : pointerTo(first), message: describeSchemaErrors(errors.slice(0, SENTENCES), MEANT).join('; ') };
}

/** A method by its name; what carries it out is loaded when it is asked for. */
export function checkedMethod<Name extends MethodName>(name: Name, load: () => Promise<Command<Name>>): readonly [Name, Method] {
  const check = (request: unknown) => checkWith(VALIDATORS[name], request);
  const perform: Method['perform'] = async (request, context) =>
    operation(request, context, async (given) => (await load())(request as RequestOf<Name>, given));
  return [name, { check, perform }];
}

/** Every method of this program by its name, but those about jobs. */
export const METHODS: Methods = new Map(
  (Object.keys(COMMANDS) as (keyof Commands)[]).map((name) => checkedMethod(name, COMMANDS[name] as () => Promise<Command<typeof name>>)),
);
