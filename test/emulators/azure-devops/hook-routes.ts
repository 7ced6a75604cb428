/** The REST side of service hooks: https://learn.microsoft.com/rest/api/azure/devops/hooks */
import type { Site } from './bodies.ts';
import type { WebHookInputs } from './hook-post.ts';
import type { Hooks, NewSubscription, SentNotification, Subscription } from './hooks.ts';
import { type Call, failure, list, ok, type Reply, type Route } from './http.ts';
import type { World } from './world.ts';

/** Publishers and their event types; that none of a deleted build is among them is the point. */
const publishers: Readonly<Record<string, readonly string[]>> = {
  tfs: [
    'build.complete',
    'git.push',
    'git.pullrequest.created',
    'git.pullrequest.merged',
    'workitem.created',
    'workitem.deleted',
  ],
  rm: [
    'ms.vss-release.release-created-event',
    'ms.vss-release.release-abandoned-event',
    'ms.vss-release.deployment-completed-event',
  ],
  pipelines: [
    'ms.vss-pipelines.run-state-changed-event',
    'ms.vss-pipelines.stage-state-changed-event',
    'ms.vss-pipelines.job-state-changed-event',
  ],
};

/** Every operation on publishers, subscriptions and notifications. */
export function hookRoutes(world: World, site: Site, hooks: Hooks): Route[] {
  const at = '_apis/hooks';
  const of = (call: Call): Subscription | undefined => hooks.subscriptions.get((call.params['id'] ?? '').toLowerCase());
  const withSubscription =
    (work: (subscription: Subscription, call: Call) => Reply) =>
    (call: Call): Reply => {
      const found = of(call);
      if (found !== undefined) return work(found, call);
      return failure(404, 'SubscriptionNotFoundException', `The subscription ${call.params['id']} does not exist.`);
    };
  const route = (operation: string, method: string, pattern: string, handle: Route['handle']): Route => ({
    operation: `hooks.${operation}`,
    method,
    pattern: `${at}/${pattern}`,
    right: 'hooks',
    handle,
  });
  const query = (filter: Readonly<Record<string, unknown>>): unknown[] =>
    [...hooks.subscriptions.values()].filter(one => matches(one, filter)).map(one => subscriptionBody(site, one));
  return [
    route('publishers', 'GET', 'publishers', () => list(Object.keys(publishers).map(id => publisherBody(site, id)))),
    route('publisher', 'GET', 'publishers/{publisher}', call => withPublisher(call, id => ok(publisherBody(site, id)))),
    route('eventTypes', 'GET', 'publishers/{publisher}/eventtypes', call =>
      withPublisher(call, id => list(eventTypes(site, id))),
    ),
    route('subscriptions.list', 'GET', 'subscriptions', call => {
      const names = ['publisherId', 'eventType', 'consumerId', 'consumerActionId'];
      return list(query(Object.fromEntries(names.map(name => [name, call.query.get(name.toLowerCase())]))));
    }),
    route('subscriptions.query', 'POST', 'subscriptionsquery', call => {
      const filter = (call.body ?? {}) as Readonly<Record<string, unknown>>;
      return ok({ ...filter, results: query(filter) });
    }),
    route('subscriptions.create', 'POST', 'subscriptions', call => {
      const wrong = judge(call.body);
      return wrong ?? ok(subscriptionBody(site, hooks.subscribe(call.body as NewSubscription)));
    }),
    route(
      'subscriptions.get',
      'GET',
      'subscriptions/{id}',
      withSubscription(one => ok(subscriptionBody(site, one))),
    ),
    route(
      'subscriptions.replace',
      'PUT',
      'subscriptions/{id}',
      withSubscription((one, call) => {
        const wrong = judge(call.body);
        if (wrong !== undefined) return wrong;
        replace(one, call.body as Partial<Subscription>, new Date(world.clock.now()).toISOString());
        return ok(subscriptionBody(site, one));
      }),
    ),
    route(
      'subscriptions.delete',
      'DELETE',
      'subscriptions/{id}',
      withSubscription(one => {
        hooks.subscriptions.delete(one.id);
        return { status: 204 };
      }),
    ),
    route(
      'notifications.list',
      'GET',
      'subscriptions/{id}/notifications',
      withSubscription(one => list(hooks.history(one.id).map(notification => notificationBody(one, notification)))),
    ),
    route(
      'notifications.get',
      'GET',
      'subscriptions/{id}/notifications/{notification}',
      withSubscription((one, call) => {
        const found = hooks
          .history(one.id)
          .find(notification => notification.id === Number(call.params['notification']));
        if (found === undefined)
          return failure(404, 'NotificationNotFoundException', 'The notification does not exist.');
        return ok(notificationBody(one, found));
      }),
    ),
    route('test', 'POST', 'testnotifications', call => test(world, hooks, call)),
  ];
}

function withPublisher(call: Call, work: (id: string) => Reply): Reply {
  const id = (call.params['publisher'] ?? '').toLowerCase();
  return id in publishers
    ? work(id)
    : failure(404, 'PublisherNotFoundException', `The publisher ${id} could not be found.`);
}

