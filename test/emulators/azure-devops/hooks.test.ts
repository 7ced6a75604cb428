import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ask } from './ask.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from './azure-devops.ts';
import type { Subscription } from './hooks.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

describe('the emulated service hooks', () => {
  let emulator: AzureDevOpsEmulator;
  let subscriber: Server;
  let url: string;
  let received: Received[];
  /** What the subscriber says, in turn; the last one for ever. 0 drops the connection. */
  let says: number[];
  let projectId: string;
  beforeEach(async () => {
    emulator = await startAzureDevOps({ retryScale: 0.0001 });
    projectId = emulator.world.addProject({ name: 'Shop' }).id;
    const { id: definitionId } = emulator.world.addDefinition({ projectId, id: 12 });
    emulator.world.addBuild({ definitionId, id: 4711, number: '20261123.1' });
    [received, says] = [[], [200]];
    subscriber = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
        const status = (says.length > 1 ? says.shift() : says[0]) ?? 200;
        if (status === 0) response.destroy();
        else response.writeHead(status).end('thanks');
      });
    });
    await new Promise<void>(resolve => subscriber.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(subscriber.address() as AddressInfo).port}/hook`;
  });
  afterEach(async () => {
    await emulator.close();
    await new Promise(resolve => subscriber.close(resolve));
  });

  const subscribe = (inputs: Readonly<Record<string, string>> = {}): Subscription =>
    emulator.hooks.subscribe({
      eventType: 'build.complete',
      publisherInputs: { projectId },
      consumerInputs: { url, basicAuthUsername: 'hook', basicAuthPassword: 'p4ss', ...inputs },
    });
  const wanted = () => ({
    publisherId: 'tfs',
    eventType: 'build.complete',
    resourceVersion: '2.0',
    consumerId: 'webHooks',
    consumerActionId: 'httpRequest',
    publisherInputs: { projectId },
    consumerInputs: { url, basicAuthUsername: 'hook', basicAuthPassword: 'p4ss' },
  });
  const send = (subscription: Subscription) =>
    emulator.hooks.send(subscription, emulator.hooks.events.buildComplete(4711, '2.0'));

  it('post the documented envelope, signed in by Basic', async () => {
    const subscription = subscribe({ httpHeaders: 'X-Team: blue\nX-Other:1' });
    const sent = await send(subscription);
    assert.equal(sent.result, 'succeeded');
    const [{ headers, body } = { headers: {}, body: {} }] = received;
    assert.equal(headers.authorization, `Basic ${Buffer.from('hook:p4ss').toString('base64')}`);
    assert.deepEqual(
      [headers['content-type'], headers['x-team'], headers['x-other']],
      ['application/json; charset=utf-8', 'blue', '1'],
    );
    const names =
      'subscriptionId notificationId id eventType publisherId message detailedMessage resource resourceVersion resourceContainers createdDate';
    assert.deepEqual(Object.keys(body), names.split(' '));
    assert.deepEqual(
      [body.subscriptionId, body.notificationId, body.eventType, body.publisherId],
      [subscription.id, 1, 'build.complete', 'tfs'],
    );
    assert.deepEqual(Object.keys(body.message), ['text', 'html', 'markdown']);
    assert.deepEqual(body.resourceContainers.project.id, projectId);
    assert.deepEqual(body.resourceContainers.collection.id, emulator.collectionId);
    assert.deepEqual(
      [body.resource.id, body.resource.result, body.resource.project.id],
      [4711, 'succeeded', projectId],
    );
  });

  it('send as much of a message and a resource as the subscription wants', async () => {
    await send(subscribe({ resourceDetailsToSend: 'minimal', messagesToSend: 'text', detailedMessagesToSend: 'none' }));
    await send(subscribe({ resourceDetailsToSend: 'none', messagesToSend: 'none' }));
    const [minimal, none] = received.map(one => one.body);
    assert.deepEqual(Object.keys(minimal.resource), ['id', 'url']);
    assert.deepEqual(Object.keys(minimal.message), ['text']);
    assert.ok(!('detailedMessage' in minimal));
    assert.ok(!('resource' in none) && !('message' in none) && 'detailedMessage' in none);
  });

  it('make the shapes of each event', () => {
    const { events } = emulator.hooks;
    const old = events.buildComplete(4711, '1.0').resource as Record<string, unknown>;
    assert.deepEqual([old['status'], Array.isArray(old['requests']), 'result' in old], ['succeeded', true, false]);
    const run = events.runStateChanged(4711).resource as {
      run: Record<string, unknown>;
      pipeline: Record<string, unknown>;
    };
    assert.deepEqual([run.run['id'], run.run['state'], run.pipeline['id']], [4711, 'completed', 12]);
    const one = events.buildDeleted(4711).resource as { buildId: number; build: { id: number } };
    assert.deepEqual([one.buildId, one.build.id], [4711, 4711]);
    const many = { projectId, definitionId: 12, buildIds: [1, 2] };
    assert.deepEqual(events.buildsDeleted(many).resource, many);
  });

  for (const status of [408, 502, 503, 504, 0]) {
    it(`try again eight times after ${status || 'a dropped connection'}, the same notification each time`, async () => {
      says = [status, status, 202];
      const subscription = subscribe();
      assert.equal((await send(subscription)).result, 'succeeded');
      assert.deepEqual(
        received.map(one => one.body.notificationId),
        [1, 1, 1],
      );
      assert.equal(new Set(received.map(one => one.body.id)).size, 1);
      says = [status];
      const failed = await send(subscription);
      assert.deepEqual([failed.result, failed.attempts.length], ['failed', 9]);
      assert.equal(subscription.status, 'onProbation');
    });
  }

  it('are disabled at once by a 410', async () => {
    says = [410];
    const subscription = subscribe();
    assert.equal((await send(subscription)).attempts.length, 1);
    assert.equal(subscription.status, 'disabledBySystem');
    assert.equal((await send(subscription)).result, 'lost');
    assert.equal(received.length, 1);
  });

  for (const status of [400, 401, 404, 409, 429, 500, 302]) {
    it(`go on probation after ${status}: what comes meanwhile is lost, only the failed one is tried again`, async () => {
      says = [status];
      const subscription = subscribe();
      assert.equal((await send(subscription)).attempts.length, 1);
      assert.equal(subscription.status, 'onProbation');
      const lost = await send(subscription);
      assert.deepEqual([lost.result, lost.attempts.length, received.length], ['lost', 0, 1]);
      says = [200];
      const again = await emulator.hooks.retryProbation(subscription.id);
      assert.deepEqual([again?.id, again?.result, subscription.status], [1, 'succeeded', 'enabled']);
      assert.equal((await send(subscription)).result, 'succeeded');
      assert.deepEqual(
        received.map(one => one.body.notificationId),
        [1, 1, 3],
      );
      assert.deepEqual(
        emulator.hooks.history(subscription.id).map(one => one.id),
        [1, 3],
      );
    });
  }

  it('are disabled when seven tries on probation have failed', async () => {
    says = [500];
    const subscription = subscribe();
    await send(subscription);
    for (let retry = 1; retry <= 7; retry += 1) {
      assert.equal(subscription.status, 'onProbation');
      await emulator.hooks.retryProbation(subscription.id);
    }
    assert.equal(subscription.status, 'disabledBySystem');
    assert.equal(await emulator.hooks.retryProbation(subscription.id), undefined);
  });

  it('reach every subscription that wants the event, of its own project', async () => {
    subscribe();
    subscribe({});
    emulator.hooks.subscribe({
      eventType: 'build.complete',
      publisherInputs: { projectId: '11111111-2222-4333-8444-555555555555' },
      consumerInputs: { url },
    });
    emulator.hooks.subscribe({ eventType: 'build.deleted', consumerInputs: { url } });
    assert.equal((await emulator.hooks.raise(emulator.hooks.events.buildComplete(4711))).length, 2);
    assert.equal((await emulator.hooks.raise(emulator.hooks.events.buildDeleted(4711))).length, 1);
  });

  describe('by REST', () => {
    const at = '_apis/hooks';
    const rest = (path: string, method = 'GET', body?: unknown) =>
      ask(emulator, `${at}/${path}?api-version=7.1`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    it('tell their publishers, and no event of a deleted build', async () => {
      assert.deepEqual(
        (await rest('publishers')).json.value.map((one: { id: string }) => one.id),
        ['tfs', 'rm', 'pipelines'],
      );
      const types = (await rest('publishers/tfs/eventtypes')).json.value.map((one: { id: string }) => one.id);
      assert.ok(types.includes('build.complete'));
      assert.ok(!types.some((id: string) => /build.*delet/.test(id)));
      assert.equal((await rest('publishers/nobody')).status, 404);
    });

    it('are made, read, queried, changed and removed, and never tell the password', async () => {
      const made = (await rest('subscriptions', 'POST', wanted())).json;
      assert.deepEqual([made.status, made.consumerInputs.basicAuthPassword], ['enabled', '********']);
      assert.deepEqual((await rest(`subscriptions/${made.id}`)).json, made);
      assert.equal((await rest('subscriptions')).json.count, 1);
      assert.equal((await rest('subscriptionsquery', 'POST', { eventType: 'git.push' })).json.results.length, 0);
      assert.equal((await rest('subscriptionsquery', 'POST', { publisherId: 'tfs' })).json.results.length, 1);
      const changed = { ...made, publisherInputs: { projectId, definitionName: 'ci' } };
      assert.equal((await rest(`subscriptions/${made.id}`, 'PUT', changed)).json.publisherInputs.definitionName, 'ci');
      await send(emulator.hooks.subscriptions.get(made.id)!);
      const kept = Buffer.from('hook:p4ss').toString('base64');
      assert.equal(received[0]?.headers.authorization, `Basic ${kept}`, 'the mask left the password as it was');
      assert.equal((await rest(`subscriptions/${made.id}`, 'DELETE')).status, 204);
      assert.equal((await rest(`subscriptions/${made.id}`)).status, 404);
    });

    it('cannot be had for a deleted build, nor for an address without TLS', async () => {
      assert.equal((await rest('subscriptions', 'POST', { ...wanted(), eventType: 'build.deleted' })).status, 400);
      const plain = { ...wanted(), consumerInputs: { url: 'http://example.org/hook' } };
      assert.equal((await rest('subscriptions', 'POST', plain)).status, 400);
    });

    it('keep a history, and test without consequence', async () => {
      says = [500];
      const { id } = (await rest('subscriptions', 'POST', wanted())).json;
      assert.equal((await rest('testnotifications', 'POST', { details: wanted() })).json.result, 'failed');
      assert.equal((await rest(`subscriptions/${id}`)).json.status, 'enabled');
      await send(emulator.hooks.subscriptions.get(id)!);
      assert.equal((await rest(`subscriptions/${id}`)).json.status, 'onProbation');
      const [entry] = (await rest(`subscriptions/${id}/notifications`)).json.value;
      assert.deepEqual([entry.status, entry.result, entry.details.requestAttempts], ['completed', 'failed', 1]);
      assert.equal(
        (await rest(`subscriptions/${id}/notifications/${entry.id}`)).json.details.eventType,
        'build.complete',
      );
    });
  });
});
