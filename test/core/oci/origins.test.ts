import assert from 'node:assert/strict';
import { getSmallBlob, hasBlob } from '../../../core/oci/blobs.ts';
import type { Credentials } from '../../../core/oci/credentials.ts';
import { computeDigest } from '../../../core/oci/digest.ts';
import { getManifest, headManifest } from '../../../core/oci/manifests.ts';
import { openRegistry } from '../../../core/oci/registry.ts';
import { openRepository } from '../../../core/oci/repository.ts';
import { createTls } from '../../emulators/tls.ts';
import { type Loopback, type Reply, sendJson, startLoopback } from './loopback.ts';
import { type Client, createClient, fails, openOn } from './world.ts';

const password: Credentials = { kind: 'password', username: 'me', password: 'my-password' };
const basic = `Basic ${Buffer.from('me:my-password').toString('base64')}`;
const content = Buffer.from('content');
const digest = computeDigest(content);

describe('credentials and other origins', () => {
  let client: Client;
  let servers: Loopback[];
  beforeEach(() => {
    client = createClient();
    servers = [];
  });
  afterEach(async () => {
    await client.http.close();
    await Promise.all(servers.map(server => server.close()));
  });
  const start = async (...parameters: Parameters<typeof startLoopback>): Promise<Loopback> => {
    const server = await startLoopback(...parameters);
    servers.push(server);
    return server;
  };
  /** A registry that wants Basic, and then does `reply`. */
  const startRegistry = (reply: Reply): Promise<Loopback> =>
    start((request, response) => {
      if (request.headers.authorization === basic) return reply(request, response);
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    });
  const redirect = (location: () => string, status = 307): Promise<Loopback> =>
    startRegistry((_, response) => response.writeHead(status, { location: location() }).end());

  it('go to no token server of another origin, whatever it is called', async () => {
    const trap = await start((_, response) => sendJson(response, { token: 'x' }));
    let realm = '';
    const registry = await start((_, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="s"` }).end(),
    );
    const { host } = registry;
    const realms = [
      `${trap.url}/token`,
      `http://127.0.0.1:${trap.host.split(':')[1]}/token`,
      `${registry.url}@${trap.host}/token`,
      `//${trap.host}/token`,
      `https://${host}/token`,
      'token',
      'https://auth.docker.io/token',
    ];
    for (realm of realms) {
      for (const credentials of [password, { kind: 'refreshToken', obtain: async () => 'my-refresh-token' } as const]) {
        const thrown = await fails(headManifest(openOn(registry, client, credentials), 'v1'), 'REGISTRY_DENIED');
        assert.match(thrown.message, /not its own; no credentials were sent/);
      }
    }
    assert.deepEqual(trap.requests, []);
    assert.ok(registry.requests.every(({ headers, body }) => headers.authorization === undefined && body === ''));
  });

  it('do not follow a redirect of the token request', async () => {
    const trap = await start((_, response) => sendJson(response, { token: 'x' }));
    const registry: Loopback = await start(({ path }, response) => {
      if (path.startsWith('/token')) return response.writeHead(307, { location: `${trap.url}/token` }).end();
      return response.writeHead(401, { 'www-authenticate': `Bearer realm="${registry.url}/token"` }).end();
    });
    const refresh = { kind: 'refreshToken', obtain: async () => 'my-refresh-token' } as const;
    await fails(headManifest(openOn(registry, client, refresh), 'v1'), 'REGISTRY_DENIED');
    assert.equal(trap.requests.length, 0);
    // Of a GET the redirect may be followed, for the password stays behind.
    await headManifest(openOn(registry, client, password), 'v1').catch(() => undefined);
    assert.ok(trap.requests.every(({ headers }) => headers.authorization === undefined));
  });

  for (const status of [301, 302, 303, 307, 308]) {
    it(`stay behind when a blob is elsewhere (${status})`, async () => {
      const storage = await start((_, response) => response.end(content));
      const registry = await redirect(() => `${storage.url}/data?sig=secret`, status);
      const app = openOn(registry, client, password);
      assert.deepEqual(Buffer.from((await getSmallBlob(app, digest, 100)) ?? []), content);
      assert.ok(await hasBlob(app, digest));
      assert.deepEqual(
        storage.requests.map(({ method, headers }) => [method, headers.authorization]),
        [
          ['GET', undefined],
          ['HEAD', undefined],
        ],
      );
      assert.ok(!client.log.lines.join().includes('secret'), 'a signed address was logged');
    });
  }

  it('go along within the origin, and do not come back to it by way of another', async () => {
    const hop = await start((_, response) => response.writeHead(307, { location: `${registry.url}/v2/third` }).end());
    const registry: Loopback = await start(({ path, headers }, response) => {
      if (path === '/v2/third') return response.end(content);
      if (headers.authorization !== basic) {
        return response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      }
      const location = path === '/v2/second' ? `${hop.url}/away` : '/v2/second';
      return response.writeHead(307, { location }).end();
    });
    assert.ok(await getSmallBlob(openOn(registry, client, password), digest, 100));
    const sent = (path: string) =>
      registry.requests.filter(request => request.path === path).at(-1)?.headers.authorization;
    assert.deepEqual([sent('/v2/second'), sent('/v2/third')], [basic, undefined]);
  });

  it('are not changed by the words of another host: its refusal, its challenge, its time', async () => {
    const date = 'Mon, 01 Jan 2001 00:00:00 GMT';
    const storage = await start((_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://localhost:1/t"', date }).end();
    });
    const registry = await redirect(() => `${storage.url}/data`);
    const app = openOn(registry, client, password);
    await fails(getSmallBlob(app, digest, 100), 'REGISTRY_UNEXPECTED');
    assert.ok((app.registry.time() ?? 0) > Date.parse('2020-01-01'), 'the time of the storage was believed');
    assert.equal(storage.requests.length, 1);
    await fails(getSmallBlob(app, digest, 100), 'REGISTRY_UNEXPECTED');
    assert.equal(registry.requests.at(-1)?.headers.authorization, basic, 'the challenge of the storage was believed');
  });

  it('give up on redirects that lead nowhere', async () => {
    const registry = await redirect(() => `${registry.url}/again`);
    const app = openOn(registry, client, password);
    const thrown = await fails(getManifest(app, 'v1'), 'REGISTRY_UNEXPECTED');
    assert.match(thrown.message, /redirected too often/);
    assert.equal(registry.requests.length, 1 + 6);
    assert.deepEqual(client.clock.sleeps, [], 'a loop was tried again');
  });

  for (const location of ['ftp://localhost/x', 'file:///etc/passwd', 'data:,x', 'javascript:1']) {
    it(`do not follow a redirect to ${location}`, async () => {
      await fails(getManifest(openOn(await redirect(() => location), client, password), 'v1'), 'REGISTRY_UNEXPECTED');
      assert.deepEqual(client.clock.sleeps, []);
    });
  }

  it('do not leave TLS', async () => {
    const tls = await createTls();
    const plain = await start((_, response) => response.end(content));
    const registry = await start((_, response) => response.writeHead(307, { location: `${plain.url}/x` }).end(), tls);
    const own = createClient({ ca: tls.ca });
    const opened = openRegistry({ address: registry.host, credentials: password, http: own.http });
    const app = openRepository(opened, 'team/app', ['pull']);
    const thrown = await fails(getSmallBlob(app, digest, 100), 'REGISTRY_UNEXPECTED');
    assert.match(thrown.message, /redirected to http:\/\/localhost:\d+, without TLS/);
    assert.deepEqual(plain.requests, []);
    await own.http.close();
  });

  it('are spoken without TLS to this machine alone', () => {
    const { http } = client;
    for (const address of [
      'http://contoso.azurecr.io',
      'http://10.0.0.1',
      'http://localhost.contoso.com',
      'http://127.0.0.2',
    ])
      assert.throws(() => openRegistry({ address, credentials: password, http }), /without TLS on this machine only/);
    for (const address of [
      '',
      'https://',
      'a b',
      'me@localhost',
      'localhost:99999',
      'localhost/x',
      '1.2.3.256',
      'ftp://x',
    ])
      assert.throws(
        () => openRegistry({ address, credentials: password, http }),
        /is not a registry's host name/,
        address,
      );
    assert.equal(
      openRegistry({ address: 'https://Contoso.azurecr.io/', credentials: password, http }).host,
      'contoso.azurecr.io',
    );
  });

  it('refuse to talk elsewhere than to the registry', async () => {
    const trap = await start((_, response) => response.end());
    const registry = await redirect(() => '/');
    const opened = openRegistry({ address: registry.url, credentials: password, http: client.http });
    for (const path of [`${trap.url}/x`, `//${trap.host}/x`, `\\\\${trap.host}/x`, `https://${registry.host}/x`])
      await fails(opened.exchange({ method: 'GET', path, scope: '' }), 'REGISTRY_UNEXPECTED');
    assert.deepEqual([trap.requests, registry.requests], [[], []]);
  });
});
