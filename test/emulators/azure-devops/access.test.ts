import assert from 'node:assert/strict';
import { createTls } from '../tls.ts';
import { issueToken } from '../tokens.ts';
import { ask } from './ask.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from './azure-devops.ts';

const azureDevOpsResource = '499b84ac-1321-427f-aa17-267ca6975798';

function basic(password: string, user = ''): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

describe('the emulated door', () => {
  let emulator: AzureDevOpsEmulator;
  beforeEach(async () => {
    emulator = await startAzureDevOps({ acceptedTokens: ['third', { value: 'reader', rights: ['read'] }] });
  });
  afterEach(() => emulator.close());

  const as = (authorization: string, path = '_apis/projects', init: RequestInit = {}) =>
    ask(emulator, path, { ...init, headers: { authorization } });

  it('lets in a personal access token by Basic and a job token by Bearer, and not the other way round', async () => {
    const { pat, token } = emulator;
    const statuses = [basic(pat), basic(pat, 'anybody'), `Bearer ${token}`, 'Bearer third', basic('third')];
    for (const good of statuses) assert.equal((await as(good)).status, 200, good);
    for (const bad of ['', basic(token), `Bearer ${pat}`, basic('wrong'), 'Bearer wrong', 'Bearer a.b.c']) {
      assert.equal((await as(bad)).status, 203, bad);
    }
    emulator.access.revoke(pat);
    assert.equal((await as(basic(pat))).status, 203);
  });

  it('shows a page, redirects or refuses, as told', async () => {
    const page = await as('Bearer wrong');
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    assert.match(page.text, /Azure DevOps Services \| Sign In/);
    emulator.world.behaviour.signIn = 'redirect';
    const redirect = await as('Bearer wrong');
    assert.deepEqual([redirect.status, new URL(redirect.headers.get('location') ?? '').pathname], [302, '/_signin']);
    emulator.world.behaviour.signIn = 'unauthorized';
    assert.equal((await as('Bearer wrong')).status, 401);
  });

  it('takes a token that Entra made for Azure DevOps, and none that it made for others or that is over', async () => {
    const exp = Math.floor(emulator.clock.now() / 1000) + 3600;
    const bearer = (claims: Readonly<Record<string, unknown>>): string => `Bearer ${issueToken({ exp, ...claims })}`;
    assert.equal((await as(bearer({ aud: azureDevOpsResource }))).status, 200);
    assert.equal((await as(bearer({ aud: 'https://containerregistry.azure.net' }))).status, 203);
    emulator.clock.advance(2 * 3600 * 1000);
    assert.equal((await as(bearer({ aud: azureDevOpsResource }))).status, 203);
  });

  it('says 403 in the words of Azure DevOps where a right is missing', async () => {
    const project = emulator.world.addProject();
    assert.equal((await as('Bearer reader')).status, 200);
    const write = await as('Bearer reader', `${project.id}/_apis/build/retention/leases`, {
      method: 'POST',
      body: '[]',
    });
    assert.equal(write.status, 403);
    assert.equal(write.json.typeKey, 'AccessDeniedException');
    assert.equal((await as('Bearer reader', '_apis/hooks/subscriptions')).status, 403);
  });

  it('answers 401 as a server does, below its collection, over TLS', async () => {
    const tls = await createTls();
    const server = await startAzureDevOps({
      flavour: 'server',
      tls,
      collectionId: '12345678-1234-4234-8234-123456789012',
    });
    try {
      assert.match(server.url, /^https:\/\/localhost:\d+\/tfs\/DefaultCollection$/);
      assert.equal(server.collectionId, '12345678-1234-4234-8234-123456789012');
      const { get } = await import('node:https');
      const status = await new Promise(resolve =>
        get(`${server.url}/_apis/projects`, { ca: tls.ca }, response => resolve(response.resume().statusCode)),
      );
      assert.equal(status, 401);
    } finally {
      await server.close();
    }
  });

  it('gives the OIDC token of a service connection to the job itself and to nobody else', async () => {
    const { id: projectId } = emulator.world.addProject({ name: 'Shop' });
    const connection = emulator.addServiceConnection({ projectId, name: 'acr' });
    const job = emulator.startJob(projectId);
    const other = emulator.startJob(projectId);
    const request = (token: string, id = connection.id) =>
      fetch(`${job.oidcRequestUri}?api-version=7.1&serviceConnectionId=${id}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      });
    const { oidcToken } = (await (await request(job.accessToken)).json()) as { oidcToken: string };
    const claims = JSON.parse(Buffer.from(oidcToken.split('.')[1] ?? '', 'base64url').toString());
    const { issuer, subject, audience } = connection.federation;
    assert.deepEqual([claims.iss, claims.sub, claims.aud], [issuer, subject, audience]);
    assert.deepEqual([subject, audience], ['sc://contoso/Shop/acr', 'api://AzureADTokenExchange']);
    assert.equal((await request(other.accessToken)).status, 403);
    assert.equal((await request(emulator.token)).status, 403);
    assert.equal((await request('nobody')).status, 203);
    assert.equal((await request(job.accessToken, '00000000-0000-4000-8000-000000000000')).status, 404);
  });
});
