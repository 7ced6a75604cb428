/**
 * Reads a service hook's notification as a hint. A hint is never proof: whoever acts on it asks Azure DevOps again.
 * The envelope: https://learn.microsoft.com/azure/devops/service-hooks/events
 * No deleted build can be subscribed to today; its two contracts are published all the same, as `BuildDeletedEvent` and
 * `BuildsDeletedEvent`: https://github.com/MicrosoftDocs/vsts-rest-api-specs/blob/master/specification/build/7.1/build.json
 */
import * as z from 'zod';

/** What tells one delivery from another; a retry has the same `subscriptionId` and `notificationId`. */
export interface Delivery {
  readonly subscriptionId?: string | undefined;
  readonly notificationId?: number | undefined;
  readonly eventId?: string | undefined;
}

/** What a notification suggests to look at. Ids of projects are lower-case. */
export type ServiceHookHint =
  | {
      readonly kind: 'buildsDeleted';
      readonly projectId: string;
      /** 1 to 1000 different ids. */
      readonly buildIds: readonly number[];
      readonly definitionId?: number | undefined;
      readonly delivery: Delivery;
    }
  /** Something happened after which looking around pays: whatever the payload says of where. */
  | {
      readonly kind: 'wakeUp';
      readonly eventType: string;
      readonly projectId?: string | undefined;
      readonly buildId?: number | undefined;
      readonly definitionId?: number | undefined;
      readonly delivery: Delivery;
    }
  /** Another event, or none that can be read; `eventType` is empty when there is none. */
  | { readonly kind: 'unknown'; readonly eventType: string; readonly reason: string };

/** More builds than one event may name; the next reconciliation finds the rest anyway. */
export const maxHintedBuilds = 1000;

const wakingEvents = new Set([
  'build.complete',
  'ms.vss-pipelines.run-state-changed-event',
  'ms.vss-release.release-abandoned-event',
]);
/** `build.deleted`, and whatever Azure DevOps may call it once it can be subscribed to. */
const deletionEvent = /(^|[.-])builds?[.-]deleted([.-]event)?$/i;

const guid = z.guid().toLowerCase();
const id = z.int().positive();
const envelope = z.object({
  eventType: z.string().regex(/^[\w.-]{1,128}$/),
  subscriptionId: guid.optional().catch(undefined),
  notificationId: z.int().nonnegative().optional().catch(undefined),
  id: guid.optional().catch(undefined),
  resource: z.unknown().optional(),
  resourceContainers: z
    .object({ project: z.object({ id: guid }) })
    .optional()
    .catch(undefined),
});
const oneDeleted = z.object({
  buildId: id,
  build: z
    .object({
      id: id.optional(),
      project: z.object({ id: guid }).optional(),
      definition: z.object({ id }).optional(),
    })
    .nullish(),
});
const manyDeleted = z.object({
  projectId: guid,
  definitionId: id.optional(),
  buildIds: z.array(id).min(1).max(maxHintedBuilds),
});
/** The parts of `build.complete` and of a run's state that say where; each may be missing or malformed. */
const place = z.object({
  id: id.optional().catch(undefined),
  project: z.object({ id: guid }).optional().catch(undefined),
  definition: z.object({ id }).optional().catch(undefined),
  run: z.object({ id }).optional().catch(undefined),
  pipeline: z.object({ id }).optional().catch(undefined),
});

/** Reads the JSON body of a notification, whatever it is. Never throws. */
export function parseServiceHookPayload(body: unknown): ServiceHookHint {
  const read = envelope.safeParse(body);
  if (!read.success) return { kind: 'unknown', eventType: '', reason: 'not the envelope of a service hook' };
  const { eventType, subscriptionId, notificationId, id: eventId, resource } = read.data;
  const delivery: Delivery = { subscriptionId, notificationId, eventId };
  const container = read.data.resourceContainers?.project.id;
  if (wakingEvents.has(eventType)) return { kind: 'wakeUp', eventType, ...findPlace(resource, container), delivery };
  if (!deletionEvent.test(eventType))
    return { kind: 'unknown', eventType, reason: 'not an event that says anything here' };
  // `resourceDetailsToSend: none` tells that builds were deleted, and not which.
  if (resource === undefined || resource === null) return { kind: 'wakeUp', eventType, projectId: container, delivery };
  const deleted = readDeleted(resource, container);
  return 'reason' in deleted
    ? { kind: 'unknown', eventType, ...deleted }
    : { kind: 'buildsDeleted', ...deleted, delivery };
}

interface Deleted {
  readonly projectId: string;
  readonly buildIds: readonly number[];
  readonly definitionId?: number | undefined;
}

function readDeleted(resource: unknown, container: string | undefined): Deleted | { readonly reason: string } {
  const many = manyDeleted.safeParse(resource);
  const one = oneDeleted.safeParse(resource);
  // A resource that reads as both would be acted on as one of them at random.
  if (many.success === one.success)
    return { reason: 'the resource is neither BuildDeletedEvent nor BuildsDeletedEvent' };
  const found = many.success
    ? { ...many.data, buildIds: [...new Set(many.data.buildIds)] }
    : readOne(one.data, container);
  if (found === undefined) return { reason: 'the resource does not say which build of which project' };
  if (container !== undefined && container !== found.projectId) {
    return { reason: 'the resource and its container name different projects' };
  }
  return found;
}

function readOne(event: z.infer<typeof oneDeleted> | undefined, container: string | undefined): Deleted | undefined {
  const projectId = event?.build?.project?.id ?? container;
  if (event === undefined || projectId === undefined) return undefined;
  if ((event.build?.id ?? event.buildId) !== event.buildId) return undefined;
  return { projectId, buildIds: [event.buildId], definitionId: event.build?.definition?.id };
}

function findPlace(resource: unknown, container: string | undefined) {
  const read = place.safeParse(resource);
  if (!read.success) return { projectId: container };
  const { id: buildId, project, definition, run, pipeline } = read.data;
  return {
    projectId: project?.id ?? container,
    buildId: run?.id ?? (definition === undefined ? undefined : buildId),
    definitionId: definition?.id ?? pipeline?.id,
  };
}
