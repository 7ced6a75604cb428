import assert from 'node:assert/strict';
import { createAcrCredentials } from '../../../core/acr/sign-in.ts';
import { AppError } from '../../../core/base/errors.ts';
import type { Credentials } from '../../../core/oci/credentials.ts';
import { headManifest } from '../../../core/oci/manifests.ts';
import { createTls, type TlsMaterial } from '../../emulators/tls.ts';
import { issueToken } from '../../emulators/tokens.ts';
import { type Loopback, sendJson, startLoopback } from '../oci/loopback.ts';
import { type AcrWorld, createClient, everyWord, fails, startAcrWorld } from '../oci/world.ts';

const minute = 60_000;

describe('the exchange of an Entra token', () => {
  let world: AcrWorld;
  let asked: string[];
  beforeEach(async () => {
    world = await startAcrWorld();
    world.acr.world.putImage('team/app', { tags: ['v1'] });
    asked = [];
  });
  afterEach(() => world.close());
  const credentials = (): Credentials =>
    createAcrCredentials({
      host: world.acr.host,
      http: world.http,
      entraToken: async audience => {
        asked.push(audience);
        const exp = Math.floor(world.acr.clock.now() / 1000) + 3600;
        return issueToken({ aud: audience, oid: 'me', exp });
      },
    });
  const count = (operation: string): number => world.acr.requests.count({ operation });

  for (const [minutes, exchanges] of [
    [174.5, 1],
    [178, 2],
  ] as const) {
    it(`is ${exchanges === 1 ? 'used' : 'renewed'} after ${minutes} minutes of its 180`, async () => {
      const app = world.open('team/app', ['pull'], credentials());
      await headManifest(app, 'v1');
      world.acr.clock.advance(100 * minute);
      await headManifest(app, 'v1');
      world.acr.clock.advance((minutes - 100) * minute);
      await headManifest(app, 'v1');
      assert.deepEqual([asked.length, count('oauth2.exchange'), count('oauth2.token')], [exchanges, exchanges, 3]);
      assert.equal(world.acr.requests.count({ status: 401 }), 1, 'a token was used behind its end');
      assert.deepEqual([...new Set(asked)], ['https://containerregistry.azure.net']);
    });
  }

  it('lasts for a day, in which no token is refused', async () => {
    const app = world.open('team/app', ['pull'], credentials());
    for (let passed = 0; passed < 24 * 60; passed += 13) {
      assert.ok(await headManifest(app, 'v1'));
      world.acr.clock.advance(13 * minute);
    }
    assert.equal(world.acr.requests.count({ status: 401 }), 1);
    assert.ok(count('oauth2.exchange') <= 9, `${count('oauth2.exchange')} exchanges`);
  });

  it('is shared by scopes that begin together', async () => {
    const registry = world.connect(credentials());
    const scopes = Array.from({ length: 8 }, (_, at) => `repository:team/${at}:pull`);
    await Promise.all(
      scopes.map(scope => registry.exchange({ method: 'GET', path: '/v2/', scope }).catch(() => undefined)),
    );
    assert.deepEqual([count('oauth2.exchange'), count('oauth2.token')], [1, 8]);
  });

  it('is tried anew after a failure of either side', async () => {
    const app = world.open('team/app', ['pull'], credentials());
    const fault = world.acr.faults.add({ operation: 'oauth2.exchange' }, { kind: 'status', status: 403 });
    const thrown = await fails(headManifest(app, 'v1'), 'REGISTRY_DENIED');
    assert.match(
      thrown.message,
      /refused the sign-in: it did not accept the Entra token \(status 403\)\. .* has a role, such as AcrPull\.$/,
    );
    fault.remove();
    assert.ok(await headManifest(app, 'v1'));
    let failures = 1;
    const other = createAcrCredentials({
      host: world.acr.host,
      http: world.http,
      entraToken: async audience => {
        failures -= 1;
        if (failures >= 0) throw new AppError('no token today', { code: 'SIGN_IN_FAILED' });
        return issueToken({ aud: audience, oid: 'me', exp: world.acr.clock.now() });
      },
    });
    const again = world.open('team/app', ['pull'], other);
    await fails(headManifest(again, 'v1'), 'SIGN_IN_FAILED');
    assert.ok(await headManifest(again, 'v1'));
  });

  it('waits where it is throttled', async () => {
    world.acr.faults.add({ operation: 'oauth2.exchange', nth: 1 }, { kind: 'status', status: 429, retryAfter: 9 });
    assert.ok(await headManifest(world.open('team/app', ['pull'], credentials()), 'v1'));
    assert.deepEqual(world.clock.sleeps, [9000]);
  });
});

describe('an exchange that ends in a strange way', () => {
  let server: Loopback;
  let tls: TlsMaterial;
  let body = '';
  before(async () => {
    tls = await createTls();
    server = await startLoopback((_, response) => sendJson(response, body), tls);
  });
  after(() => server.close());
  const obtain = async (tenantId?: string) => {
    const { http } = createClient({ ca: tls.ca });
    const credentials = createAcrCredentials({ host: server.host, tenantId, entraToken: async () => 'entra', http });
    assert.ok(credentials.kind === 'refreshToken');
    try {
      return await Promise.all([credentials.obtain(), credentials.obtain()]);
    } finally {
      await http.close();
    }
  };

  for (const answer of ['', 'null', '{}', '{"refresh_token":1}', '<html>eyJh.secret</html>', '{"refresh_token":"eyJ']) {
    it(`is an error that quotes nothing: ${JSON.stringify(answer)}`, async () => {
      body = answer;
      assert.doesNotMatch(everyWord(await fails(obtain(), 'REGISTRY_UNEXPECTED')), /eyJ|secret|entra"/);
    });
  }

  it('asks as the documentation says, once for two who wait', async () => {
    server.requests.length = 0;
    body = '{"refresh_token":"r"}';
    assert.deepEqual(await obtain('t'), ['r', 'r']);
    assert.deepEqual(
      server.requests.map(({ method, path }) => [method, path]),
      [['POST', '/oauth2/exchange']],
    );
    const sent = Object.fromEntries(new URLSearchParams(server.requests[0]?.body));
    assert.deepEqual(sent, { grant_type: 'access_token', service: server.host, access_token: 'entra', tenant: 't' });
  });
});
