import assert from 'node:assert/strict';
import type { Credentials } from '../../../core/oci/credentials.ts';
import type { Descriptor } from '../../../core/oci/manifest.ts';
import { createTls } from '../../emulators/tls.ts';
import { digestOf, type Moment, type ReplyToMoment } from './blob-registry.ts';
import { type BlobWorld, describeBlob, makeBytes, megabyte, octets, startBlobWorld } from './blob-world.ts';
import { startLoopback } from './loopback.ts';
import { fails } from './world.ts';

const size = 2 * megabyte + 3;
const bytes = makeBytes(size);
const blob = describeBlob(bytes);

/** Sends so much of what was asked for, and ends the connection. */
function cutAfter({ request, response, cut }: Moment, count: number): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const range = { 'content-range': `bytes ${start}-${size - 1}/${size}` };
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': size - start, ...(start > 0 && range) });
  response.write(bytes.subarray(start, start + count), cut);
}

describe('a blob that moves from a source that', () => {
  let world: BlobWorld;
  afterEach(() => world.close());
  const from = async (reply: ReplyToMoment): Promise<void> => {
    world = await startBlobWorld({ source: { reply } });
  };
  /** Nothing was stored, and no upload was ended with as many bytes as were promised. */
  const assertNothingStored = (): void => {
    assert.equal(world.target.blobs.size, 0);
    for (const { method, headers, bytes: came } of world.target.requests) {
      if (method === 'PUT') assert.ok(came < Number(headers['content-length']), `a PUT was whole: ${came} bytes`);
    }
  };
  const assertStored = (): void => assert.ok(world.target.blobs.get(blob.digest)?.equals(bytes));

  for (const [name, made] of Object.entries({
    'has another byte at its end': () => Buffer.concat([bytes.subarray(0, size - 1), Buffer.from([~bytes[size - 1]!])]),
    'has another byte at its start': () => Buffer.concat([Buffer.from([~bytes[0]!]), bytes.subarray(1)]),
    'has a byte less': () => bytes.subarray(0, size - 1),
    'has a byte more': () => Buffer.concat([bytes, Buffer.from([0])]),
    'has twice the bytes': () => Buffer.concat([bytes, bytes]),
    'has none': () => Buffer.alloc(0),
  })) {
    it(`${name} is refused, and nothing is stored`, async () => {
      await from(({ go }) => go());
      const thrown = await fails(world.move(made(), {}, blob), 'DIGEST_MISMATCH');
      assert.ok(thrown.message.startsWith(`${world.source.host}/team/app, blob ${blob.digest}: `), thrown.message);
      assert.match(thrown.message, /Nothing was stored\.$/);
      assertNothingStored();
    });
  }

  it('gives bytes where nothing was to be, or others of the right number, is refused as well', async () => {
    await from(({ go }) => go());
    for (const [content, lie] of [
      ['x', { mediaType: octets, digest: digestOf(Buffer.alloc(0)), size: 0 }],
      ['', { mediaType: octets, digest: digestOf(Buffer.from('x')), size: 0 }],
      ['y', { mediaType: octets, digest: digestOf(Buffer.from('x')), size: 1 }],
    ] as [string, Descriptor][]) {
      await fails(world.move(Buffer.from(content), {}, lie), 'DIGEST_MISMATCH');
      assert.equal(world.target.blobs.size, 0);
    }
  });

  it('breaks off goes on from there, in the same upload', async () => {
    await from(moment => (moment.nth === 0 ? cutAfter(moment, 700_000) : moment.go()));
    assert.equal(await world.move(bytes), 'copied');
    assertStored();
    const [first, second, ...more] = world.ranges();
    const reached = Number(/^bytes=(\d+)-$/.exec(second ?? '')?.[1]);
    assert.ok(first === undefined && more.length === 0 && reached > 0 && reached <= 700_000, world.ranges().join());
    assert.deepEqual(world.sent(), ['POST 0', `PUT ${size}`]);
    assert.equal(world.clock.sleeps.length, 1);
  });

  it('breaks off at every turn, but brings a megabyte each time, is read to its end', async () => {
    const large = makeBytes(9 * megabyte);
    await from(({ request, response, cut }) => {
      const start = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
      const range = { 'content-range': `bytes ${start}-${large.byteLength - 1}/*` };
      response.writeHead(start > 0 ? 206 : 200, { 'content-length': large.byteLength - start, ...range });
      response.write(large.subarray(start, start + megabyte + 100_000), () => cut());
    });
    assert.equal(await world.move(large), 'copied');
    assert.ok(world.target.blobs.get(describeBlob(large).digest)?.equals(large));
    assert.ok(world.source.requests.length >= 8, `${world.source.requests.length} requests`);
    assert.ok(
      world.clock.sleeps.every(ms => ms <= 625),
      world.clock.sleeps.join(),
    );
  });

  it('breaks off again and again is given up, and nothing is stored', async () => {
    await from(moment => cutAfter(moment, 1000));
    const thrown = await fails(world.move(bytes), 'REGISTRY_UNAVAILABLE');
    assert.ok(thrown.message.startsWith(`${world.source.host}/team/app, blob ${blob.digest}: the connection broke`));
    assert.equal(world.source.requests.length, 5);
    assert.equal(world.clock.sleeps.length, 4);
    assertNothingStored();
  });

  it('knows no ranges begins again, and what has been sent is not sent again', async () => {
    await from(moment => {
      if (moment.nth === 0) return cutAfter(moment, 1_000_000);
      moment.response.writeHead(200, { 'content-length': size }).end(bytes);
    });
    assert.equal(await world.move(bytes), 'copied');
    assertStored();
    assert.deepEqual(world.sent(), ['POST 0', `PUT ${size}`]);
  });

  it('knows no ranges, and gives other bytes the second time, is refused', async () => {
    await from(moment => {
      if (moment.nth === 0) return cutAfter(moment, 1_000_000);
      moment.response.writeHead(200, { 'content-length': size }).end(makeBytes(size));
    });
    await fails(world.move(bytes), 'DIGEST_MISMATCH');
    assertNothingStored();
  });

  for (const [name, range] of Object.entries({
    'of other bytes': `bytes 7-${size - 1}/${size}`,
    'without bounds': undefined,
    'of another kind': 'lines 1-2/3',
  })) {
    it(`answers with a range ${name} is refused`, async () => {
      await from(moment => {
        if (moment.nth === 0) return cutAfter(moment, 1000);
        moment.response.writeHead(206, range ? { 'content-range': range } : {}).end(bytes.subarray(1000));
      });
      const thrown = await fails(world.move(bytes), 'REGISTRY_UNEXPECTED');
      assert.match(thrown.message, /answered 206/);
      assertNothingStored();
    });
  }

  it('asks to wait before it goes on is waited for', async () => {
    await from(moment => {
      if (moment.nth === 0) return cutAfter(moment, 1000);
      if (moment.nth === 1) return void moment.response.writeHead(429, { 'retry-after': '20' }).end();
      return moment.go();
    });
    assert.equal(await world.move(bytes), 'copied');
    assertStored();
    assert.equal(world.clock.sleeps[1], 20_000);
  });

  it('loses the blob on the way is an absence', async () => {
    await from(moment => (moment.nth === 0 ? cutAfter(moment, 1000) : void moment.response.writeHead(404).end()));
    await fails(world.move(bytes), 'IMAGE_NOT_FOUND');
    assertNothingStored();
  });

  it('breaks off behind the last byte has given everything', async () => {
    await from(({ response, cut }) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' });
      response.write(bytes, () => cut());
    });
    assert.equal(await world.move(bytes), 'copied');
    assertStored();
    assert.equal(world.source.requests.length, 1);
  });

  it('says something before its answer is heard to the end', async () => {
    await from(({ response, go }) => {
      response.writeProcessing();
      response.writeEarlyHints({ link: '</x>; rel=preload' });
      return go();
    });
    assert.equal(await world.move(bytes), 'copied');
    assertStored();
  });

  it('comes in chunks of its own, slowly, is read as it comes', async () => {
    await from(async ({ response }) => {
      for (let at = 0; at < size; at += 50_000) {
        response.write(bytes.subarray(at, at + 50_000));
        await new Promise(resolve => setImmediate(resolve));
      }
      response.end();
    });
    assert.equal(await world.move(bytes), 'copied');
    assertStored();
  });
});

