/**
 * Events and the envelope that they travel in: https://learn.microsoft.com/azure/devops/service-hooks/events
 * Nobody can subscribe to a deleted build; its two contracts stand in the REST specification all the same.
 */
import { randomUUID } from 'node:crypto';
import { buildBody, type Site } from './bodies.ts';
import type { World } from './world.ts';

/** One event, before a subscription decides how much of it is sent. */
export interface HookEvent {
  readonly id: string;
  readonly eventType: string;
  readonly publisherId: string;
  readonly resourceVersion: string;
  readonly text: string;
  readonly resource: unknown;
  /** What `resourceDetailsToSend: minimal` leaves of it. */
  readonly minimalResource: unknown;
  readonly projectId: string;
  readonly createdDate: string;
}

/** How much of an event is sent; all of it when absent. */
export interface Details {
  readonly resourceDetailsToSend?: string | undefined;
  readonly messagesToSend?: string | undefined;
  readonly detailedMessagesToSend?: string | undefined;
}

/** Makes the events of one organization. Each throws when there is no such build. */
export interface HookEvents {
  /** `build.complete`; 1.0 is the shape of XAML builds, 2.0 is a Build. */
  buildComplete(buildId: number, version?: '1.0' | '2.0'): HookEvent;
  runStateChanged(buildId: number): HookEvent;
  /** BuildDeletedEvent `{buildId, build}`. */
  buildDeleted(buildId: number): HookEvent;
  /** BuildsDeletedEvent `{projectId, definitionId, buildIds}`; the builds need not exist. */
  buildsDeleted(event: { projectId: string; definitionId: number; buildIds: readonly number[] }): HookEvent;
}

/** Makes the maker of events. */
export function createHookEvents(world: World, site: Site): HookEvents {
  const event = (parts: Omit<HookEvent, 'id' | 'createdDate'>): HookEvent => ({
    ...parts,
    id: randomUUID(),
    createdDate: new Date(world.clock.now()).toISOString(),
  });
  const read = (buildId: number) => {
    const build = world.builds.get(buildId);
    if (build === undefined) throw new Error(`the emulated Azure DevOps has no build ${buildId}`);
    return buildBody(site, world, build);
  };
  return {
    buildComplete: (buildId, version = '2.0') => {
      const body = read(buildId);
      return event({
        eventType: 'build.complete',
        publisherId: 'tfs',
        resourceVersion: version,
        text: `Build ${body.buildNumber} ${body.result ?? 'completed'}`,
        resource: version === '2.0' ? body : legacyBuild(body),
        minimalResource: { id: body.id, url: body.url },
        projectId: body.project.id,
      });
    },
    runStateChanged: buildId => {
      const body = read(buildId);
      return event({
        eventType: 'ms.vss-pipelines.run-state-changed-event',
        publisherId: 'pipelines',
        resourceVersion: '5.1-preview.1',
        text: `Run ${body.buildNumber} completed`,
        resource: runBody(site, body),
        minimalResource: { run: { id: body.id }, pipeline: { id: body.definition.id } },
        projectId: body.project.id,
      });
    },
    buildDeleted: buildId => {
      const body = read(buildId);
      return event({
        eventType: 'build.deleted',
        publisherId: 'tfs',
        resourceVersion: '1.0',
        text: `Build ${body.buildNumber} deleted`,
        resource: { buildId, build: body },
        minimalResource: { buildId },
        projectId: body.project.id,
      });
    },
    buildsDeleted: resource =>
      event({
        eventType: 'build.deleted',
        publisherId: 'tfs',
        resourceVersion: '1.0',
        text: `${resource.buildIds.length} builds deleted`,
        resource,
        minimalResource: resource,
        projectId: resource.projectId,
      }),
  };
}

type BuildJson = ReturnType<typeof buildBody>;

function legacyBuild(body: BuildJson) {
  const { uri, id, buildNumber, url, startTime, finishTime, lastChangedBy, requestedFor, definition } = body;
  return {
    uri,
    id,
    buildNumber,
    url,
    startTime,
    finishTime,
    reason: 'manual',
    status: body.result ?? 'succeeded',
    drop: {},
    log: {},
    sourceGetVersion: `LG:${body.sourceBranch}:${body.sourceVersion}`,
    lastChangedBy,
    retainIndefinitely: false,
    definition: {
      batchSize: 1,
      triggerType: 'none',
      definitionType: 'xaml',
      id: definition.id,
      name: definition.name,
      url: definition.url,
    },
    queue: { queueType: 'buildController', id: 4, name: 'Hosted Build Controller' },
    requests: [{ id: 1, url, requestedFor }],
  };
}

function runBody(site: Site, body: BuildJson) {
  const { definition, project } = body;
  const url = `${site.url}/${project.id}/_apis/pipelines/${definition.id}`;
  const pipeline = { url, id: definition.id, revision: 1, name: definition.name, folder: '\\' };
  const run = {
    pipeline,
    state: 'completed',
    result: body.result,
    createdDate: body.queueTime,
    finishedDate: body.finishTime,
    url: `${url}/runs/${body.id}`,
    id: body.id,
    name: body.buildNumber,
  };
  return { run, pipeline, repositories: [{ type: 'Git', change: { version: body.sourceVersion } }] };
}

/** What stands around an event in one notification. */
export interface Addressee {
  readonly subscriptionId: string;
  readonly notificationId: number;
  readonly details: Details;
}

/** Wraps an event as it is posted to a subscriber. */
export function wrapEvent(world: World, site: Site, event: HookEvent, to: Addressee) {
  const { details } = to;
  const baseUrl = `${site.url}/`;
  const resource = { none: undefined, minimal: event.minimalResource }[details.resourceDetailsToSend ?? ''];
  const sendsAll = details.resourceDetailsToSend !== 'none' && details.resourceDetailsToSend !== 'minimal';
  return {
    subscriptionId: to.subscriptionId,
    notificationId: to.notificationId,
    id: event.id,
    eventType: event.eventType,
    publisherId: event.publisherId,
    message: pickMessage(event.text, details.messagesToSend),
    detailedMessage: pickMessage(`${event.text}.`, details.detailedMessagesToSend),
    resource: sendsAll ? event.resource : resource,
    resourceVersion: event.resourceVersion,
    resourceContainers: {
      collection: { id: world.collectionId, baseUrl },
      account: { id: world.collectionId, baseUrl },
      project: { id: event.projectId, baseUrl },
    },
    createdDate: event.createdDate,
  };
}

/** `text`, `html` and `markdown` send one form, `none` nothing, everything else all three. */
function pickMessage(text: string, wanted: string | undefined): Readonly<Record<string, string>> | undefined {
  const forms = { text, html: `<b>${text}</b>`, markdown: `**${text}**` };
  if (wanted === 'none') return undefined;
  return wanted === 'text' || wanted === 'html' || wanted === 'markdown' ? { [wanted]: forms[wanted] } : forms;
}
