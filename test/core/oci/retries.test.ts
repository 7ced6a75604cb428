import assert from 'node:assert/strict';
import { parseManifest } from '../../../core/oci/manifest.ts';
import { headManifest, putManifest } from '../../../core/oci/manifests.ts';
import { openRegistry } from '../../../core/oci/registry.ts';
import { listTags } from '../../../core/oci/tags.ts';
import { createTls } from '../../emulators/tls.ts';
import { type Loopback, startLoopback } from './loopback.ts';
import { type AcrWorld, anonymous, type Client, createClient, fails, openOn, startAcrWorld } from './world.ts';

describe('what is tried again, on an Azure Container Registry', () => {
  let world: AcrWorld;
  before(async () => {
    world = await startAcrWorld();
    world.acr.world.putImage('team/app', { tags: ['v1'] });
  });
  beforeEach(() => {
    world.acr.faults.clear();
    world.acr.requests.clear();
    world.clock.sleeps.length = 0;
  });
  after(() => world.close());
  const heads = (): number => world.acr.requests.count({ operation: 'manifest.head' });
  const operation = 'manifest.head';

  it('waits on 429 as long as it is told', async () => {
    const app = world.open('team/app');
    await headManifest(app, 'v1');
    world.acr.faults.add({ operation, nth: 1 }, { kind: 'status', status: 429, retryAfter: 7 });
    world.acr.faults.add({ operation, nth: 2 }, { kind: 'status', status: 429, retryAfter: 90 });
    assert.ok(await headManifest(app, 'v1'));
    assert.deepEqual(world.clock.sleeps, [7000, 90_000]);
  });

  it('waits for a budget that counts down, and gets through', async () => {
    world.acr.setBudgets({ Read: 1, windowMs: 60_000 });
    const app = world.open('team/app');
    for (let round = 0; round < 4; round += 1) assert.ok(await headManifest(app, 'v1'));
    world.acr.setBudgets({});
    assert.ok(world.clock.sleeps.length >= 3);
    assert.ok(
      world.clock.sleeps.every(ms => ms > 0 && ms <= 60_000),
      world.clock.sleeps.join(),
    );
  });

  it('gives up when it would wait for more than a quarter of an hour', async () => {
    world.acr.faults.add({ operation }, { kind: 'status', status: 429, retryAfter: 240 });
    const thrown = await fails(headManifest(world.open('team/app'), 'v1'), 'REGISTRY_UNAVAILABLE');
    assert.ok(thrown.retryable);
    assert.match(thrown.message, /HEAD localhost:\d+\/v2\/team\/app\/manifests\/v1 was refused \(too many requests\)/);
    assert.deepEqual(world.clock.sleeps, [240_000, 240_000, 240_000]);
  });

  for (const [name, effect] of Object.entries({
    429: { kind: 'status', status: 429 },
    408: { kind: 'status', status: 408 },
    500: { kind: 'status', status: 500 },
    503: { kind: 'status', status: 503 },
    599: { kind: 'status', status: 599 },
    'a connection that is cut before': { kind: 'cut', when: 'before' },
    'a connection that is cut behind': { kind: 'cut', when: 'after' },
  } as const)) {
    it(`tries five times on ${name}, with pauses that grow, and then says so`, async () => {
      const app = world.open('team/app');
      await headManifest(app, 'v1');
      world.acr.requests.clear();
      const fault = world.acr.faults.add({ operation }, effect);
      const thrown = await fails(headManifest(app, 'v1'), 'REGISTRY_UNAVAILABLE');
      assert.ok(thrown.retryable);
      assert.equal(heads(), 5);
      const bounds = world.clock.sleeps.map((ms, at) => ms / (500 * 2 ** at));
      assert.ok(bounds.length === 4 && bounds.every(each => each >= 0.75 && each <= 1.25), world.clock.sleeps.join());
      fault.remove();
      world.acr.faults.add({ operation, count: 4 }, effect);
      assert.ok(await headManifest(app, 'v1'));
    });
  }

  it('reads an answer again that is cut in its middle', async () => {
    world.acr.faults.add({ operation: 'oci.tags.list', count: 2 }, { kind: 'cut', when: 'body' });
    assert.deepEqual(await listTags(world.open('team/app')), ['v1']);
    world.acr.faults.add({ operation: 'oci.tags.list' }, { kind: 'cut', when: 'body' });
    await fails(listTags(world.open('team/app')), 'REGISTRY_UNAVAILABLE');
  });

  for (const status of [400, 404, 405, 409, 413, 418]) {
    it(`takes ${status} for an answer`, async () => {
      const app = world.open('team/app');
      await headManifest(app, 'v1');
      world.acr.requests.clear();
      world.acr.faults.add({ operation }, { kind: 'status', status });
      if (status === 404) assert.equal(await headManifest(app, 'v1'), undefined);
      else await fails(headManifest(app, 'v1'), 'REGISTRY_UNEXPECTED');
      assert.deepEqual([heads(), world.clock.sleeps], [1, []]);
    });
  }

  it('puts the same bytes again', async () => {
    const app = world.open('team/app');
    await headManifest(app, 'v1');
    const entry = world.acr.world.manifest('team/app', 'v1');
    assert.ok(entry);
    world.acr.faults.add({ operation: 'manifest.put', nth: 1 }, { kind: 'cut', when: 'after' });
    world.acr.faults.add({ operation: 'manifest.put', nth: 2 }, { kind: 'cut', when: 'before' });
    await putManifest(app, 'v2', parseManifest(entry.bytes, entry.mediaType, 'it'));
    assert.equal(world.acr.world.digest('team/app', 'v2'), entry.digest);
    assert.equal(world.acr.requests.count({ operation: 'manifest.put' }), 3);
  });

  it('waits for a token as for anything else', async () => {
    world.acr.faults.add({ operation: 'oauth2.token', nth: 1 }, { kind: 'status', status: 429, retryAfter: 3 });
    world.acr.faults.add({ operation: 'oauth2.token', nth: 2 }, { kind: 'cut', when: 'before' });
    assert.ok(await headManifest(world.open('team/app'), 'v1'));
    assert.equal(world.clock.sleeps[0], 3000);
    assert.equal(world.clock.sleeps.length, 2);
  });
});

