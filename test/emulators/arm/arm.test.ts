import assert from 'node:assert/strict';
import { issueToken } from '../tokens.ts';
import { importerActions } from './access.ts';
import { type ArmScene, armToken, me, startArmScene } from './client.ts';

const version = 'api-version=2025-11-01';

describe('emulated Resource Manager: its door', () => {
  let scene: ArmScene;
  beforeEach(async () => {
    scene = await startArmScene();
  });
  afterEach(() => scene.close());
  const list = (token?: string | null, query = version) =>
    scene.send(
      'GET',
      `/subscriptions/${scene.arm.world.subscriptionId}/providers/Microsoft.ContainerRegistry/registries?${query}`,
      undefined,
      token,
    );
  const get = (path: string) => scene.send('GET', `${path}?${version}`);

  it('lets in tokens of Entra for it, under each of its names, and no other', async () => {
    const exp = Math.floor(Date.now() / 1000) + 3600;
    for (const aud of ['https://management.azure.com', 'https://management.core.windows.net/', scene.arm.url]) {
      assert.equal((await list(armToken(aud))).status, 200, aud);
    }
    const refused: readonly (readonly [string | null, string])[] = [
      [null, 'AuthenticationFailed'],
      ['nonsense', 'InvalidAuthenticationToken'],
      [issueToken({ aud: 'https://management.azure.com', oid: me, exp: exp - 7200 }), 'InvalidAuthenticationToken'],
      [`${armToken().slice(0, -4)}AAAA`, 'InvalidAuthenticationToken'],
      [armToken('https://containerregistry.azure.net'), 'InvalidAuthenticationTokenAudience'],
    ];
    for (const [token, code] of refused) {
      const reply = await list(token);
      assert.deepEqual([reply.status, reply.code], [401, code]);
    }
  });

  it('wants to know which version is spoken', async () => {
    assert.equal((await list(undefined, '')).code, 'MissingApiVersionParameter');
    assert.equal((await list(undefined, 'api-version=2016-06-27-preview')).code, 'NoRegisteredProviderFound');
  });

  it('gives a registry by its id, whose letters have no case, with its login server', async () => {
    for (const id of [scene.ids.target.resourceId, scene.ids.target.resourceId.toUpperCase()]) {
      const { status, json } = await get(id);
      assert.deepEqual(
        [status, json.id, json.properties.loginServer],
        [200, scene.ids.target.resourceId, scene.target.host],
      );
    }
    const missing = await get(scene.ids.target.resourceId.replace('Stage1', 'Stage2'));
    assert.deepEqual([missing.status, missing.code], [404, 'ResourceNotFound']);
  });

  it('lists the registries of the subscription in pages, each naming the next', async () => {
    scene.arm.behaviour.pageSize = 1;
    const first = await list();
    const second = await scene.send('GET', first.json.nextLink);
    const names = [first, second].flatMap(({ json }) => json.value.map((each: { name: string }) => each.name));
    assert.deepEqual([names, second.json.nextLink], [['ci001', 'Stage1'], undefined]);
  });

  it('shows what the caller may read, or nothing at all where a list needs the right on the subscription', async () => {
    scene.arm.access.assignments.push({ objectId: me, scope: scene.ids.target.resourceId, actions: importerActions });
    assert.deepEqual(
      (await list()).json.value.map((each: { name: string }) => each.name),
      ['Stage1'],
    );
    const hidden = await get(scene.ids.source.resourceId);
    assert.deepEqual([hidden.status, hidden.code], [403, 'AuthorizationFailed']);
    assert.match(
      hidden.json.error.message,
      /perform action 'Microsoft\.ContainerRegistry\/registries\/read' over scope/,
    );
    scene.arm.behaviour.listFilters = false;
    assert.equal((await list()).code, 'AuthorizationFailed');
  });

  it('says which right an import lacks, on the target and on the source', async () => {
    const { digest } = scene.source.world.putImage('app');
    const attempt = () => scene.importImage(`app@${digest}`, { untaggedTargetRepositories: ['app'] });
    const allow = (registry: 'source' | 'target', ...actions: string[]) =>
      scene.arm.access.assignments.push({ objectId: me, scope: scene.ids[registry].resourceId, actions });
    allow('target', 'Microsoft.ContainerRegistry/registries/read');
    const first = await attempt();
    assert.deepEqual([first.status, first.code], [403, 'AuthorizationFailed']);
    assert.match(first.json.error.message, /registries\/importImage\/action' over scope '.*\/registries\/Stage1'/);
    allow('target', ...importerActions);
    const second = await attempt();
    assert.deepEqual([second.status, second.code], [403, 'LinkedAuthorizationFailed']);
    assert.match(second.json.error.message, /action 'read' on the linked scope\(s\) '.*\/registries\/ci001'/);
    allow('source', 'Microsoft.ContainerRegistry/registries/read');
    const third = await scene.follow(await attempt());
    assert.match(third.last.json.error.message, new RegExp(`Access to ${scene.source.host} denied`));
    assert.equal(scene.target.world.has('app', digest), false);
    allow('source', ...importerActions);
    assert.deepEqual((await scene.follow(await attempt())).last.json, { status: 'Succeeded' });
    assert.equal(scene.target.world.has('app', digest), true);
  });

  it('tells of an operation only who has the address as it was signed, and where told, the right to follow', async () => {
    const { digest } = scene.source.world.putImage('app');
    const begun = await scene.importImage(`app@${digest}`, { untaggedTargetRepositories: ['app'] });
    const address = String(begun.headers.location);
    assert.ok(address.length > 2500, 'the signature is as long as that of the live one');
    assert.equal((await scene.send('GET', address.replace(/&h=.*/, ''))).status, 404);
    scene.arm.behaviour.followNeedsRight = true;
    scene.arm.access.assignments.push({ objectId: me, scope: scene.ids.target.resourceId, actions: importerActions });
    assert.equal((await scene.send('GET', address)).code, 'AuthorizationFailed');
  });
});
