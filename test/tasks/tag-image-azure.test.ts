import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { type AcrEmulator, startAcr } from '../emulators/acr/acr.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../emulators/azure-devops/azure-devops.ts';
import { type EntraEmulator, startEntra } from '../emulators/entra/entra.ts';
import { createTls } from '../emulators/tls.ts';
import { issueToken } from '../emulators/tokens.ts';
import {
  type AgentFolder,
  makeAgentFolder,
  runTask,
  type TaskOutcome,
  type TaskRun,
  type TestEndpoint,
} from '../support/run-task.ts';
import { assertFailed, assertKept, assertMasked, assertSucceeded, projectId } from './step.ts';

const [tenantId, writer, reader] = [randomUUID(), randomUUID(), randomUUID()];
const secret = 'k~8Q/secret+with=signs%';
const records = `image-lifecycle/builds/${projectId}`;

const admin = (registry: string): TestEndpoint => ({
  scheme: 'UsernamePassword',
  parameters: { registry: `https://${registry}`, username: 'admin', password: 'admin-password' },
  data: { registrytype: 'Others' },
});

describe('TagImage on Azure', () => {
  let acr: AcrEmulator;
  let entra: EntraEmulator;
  let devOps: AzureDevOpsEmulator;
  let agent: AgentFolder;
  let caFile: string;
  let digest: string;

  before(async () => {
    const tls = await createTls();
    agent = await makeAgentFolder();
    caFile = join(agent.path, 'ca.pem');
    await writeFile(caFile, tls.ca);
    const write = ['pull', 'push', 'metadata_read'] as const;
    acr = await startAcr({
      tls,
      abac: true,
      identities: [
        { name: 'admin', password: 'admin-password', rights: [{ repository: '*', actions: write }] },
        // Container Registry Repository Writer, by condition on these repositories alone.
        {
          name: 'writer',
          appId: writer,
          password: secret,
          rights: ['team/*', records].map(repository => ({ repository, actions: write })),
        },
        { name: 'reader', appId: reader, rights: [{ repository: '*', actions: ['pull'] }] },
      ],
    });
    entra = await startEntra({ tls });
    devOps = await startAzureDevOps({ tls });
    devOps.world.addProject({ id: projectId, name: 'Web Shop' });
    digest = acr.world.putImage('team/app', { tags: ['built'] }).digest;
    acr.world.putImage('other/app', { tags: ['built'] });
  });
  after(() => Promise.all([acr.close(), entra.close(), devOps.close(), agent.remove()]));

  function run(number: number, endpoint: TestEndpoint, more: Partial<TaskRun> = {}): Promise<TaskOutcome> {
    const job = devOps.startJob(projectId);
    const { inputs, variables, ...rest } = more;
    return runTask(agent, {
      task: 'TagImage',
      inputs: {
        connectionType: 'azureResourceManager',
        azureSubscription: connectionId,
        registry: acr.host,
        images: 'team/app:built',
        tags: '$(Build.BuildId)',
        outputDirectory: '$(Build.ArtifactStagingDirectory)/azure',
        ...inputs,
      },
      variables: { 'Build.BuildId': String(number), 'System.OidcRequestUri': job.oidcRequestUri, ...variables },
      endpoints: {
        [connectionId]: endpoint,
        SYSTEMVSSCONNECTION: { url: devOps.url, scheme: 'OAuth', parameters: { AccessToken: job.accessToken } },
      },
      environment: { NODE_EXTRA_CA_CERTS: caFile },
      ...rest,
    });
  }

  const connectionId = randomUUID();
  const azure = (scheme: string, parameters: Record<string, string>): TestEndpoint => ({
    url: 'https://management.azure.com/',
    scheme,
    parameters: { tenantid: tenantId, ...parameters },
    data: { environment: 'AzureCloud', activeDirectoryAuthority: `${entra.url}/`, subscriptionId: randomUUID() },
  });
  const secretOf = (clientId: string, key = secret) =>
    azure('ServicePrincipal', { serviceprincipalid: clientId, serviceprincipalkey: key, authenticationType: 'spnKey' });

  it('signs in with workload identity federation', async () => {
    const { federation } = devOps.addServiceConnection({ projectId, id: connectionId, name: 'registry' });
    entra.directory.addApplication({ tenantId, clientId: writer, secret, federated: [federation] });
    const outcome = await run(500, azure('WorkloadIdentityFederation', { serviceprincipalid: writer }));
    assertSucceeded(outcome);
    assert.equal(acr.world.digest('team/app', '500'), digest);
    assert.equal(outcome.variables['digest'], digest);
    assert.ok(devOps.requests.count('oidcToken') > 0);
    assert.deepEqual(new Set(acr.requests.all({ status: 201 }).map(request => request.identity)), new Set(['writer']));
    const masked = outcome.commands.filter(command => command.name === 'task.setsecret').map(command => command.data);
    assert.ok(masked.length >= 2, 'the job token and the OIDC token');
    for (const each of masked) assertKept(outcome, each);
  });

  it('signs in with a service principal and its key, which stays secret', async () => {
    const outcome = await run(501, secretOf(writer));
    assertSucceeded(outcome);
    assert.equal(acr.world.digest('team/app', '501'), digest);
    assertMasked(outcome, secret);
    assertKept(outcome, secret);
  });

  it('signs in with a certificate, whose key stays secret', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'pipeline' }], { keyType: 'rsa' });
    const outcome = await run(
      511,
      azure('ServicePrincipal', {
        serviceprincipalid: writer,
        authenticationType: 'spnCertificate',
        servicePrincipalCertificate: `${key}\n${cert}`,
      }),
    );
    // The emulated Entra knows no certificates: what arrived there was signed with ours.
    assertFailed(outcome, /AADSTS700027/);
    for (const line of key.split(/\r?\n/).filter(each => each.length > 8 && !each.startsWith('---')))
      assertKept(outcome, line);
  });

  it('signs in with the managed identity of the agent', async () => {
    const asked: (string | null)[] = [];
    const server = createServer((request, response) => {
      const resource = new URL(request.url ?? '', 'http://localhost').searchParams.get('resource');
      asked.push(resource);
      const expires = Math.floor(Date.now() / 1000) + 3600;
      const token = issueToken({ aud: resource, appid: writer, oid: randomUUID(), exp: expires });
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({ access_token: token, expires_on: String(expires), resource, token_type: 'Bearer' }),
      );
    });
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
    try {
      const { port } = server.address() as { port: number };
      // As an Azure service tells it: https://learn.microsoft.com/azure/app-service/overview-managed-identity
      const identity = { IDENTITY_ENDPOINT: `http://127.0.0.1:${port}/token`, IDENTITY_HEADER: 'x' };
      const environment = { NODE_EXTRA_CA_CERTS: caFile, ...identity };
      assertSucceeded(await run(512, azure('ManagedServiceIdentity', {}), { environment }));
      assert.equal(acr.world.digest('team/app', '512'), digest);
      assert.deepEqual(asked, ['https://containerregistry.azure.net']);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('leaves out an output variable that would be too long, and says so', async () => {
    const names = Array.from({ length: 120 }, (_, number) => `team/many/app${number}`);
    for (const name of names) acr.world.putImage(name, { tags: ['built'] });
    const images = names.map(name => `${name}:built`).join('\n');
    const outcome = await run(513, secretOf(writer), { inputs: { images } });
    assertSucceeded(outcome);
    assert.equal(outcome.variables['images'], undefined);
    const warning = outcome.commands.find(command => command.name === 'task.logissue');
    assert.match(warning?.data ?? '', /images is not set: 120 images are too long for one\. Read images\.json/);
  });

  it('says what Entra says of a wrong key, and keeps the key secret', async () => {
    const wrong = 'wr0ng+key/==';
    const outcome = await run(502, secretOf(writer, wrong));
    assertFailed(outcome, /Microsoft Entra gave no token .*AADSTS7000215/);
    assertMasked(outcome, wrong);
    assertKept(outcome, wrong);
    assert.equal(acr.world.digest('team/app', '502'), undefined);
  });

  it('names the scope that is missing: on the images, and on the records', async () => {
    entra.directory.addApplication({ tenantId, clientId: reader, secret });
    assertFailed(
      await run(503, secretOf(reader)),
      /no permission for "repository:image-lifecycle\/builds\/[^"]*:pull,push"/,
    );
    const elsewhere = await run(503, secretOf(writer), { inputs: { images: 'other/app:built' } });
    assertFailed(elsewhere, /no permission for "repository:other\/app:pull"/);
    const project = randomUUID();
    const foreign = await run(503, secretOf(writer), { variables: { 'System.TeamProjectId': project } });
    assertFailed(foreign, new RegExp(`no permission for "repository:image-lifecycle/builds/${project}:pull"`));
    assert.equal(acr.world.digest('team/app', '503'), undefined, 'no tag without a record');
  });

  it('says so where Azure DevOps gives no token for the connection', async () => {
    const endpoint = azure('WorkloadIdentityFederation', { serviceprincipalid: writer });
    const inputs = { azureSubscription: randomUUID() };
    const outcome = await run(504, endpoint, {
      inputs,
      endpoints: {
        [inputs.azureSubscription]: endpoint,
        SYSTEMVSSCONNECTION: { scheme: 'OAuth', parameters: { AccessToken: devOps.startJob(projectId).accessToken } },
      },
    });
    assertFailed(outcome, /Azure DevOps gave no token for the service connection \(status 40\d\)/);
    const none = await run(504, endpoint, { variables: { 'System.OidcRequestUri': undefined } });
    assertFailed(none, /agent offers no token for a federated service connection/);
  });

  it('names the schemes that it can use', async () => {
    assertFailed(await run(505, azure('PublishProfile', {})), /signs in with "publishprofile"\. Use one with workload/);
    const without = { ...secretOf(writer), parameters: { tenantid: tenantId } };
    assertFailed(await run(505, without), /input azureSubscription: its service connection has no service principal/);
  });

  it('uses a Docker registry connection of the kind "Azure Container Registry"', async () => {
    const inputs = { connectionType: 'dockerRegistry', containerRegistry: connectionId };
    const parameters = { loginServer: acr.host, tenantId };
    const data = { registrytype: 'ACR', activeDirectoryAuthority: entra.url };
    const principal = { servicePrincipalId: 'writer', servicePrincipalKey: secret };
    const byKey = { scheme: 'ServicePrincipal', parameters: { ...parameters, ...principal }, data };
    const outcome = await run(506, byKey, { inputs });
    assertSucceeded(outcome);
    assertKept(outcome, secret);
    assert.equal(acr.world.digest('team/app', '506'), digest);
    const federated = {
      scheme: 'WorkloadIdentityFederation',
      parameters: { ...parameters, servicePrincipalId: writer },
      data,
    };
    assertSucceeded(await run(507, federated, { inputs }));
    assert.equal(acr.world.digest('team/app', '507'), digest);
  });

  describe('through the agent’s own network', () => {
    const inputs = { connectionType: 'dockerRegistry', containerRegistry: connectionId };
    it("trusts the agent's certificate authority", async () => {
      const variables = { 'Agent.CAInfo': caFile };
      assertSucceeded(await run(508, admin(acr.host), { inputs, variables, environment: {} }));
      assert.equal(acr.world.digest('team/app', '508'), digest);
    });

    it('trusts it for Microsoft Entra too', async () => {
      const variables = { 'Agent.CAInfo': caFile };
      assertSucceeded(await run(511, secretOf(writer), { variables, environment: {} }));
      assert.equal(acr.world.digest('team/app', '511'), digest);
    });

    it('says what to do about a certificate that it does not trust, at once', async () => {
      const outcome = await run(509, admin(acr.host), { inputs, environment: {} });
      assertFailed(outcome, /certificate is not trusted here: name its authority in NODE_EXTRA_CA_CERTS/);
      assert.ok(outcome.milliseconds < 5000, `${outcome.milliseconds} ms`);
    });

    it("goes through the agent's proxy, and keeps its password secret", async () => {
      const tunnels: { target: string; authorization: string | undefined }[] = [];
      const proxy = createServer().on('connect', (request: IncomingMessage, socket: Socket) => {
        tunnels.push({ target: request.url ?? '', authorization: request.headers['proxy-authorization'] });
        // Whoever asks for whatever gets this registry, whose certificate is not that of the name.
        const target = connect(Number(acr.host.split(':')[1]), '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
          target.pipe(socket).pipe(target);
        });
        for (const each of [socket, target]) each.on('error', () => each.destroy());
      });
      await new Promise<void>(done => proxy.listen(0, '127.0.0.1', done));
      try {
        const { port } = proxy.address() as { port: number };
        const variables = {
          'Agent.ProxyUrl': `http://127.0.0.1:${port}`,
          'Agent.ProxyUsername': 'agent',
          'Agent.ProxyBypassList': JSON.stringify(['internal\\.example']),
        };
        const secretVariables = { 'Agent.ProxyPassword': 'pr@xy p%ss' };
        const outcome = await run(510, admin('registry.contoso.example'), { inputs, variables, secretVariables });
        assertFailed(outcome, /registry\.contoso\.example.*certificate/s);
        const authorization = `Basic ${Buffer.from('agent:pr@xy p%ss').toString('base64')}`;
        assert.deepEqual(tunnels, [{ target: 'registry.contoso.example:443', authorization }]);
        assertMasked(outcome, 'pr@xy p%ss');
        assertKept(outcome, 'pr@xy p%ss');
        // The Azure SDK takes the same way.
        const endpoint = secretOf(writer);
        const data = { ...endpoint.data, activeDirectoryAuthority: 'https://login.contoso.example' };
        await run(510, { ...endpoint, data }, { variables, secretVariables });
        assert.deepEqual(tunnels[1], { target: 'login.contoso.example:443', authorization });
      } finally {
        proxy.closeAllConnections();
        proxy.close();
      }
    });
  });
});
