import assert from 'node:assert/strict';
import { createArm } from '../../../core/acr/arm.ts';
import { type FoundRegistry, findRegistry } from '../../../core/acr/arm-registry.ts';
import { createEntraTokenSource } from '../../../core/acr/entra.ts';
import { AppError } from '../../../core/base/errors.ts';
import { importerActions } from '../../emulators/arm/access.ts';
import { startEntra } from '../../emulators/entra/entra.ts';
import { createTls, type TlsMaterial } from '../../emulators/tls.ts';
import { type Loopback, sendJson, startLoopback } from '../oci/loopback.ts';
import { type Client, createClient } from '../oci/world.ts';
import { type ImportWorld, startImportWorld } from './import-world.ts';

function reasonOf(found: FoundRegistry): string {
  assert.ok(found.kind === 'unavailable', `found ${JSON.stringify(found)}`);
  return found.reason;
}

function refuseToken(): Promise<never> {
  return Promise.reject(new AppError('Microsoft Entra gave no token.', { code: 'SIGN_IN_FAILED' }));
}

describe('a registry in Azure Resource Manager', () => {
  let world: ImportWorld;
  beforeEach(async () => {
    world = await startImportWorld();
  });
  afterEach(() => world.close());
  const inSubscription = () => ({ subscriptionId: world.emulator.world.subscriptionId });
  const target = () => ({
    kind: 'found' as const,
    registry: { resourceId: world.ids.target.resourceId, loginServer: world.target.host },
  });

  it('is found in its subscription by its login server, whose letters have no case', async () => {
    assert.deepEqual(await findRegistry(world.arm, world.target.host, inSubscription()), target());
    const upper = world.target.host.toUpperCase();
    const found = await findRegistry(world.arm, upper, inSubscription());
    assert.ok(found.kind === 'found' && found.registry.resourceId === world.ids.target.resourceId);
  });

  it('is found on a later page, and no page behind it is read', async () => {
    world.emulator.behaviour.pageSize = 1;
    world.emulator.world.addRegistry({ name: 'third', acr: world.source, resourceGroup: 'other' });
    assert.deepEqual(await findRegistry(world.arm, world.target.host, inSubscription()), target());
    assert.equal(world.count('registries.list'), 2);
  });

  it('is found by its resource id, if that has this login server', async () => {
    const place = { resourceId: world.ids.target.resourceId.toUpperCase() };
    const found = await findRegistry(world.arm, world.target.host, place);
    assert.deepEqual(found, { kind: 'found', registry: { ...place, loginServer: world.target.host } });
    const other = reasonOf(await findRegistry(world.arm, world.source.host, place));
    assert.equal(other, `the login server of ${place.resourceId} is ${world.target.host}`);
  });

  it('that the identity may not see is not found, with a reason', async () => {
    world.emulator.access.assignments.push({
      objectId: 'an-identity',
      scope: world.ids.source.resourceId,
      actions: importerActions,
    });
    const hidden = reasonOf(await findRegistry(world.arm, world.target.host, inSubscription()));
    assert.match(hidden, /^the subscription [0-9a-f-]{36} shows no registry localhost:\d+ to this identity$/);
    world.emulator.behaviour.listFilters = false;
    const denied = reasonOf(await findRegistry(world.arm, world.target.host, inSubscription()));
    assert.match(denied, /could not be listed: status 403 \(AuthorizationFailed: The client/);
    const { resourceId } = world.ids.target;
    assert.match(
      reasonOf(await findRegistry(world.arm, world.target.host, { resourceId })),
      /could not be read: status 403/,
    );
  });

  it('is not looked for with what is no id', async () => {
    const { resourceId } = world.ids.target;
    for (const id of [
      '',
      '/',
      `${resourceId}/..`,
      `${resourceId}?x=1`,
      resourceId.replace('registries/stage1', 'other/stage1'),
      `https://elsewhere.example${resourceId}`,
      resourceId.replace('resourceGroups/registries', 'resourceGroups/..'),
    ]) {
      assert.match(reasonOf(await findRegistry(world.arm, 'x', { resourceId: id })), /is not the resource id/, id);
    }
    assert.match(
      reasonOf(await findRegistry(world.arm, 'x', { subscriptionId: '../tenants' })),
      /is not a subscription's id/,
    );
    assert.equal(world.emulator.requests.entries.length, 0);
  });

  it('is not found where Azure is out of order or Entra gives no token, with the reason', async () => {
    world.emulator.faults.add({ effect: { kind: 'status', status: 503 } });
    const down = reasonOf(await findRegistry(world.arm, world.target.host, inSubscription()));
    assert.match(
      down,
      /could not be listed: GET localhost:\d+\/subscriptions\/.* was refused \(status 503\) until we gave up$/,
    );
    const arm = createArm({ endpoint: world.emulator.url, entraToken: refuseToken, http: world.http });
    assert.match(
      reasonOf(await findRegistry(arm, world.target.host, inSubscription())),
      /: Microsoft Entra gave no token$/,
    );
  });

  it('is asked for with a token of the real library, for the endpoint’s own audience', async () => {
    const entra = await startEntra({ tls: world.tls, clock: world.emulator.clock });
    const { tenantId, clientId } = entra.directory.addApplication({ secret: 'a good secret' });
    const identity = { kind: 'secret', tenantId, clientId, secret: 'a good secret', authority: entra.url } as const;
    const entraToken = createEntraTokenSource(identity, { ca: [world.tls.ca] });
    const arm = createArm({ endpoint: `${world.emulator.url}/`, entraToken, http: world.http });
    try {
      assert.deepEqual(await findRegistry(arm, world.target.host, inSubscription()), target());
      const grants = entra.requests.filter(({ path }) => path.endsWith('/token'));
      assert.deepEqual(
        grants.map(({ scope }) => scope?.split(' ')[0]),
        [`${world.emulator.url}/.default`],
      );
    } finally {
      await entra.close();
    }
  });
});

describe('a list of registries that is not what it should be', () => {
  const subscriptionId = '11111111-2222-3333-4444-555555555555';
  const id = `/subscriptions/${subscriptionId}/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/stage1`;
  let tls: TlsMaterial;
  let server: Loopback;
  let client: Client;
  let answer: (index: number) => unknown;
  before(async () => {
    tls = await createTls();
    client = createClient({ ca: tls.ca });
    server = await startLoopback(({ index }, response) => sendJson(response, answer(index)), tls);
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  after(async () => {
    await client.http.close();
    await server.close();
  });
  const find = (place: { resourceId: string } | { subscriptionId: string } = { subscriptionId }) =>
    findRegistry(
      createArm({ endpoint: server.url, entraToken: async () => 'a token', http: client.http }),
      'stage1.azurecr.io',
      place,
    );
  const item = (loginServer: unknown, named = id) => ({ id: named, properties: { loginServer } });

  for (const body of [
    '',
    'null',
    '<html>',
    '[]',
    '{}',
    '{"value":{}}',
    '{"value":[{"name":"stage1"}]}',
    '{"value":[],"nextLink":7}',
  ]) {
    it(`is no list, and no empty one: ${JSON.stringify(body)}`, async () => {
      answer = () => body;
      assert.match(reasonOf(await find()), /answered with something that is not a list/);
    });
  }

  for (const body of ['', '{}', '{"value":[]}', JSON.stringify({ id, properties: {} })]) {
    it(`is no registry: ${JSON.stringify(body)}`, async () => {
      answer = () => body;
      assert.match(reasonOf(await find({ resourceId: id })), /answered with something that is not a registry/);
    });
  }

  it('gives no id that would lead elsewhere', async () => {
    for (const named of ['', `${id}/../other`, `${id}?x`, `//elsewhere.example${id}`, id.replace('stage1', 'a b')]) {
      answer = () => ({ value: [item('stage1.azurecr.io', named)] });
      assert.match(reasonOf(await find()), /shows no registry stage1\.azurecr\.io/);
    }
  });

  it('may hold registries of which it does not say all', async () => {
    answer = () => ({ value: [{ id }, { id, properties: {} }, item(7), item('STAGE1.azurecr.io')] });
    assert.equal((await find()).kind, 'found');
  });

  it('leads to another origin, which is sent nothing', async () => {
    const stranger = await startLoopback(
      (_, response) => sendJson(response, { value: [item('stage1.azurecr.io')] }),
      tls,
    );
    try {
      answer = () => ({ value: [], nextLink: `${stranger.url}/next` });
      assert.match(reasonOf(await find()), /pointed to https:\/\/localhost:\d+, another origin/);
      assert.equal(stranger.sockets(), 0);
    } finally {
      await stranger.close();
    }
  });

  it('leads back to itself, or on for ever', async () => {
    answer = () => ({ value: [], nextLink: `${server.url}/again` });
    assert.match(reasonOf(await find()), /its pages do not end/);
    assert.equal(server.requests.length, 2);
    server.requests.length = 0;
    answer = index => ({ value: [], nextLink: `${server.url}/page/${index}` });
    assert.match(reasonOf(await find()), /its pages do not end/);
    assert.equal(server.requests.length, 200);
  });

  it('is not asked of an address without TLS, or of what is none', () => {
    for (const endpoint of ['http://localhost', 'management.azure.com', '']) {
      assert.throws(() => createArm({ endpoint, entraToken: async () => '', http: client.http }), {
        code: 'INPUT_INVALID',
      });
    }
  });
});
