/**
 * Service hooks: subscriptions, and what Azure DevOps does with every answer of a subscriber.
 * https://learn.microsoft.com/azure/devops/service-hooks/troubleshoot
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Site } from './bodies.ts';
import { createHookEvents, type Details, type HookEvent, type HookEvents, wrapEvent } from './hook-events.ts';
import { type PostResult, postNotification, type WebHookInputs } from './hook-post.ts';
import type { World } from './world.ts';

/** A subscription to one type of event. */
export interface Subscription {
  readonly id: string;
  readonly createdDate: string;
  modifiedDate: string;
  publisherId: string;
  eventType: string;
  resourceVersion: string;
  consumerId: string;
  consumerActionId: string;
  publisherInputs: Readonly<Record<string, string>>;
  consumerInputs: Readonly<Record<string, string>>;
  status: 'enabled' | 'onProbation' | 'disabledByUser' | 'disabledBySystem' | 'disabledByInactiveIdentity';
  probationRetries: number;
}

/** What a new subscription is told. */
export interface NewSubscription {
  readonly eventType: string;
  readonly publisherId?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly publisherInputs?: Readonly<Record<string, string>> | undefined;
  readonly consumerInputs: WebHookInputs & Details;
}

/** One notification and every attempt to deliver it. `lost` ones never reach the history, as with Azure DevOps. */
export interface SentNotification {
  readonly id: number;
  readonly subscriptionId: string;
  readonly event: HookEvent;
  readonly createdDate: string;
  readonly attempts: PostResult[];
  result: 'pending' | 'succeeded' | 'failed' | 'lost';
}

/** Subscriptions, events, and their delivery. */
export interface Hooks {
  readonly events: HookEvents;
  readonly subscriptions: Map<string, Subscription>;
  subscribe(wanted: NewSubscription): Subscription;
  /** Delivers one event, with the retries of a transient failure; resolves when Azure DevOps would stop trying for now. */
  send(subscription: Subscription | string, event: HookEvent): Promise<SentNotification>;
  /** Sends an event to every subscription that wants it, like something that happened. */
  raise(event: HookEvent): Promise<SentNotification[]>;
  /** Tries the notification again that put a subscription on probation. Azure DevOps does it 7 times in 36 hours. */
  retryProbation(subscriptionId: string): Promise<SentNotification | undefined>;
  /** Delivers once with no consequence, as the Test button does. */
  test(inputs: WebHookInputs & Details, event: HookEvent): Promise<SentNotification>;
  history(subscriptionId: string): readonly SentNotification[];
}

/** How fast the emulated world's hooks are. */
export interface HooksOptions {
  /** Waits of retries are multiplied by it; 1 when absent. */
  readonly retryScale?: number | undefined;
  /** How long a subscriber may take; 100 s when absent, Azure DevOps does not document it. */
  readonly deliveryTimeoutMs?: number | undefined;
}

const transientStatus = new Set([408, 502, 503, 504]);
const transientWaits = [1, 2, 4, 8, 16, 32, 60, 60];
const probationRetries = 7;

