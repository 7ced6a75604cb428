import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '../../../core/base/clock.ts';
import { createHttp } from '../../../core/oci/http.ts';
import { moveBlob } from '../../../core/oci/move-blob.ts';
import { type ImageSource, repositorySource } from '../../../core/oci/source.ts';
import { createTls } from '../../emulators/tls.ts';
import type { Moment } from './blob-registry.ts';
import { type BlobWorld, describeBlob, makeBytes, megabyte, openOn, startBlobWorld } from './blob-world.ts';
import { fails } from './world.ts';

const large = makeBytes(8 * megabyte);
const reason = new Error('another blob failed');

/** Waits until `isSo`, which must come soon. */
async function soon(isSo: () => boolean, what: string): Promise<void> {
  for (let round = 0; round < 200 && !isSo(); round += 1) await sleep(10);
  assert.ok(isSo(), what);
}

async function refuse({ request, response, received, go }: Moment): Promise<void> {
  if (request.method !== 'PUT') return go();
  await received(100_000);
  response.writeHead(400).end();
}

describe('a blob whose move ends early', () => {
  let world: BlobWorld;
  const unhandled: unknown[] = [];
  const note = (thrown: unknown): void => void unhandled.push(thrown);
  before(() => void process.on('unhandledRejection', note));
  after(() => void process.off('unhandledRejection', note));
  const closeServers = (): Promise<unknown> => Promise.all([world.source.close(), world.target.close()]);
  afterEach(async () => {
    await closeServers();
    await sleep(20);
    assert.deepEqual(unhandled.splice(0), []);
  });
  /** Connections that are in use; idle ones are kept for the next blob. */
  const assertLetGo = async (): Promise<void> => {
    await world.http.close();
    await soon(() => world.source.sockets() + world.target.sockets() === 0, 'connections were left behind');
  };

  for (const tls of [false, true]) {
    it(`by a signal gives up both connections, with the reason (${tls ? 'https' : 'http'})`, async () => {
      const leaving = new AbortController();
      const reply = async ({ request, received, go }: Moment): Promise<void> => {
        if (request.method !== 'PUT') return go();
        await received(megabyte);
        leaving.abort(reason);
      };
      world = await startBlobWorld({ target: { reply }, ...(tls && { tls: await createTls() }) });
      await assert.rejects(world.move(large, { signal: leaving.signal }), reason);
      await assertLetGo();
      assert.deepEqual([world.target.blobs.size, world.clock.sleeps], [0, []]);
    });
  }

  it('by a signal does so while the source says nothing', async () => {
    const leaving = new AbortController();
    const reply = ({ response }: Moment): void => {
      response.writeHead(200, { 'content-length': large.byteLength });
      response.write(large.subarray(0, megabyte), () => setTimeout(() => leaving.abort(reason), 50));
    };
    world = await startBlobWorld({ source: { reply } });
    await assert.rejects(world.move(large, { signal: leaving.signal }), reason);
    await assertLetGo();
  });

  it('by a signal does so while it waits for the source to be asked again, and for the target', async () => {
    for (const side of ['source', 'target'] as const) {
      const leaving = new AbortController();
      const busy = ({ request, response, go }: Moment): void | Promise<void> => {
        if (request.method === 'HEAD' || request.method === 'PUT') return go();
        response.writeHead(429, { 'retry-after': '300' }).end();
        setTimeout(() => leaving.abort(reason), 50);
      };
      world = await startBlobWorld({ [side]: { reply: busy } });
      world.source.blobs.set(describeBlob(large).digest, large);
      // By the machine's own clock, which would wait for minutes.
      let pauses = 0;
      const sleepCounted: Clock['sleep'] = async (ms, signal) => {
        pauses += 1;
        await systemClock.sleep(ms, signal).finally(() => (pauses -= 1));
      };
      const http = createHttp({ clock: { ...systemClock, sleep: sleepCounted } });
      const [from, to] = [repositorySource(openOn(http, world.source)), openOn(http, world.target)];
      await assert.rejects(moveBlob(from, to, describeBlob(large), { signal: leaving.signal }), reason);
      await soon(() => pauses === 0, 'somebody still waits');
      await http.close();
      if (side === 'source') await closeServers();
    }
  });

  it('by a signal that came before asks nobody', async () => {
    world = await startBlobWorld();
    await assert.rejects(world.move(large, { signal: AbortSignal.abort(reason) }), reason);
    assert.deepEqual([world.source.requests, world.target.requests], [[], []]);
  });

  it('because of the source lets go of the target', async () => {
    world = await startBlobWorld();
    const other = Buffer.from(large);
    other[5] = ~other[5]!;
    await fails(world.move(other, {}, describeBlob(large)), 'DIGEST_MISMATCH');
    await assertLetGo();
  });

  it('because of the target lets go of the source, which says nothing any more', async () => {
    const stalled = ({ response }: Moment): void => {
      response.writeHead(200, { 'content-length': large.byteLength });
      response.write(large.subarray(0, megabyte));
    };
    world = await startBlobWorld({ source: { reply: stalled }, target: { reply: refuse } });
    await fails(world.move(large), 'REGISTRY_UNEXPECTED');
    await assertLetGo();
  });

  it('because of the target lets go of a file', async () => {
    world = await startBlobWorld({ target: { reply: refuse } });
    let destroyed = 0;
    async function* read(): AsyncGenerator<Uint8Array> {
      yield large.subarray(0, megabyte);
      await new Promise(() => {});
    }
    const file: ImageSource = {
      label: 'a file',
      getManifest: async () => undefined,
      openBlob: async () => ({ [Symbol.asyncIterator]: read, destroy: () => (destroyed += 1) }),
      listReferrers: async () => [],
      listDigestTags: async () => [],
    };
    await fails(moveBlob(file, openOn(world.http, world.target), describeBlob(large)), 'REGISTRY_UNEXPECTED');
    assert.equal(destroyed, 1);
    await assertLetGo();
  });

  it('or does not, leaves no listener on the signal', async () => {
    world = await startBlobWorld();
    const leaving = new AbortController();
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warn);
    for (let round = 0; round < 12; round += 1) await world.move(makeBytes(1000), { signal: leaving.signal });
    await sleep(20);
    process.off('warning', warn);
    assert.deepEqual(warnings, []);
  });
});
