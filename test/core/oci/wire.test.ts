import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { dispatch } from '../../../core/oci/answer-body.ts';
import { createConnector, isLent } from '../../../core/oci/wire.ts';
import { createTls, type TlsMaterial } from '../../emulators/tls.ts';
import type { Moment } from './blob-registry.ts';
import { type BlobWorld, describeBlob, kilobyte, makeBytes, megabyte, startBlobWorld } from './blob-world.ts';
import { startLoopback } from './loopback.ts';

const large = makeBytes(6 * megabyte + 11);
const blob = describeBlob(large);

/** Takes the first bytes, and then lingers for a while, again and again. */
async function readInFits({ response, go }: Moment): Promise<void> {
  const fits = setInterval(() => {
    response.req.pause();
    setTimeout(() => response.req.resume(), 5);
  }, 10);
  await go().finally(() => clearInterval(fits));
}

for (const scheme of ['http', 'https'] as const) {
  describe(`memory that is used again, over ${scheme}`, () => {
    let tls: TlsMaterial | undefined;
    let world: BlobWorld;
    const unhandled: unknown[] = [];
    const note = (thrown: unknown): void => void unhandled.push(thrown);
    before(async () => {
      if (scheme === 'https') tls = await createTls();
      process.on('uncaughtExceptionMonitor', note);
    });
    after(() => void process.off('uncaughtExceptionMonitor', note));
    afterEach(async () => {
      await world.close();
      assert.deepEqual(unhandled, []);
    });
    const start = async (source: (moment: Moment) => void | Promise<void>): Promise<void> => {
      world = await startBlobWorld({ source: { reply: source }, target: { reply: readInFits }, ...(tls && { tls }) });
    };
    const assertStored = (): void => assert.ok(world.target.blobs.get(blob.digest)?.equals(large));

    it('holds what its reader has not used, however little comes at a time', async () => {
      await start(async ({ response }) => {
        for (let at = 0, next = 1; at < large.byteLength; at += next) {
          next = 1 + ((at * 7919) % 9000);
          if (!response.write(large.subarray(at, at + next))) await new Promise(done => response.once('drain', done));
        }
        response.end();
      });
      assert.equal(await world.move(large), 'copied');
      assertStored();
    });

    it('holds it beside others', async () => {
      await start(({ go }) => go());
      const blobs = Array.from({ length: 6 }, (_, at) => makeBytes(at * megabyte + at));
      await Promise.all(blobs.map(bytes => world.move(bytes)));
      for (const bytes of blobs) assert.ok(world.target.blobs.get(describeBlob(bytes).digest)?.equals(bytes));
    });

    for (const [count, way] of [100, 66_000, 130_000, 400_000, 3 * megabyte].flatMap(each =>
      (scheme === 'http' ? ['closed', 'reset'] : ['closed']).map(way => [each, way] as const),
    )) {
      it(`does no harm to a connection that was to be its last, and was ${way} after ${count} bytes`, async () => {
        await start(async ({ response, nth, cut, go }) => {
          if (nth > 0) return go();
          response.writeHead(200, { connection: 'close', 'content-length': large.byteLength });
          response.write(large.subarray(0, count));
          await sleep(50);
          if (way === 'reset') response.req.socket.resetAndDestroy();
          else cut();
        });
        assert.equal(await world.move(large), 'copied');
        assertStored();
      });
    }

    it('does no harm to an answer that is ended by its connection', async () => {
      await start(({ response }) => {
        response.useChunkedEncodingByDefault = false;
        response.removeHeader('transfer-encoding');
        response.writeHead(200, { connection: 'close' });
        response.end(large);
      });
      assert.equal(await world.move(large), 'copied');
      assertStored();
      assert.equal(world.source.requests.length, 1);
    });
  });
}

describe('a connection that lends its memory', () => {
  for (const [count, way] of [10, 66_000, 100_000, 200_000].flatMap(each =>
    (['destroy', 'resetAndDestroy'] as const).map(way => [each, way] as const),
  )) {
    it(`and ends by ${way} while nobody reads, gives ${count} bytes and the reason when somebody does`, async () => {
      const server = createServer(socket => {
        socket.on('error', () => {});
        socket.once('data', () => {
          socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${large.byteLength}\r\n\r\n`);
          socket.write(large.subarray(0, count), () => setTimeout(() => socket[way](), 100));
        });
      });
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
      const agent = new Agent({ connect: createConnector() });
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { body } = await dispatch(agent, { origin, path: '/', method: 'GET' });
      await sleep(300);
      const read: Uint8Array[] = [];
      const reading = async (): Promise<void> => {
        for await (const part of body) read.push(Buffer.from(part));
      };
      await assert.rejects(reading());
      assert.ok(Buffer.concat(read).equals(large.subarray(0, count)), `${Buffer.concat(read).byteLength} bytes came`);
      await agent.close();
      await new Promise(resolve => server.close(resolve));
    });
  }

  it('says so of what it gives, and of nothing else', async () => {
    const server = await startLoopback((_, response) => response.end(Buffer.alloc(100 * kilobyte, 7)));
    const agent = new Agent({ connect: createConnector() });
    const { body } = await request(server.url, { dispatcher: agent });
    for await (const part of body as AsyncIterable<Uint8Array>) assert.ok(isLent(part));
    const plain = new Agent();
    const other = await request(server.url, { dispatcher: plain });
    for await (const part of other.body as AsyncIterable<Uint8Array>) assert.ok(!isLent(part));
    await Promise.all([agent.close(), plain.close()]);
    await server.close();
  });

  it('is made anew where nobody is there, with the reason', async () => {
    const server = await startLoopback((_, response) => response.end());
    await server.close();
    const agent = new Agent({ connect: createConnector() });
    await assert.rejects(request(server.url, { dispatcher: agent }), { code: 'ECONNREFUSED' });
    await agent.close();
  });
});
