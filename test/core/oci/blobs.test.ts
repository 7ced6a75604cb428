import assert from 'node:assert/strict';
import { getSmallBlob, hasBlob, openBlob } from '../../../core/oci/blobs.ts';
import { computeDigest } from '../../../core/oci/digest.ts';
import { putBlob } from '../../../core/oci/upload.ts';
import { type Loopback, startLoopback } from './loopback.ts';
import { type AcrWorld, type Client, createClient, fails, missing, openOn, readAll, startAcrWorld } from './world.ts';

const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 251));
const digest = computeDigest(bytes);

describe('blobs on an Azure Container Registry', () => {
  let world: AcrWorld;
  before(async () => {
    world = await startAcrWorld();
    world.acr.world.putBlob('team/app', bytes);
  });
  beforeEach(() => {
    world.acr.faults.clear();
    world.acr.requests.clear();
    world.clock.sleeps.length = 0;
  });
  after(() => world.close());

  it('are streamed from where they are kept, which refuses credentials', async () => {
    assert.deepEqual(await readAll(await openBlob(world.open('team/app'), digest)), bytes);
    assert.equal(world.acr.requests.count({ operation: 'blob.data', status: 200 }), 1);
    assert.deepEqual(Buffer.from((await getSmallBlob(world.open('team/app'), digest, bytes.length)) ?? []), bytes);
  });

  it('of other bytes are refused where they are read whole', async () => {
    world.acr.faults.add({ operation: 'blob.data' }, { kind: 'corrupt' });
    await fails(getSmallBlob(world.open('team/app'), digest, bytes.length), 'DIGEST_MISMATCH');
  });

  it('that are cut in the middle are an error of a stream, and read again where they are small', async () => {
    world.acr.faults.add({ operation: 'blob.data', nth: 1, count: 2 }, { kind: 'cut', when: 'body' });
    const thrown = await fails(openBlob(world.open('team/app'), digest).then(readAll), 'REGISTRY_UNAVAILABLE');
    assert.ok(thrown.retryable);
    assert.match(thrown.message, /team\/app, blob sha256:[0-9a-f]{64}: the connection broke/);
    assert.deepEqual(Buffer.from((await getSmallBlob(world.open('team/app'), digest, bytes.length)) ?? []), bytes);
    assert.equal(world.acr.requests.count({ operation: 'blob.data' }), 3);
  });

  it('over their bound are refused without being read to the end', async () => {
    await fails(getSmallBlob(world.open('team/app'), digest, bytes.length - 1), 'TOO_LARGE');
    assert.equal(world.acr.requests.count({ operation: 'blob.data' }), 1, 'it was asked for again');
  });

  it('may be left in the middle by their reader', async () => {
    for await (const part of await openBlob(world.open('team/app'), digest)) {
      assert.ok(part.byteLength > 0);
      break;
    }
    assert.ok(await hasBlob(world.open('team/app'), digest));
  });

  it('that are not there are a value, or an error where one was to be streamed', async () => {
    const repository = world.open('team/app');
    assert.deepEqual([await hasBlob(repository, digest), await hasBlob(repository, missing)], [true, false]);
    assert.equal(await getSmallBlob(repository, missing, 10), undefined);
    assert.match((await fails(openBlob(repository, missing), 'IMAGE_NOT_FOUND')).message, /is not in the registry/);
    // One that another repository has is not this one's.
    assert.equal(await hasBlob(world.open('team/other'), digest), false);
  });

  it('are put by way of a location with a query of its own', async () => {
    const made = await putBlob(world.open('team/new'), Buffer.from('hello'));
    assert.equal(made, computeDigest(Buffer.from('hello')));
    assert.ok(world.acr.world.repository('team/new')?.blobs.has(made));
    const [finish] = world.acr.requests.all({ operation: 'upload.finish' });
    assert.deepEqual(Object.keys(finish?.query ?? {}), ['_nouploadcache', '_state', 'digest']);
  });

  for (const effect of [
    { kind: 'cut', when: 'before' },
    { kind: 'cut', when: 'after' },
    { kind: 'status', status: 503, processed: true },
    { kind: 'status', status: 503 },
  ] as const) {
    it(`are put once though the end of the upload fails: ${JSON.stringify(effect)}`, async () => {
      world.acr.faults.add({ operation: 'upload.finish', nth: 1 }, effect);
      const content = Buffer.from(JSON.stringify(effect));
      assert.equal(await putBlob(world.open('team/new'), content), computeDigest(content));
      assert.ok(world.acr.world.repository('team/new')?.blobs.has(computeDigest(content)));
    });
  }

  it('are a failure where the upload ends and nothing is there', async () => {
    world.acr.faults.add({ operation: 'upload.finish' }, { kind: 'status', status: 400 });
    const thrown = await fails(putBlob(world.open('team/new'), Buffer.from('never')), 'REGISTRY_UNEXPECTED');
    assert.match(thrown.message, /answered 400/);
  });
});

describe('uploads to a location that a registry makes up', () => {
  let server: Loopback;
  let client: Client;
  let location = '';
  before(async () => {
    client = createClient();
    server = await startLoopback(({ method }, response) => {
      if (method === 'POST') response.writeHead(202, location ? { location } : {}).end();
      else response.writeHead(method === 'PUT' ? 201 : 404).end();
    });
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  after(async () => {
    await client.http.close();
    await server.close();
  });
  const puts = (): string[] => server.requests.filter(({ method }) => method === 'PUT').map(({ path }) => path);
  const encoded = encodeURIComponent(computeDigest(Buffer.from('x')));

  it('takes a relative one, an absolute one, and one with a query', async () => {
    for (const [given, path] of [
      ['/v2/team/app/blobs/uploads/1', `/v2/team/app/blobs/uploads/1?digest=${encoded}`],
      [`${server.url}/up/2`, `/up/2?digest=${encoded}`],
      ['/up/3?a=b%2Fc&d=', `/up/3?a=b%2Fc&d=&digest=${encoded}`],
    ] as const) {
      location = given;
      await putBlob(openOn(server, client), Buffer.from('x'));
      assert.equal(puts().at(-1), path);
    }
  });

  it('leads to another host, which gets the bytes and no credentials', async () => {
    const other = await startLoopback((_, response) => response.writeHead(201).end());
    for (const given of [`${other.url}/up/1?sig=a%2Bb`, `//${other.host}/up/1?sig=a%2Bb`]) {
      location = given;
      await putBlob(openOn(server, client), Buffer.from('x'));
    }
    assert.deepEqual(puts(), []);
    const seen = other.requests.map(({ method, path, headers, body }) => [method, path, headers.authorization, body]);
    const expected = ['PUT', `/up/1?sig=a%2Bb&digest=${encoded}`, undefined, 'x'];
    assert.deepEqual(seen, [expected, expected]);
    await other.close();
  });

  for (const given of ['http://registry.invalid/up/1', 'ftp://localhost/up/1', 'http://10.0.0.1/up/1', 'file:///x'])
    it(`sends no byte to ${given}`, async () => {
      location = given;
      const thrown = await fails(putBlob(openOn(server, client), Buffer.from('x')), 'REGISTRY_UNEXPECTED');
      assert.match(thrown.message, /without TLS; nothing was sent there/);
      assert.deepEqual(client.clock.sleeps, []);
    });

  it('refuses an upload without one', async () => {
    location = '';
    await fails(putBlob(openOn(server, client), Buffer.from('x')), 'REGISTRY_UNEXPECTED');
  });
});