describe('a blob that is kept on another host', () => {
  const password: Credentials = { kind: 'password', username: 'me', password: 'my-password' };
  const basic = `Basic ${Buffer.from('me:my-password').toString('base64')}`;

  it('is asked for there without credentials, also where it goes on', async () => {
    const tls = await createTls();
    let asked = 0;
    const storage = await startLoopback(({ headers, index }, response) => {
      asked += 1;
      const start = Number(/\d+/.exec(headers.range ?? '')?.[0] ?? 0);
      const range = { 'content-range': `bytes ${start}-${size - 1}/${size}` };
      response.writeHead(start > 0 ? 206 : 200, { 'content-length': size - start, ...range });
      if (index > 0) response.end(bytes.subarray(start));
      else response.write(bytes.subarray(0, 500_000), () => response.destroy());
    }, tls);
    const world = await startBlobWorld({
      tls,
      credentials: password,
      source: {
        reply({ request, response }) {
          if (request.headers.authorization === basic) {
            return void response.writeHead(307, { location: `${storage.url}/data?sig=${asked}` }).end();
          }
          response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
        },
      },
    });
    assert.equal(await world.move(bytes), 'copied');
    assert.ok(world.target.blobs.get(blob.digest)?.equals(bytes));
    // A signature may have ended meanwhile, so the registry is asked for another.
    assert.deepEqual(
      storage.requests.map(({ path, headers }) => [path, headers.authorization, headers.range !== undefined]),
      [
        ['/data?sig=0', undefined, false],
        ['/data?sig=1', undefined, true],
      ],
    );
    assert.ok(!world.log.lines.join().includes('sig='), 'a signed address was logged');
    await world.close();
    await storage.close();
  });
});