const at = (ms: number): string => new Date(ms).toUTCString();

describe('connections', () => {
  let client: Client;
  let server: Loopback | undefined;
  beforeEach(() => {
    client = createClient();
  });
  afterEach(async () => {
    await client.http.close();
    await server?.close();
    server = undefined;
  });

  it('waits until a date, by the clock of who sent it', async () => {
    let headers: Record<string, string> = {};
    server = await startLoopback(({ index }, response) => {
      response.sendDate = false;
      response.writeHead(index % 2 === 0 ? 503 : 404, headers).end();
    });
    const app = openOn(server, client);
    const hour = 60 * 60_000;
    for (const [given, expected] of [
      [{ 'retry-after': at(client.clock.now() + hour + 42_000), date: at(client.clock.now() + hour) }, 42_000],
      [{ 'retry-after': at(client.clock.now() - hour + 42_000), date: at(client.clock.now() - hour) }, 42_000],
      [{ 'retry-after': at(client.clock.now() - 5000) }, 250],
      [{ 'retry-after': '0' }, 250],
      [{ 'retry-after': '-5' }, 250],
      [{ 'retry-after': '1.5' }, 1500],
      [{ 'retry-after': '86400' }, 300_000],
    ] as const) {
      headers = given;
      client.clock.sleeps.length = 0;
      await headManifest(app, 'v1');
      assert.deepEqual(client.clock.sleeps.map(Math.round), [expected], JSON.stringify(given));
    }
    headers = { 'retry-after': at(client.clock.now() + 20_000) };
    client.clock.sleeps.length = 0;
    await headManifest(app, 'v1');
    assert.ok(Math.abs((client.clock.sleeps[0] ?? 0) - 20_000) <= 2000, client.clock.sleeps.join());
    headers = { 'retry-after': 'soon' };
    client.clock.sleeps.length = 0;
    await headManifest(app, 'v1');
    assert.ok((client.clock.sleeps[0] ?? 0) <= 625, client.clock.sleeps.join());
  });

  it('are kept over heads', async () => {
    server = await startLoopback((_, response) => response.writeHead(404, { 'content-length': '70' }).end());
    const app = openOn(server, client);
    for (let round = 0; round < 20; round += 1) await headManifest(app, 'v1');
    assert.equal(server.requests.length, 20);
    // A second one may be made while the first is not yet known to be free.
    assert.ok(server.sockets() <= 2, `${server.sockets()} connections`);
  });

  it('are kept over refusals, absences and errors whose words are not read', async () => {
    const unknown = JSON.stringify({ errors: [{ code: 'NAME_UNKNOWN', message: 'x'.repeat(2000) }] });
    server = await startLoopback(({ index }, response) =>
      index % 2 === 0 ? response.writeHead(500).end('x'.repeat(2000)) : response.writeHead(404).end(unknown),
    );
    const app = openOn(server, client);
    for (let round = 0; round < 10; round += 1) assert.deepEqual(await listTags(app), []);
    assert.equal(server.requests.length, 20);
    // A second one may be made while the first is not yet known to be free.
    assert.ok(server.sockets() <= 2, `${server.sockets()} connections`);
  });

  it('that nobody takes are tried five times', async () => {
    server = await startLoopback(() => {});
    const app = openOn(server, client);
    await server.close();
    const thrown = await fails(headManifest(app, 'v1'), 'REGISTRY_UNAVAILABLE');
    assert.match(thrown.message, /failed: .*ECONNREFUSED/);
    assert.deepEqual([client.clock.sleeps.length, thrown.retryable], [4, true]);
  });

  it('to a certificate of nobody known fail at once, with a hint', async () => {
    server = await startLoopback((_, response) => response.end(), await createTls());
    const opened = openRegistry({ address: server.host, credentials: anonymous, http: client.http });
    const thrown = await fails(opened.exchange({ method: 'GET', path: '/v2/', scope: '' }), 'REGISTRY_UNAVAILABLE');
    assert.match(thrown.message, /Its certificate is not trusted here: name its authority in NODE_EXTRA_CA_CERTS/);
    assert.deepEqual([client.clock.sleeps, thrown.retryable, server.requests.length], [[], false, 0]);
  });

  it('with more than they were asked for are left', async () => {
    server = await startLoopback((_, response) => response.end('x'.repeat(2 * 1024 * 1024)));
    const opened = openRegistry({ address: server.url, credentials: anonymous, http: client.http });
    await fails(opened.exchange({ method: 'GET', path: '/v2/', scope: '' }), 'TOO_LARGE');
    const answer = await opened.exchange({ method: 'GET', path: '/v2/', scope: '', maxBytes: 2 * 1024 * 1024 });
    assert.equal(answer.bytes.byteLength, 2 * 1024 * 1024);
    assert.deepEqual(client.clock.sleeps, []);
  });
});