/** Makes an organization's service hooks. */
export function createHooks(world: World, site: Site, options: HooksOptions): Hooks {
  const subscriptions = new Map<string, Subscription>();
  const sent = new Map<string, SentNotification[]>();
  const failing = new Map<string, SentNotification>();
  const counters = new Map<string, number>();
  const timeoutMs = options.deliveryTimeoutMs ?? 100_000;

  const create = (subscriptionId: string, event: HookEvent): SentNotification => {
    const id = (counters.get(subscriptionId) ?? 0) + 1;
    counters.set(subscriptionId, id);
    const createdDate = new Date(world.clock.now()).toISOString();
    return { id, subscriptionId, event, createdDate, attempts: [], result: 'pending' };
  };
  const attempt = async (notification: SentNotification, inputs: WebHookInputs & Details): Promise<Outcome> => {
    const { subscriptionId, id: notificationId, event } = notification;
    const payload = wrapEvent(world, site, event, { subscriptionId, notificationId, details: inputs });
    const result = await postNotification(inputs, payload, timeoutMs);
    notification.attempts.push(result);
    return classify(result);
  };
  const deliver = async (notification: SentNotification, inputs: WebHookInputs & Details): Promise<Outcome> => {
    for (const seconds of transientWaits) {
      const outcome = await attempt(notification, inputs);
      if (outcome !== 'transient') return outcome;
      await wait(seconds * 1000 * (options.retryScale ?? 1));
    }
    const outcome = await attempt(notification, inputs);
    return outcome === 'transient' ? 'enduring' : outcome;
  };
  const settle = (subscription: Subscription, notification: SentNotification, outcome: Outcome): void => {
    notification.result = outcome === 'ok' ? 'succeeded' : 'failed';
    if (outcome === 'terminal') subscription.status = 'disabledBySystem';
    if (outcome === 'enduring' && subscription.status === 'enabled') {
      subscription.status = 'onProbation';
      failing.set(subscription.id, notification);
    }
  };
  const hooks: Hooks = {
    events: createHookEvents(world, site),
    subscriptions,
    subscribe: wanted => {
      const made = fillSubscription(wanted, new Date(world.clock.now()).toISOString());
      subscriptions.set(made.id, made);
      return made;
    },
    send: async (to, event) => {
      const subscription = typeof to === 'string' ? subscriptions.get(to) : to;
      if (subscription === undefined) throw new Error('the emulated Azure DevOps has no such subscription');
      const notification = create(subscription.id, event);
      if (subscription.status !== 'enabled') {
        notification.result = 'lost';
        return notification;
      }
      const inputs = subscription.consumerInputs as unknown as WebHookInputs & Details;
      sent.set(subscription.id, [...(sent.get(subscription.id) ?? []), notification]);
      settle(subscription, notification, await deliver(notification, inputs));
      return notification;
    },
    raise: event =>
      Promise.all([...subscriptions.values()].filter(one => wants(one, event)).map(one => hooks.send(one, event))),
    retryProbation: async subscriptionId => {
      const subscription = subscriptions.get(subscriptionId);
      const notification = failing.get(subscriptionId);
      if (subscription?.status !== 'onProbation' || notification === undefined) return undefined;
      subscription.probationRetries += 1;
      const outcome = await attempt(notification, subscription.consumerInputs as unknown as WebHookInputs & Details);
      if (outcome === 'ok') {
        notification.result = 'succeeded';
        subscription.status = 'enabled';
        subscription.probationRetries = 0;
        failing.delete(subscriptionId);
      } else if (outcome === 'terminal' || subscription.probationRetries >= probationRetries) {
        subscription.status = 'disabledBySystem';
      }
      return notification;
    },
    test: async (inputs, event) => {
      const notification = create('00000000-0000-0000-0000-000000000000', event);
      notification.result = (await attempt(notification, inputs)) === 'ok' ? 'succeeded' : 'failed';
      return notification;
    },
    history: subscriptionId => sent.get(subscriptionId) ?? [],
  };
  return hooks;
}

type Outcome = 'ok' | 'transient' | 'terminal' | 'enduring';

function classify({ status }: PostResult): Outcome {
  // A subscriber that cannot be reached is what a gateway would have said with 502 or 504.
  if (status === undefined || transientStatus.has(status)) return 'transient';
  if (status >= 200 && status < 300) return 'ok';
  return status === 410 ? 'terminal' : 'enduring';
}

function fillSubscription(wanted: NewSubscription, now: string): Subscription {
  return {
    id: randomUUID(),
    createdDate: now,
    modifiedDate: now,
    publisherId: wanted.publisherId ?? (wanted.eventType.startsWith('ms.vss-pipelines.') ? 'pipelines' : 'tfs'),
    eventType: wanted.eventType,
    resourceVersion: wanted.resourceVersion ?? '1.0',
    consumerId: 'webHooks',
    consumerActionId: 'httpRequest',
    publisherInputs: wanted.publisherInputs ?? {},
    consumerInputs: wanted.consumerInputs as unknown as Readonly<Record<string, string>>,
    status: 'enabled',
    probationRetries: 0,
  };
}

/** An empty input means any. */
function wants(subscription: Subscription, event: HookEvent): boolean {
  const projectId = subscription.publisherInputs['projectId'] || event.projectId;
  return subscription.eventType === event.eventType && projectId.toLowerCase() === event.projectId.toLowerCase();
}
