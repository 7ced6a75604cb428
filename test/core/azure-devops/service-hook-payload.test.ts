import assert from 'node:assert/strict';
import fc from 'fast-check';
import { maxHintedBuilds, parseServiceHookPayload } from '../../../core/azure-devops/service-hook-payload.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../../emulators/azure-devops/azure-devops.ts';
import { type Details, type HookEvent, wrapEvent } from '../../emulators/azure-devops/hook-events.ts';

const projectId = '71777fbc-1cf2-4bd1-9540-128c1c71f766';
const subscriptionId = '9ab6d1a0-58e2-4b3c-8f0a-6a5d2f1c7e90';
const container = { collection: { id: subscriptionId }, project: { id: projectId } };

const parseDeleted = (resource: unknown, resourceContainers: unknown = container) =>
  parseServiceHookPayload({ eventType: 'build.deleted', resource, resourceContainers });

describe("a service hook's payload", () => {
  let emulator: AzureDevOpsEmulator;
  before(async () => {
    emulator = await startAzureDevOps();
    emulator.world.addProject({ id: projectId });
    emulator.world.addDefinition({ projectId, id: 12 });
    emulator.world.addBuild({ definitionId: 12, id: 4711 });
  });
  after(() => emulator.close());

  const wrap = (event: HookEvent, details: Details = {}): unknown => {
    const addressee = { subscriptionId, notificationId: 3, details };
    return JSON.parse(JSON.stringify(wrapEvent(emulator.world, { url: emulator.url }, event, addressee)));
  };

  it('names the one build of a BuildDeletedEvent', () => {
    const event = emulator.hooks.events.buildDeleted(4711);
    const delivery = { subscriptionId, notificationId: 3, eventId: event.id };
    const hint = { kind: 'buildsDeleted', projectId, buildIds: [4711], delivery };
    assert.deepEqual(parseServiceHookPayload(wrap(event)), { ...hint, definitionId: 12 });
    const minimal = wrap(event, { resourceDetailsToSend: 'minimal', messagesToSend: 'none' });
    assert.deepEqual(parseServiceHookPayload(minimal), { ...hint, definitionId: undefined });
  });

  it('names the builds of a BuildsDeletedEvent, each once', () => {
    const event = emulator.hooks.events.buildsDeleted({ projectId, definitionId: 12, buildIds: [3, 1, 3] });
    const hint = parseServiceHookPayload(wrap(event));
    assert.ok(hint.kind === 'buildsDeleted');
    assert.deepEqual([hint.projectId, hint.definitionId, hint.buildIds], [projectId, 12, [3, 1]]);
  });

  it('is a reason to wake up when it says that builds were deleted, and not which', () => {
    const hint = parseServiceHookPayload(
      wrap(emulator.hooks.events.buildDeleted(4711), { resourceDetailsToSend: 'none' }),
    );
    assert.ok(hint.kind === 'wakeUp');
    assert.equal(hint.projectId, projectId);
  });

  it('wakes up for a completed build in both versions, for a changed run, and for any part of them', () => {
    const { events } = emulator.hooks;
    const full = { kind: 'wakeUp', projectId, buildId: 4711, definitionId: 12 };
    for (const event of [
      events.buildComplete(4711, '1.0'),
      events.buildComplete(4711, '2.0'),
      events.runStateChanged(4711),
    ]) {
      const delivery = { subscriptionId, notificationId: 3, eventId: event.id };
      assert.deepEqual(parseServiceHookPayload(wrap(event)), { ...full, eventType: event.eventType, delivery });
      for (const resourceDetailsToSend of ['minimal', 'none']) {
        const part = parseServiceHookPayload(wrap(event, { resourceDetailsToSend }));
        assert.equal(part.kind === 'wakeUp' && part.projectId, projectId);
      }
    }
  });

  it('takes an id in any case for the same', () => {
    const hint = parseDeleted({ projectId: projectId.toUpperCase(), buildIds: [1] });
    assert.equal(hint.kind === 'buildsDeleted' && hint.projectId, projectId);
  });

  const senseless: Readonly<Record<string, unknown>> = {
    'no build': { projectId, buildIds: [] },
    'a build id of 0': { projectId, buildIds: [1, 0] },
    'a negative build id': { projectId, buildIds: [-1] },
    'a build id as text': { projectId, buildIds: ['4711'] },
    'a build id beyond all integers': { projectId, buildIds: [2 ** 53] },
    'a broken build id': { buildId: 1.5 },
    'more builds than an event may name': {
      projectId,
      buildIds: Array.from({ length: maxHintedBuilds + 1 }, (_, i) => i + 1),
    },
    'a project that is no id': { projectId: '../other', buildIds: [1] },
    "another project than its container's": { projectId: subscriptionId, buildIds: [1] },
    'another build than its own': { buildId: 1, build: { id: 2, project: { id: projectId } } },
    'both forms at once': { projectId, buildIds: [1], buildId: 2 },
    text: 'deleted',
  };
  for (const [name, resource] of Object.entries(senseless)) {
    it(`says nothing when a deletion names ${name}`, () => {
      const hint = parseDeleted(resource);
      assert.equal(hint.kind, 'unknown');
      assert.equal(hint.kind === 'unknown' && hint.eventType, 'build.deleted');
    });
  }

  it('says nothing of a build without a project', () => {
    assert.equal(parseDeleted({ buildId: 1 }, {}).kind, 'unknown');
  });

  it('takes no other event for a deletion, whatever its resource', () => {
    for (const eventType of [
      'git.push',
      'workitem.deleted',
      'ms.vss-release.deployment-completed-event',
      'rebuild.deleted2',
    ]) {
      const hint = parseServiceHookPayload({
        eventType,
        resource: { projectId, buildIds: [1] },
        resourceContainers: container,
      });
      assert.deepEqual(hint, { kind: 'unknown', eventType, reason: 'not an event that says anything here' });
    }
  });

  it('reads anything at all without throwing, and gives only ids that are some', () => {
    const ids = fc.array(fc.oneof(fc.integer(), fc.double(), fc.string()), { maxLength: 5 });
    const resource = fc.record(
      { projectId: fc.oneof(fc.constant(projectId), fc.string()), buildIds: ids },
      { requiredKeys: [] },
    );
    const eventType = fc.constantFrom('build.deleted', 'builds.deleted', 'build.complete', 'x');
    const payload = fc.record({
      eventType,
      resource: fc.oneof(resource, fc.anything()),
      resourceContainers: fc.anything(),
    });
    fc.assert(
      fc.property(fc.oneof(payload, fc.anything()), body => {
        const hint = parseServiceHookPayload(body);
        if (hint.kind !== 'buildsDeleted') return;
        assert.equal(hint.projectId, projectId);
        assert.ok(hint.buildIds.length > 0 && hint.buildIds.every(id => Number.isSafeInteger(id) && id > 0));
      }),
    );
  });
});
