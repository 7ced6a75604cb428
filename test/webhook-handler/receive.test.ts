import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { authorization, createNotification, createTestApp, otherProjectId, projectId } from './world.ts';

const headers = { 'content-type': 'application/json', authorization };
const test = createTestApp();
const post = (payload: string | Buffer) => test.app.inject({ method: 'POST', url: '/', headers, payload });

async function take(event: Readonly<Record<string, unknown>>) {
  const answer = await post(JSON.stringify(createNotification(event)));
  equal(answer.statusCode, 202);
  return { outcome: answer.json<{ accepted: string }>().accepted, ...test.hints.take(Number.POSITIVE_INFINITY) };
}

describe('an authentic notification', () => {
  beforeEach(() => test.log.lines.splice(0));

  it('hints at the build of a BuildDeletedEvent', async () => {
    const resource = { buildId: 4711, build: { id: 4711, project: { id: projectId.toUpperCase() } } };
    deepEqual(await take({ resource }), { outcome: 'hint', whole: false, builds: [{ projectId, buildId: 4711 }] });
  });

  it('hints at each build of a BuildsDeletedEvent', async () => {
    const { builds } = await take({ resource: { projectId, definitionId: 1, buildIds: [1, 2, 2, 1] } });
    deepEqual(
      builds.map(build => build.buildId),
      [1, 2],
    );
  });

  it('asks for everything where a build or a run has ended', async () => {
    for (const eventType of ['build.complete', 'ms.vss-pipelines.run-state-changed-event']) {
      deepEqual(await take({ eventType, resource: { id: 3 } }), { outcome: 'wakeUp', whole: true, builds: [] });
    }
  });

  it('is dropped and logged where its project is not configured', async () => {
    const container = { resourceContainers: { project: { id: otherProjectId } } };
    const deleted = { ...container, resource: { projectId: otherProjectId, definitionId: 1, buildIds: [1] } };
    for (const event of [deleted, { ...container, eventType: 'build.complete', resource: {} }]) {
      deepEqual(await take(event), { outcome: 'notConfigured', whole: false, builds: [] });
    }
    ok(test.log.lines.some(line => line.includes('not configured') && line.includes(otherProjectId)));
  });

  const senseless: Readonly<Record<string, unknown>>[] = [
    { eventType: 'workitem.created', resource: {} },
    { eventType: undefined },
    { eventType: 'x'.repeat(1000) },
    { eventType: 5 },
    { resource: 'text' },
    { resource: [] },
    { resource: { buildIds: [1] } },
    { resource: { projectId: 'contoso', definitionId: 1, buildIds: [1] } },
    { resource: { projectId: `${projectId}/../x`, definitionId: 1, buildIds: [1] } },
    { resource: { projectId, definitionId: 1, buildIds: ['1'] } },
    { resource: { projectId, definitionId: 1, buildIds: [1.5] } },
    { resource: { projectId, definitionId: 1, buildIds: [-1] } },
    { resource: { projectId, definitionId: 1, buildIds: [2 ** 60] } },
    { resource: { projectId, definitionId: 1, buildIds: [] } },
    { resource: { buildId: '4711; rm -rf /', build: {} } },
  ];
  it('that makes no sense is accepted, counted, logged, and hints at nothing', async () => {
    const before = test.counters.value('notifications', 'unknown');
    for (const event of senseless) {
      const taken = await take(event);
      deepEqual(taken, { outcome: 'unknown', whole: false, builds: [] }, JSON.stringify(event));
    }
    const bodies = ['', '{', 'null', '[]', '"x"', '\u0000', '['.repeat(500_000), Buffer.from([0xff, 0xfe, 0x7b])];
    for (const body of bodies) equal((await post(body)).statusCode, 202);
    equal(test.counters.value('notifications', 'unknown'), before + senseless.length + bodies.length);
    equal(test.log.lines.length, senseless.length + bodies.length);
  });

  it('is read with a byte order mark in front', async () => {
    const body = JSON.stringify(createNotification({ resource: { projectId, definitionId: 1, buildIds: [1] } }));
    equal((await post(`\ufeff${body}`)).json<{ accepted: string }>().accepted, 'hint');
    test.hints.take(0);
  });

  it('hands on nothing but GUIDs and integers, and quotes nothing of itself in the log', async () => {
    const evil = 'https://evil.example/\u001b[31m##vso[task.setvariable]';
    const event = {
      message: { text: evil },
      resource: { buildId: 7, url: evil, build: { id: 7, url: evil, _links: { self: evil } } },
    };
    deepEqual(await take(event), { outcome: 'hint', whole: false, builds: [{ projectId, buildId: 7 }] });
    await post(`{"eventType": "${evil}`);
    await take({ eventType: evil });
    ok(!test.log.lines.join('').includes('evil'));
  });

  it('is never answered with anything but 2xx, whatever its bytes', async () => {
    const noise = fc.uint8Array({ maxLength: 2000 }).map(bytes => Buffer.from(bytes));
    const anyJson = fc.json().map(text => Buffer.from(text));
    const envelope = fc
      .record({
        eventType: fc.oneof(fc.constantFrom('build.deleted', 'builds.deleted', 'build.complete'), fc.string()),
        resource: fc.oneof(
          fc.jsonValue(),
          fc.record({
            projectId: fc.oneof(fc.constant(projectId), fc.jsonValue()),
            buildIds: fc.array(fc.jsonValue()),
          }),
          fc.record({ buildId: fc.jsonValue(), build: fc.jsonValue() }),
        ),
        resourceContainers: fc.oneof(fc.jsonValue(), fc.constant({ project: { id: projectId } })),
      })
      .map(value => Buffer.from(JSON.stringify(value)));
    await fc.assert(
      fc.asyncProperty(fc.oneof(noise, anyJson, envelope), async body => {
        const answer = await post(body);
        ok(answer.statusCode >= 200 && answer.statusCode < 300, String(answer.statusCode));
        for (const build of test.hints.take(0).builds) {
          equal(build.projectId, projectId);
          ok(Number.isSafeInteger(build.buildId) && build.buildId > 0);
        }
      }),
      { numRuns: 300 },
    );
    equal(test.counters.value('notifications', 'defect'), 0);
  });
});
