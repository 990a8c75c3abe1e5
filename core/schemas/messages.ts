import { accountRequest, accountResult } from './account.ts';
import { adoptRequest, adoptResult } from './adopt.ts';
import { copyRequest, copyResult } from './copy.ts';
import { counted, elsewhere } from './counted.ts';
import { databasesRequest, databasesResult } from './databases.ts';
import { diffRequest, diffResult } from './diff.ts';
import { doctorRequest, doctorResult } from './doctor.ts';
import { downloadRequest, downloadResult } from './download.ts';
import { explainRequest, explainResult } from './explain.ts';
import { findRequest, findResult } from './find.ts';
import { fleetStatusRequest, fleetStatusResult } from './fleet.ts';
import { forgetRequest, forgetResult } from './forget.ts';
import { historyRequest, historyResult } from './history.ts';
import { holdRequest, holdResult, releaseRequest, releaseResult } from './hold.ts';
import { initRequest, initResult } from './init.ts';
import {
  cancelRequest,
  cancelResult,
  jobRequest,
  jobResult,
  jobsRequest,
  jobsResult,
  logRequest,
  logResult,
  startRequest,
  startResult,
} from './jobs.ts';
import { joinRequest, joinResult } from './join.ts';
import { keysRequest, keysResult } from './keys.ts';
import { listRequest, listResult } from './list.ts';
import { lockRequest, lockResult } from './lock.ts';
import { lsRequest, lsResult } from './ls.ts';
import { nightlyRequest, nightlyResult } from './nightly.ts';
import { logNotification, progressNotification } from './notifications.ts';
import { planRequest, planResult } from './plan.ts';
import { pruneRequest, pruneResult } from './prune.ts';
import { repairRequest, repairResult } from './repair.ts';
import { restoreRequest, restoreResult } from './restore.ts';
import { restoreDatabaseRequest, restoreDatabaseResult } from './restore-database.ts';
import { runRequest, runResult } from './run.ts';
import { serversRequest, serversResult } from './servers.ts';
import { settingsGetRequest, settingsResult, settingsSetRequest } from './settings.ts';
import { simulateRequest, simulateResult } from './simulate.ts';
import { statusRequest, statusResult } from './status.ts';
import { verifyRequest, verifyResult } from './verify.ts';
import { versionRequest, versionResult } from './version.ts';
import { watchRequest, watchResult } from './watch.ts';

/** Every method of the program with the schemas of what it takes and gives. */
export const MESSAGES = {
  version: { request: versionRequest, result: versionResult },
  init: counted({ request: initRequest, result: initResult }),
  keys: counted({ request: keysRequest, result: keysResult }),
  servers: elsewhere(counted({ request: serversRequest, result: serversResult })),
  adopt: counted({ request: adoptRequest, result: adoptResult }),
  forget: counted({ request: forgetRequest, result: forgetResult }),
  join: counted({ request: joinRequest, result: joinResult }),
  run: counted({ request: runRequest, result: runResult }),
  list: elsewhere(counted({ request: listRequest, result: listResult })),
  plan: elsewhere(counted({ request: planRequest, result: planResult })),
  ls: elsewhere(counted({ request: lsRequest, result: lsResult })),
  find: elsewhere(counted({ request: findRequest, result: findResult })),
  history: elsewhere(counted({ request: historyRequest, result: historyResult })),
  diff: elsewhere(counted({ request: diffRequest, result: diffResult })),
  databases: elsewhere(counted({ request: databasesRequest, result: databasesResult })),
  restore: elsewhere(counted({ request: restoreRequest, result: restoreResult })),
  restoreDatabase: elsewhere(counted({ request: restoreDatabaseRequest, result: restoreDatabaseResult })),
  download: elsewhere(counted({ request: downloadRequest, result: downloadResult })),
  verify: elsewhere(counted({ request: verifyRequest, result: verifyResult })),
  lock: elsewhere(counted({ request: lockRequest, result: lockResult })),
  repair: elsewhere(counted({ request: repairRequest, result: repairResult })),
  copy: counted({ request: copyRequest, result: copyResult }),
  explain: { request: explainRequest, result: explainResult },
  prune: elsewhere(counted({ request: pruneRequest, result: pruneResult })),
  nightly: { request: nightlyRequest, result: nightlyResult },
  account: { request: accountRequest, result: accountResult },
  watch: { request: watchRequest, result: watchResult },
  status: counted({ request: statusRequest, result: statusResult }),
  fleetStatus: elsewhere(counted({ request: fleetStatusRequest, result: fleetStatusResult })),
  doctor: counted({ request: doctorRequest, result: doctorResult }),
  simulate: elsewhere(counted({ request: simulateRequest, result: simulateResult })),
  hold: counted({ request: holdRequest, result: holdResult }),
  release: counted({ request: releaseRequest, result: releaseResult }),
  start: { request: startRequest, result: startResult },
  job: { request: jobRequest, result: jobResult },
  jobs: { request: jobsRequest, result: jobsResult },
  cancel: { request: cancelRequest, result: cancelResult },
  log: { request: logRequest, result: logResult },
  'settings.get': { request: settingsGetRequest, result: settingsResult },
  'settings.set': { request: settingsSetRequest, result: settingsResult },
} as const;

export type MethodName = keyof typeof MESSAGES;

/** What the program says while a request is carried out, by the method of the notification. */
export const NOTIFICATIONS = { progress: progressNotification, log: logNotification } as const;

export type NotificationName = keyof typeof NOTIFICATIONS;

const MESSAGES_VERSION = 1;

export interface PublishedSchema {
  readonly $schema: string;
  readonly $id: string;
  readonly title: string;
}

/** A message's schema as it is published: with the dialect, and an identifier that changes when old messages stop being valid. */
export function publishedSchema(method: MethodName, side: 'request' | 'result'): PublishedSchema {
  return published(`${method}-${side}`, `${side} of ${method}`, MESSAGES[method][side]);
}

/** The same of a notification. */
export function publishedNotification(name: NotificationName): PublishedSchema {
  return published(`${name}-notification`, `notification ${name}`, NOTIFICATIONS[name]);
}

function published(name: string, title: string, schema: object): PublishedSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:apiscp-backup:schema:${name}:${MESSAGES_VERSION}`,
    title,
    ...schema,
  };
}
