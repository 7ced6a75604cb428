import assert from 'node:assert/strict';
import type { Credentials } from '../../../core/oci/credentials.ts';
import { headManifest } from '../../../core/oci/manifests.ts';
import { openRegistry } from '../../../core/oci/registry.ts';
import { openRepository } from '../../../core/oci/repository.ts';
import { listTags } from '../../../core/oci/tags.ts';
import { type Loopback, sendJson, startLoopback } from './loopback.ts';
import { type AcrWorld, admin, anonymous, type Client, createClient, fails, openOn, startAcrWorld } from './world.ts';

describe('signing in to an Azure Container Registry', () => {
  let world: AcrWorld;
  beforeEach(async () => {
    world = await startAcrWorld();
    world.acr.world.putImage('team/app', { tags: ['v1'] });
    world.acr.world.putImage('team/other', { tags: ['v1'] });
  });
  afterEach(() => world.close());
  const tokens = (): number => world.acr.requests.count({ operation: 'oauth2.token' });

  it('asks once for each scope, whatever is asked with it', async () => {
    const registry = world.connect();
    const app = openRepository(registry, 'team/app', ['pull']);
    const other = openRepository(registry, 'team/other', ['pull']);
    for (let round = 0; round < 5; round += 1) {
      await headManifest(app, 'v1');
      await headManifest(other, 'v1');
      await listTags(app);
    }
    assert.equal(tokens(), 2);
    assert.equal(world.acr.requests.count({ status: 401 }), 1, 'the challenge is met once for each registry');
    await headManifest(openRepository(registry, 'team/app', ['pull', 'push']), 'v1');
    assert.equal(tokens(), 3);
    assert.deepEqual(
      world.acr.requests.all({ operation: 'oauth2.token' }).map(({ query }) => [query['service'], query['scope']]),
      ['team/app:pull', 'team/other:pull', 'team/app:pull,push'].map(scope => [world.acr.host, `repository:${scope}`]),
    );
  });

  it('shares no token between registries, though they share a client', async () => {
    await headManifest(world.open('team/app'), 'v1');
    await headManifest(world.open('team/app'), 'v1');
    assert.equal(tokens(), 2);
  });

  it('shares one token among requests that begin together', async () => {
    const app = world.open('team/app');
    await Promise.all(Array.from({ length: 20 }, () => headManifest(app, 'v1')));
    assert.equal(tokens(), 1);
  });

  it('shares the next token, too, when one runs out before many', async () => {
    const app = world.open('team/app');
    await headManifest(app, 'v1');
    world.acr.clock.advance(80 * 60_000);
    await Promise.all(Array.from({ length: 20 }, () => headManifest(app, 'v1')));
    assert.equal(tokens(), 2);
    assert.equal(world.acr.requests.count({ status: 401 }), 1);
  });

  it('shares a failure, and remembers none', async () => {
    const app = world.open('team/app');
    await headManifest(app, 'v1');
    world.acr.clock.advance(80 * 60_000);
    const fault = world.acr.faults.add({ operation: 'oauth2.token' }, { kind: 'status', status: 403 });
    const ends = await Promise.allSettled(Array.from({ length: 10 }, () => headManifest(app, 'v1')));
    assert.deepEqual([...new Set(ends.map(end => end.status))], ['rejected']);
    assert.equal(fault.hits(), 1);
    fault.remove();
    assert.ok(await headManifest(app, 'v1'));
  });

  it('gives a token up a minute before its end', async () => {
    const app = world.open('team/app');
    await headManifest(app, 'v1');
    world.acr.clock.advance(73 * 60_000);
    await headManifest(app, 'v1');
    assert.equal(tokens(), 1);
    world.acr.clock.advance(1.5 * 60_000);
    await headManifest(app, 'v1');
    assert.equal(tokens(), 2);
    assert.equal(world.acr.requests.count({ status: 401 }), 1, 'an old token was sent');
  });

  it('fetches another when the registry refuses one before its time', async () => {
    const app = world.open('team/app');
    await headManifest(app, 'v1');
    // The registry's clock alone goes on: the token is over there, and good here.
    const frozen = world.clock.now();
    world.clock.now = () => frozen;
    world.acr.clock.advance(80 * 60_000);
    await Promise.all(Array.from({ length: 10 }, () => headManifest(app, 'v1')));
    assert.equal(tokens(), 2, 'each of the refused fetched its own');
  });

  it('takes a missing right for what it is, after one more token, and names it', async () => {
    const identity = {
      name: 'reader',
      password: 'reader-password',
      rights: [{ repository: 'team/app', actions: ['pull'] }],
    } as const;
    const limited = await startAcrWorld({ identities: [identity] });
    limited.acr.world.putImage('team/app', { tags: ['v1'] });
    const reader: Credentials = { kind: 'password', username: 'reader', password: 'reader-password' };
    const app = limited.open('team/app', ['pull', 'delete'], reader);
    await headManifest(app, 'v1');
    limited.acr.requests.clear();
    const { deleteManifest } = await import('../../../core/oci/manifests.ts');
    const digest = limited.acr.world.digest('team/app', 'v1') as `sha256:${string}`;
    const thrown = await fails(deleteManifest(app, digest), 'REGISTRY_DENIED');
    assert.match(
      thrown.message,
      /no permission for "repository:team\/app:delete" \(DELETE \/v2\/team\/app\/manifests\//,
    );
    assert.equal(thrown.retryable, false);
    assert.equal(limited.acr.requests.count({ operation: 'manifest.delete', status: 401 }), 2);
    assert.equal(limited.acr.requests.count({ operation: 'oauth2.token' }), 1);
    assert.deepEqual(limited.clock.sleeps, []);
    await limited.close();
  });

  it('says that wrong credentials are wrong', async () => {
    const wrong = world.open('team/app', ['pull'], { ...admin, password: 'wrong' } as Credentials);
    const thrown = await fails(headManifest(wrong, 'v1'), 'REGISTRY_DENIED');
    assert.match(thrown.message, /refused to sign us in for repository:team\/app:pull \(status 401\)\. Check the cred/);
    await fails(headManifest(world.open('team/app', ['pull'], anonymous), 'v1'), 'REGISTRY_DENIED');
  });

  it('pulls as nobody where that is allowed', async () => {
    world.acr.behaviour.anonymousPull = true;
    assert.ok(await headManifest(world.open('team/app', ['pull'], anonymous), 'v1'));
  });
});

describe('signing in to a registry that words it in its own way', () => {
  let server: Loopback;
  let client: Client;
  let header: string | string[] = '';
  let answer: unknown = {};
  let accepts = 'Bearer good';
  before(async () => {
    server = await startLoopback(({ path, headers }, response) => {
      if (path.startsWith('/token')) return sendJson(response, answer);
      if (headers.authorization === accepts) return response.writeHead(404).end();
      return response.writeHead(401, header === '' ? {} : { 'www-authenticate': header }).end();
    });
  });
  beforeEach(() => {
    client = createClient();
    server.requests.length = 0;
    header = `Bearer realm="${server.url}/token",service="s"`;
    answer = { token: 'good' };
    accepts = 'Bearer good';
  });
  afterEach(() => client.http.close());
  after(() => server.close());
  const password: Credentials = { kind: 'password', username: 'ü:ser', password: 'p@ss:wörd' };
  const basic = `Basic ${Buffer.from('ü:ser:p@ss:wörd').toString('base64')}`;
  const asked = (): string[] => server.requests.filter(({ path }) => path.startsWith('/token')).map(({ path }) => path);

  it('takes Basic, and does not wait to be asked again', async () => {
    header = 'Basic realm="Registry"';
    accepts = basic;
    const app = openOn(server, client, password);
    await headManifest(app, 'v1');
    await headManifest(app, 'v1');
    assert.deepEqual(
      server.requests.map(({ headers }) => headers.authorization),
      [undefined, basic, basic],
    );
  });

  it('has nothing to answer Basic with when nobody signs in', async () => {
    header = 'Basic realm="Registry"';
    await fails(headManifest(openOn(server, client), 'v1'), 'REGISTRY_DENIED');
    assert.equal(server.requests.length, 1);
  });

  for (const [name, value] of Object.entries({
    'no commas between spaces': (url: string) => `bearer  realm="${url}/token" , service="s"`,
    'bare words': (url: string) => `BEARER service=s, Realm=${url}/token`,
    'a scope with commas': (url: string) => `Bearer realm="${url}/token",service="s",scope="repository:a:pull,push"`,
    'Basic behind it': (url: string) => `Bearer realm="${url}/token",service="s", Basic realm="Registry"`,
    'two headers': (url: string) => [`Bearer realm="${url}/token",service="s"`, 'Basic realm="Registry"'],
  })) {
    it(`reads a challenge with ${name}`, async () => {
      header = value(server.url);
      assert.equal(await headManifest(openOn(server, client, password), 'v1'), undefined);
      assert.deepEqual(asked(), ['/token?service=s&scope=repository%3Ateam%2Fapp%3Apull%2Cpush']);
      const [request] = server.requests.filter(({ path }) => path.startsWith('/token'));
      assert.equal(request?.headers.authorization, basic);
    });
  }

  for (const value of ['', 'Negotiate', 'Bearer', 'Bearer realm=""', 'Bearer service="s"', '"']) {
    it(`gives up on the challenge ${JSON.stringify(value)}`, async () => {
      header = value;
      await fails(headManifest(openOn(server, client, password), 'v1'), 'REGISTRY_DENIED');
      assert.equal(server.requests.length, 1);
    });
  }

  for (const body of ['', 'null', '[]', '{"token":""}', '{"token":7}', '<html>', '{"access_token":{}}']) {
    it(`refuses a sign-in that ends with ${JSON.stringify(body)}`, async () => {
      answer = body;
      await fails(headManifest(openOn(server, client, password), 'v1'), 'REGISTRY_UNEXPECTED');
    });
  }

  it('lets a token live as long as it is told: by a number, by the token itself, else half of 60 s', async () => {
    const claims = Buffer.from(JSON.stringify({ exp: Math.floor(client.clock.now() / 1000) + 600 })).toString(
      'base64url',
    );
    for (const [body, life] of [
      [{ access_token: 'good', token: 'x', expires_in: 300 }, 240],
      [{ token: `x.${claims}.y` }, 540],
      [{ token: 'good' }, 30],
      [{ token: 'good', expires_in: 1 }, 30],
    ] as const) {
      answer = body;
      accepts = `Bearer ${'access_token' in body ? body.access_token : body.token}`;
      const own = createClient();
      const app = openOn(server, own, password);
      await headManifest(app, 'v1');
      server.requests.length = 0;
      await own.clock.sleep((life - 2) * 1000);
      await headManifest(app, 'v1');
      assert.equal(asked().length, 0, `a token of ${life} s was given up early`);
      await own.clock.sleep(4000);
      await headManifest(app, 'v1');
      assert.equal(asked().length, 1, `a token of ${life} s was kept too long`);
      await own.http.close();
    }
  });

  it('sends several scopes as several parameters, and what was challenged where it asked for none', async () => {
    const registry = openRegistry({ address: server.url, credentials: password, http: client.http });
    await registry.exchange({ method: 'GET', path: '/v2/', scope: 'repository:a:pull repository:b:pull' });
    assert.deepEqual(asked(), ['/token?service=s&scope=repository%3Aa%3Apull&scope=repository%3Ab%3Apull']);
    header = `Bearer realm="${server.url}/token",scope="registry:catalog:*"`;
    server.requests.length = 0;
    const other = openRegistry({ address: server.url, credentials: password, http: client.http });
    await other.exchange({ method: 'GET', path: '/v2/', scope: '' });
    await other.exchange({ method: 'GET', path: '/v2/', scope: '' });
    assert.deepEqual(asked(), ['/token?scope=registry%3Acatalog%3A*']);
  });

  it('sends a refresh token in a form, never in an address', async () => {
    let obtained = 0;
    const obtain = async (): Promise<string> => `secret-${(obtained += 1)}`;
    await headManifest(openOn(server, client, { kind: 'refreshToken', obtain }), 'v1');
    const [request] = server.requests.filter(({ path }) => path.startsWith('/token'));
    assert.deepEqual([request?.method, request?.path], ['POST', '/token']);
    assert.deepEqual(Object.fromEntries(new URLSearchParams(request?.body)), {
      service: 's',
      scope: 'repository:team/app:pull,push',
      grant_type: 'refresh_token',
      refresh_token: 'secret-1',
    });
    assert.equal(obtained, 1);
  });
});
