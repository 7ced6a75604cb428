import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTls } from '../../emulators/tls.ts';
import type { BlobRegistryOptions, Moment, ReplyToMoment } from './blob-registry.ts';
import {
  type BlobWorld,
  type BlobWorldOptions,
  describeBlob,
  makeBytes,
  megabyte,
  startBlobWorld,
} from './blob-world.ts';
import { fails } from './world.ts';

const size = 3 * megabyte + 5;
const bytes = makeBytes(size);
const chunk = 16 * megabyte;

/** Answers the first request of this method otherwise. */
function first(method: string, otherwise: ReplyToMoment): ReplyToMoment {
  return moment => (moment.request.method === method && moment.nth === 0 ? otherwise(moment) : moment.go());
}

/** A proxy in front of the registry, which knows by its head alone that a request is too large. */
function refuseAbove(most: number, refuse: ReplyToMoment): ReplyToMoment {
  return moment => (Number(moment.request.headers['content-length'] ?? 0) > most ? refuse(moment) : moment.go());
}

describe('an upload to a registry that', () => {
  let world: BlobWorld;
  afterEach(() => world.close());
  const start = async (target: BlobRegistryOptions, more: BlobWorldOptions = {}): Promise<void> => {
    world = await startBlobWorld({ ...more, target });
  };
  const to = (reply: ReplyToMoment): Promise<void> => start({ reply });
  const assertStored = (content = bytes): void => {
    assert.ok(world.target.blobs.get(describeBlob(content).digest)?.equals(content));
  };

  for (const [name, cut] of Object.entries({
    'at its start': ({ cut }: Moment) => cut(),
    'in its middle': async ({ cut, received }: Moment) => {
      await received(megabyte);
      cut();
    },
  })) {
    it(`cuts it ${name} is given it again, from its beginning`, async () => {
      await to(first('PUT', cut));
      assert.equal(await world.move(bytes), 'copied');
      assertStored();
      assert.deepEqual(
        world.target.requests.map(({ method }) => method),
        ['HEAD', 'POST', 'PUT', 'HEAD', 'POST', 'PUT'],
      );
      assert.equal(world.clock.sleeps.length, 1);
      assert.deepEqual(world.ranges(), [undefined, undefined]);
    });
  }

  it('cuts it every time is given up after five', async () => {
    await to(({ request, cut, go }) => (request.method === 'PUT' ? cut() : go()));
    await fails(world.move(bytes), 'REGISTRY_UNAVAILABLE');
    assert.equal(world.sent().filter(each => each.startsWith('PUT')).length, 5);
    assert.equal(world.target.blobs.size, 0);
  });

  it('ends it, but whose answer is lost, is looked at, and not sent it again', async () => {
    await to(
      first('PUT', async ({ go, response, cut }) => {
        response.writeHead = cut as never;
        await go();
      }),
    );
    assert.equal(await world.move(bytes), 'copied');
    assertStored();
    assert.deepEqual(world.sent(), ['POST 0', `PUT ${size}`]);
    assert.equal(world.source.requests.length, 1);
  });

  for (const [status, headers, sleeps] of [
    [429, { 'retry-after': '30' }, [30_000]],
    [503, { 'retry-after': '4' }, [4000]],
  ] as const) {
    it(`asks it to wait with ${status} is waited for as it says`, async () => {
      await to(first('PUT', ({ response }) => void response.writeHead(status, headers).end()));
      assert.equal(await world.move(bytes), 'copied');
      assertStored();
      assert.deepEqual(world.clock.sleeps, sleeps);
      assert.deepEqual(world.target.requests.at(-1)?.headers['content-length'], String(size));
    });
  }

  for (const [name, status, code] of [
    ['has lost it', 404, 'BLOB_UPLOAD_UNKNOWN'],
    ['says that other bytes came', 400, 'DIGEST_INVALID'],
    ['has it broken', 400, 'BLOB_UPLOAD_INVALID'],
  ] as const) {
    it(`${name} (${status} ${code}) begins another`, async () => {
      const words = JSON.stringify({ errors: [{ code }] });
      await to(
        first('PUT', async ({ response, received }) => {
          await received(size);
          response.writeHead(status).end(words);
        }),
      );
      assert.equal(await world.move(bytes), 'copied');
      assertStored();
    });
  }

  it('refuses it for a reason of its own is not asked again', async () => {
    const words = JSON.stringify({ errors: [{ code: 'NAME_INVALID' }] });
    await to(({ request, response, go }) =>
      request.method === 'PUT' ? void response.writeHead(400).end(words) : go(),
    );
    const thrown = await fails(world.move(bytes), 'REGISTRY_UNEXPECTED');
    assert.match(thrown.message, /team\/app, blob sha256:.*: the registry answered 400 \(NAME_INVALID\)\.$/);
    assert.deepEqual([world.target.requests.length, world.clock.sleeps], [3, []]);
  });

  it('answers its beginning with nowhere to go is an error', async () => {
    await to(({ request, response, go }) => (request.method === 'POST' ? void response.writeHead(202).end() : go()));
    assert.match((await fails(world.move(bytes), 'REGISTRY_UNEXPECTED')).message, /but did not say where/);
  });

  describe('takes no large body', () => {
    const large = makeBytes(2 * chunk + 100);

    for (const [name, refuse] of Object.entries({
      'answers before it reads': ({ response }: Moment): void => void response.writeHead(413).end('too large'),
      'answers, and closes': ({ response }: Moment): void =>
        void response.writeHead(413, { connection: 'close' }).end(),
      'answers in the middle': async ({ response, received }: Moment) => {
        await received(200_000);
        response.writeHead(413).end();
      },
      'answers behind the end': async ({ request, response, received }: Moment) => {
        await received(Number(request.headers['content-length']));
        response.writeHead(413).end();
      },
      'answers with nothing but a reset': ({ cut }: Moment): void => cut(),
    })) {
      it(`and ${name} is given chunks`, async () => {
        await to(refuseAbove(chunk, refuse));
        assert.equal(await world.move(large), 'copied');
        assertStored(large);
        assert.deepEqual(world.sent().slice(-5), ['POST 0', `PATCH ${chunk}`, `PATCH ${chunk}`, 'PATCH 100', 'PUT 0']);
        const patches = world.target.requests.filter(({ method }) => method === 'PATCH');
        assert.deepEqual(
          patches.map(({ headers }) => [headers['content-range'], headers['content-length']]),
          [
            [`0-${chunk - 1}`, String(chunk)],
            [`${chunk}-${2 * chunk - 1}`, String(chunk)],
            [`${2 * chunk}-${2 * chunk + 99}`, '100'],
          ],
        );
        assert.ok(patches.every(({ headers }) => headers['transfer-encoding'] === undefined));
      });
    }

    it('is asked once, and the next blob comes in chunks at once, a small one whole', async () => {
      await to(refuseAbove(chunk, ({ response }) => void response.writeHead(413).end()));
      await world.move(large);
      world.target.requests.length = 0;
      const [next, small] = [makeBytes(chunk + 1), makeBytes(chunk)];
      await world.move(next);
      await world.move(small);
      assertStored(next);
      assert.deepEqual(world.sent(), ['POST 0', `PATCH ${chunk}`, 'PATCH 1', 'PUT 0', 'POST 0', `PUT ${chunk}`]);
      assert.deepEqual(world.clock.sleeps.filter(Boolean), []);
    });

    it('not even one of 16 MB is given smaller ones, down to one', async () => {
      const middle = makeBytes(2 * megabyte + 9);
      await to(refuseAbove(megabyte, ({ response }) => void response.writeHead(413).end()));
      assert.equal(await world.move(middle), 'copied');
      assertStored(middle);
      assert.deepEqual(world.sent().slice(-4), [`PATCH ${megabyte}`, `PATCH ${megabyte}`, 'PATCH 9', 'PUT 0']);
    });

    it('at all is given up with the reason', async () => {
      await to(refuseAbove(0, ({ response }) => void response.writeHead(413).end()));
      const thrown = await fails(world.move(large), 'TOO_LARGE');
      assert.match(thrown.message, /blob sha256:.*: the registry, or a proxy .* refuses even small bodies/);
      assert.equal(world.sent().filter(each => each === 'POST 0').length, 4);
    });

    it('but no small chunk either is given those of the size that it wants', async () => {
      const minChunkBytes = chunk + 4 * megabyte;
      const reply = refuseAbove(minChunkBytes, ({ response }) => void response.writeHead(413).end());
      await start({ reply, minChunkBytes });
      assert.equal(await world.move(large), 'copied');
      assertStored(large);
      const rest = large.byteLength - minChunkBytes;
      assert.deepEqual(world.sent().slice(-3), [`PATCH ${minChunkBytes}`, `PATCH ${rest}`, 'PUT 0']);
    });

    it('and cuts a chunk is given all of them again', async () => {
      const refuse = refuseAbove(chunk, ({ response }) => void response.writeHead(413).end());
      await to(async moment => {
        if (moment.request.method !== 'PATCH' || moment.nth !== 1) return refuse(moment);
        await moment.received(megabyte);
        moment.cut();
      });
      assert.equal(await world.move(large), 'copied');
      assertStored(large);
      const again = ['HEAD', 'POST', 'PATCH', 'PATCH', 'PATCH', 'PUT'];
      assert.deepEqual(
        world.target.requests.map(({ method }) => method),
        ['HEAD', 'POST', 'PUT', 'HEAD', 'POST', 'PATCH', 'PATCH', ...again],
      );
    });

    it('is not given the end of a blob that is not what it was to be', async () => {
      const other = Buffer.from(large);
      other[0] = ~other[0]!;
      await to(refuseAbove(chunk, ({ response }) => void response.writeHead(413).end()));
      await fails(world.move(other, {}, describeBlob(large)), 'DIGEST_MISMATCH');
      assert.deepEqual([world.target.blobs.size, world.sent().some(each => each === 'PUT 0')], [0, false]);
    });
  });

  it('refuses the bytes for want of a right is not asked again', async () => {
    await to(({ request, response, go }) => (request.method === 'PUT' ? void response.writeHead(403).end() : go()));
    await fails(world.move(bytes), 'REGISTRY_DENIED');
    assert.deepEqual(world.clock.sleeps, []);
  });

  it('reads slowly holds the source up, and gets every byte', async () => {
    const large = makeBytes(64 * megabyte + 9);
    let read = 0;
    let most = 0;
    const give = async ({ response }: Moment): Promise<void> => {
      response.writeHead(200, { 'content-length': large.byteLength });
      for (; read < large.byteLength; read += megabyte) {
        const part = large.subarray(read, read + megabyte);
        if (!response.write(part)) await new Promise(resolve => response.once('drain', resolve));
      }
      response.end();
    };
    const linger = first('PUT', async ({ response, go }) => {
      response.req.pause();
      // Until nothing moves any more.
      for (most = -1; most !== read; await sleep(200)) most = read;
      response.req.resume();
      await go();
    });
    await start({ reply: linger }, { tls: await createTls(), source: { reply: give } });
    assert.equal(await world.move(large), 'copied');
    assertStored(large);
    // What lies between is in the buffers of the kernel.
    assert.ok(most < 32 * megabyte, `${most} bytes were read while nobody took them`);
  });
});
