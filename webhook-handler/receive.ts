/**
 * What a notification is answered, and what it hints at. Azure DevOps takes a refusal amiss: 410 disables the subscription,
 * any other 4xx or 5xx but 408, 502, 503 and 504 puts it on probation, where new events are lost. So whoever knows the
 * password is never refused for what the payload says.
 * https://learn.microsoft.com/azure/devops/service-hooks/troubleshoot
 */

import { parseServiceHookPayload } from '../core/azure-devops/service-hook-payload.ts';
import { errorMessage } from '../core/base/errors.ts';
import type { Authenticate } from './authenticate.ts';
import type { Counters } from './counters.ts';
import type { Hints } from './hints.ts';
import type { ErrorLogger } from './log.ts';

/** The largest payload that is read. Azure DevOps sends at most 2 MB. */
export const maxPayloadBytes = 2 * 1024 * 1024;

/** A request before its body is read. */
export interface RequestHead {
  /** Path and query as sent. */
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Why a request is not served. `challenge` goes into WWW-Authenticate, `allow` into Allow. */
export interface Refusal {
  readonly status: 401 | 404 | 405 | 413 | 415;
  readonly message: string;
  readonly allow?: string;
  readonly challenge?: string;
}

const reading = 'GET, HEAD';
/** The methods of each path. */
export const routes: Readonly<Record<string, string>> = {
  '/': 'POST',
  '/azure-devops': 'POST',
  '/healthz': reading,
  '/readyz': reading,
  '/metrics': reading,
};

/** Judges a request by its head alone, in this order: path, method, sign-in, content type. Undefined lets it in, for
 * the size to be judged before and while the body is read. */
export function refuse(head: RequestHead, authenticate: Authenticate): Refusal | undefined {
  const path = head.url.split('?', 1)[0] ?? '';
  const allow = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (allow === undefined) return { status: 404, message: 'There is nothing here.' };
  if (!allow.split(', ').includes(head.method)) return { status: 405, message: `Allowed here: ${allow}.`, allow };
  if (allow === reading) return undefined;
  if (!authenticate(single(head, 'authorization'))) {
    const challenge = 'Basic realm="image-lifecycle", charset="UTF-8"';
    return { status: 401, message: 'User name or password is missing or wrong.', challenge };
  }
  const type = single(head, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') return { status: 415, message: 'Send application/json.' };
  return undefined;
}

/** The refusal of a body that turned out too large while it was read. */
export const tooLarge: Refusal = { status: 413, message: `The payload has more than ${maxPayloadBytes} bytes.` };

function single(head: RequestHead, name: string): string | undefined {
  const value = head.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** What became of an authentic notification. */
export type Reception = 'hint' | 'wakeUp' | 'notConfigured' | 'unknown' | 'defect';

/** One registry and organization that hints can go to. */
export interface HintTarget {
  /** Lower-case GUIDs of the projects that it looks after. */
  readonly projects: ReadonlySet<string>;
  readonly hints: Pick<Hints, 'addBuild' | 'addWhole'>;
}

/** What a receiver works with. */
export interface ReceiverOptions {
  readonly targets: readonly HintTarget[];
  readonly counters: Counters;
  readonly log: ErrorLogger;
}

/** Takes the bytes of an authentic notification, whatever they are; at once, and without ever throwing. */
export type Receive = (bytes: Uint8Array) => Reception;

/** Makes a receiver. Nothing of a payload goes further but project GUIDs and build ids. */
export function createReceive({ targets, counters, log }: ReceiverOptions): Receive {
  return bytes => {
    let outcome: Reception;
    try {
      outcome = receive(bytes, targets, log);
    } catch (thrown) {
      // The fault is ours, and refusing the payload would only cost the events that follow it.
      log.error('a notification could not be handled', thrown);
      outcome = 'defect';
    }
    counters.count('notifications', outcome);
    return outcome;
  };
}

function receive(bytes: Uint8Array, targets: readonly HintTarget[], log: ErrorLogger): Reception {
  const body = parseJson(bytes);
  if ('reason' in body) {
    log.warn('ignored a notification', { reason: body.reason, bytes: bytes.byteLength });
    return 'unknown';
  }
  const hint = parseServiceHookPayload(body.value);
  if (hint.kind === 'unknown') {
    log.warn('ignored a notification', { reason: hint.reason, eventType: hint.eventType });
    return 'unknown';
  }
  const { projectId } = hint;
  const concerned = targets.filter(target => projectId === undefined || target.projects.has(projectId));
  const { notificationId } = hint.delivery;
  if (concerned.length === 0) {
    log.info('ignored a notification of a project that is not configured', { projectId, notificationId });
    return 'notConfigured';
  }
  if (hint.kind === 'wakeUp') {
    for (const { hints } of concerned) hints.addWhole();
    log.debug('took a wake-up', { eventType: hint.eventType, projectId, notificationId });
    return 'wakeUp';
  }
  for (const buildId of hint.buildIds) {
    for (const { hints } of concerned) hints.addBuild({ projectId: hint.projectId, buildId });
  }
  log.debug('took a hint', { projectId, builds: hint.buildIds.length, notificationId });
  return 'hint';
}

function parseJson(bytes: Uint8Array): { readonly value: unknown } | { readonly reason: string } {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown };
  } catch (thrown) {
    // The parser's own message quotes the payload.
    return { reason: thrown instanceof SyntaxError ? 'it is not JSON' : `it is not UTF-8 (${errorMessage(thrown)})` };
  }
}
