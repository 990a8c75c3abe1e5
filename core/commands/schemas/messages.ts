import { diffRequest, diffResult } from './diff.ts';
import { explainRequest, explainResult } from './explain.ts';
import { findRequest, findResult } from './find.ts';
import { historyRequest, historyResult } from './history.ts';
import { holdRequest, holdResult, releaseRequest, releaseResult } from './hold.ts';
import { initRequest, initResult } from './init.ts';
import { listRequest, listResult } from './list.ts';
import { lsRequest, lsResult } from './ls.ts';
import { planRequest, planResult } from './plan.ts';
import { pruneRequest, pruneResult } from './prune.ts';
import { restoreRequest, restoreResult } from './restore.ts';
import { runRequest, runResult } from './run.ts';
import { settingsGetRequest, settingsResult, settingsSetRequest } from './settings.ts';
import { simulateRequest, simulateResult } from './simulate.ts';
import { verifyRequest, verifyResult } from './verify.ts';
import { versionRequest, versionResult } from './version.ts';

/** Every method of the program with the schemas of what it takes and gives. */
export const MESSAGES = {
  version: { request: versionRequest, result: versionResult },
  init: { request: initRequest, result: initResult },
  run: { request: runRequest, result: runResult },
  list: { request: listRequest, result: listResult },
  plan: { request: planRequest, result: planResult },
  ls: { request: lsRequest, result: lsResult },
  find: { request: findRequest, result: findResult },
  history: { request: historyRequest, result: historyResult },
  diff: { request: diffRequest, result: diffResult },
  restore: { request: restoreRequest, result: restoreResult },
  verify: { request: verifyRequest, result: verifyResult },
  explain: { request: explainRequest, result: explainResult },
  prune: { request: pruneRequest, result: pruneResult },
  simulate: { request: simulateRequest, result: simulateResult },
  hold: { request: holdRequest, result: holdResult },
  release: { request: releaseRequest, result: releaseResult },
  'settings.get': { request: settingsGetRequest, result: settingsResult },
  'settings.set': { request: settingsSetRequest, result: settingsResult },
} as const;

export type MethodName = keyof typeof MESSAGES;

const MESSAGES_VERSION = 1;

export interface PublishedSchema {
  readonly $schema: string;
  readonly $id: string;
  readonly title: string;
}

/** A message's schema as it is published: with the dialect, and an identifier that changes when old messages stop being valid. */
export function publishedSchema(method: MethodName, side: 'request' | 'result'): PublishedSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:apiscp-backup:schema:${method}-${side}:${MESSAGES_VERSION}`,
    title: `${side} of ${method}`,
    ...MESSAGES[method][side],
  };
}