function publisherBody(site: Site, id: string) {
  return {
    id,
    url: `${site.url}/_apis/hooks/publishers/${id}`,
    name: id,
    supportedEvents: eventTypes(site, id),
    inputDescriptors: [],
  };
}

function eventTypes(site: Site, publisherId: string) {
  return (publishers[publisherId] ?? []).map(id => ({
    publisherId,
    id,
    url: `${site.url}/_apis/hooks/publishers/${publisherId}/eventTypes/${id}`,
    name: id,
    supportedResourceVersions: id === 'build.complete' ? ['1.0-preview.1', '1.0', '2.0'] : ['5.1-preview.1'],
    inputDescriptors: [],
  }));
}

/** Refuses what Azure DevOps refuses; plain http only on loopback, where it would refuse the address itself. */
function judge(body: unknown): Reply | undefined {
  const wanted = (body ?? {}) as Partial<Subscription>;
  const known = publishers[wanted.publisherId ?? '']?.includes(wanted.eventType ?? '') === true;
  if (!known)
    return failure(
      400,
      'SubscriptionInputException',
      `The event type ${wanted.eventType} is not published by ${wanted.publisherId}.`,
    );
  if (wanted.consumerId !== 'webHooks' || wanted.consumerActionId !== 'httpRequest') {
    return failure(
      400,
      'SubscriptionInputException',
      'The emulator knows the consumer webHooks with httpRequest only.',
    );
  }
  const url = wanted.consumerInputs?.['url'] ?? '';
  const allowed = /^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1)[:/])/.test(url);
  return allowed ? undefined : failure(400, 'SubscriptionInputException', 'The input url must be an https URL.');
}

/** A masked password that comes back means: as it was. */
function replace(one: Subscription, wanted: Partial<Subscription>, now: string): void {
  const kept = one.consumerInputs['basicAuthPassword'];
  const inputs = { ...wanted.consumerInputs };
  if (inputs['basicAuthPassword'] === mask && kept !== undefined) inputs['basicAuthPassword'] = kept;
  const { publisherInputs = {}, resourceVersion = one.resourceVersion, status = one.status } = wanted;
  Object.assign(one, {
    eventType: wanted.eventType,
    publisherInputs,
    consumerInputs: inputs,
    resourceVersion,
    status,
    modifiedDate: now,
  });
}

const mask = '********';

function subscriptionBody(site: Site, one: Subscription) {
  const inputs = { ...one.consumerInputs };
  // Confidential inputs are never told again; headers are, to everybody who may see the subscription.
  if (inputs['basicAuthPassword']) inputs['basicAuthPassword'] = mask;
  return {
    ...one,
    url: `${site.url}/_apis/hooks/subscriptions/${one.id}`,
    consumerInputs: inputs,
    probationRetries: String(one.probationRetries),
    eventDescription: 'Any',
    actionDescription: `To host ${new URL(inputs['url'] ?? '').host}`,
  };
}

function matches(one: Subscription, filter: Readonly<Record<string, unknown>>): boolean {
  const fields = ['publisherId', 'eventType', 'consumerId', 'consumerActionId'] as const;
  return fields.every(field => filter[field] === undefined || filter[field] === '' || filter[field] === one[field]);
}

function notificationBody(subscription: Subscription, notification: SentNotification) {
  const last = notification.attempts.at(-1);
  return {
    id: notification.id,
    subscriptionId: notification.subscriptionId,
    eventId: notification.event.id,
    status: notification.result === 'pending' ? 'processing' : 'completed',
    result: notification.result,
    createdDate: notification.createdDate,
    modifiedDate: notification.createdDate,
    details: {
      eventType: notification.event.eventType,
      publisherId: notification.event.publisherId,
      consumerId: subscription.consumerId,
      consumerActionId: subscription.consumerActionId,
      publisherInputs: subscription.publisherInputs,
      requestAttempts: notification.attempts.length,
      response: last?.status === undefined ? undefined : `Status Code: ${last.status}`,
      errorMessage: last?.error,
    },
  };
}

/** Sends a made-up event of the newest build, once. */
async function test(world: World, hooks: Hooks, call: Call): Promise<Reply> {
  const details = (call.body as { details?: Partial<Subscription> } | undefined)?.details;
  const wrong = judge(details);
  const build = [...world.builds.values()].at(-1);
  if (wrong !== undefined || details === undefined) return wrong ?? failure(400, 'ArgumentNullException', 'details');
  if (build === undefined) return failure(400, 'SubscriptionInputException', 'There is nothing to test with.');
  const { events } = hooks;
  const isRun = details.publisherId === 'pipelines';
  const event = isRun ? events.runStateChanged(build.id) : events.buildComplete(build.id);
  const inputs = details.consumerInputs as unknown as WebHookInputs;
  return ok(notificationBody(details as Subscription, await hooks.test(inputs, event)));
}
