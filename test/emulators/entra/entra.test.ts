import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../azure-devops/azure-devops.ts';
import { createClock } from '../settable-clock.ts';
import { createTls, type TlsMaterial } from '../tls.ts';
import { issueToken, readToken } from '../tokens.ts';
import type { Application } from './directory.ts';
import { type EntraEmulator, startEntra } from './entra.ts';
import type { SignInRequest, SignInResult } from './identity-client.ts';

const acrScope = 'https://containerregistry.azure.net/.default';
const federation = {
  issuer: 'https://vstoken.example/org',
  subject: 'sc://org/shop/acr',
  audience: 'api://AzureADTokenExchange',
};

describe('@azure/identity on the emulated Entra', () => {
  let folder: string;
  let tls: TlsMaterial;
  let entra: EntraEmulator;
  let application: Application;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'entra-'));
    tls = await createTls();
    await writeFile(join(folder, 'ca.pem'), tls.ca);
  });
  beforeEach(async () => {
    entra = await startEntra({ tls, clock: createClock() });
    application = entra.directory.addApplication({ secret: 'a good secret', federated: [federation] });
  });
  afterEach(() => entra.close());
  after(() => rm(folder, { recursive: true }));

  /** Each request signs in afresh; the certificate is trusted the way that users do it. */
  const signIn = async (
    requests: ReadonlyArray<Partial<SignInRequest>>,
    oidcRequestUri = '',
  ): Promise<SignInResult[]> => {
    const { tenantId, clientId } = application;
    const base = { authorityHost: entra.url, tenantId, clientId, scope: acrScope };
    const file = fileURLToPath(new URL('identity-client.ts', import.meta.url));
    const text = JSON.stringify(requests.map(request => ({ ...base, ...request })));
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'), SYSTEM_OIDCREQUESTURI: oidcRequestUri };
    const child = spawn(process.execPath, ['--import', 'tsx', file, text], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(child, 'close');
    return JSON.parse(output) as SignInResult[];
  };
  const assertion = (claims: Readonly<Record<string, unknown>> = {}): string => {
    const now = Math.floor(entra.clock.now() / 1000);
    const { issuer: iss, subject: sub, audience: aud } = federation;
    return issueToken({ iss, sub, aud, exp: now + 600, ...claims });
  };
  const claimsOf = (result: SignInResult | undefined) => readToken(result?.token ?? '', entra.clock.now()) ?? {};

  it('gets a token for the resource that the scope names, with a secret as with an assertion', async () => {
    const arm = { secret: 'a good secret', scope: 'https://management.azure.com/.default' };
    const azureDevOps = { assertion: assertion(), scope: '499b84ac-1321-427f-aa17-267ca6975798/.default' };
    const results = await signIn([{ secret: 'a good secret' }, { assertion: assertion() }, arm, azureDevOps]);
    assert.deepEqual(
      results.map(result => result.error),
      [undefined, undefined, undefined, undefined],
    );
    const { tenantId: tid, clientId: appid, objectId: oid } = application;
    const claims = claimsOf(results[0]);
    assert.deepEqual([claims['tid'], claims['appid'], claims['oid']], [tid, appid, oid]);
    assert.equal(Number(claims['exp']) - Number(claims['iat']), 3600);
    assert.deepEqual(
      results.map(result => claimsOf(result)['aud']),
      [
        'https://containerregistry.azure.net',
        'https://containerregistry.azure.net',
        'https://management.azure.com',
        '499b84ac-1321-427f-aa17-267ca6975798',
      ],
    );
    const lifetime = (results[0]?.expiresOn ?? 0) - entra.clock.now();
    assert.ok(lifetime > 3_000_000 && lifetime <= 3_600_000);
  });

  it('is told why it gets none, in the words of Entra', async () => {
    application.expiredSecrets.add('an old secret');
    const forged = `${assertion().slice(0, -4)}AAAA`;
    const exp = Math.floor(entra.clock.now() / 1000) - 60;
    const cases: ReadonlyArray<readonly [Partial<SignInRequest>, RegExp]> = [
      [{ secret: 'wrong' }, /AADSTS7000215: Invalid client secret provided/],
      [{ secret: 'an old secret' }, /AADSTS7000222: .* expired/],
      [{ secret: 'x', clientId: '11111111-2222-4333-8444-555555555555' }, /AADSTS700016: Application with identifier/],
      [{ secret: 'a good secret', scope: 'https://containerregistry.azure.net' }, /AADSTS1002012/],
      [{ assertion: assertion({ sub: 'sc://org/shop/other' }) }, /AADSTS700213: No matching federated identity record/],
      [{ assertion: assertion({ iss: 'https://elsewhere' }) }, /AADSTS700211: .* issuer 'https:\/\/elsewhere'/],
      [{ assertion: assertion({ aud: 'api://other' }) }, /AADSTS700212: .* audience 'api:\/\/other'/],
      [{ assertion: assertion({ exp }) }, /AADSTS700024/],
      [{ assertion: forged }, /AADSTS700027/],
    ];
    const results = await signIn(cases.map(([request]) => request));
    for (const [index, [, reason]] of cases.entries()) {
      assert.equal(results[index]?.token, undefined);
      assert.match(results[index]?.error ?? '', reason);
    }
    const [noTenant] = await signIn([{ secret: 'x', tenantId: '99999999-2222-4333-8444-555555555555' }]);
    assert.equal(noTenant?.token, undefined);
  });

  it('fails while Entra is out of order, and says nothing of the secret', async () => {
    entra.outage = { status: 503, retryAfterSeconds: 1 };
    const [result] = await signIn([{ secret: 'a good secret' }]);
    assert.equal(result?.token, undefined);
    assert.ok(!JSON.stringify(entra.requests).includes('good secret'));
  });

  it('goes the way of a job: its own token, the OIDC token of the service connection, the token of the registry', async () => {
    const azureDevOps: AzureDevOpsEmulator = await startAzureDevOps({ tls });
    try {
      const { id: projectId } = azureDevOps.world.addProject({ name: 'Shop' });
      const connection = azureDevOps.addServiceConnection({ projectId, name: 'acr' });
      const job = azureDevOps.startJob(projectId);
      const request = { serviceConnectionId: connection.id, systemAccessToken: job.accessToken };
      const [untrusted] = await signIn([request], job.oidcRequestUri);
      assert.match(untrusted?.error ?? '', /AADSTS700211/);
      application.federated.push(connection.federation);
      const other = azureDevOps.startJob(projectId).accessToken;
      const [trusted, wrongJob] = await signIn([request, { ...request, systemAccessToken: other }], job.oidcRequestUri);
      assert.equal(claimsOf(trusted)['aud'], 'https://containerregistry.azure.net');
      assert.match(wrongJob?.error ?? '', /oidcToken field not detected[\s\S]*AccessDeniedException/);
    } finally {
      await azureDevOps.close();
    }
  });

  it('may discover the authority, whose addresses are its own', async () => {
    const { get } = await import('node:https');
    const read = (path: string): Promise<Record<string, string>> =>
      new Promise((resolve, reject) => {
        get(`${entra.url}${path}`, { ca: tls.ca, agent: false }, response => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString())));
        }).on('error', reject);
      });
    const configuration = await read(`/${application.tenantId}/v2.0/.well-known/openid-configuration`);
    assert.equal(configuration['token_endpoint'], `${entra.url}/${application.tenantId}/oauth2/v2.0/token`);
    const discovery = await read('/common/discovery/instance?api-version=1.1');
    assert.ok(discovery['tenant_discovery_endpoint']?.startsWith(entra.url));
  });
});
