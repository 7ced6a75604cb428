import assert from 'node:assert/strict';
import type { Credentials } from '../../../core/oci/credentials.ts';
import { createTls } from '../../emulators/tls.ts';
import { type BlobRegistryOptions, type Moment, type ReplyToMoment, startBlobRegistry } from './blob-registry.ts';
import {
  type BlobWorld,
  type BlobWorldOptions,
  describeBlob,
  makeBytes,
  megabyte,
  startBlobWorld,
} from './blob-world.ts';
import { fails } from './world.ts';

const bytes = makeBytes(3 * megabyte + 5);
const blob = describeBlob(bytes);
const chunk = 16 * megabyte;
const password: Credentials = { kind: 'password', username: 'me', password: 'my-password' };
const basic = `Basic ${Buffer.from('me:my-password').toString('base64')}`;

/** Goes on with who has the password. */
function guard({ request, response, go }: Moment): void | Promise<void> {
  if (request.headers.authorization === basic) return go();
  return void response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
}

async function readThenRefuse({ request, response, received }: Moment): Promise<void> {
  await received(Number(request.headers['content-length'] ?? 0));
  response.writeHead(401).end();
}

function refuseAndClose({ response }: Moment): void {
  response.writeHead(401, { connection: 'close' }).end();
}

describe('an upload to a registry that keeps blobs elsewhere', () => {
  let world: BlobWorld;
  afterEach(() => world.close());
  const start = async (target: BlobRegistryOptions, more: BlobWorldOptions = {}): Promise<void> => {
    world = await startBlobWorld({ ...more, target });
  };
  const assertStored = (): void => assert.ok(world.target.blobs.get(blob.digest)?.equals(bytes));

  it('sends its bytes there, whole or in chunks, and its credentials never', async () => {
    const tls = await createTls();
    const large = makeBytes(chunk + 7);
    const storage = await startBlobRegistry({
      tls,
      reply: async ({ request, response, received }) => {
        const length = Number(request.headers['content-length']);
        if (length > chunk) return void response.writeHead(413).end();
        await received(length);
        const headers = { location: `next?at=${request.bytes}` };
        response.writeHead(request.method === 'PATCH' ? 202 : 201, headers).end();
      },
    });
    const location = (id: number): string => `${storage.url}/put/${id}?sig=a%2Bb`;
    await start({ location, reply: guard }, { tls, credentials: password, source: { reply: guard } });
    assert.equal(await world.move(large), 'copied');
    const digest = encodeURIComponent(describeBlob(large).digest);
    assert.deepEqual(
      storage.requests.map(({ method, path, headers }) => [method, path, headers.authorization]),
      [
        ['PUT', `/put/1?sig=a%2Bb&digest=${digest}`, undefined],
        ['PATCH', '/put/2?sig=a%2Bb', undefined],
        ['PATCH', `/put/next?at=${chunk}`, undefined],
        ['PUT', `/put/next?at=7&digest=${digest}`, undefined],
      ],
    );
    assert.ok(!world.log.lines.join().includes('sig='), 'a signed address was logged');
    await storage.close();
  });

  it('does not believe the refusals of that place, nor its challenge', async () => {
    const storage = await startBlobRegistry({
      reply: ({ response }) =>
        void response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://localhost:1/token"' }).end(),
    });
    await start(
      { location: () => `${storage.url}/put`, reply: guard },
      { credentials: password, source: { reply: guard } },
    );
    const thrown = await fails(world.move(bytes), 'REGISTRY_UNEXPECTED');
    assert.match(thrown.message, /answered 401/);
    assert.equal(storage.requests.length, 1);
    await fails(world.move(bytes), 'REGISTRY_UNEXPECTED');
    assert.equal(world.target.requests.at(-1)?.headers.authorization, basic);
    await storage.close();
  });

  it('does not leave TLS for it', async () => {
    const tls = await createTls();
    const plain = await startBlobRegistry();
    await start({ location: () => `${plain.url}/put` }, { tls });
    const thrown = await fails(world.move(bytes), 'REGISTRY_UNEXPECTED');
    assert.match(thrown.message, /wants an upload at http:\/\/localhost:\d+, without TLS; nothing was sent there/);
    assert.deepEqual([plain.requests, world.clock.sleeps], [[], []]);
    await plain.close();
  });

  it('may name itself in full', async () => {
    await start({ location: id => `${world.target.url}/v2/else/blobs/uploads/${id}?_state=x%3D&y=` });
    assert.equal(await world.move(bytes), 'copied');
    assertStored();
    const path = world.target.requests.at(-1)?.path;
    assert.equal(path, `/v2/else/blobs/uploads/1?_state=x%3D&y=&digest=${encodeURIComponent(blob.digest)}`);
  });
});

describe('an upload to a registry that gives tokens', () => {
  let world: BlobWorld;
  afterEach(() => world.close());
  const start = async (target: BlobRegistryOptions, more: BlobWorldOptions = {}): Promise<void> => {
    world = await startBlobWorld({ ...more, target });
  };
  const assertStored = (): void => assert.ok(world.target.blobs.get(blob.digest)?.equals(bytes));

  type Good = (moment: Moment, token: number) => boolean;
  const startTokens = async (good: Good, refuse: ReplyToMoment): Promise<void> => {
    let given = 0;
    const reply = (moment: Moment): void | Promise<void> => {
      const { path, headers } = moment.request;
      if (path.startsWith('/token')) return void moment.response.end(JSON.stringify({ token: `t${(given += 1)}` }));
      const token = Number(/^Bearer t(\d+)$/.exec(headers.authorization ?? '')?.[1] ?? 0);
      if (token > 0 && good(moment, token)) return moment.go();
      moment.response.setHeader('www-authenticate', `Bearer realm="${world.target.url}/token",service="s"`);
      return refuse(moment);
    };
    await start({ reply });
  };
  const tokens = (method: string): (string | undefined)[] =>
    world.target.requests.filter(each => each.method === method).map(({ headers }) => headers.authorization);

  it('takes another for the bytes when one has ended since the upload began', async () => {
    await startTokens(({ request }, token) => request.method !== 'PUT' || token > 1, readThenRefuse);
    assert.equal(await world.move(bytes), 'copied');
    assertStored();
    assert.deepEqual(tokens('PUT'), ['Bearer t1', 'Bearer t2']);
  });

  it('takes another, though the refusal is lost because the bytes were still on their way', async () => {
    let ended = false;
    await startTokens(({ request }, token) => {
      ended ||= request.method === 'PUT';
      return token > 1 || !ended;
    }, refuseAndClose);
    assert.equal(await world.move(bytes), 'copied');
    assertStored();
    assert.deepEqual(tokens('PUT'), ['Bearer t1', 'Bearer t2']);
  });

  it('gives up when no token is good for the bytes', async () => {
    await startTokens(({ request }) => request.method !== 'PUT', readThenRefuse);
    const thrown = await fails(world.move(bytes), 'REGISTRY_DENIED');
    assert.match(thrown.message, /no permission for "repository:team\/app:pull,push" \(PUT /);
    assert.equal(tokens('PUT').length, 5);
  });
});
