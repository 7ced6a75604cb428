import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Action, Right } from '../emulators/acr/access.ts';
import { type Cleaning, day, openCleaning } from './cleaning.ts';
import { linesOf, warningsOf } from './promotion.ts';
import { assertFailed, assertKept, assertMasked, assertSucceeded } from './step.ts';

const policy = 'keep: { deployed: false, references: [] }';
const readerActions: Action[] = ['pull', 'metadata_read', 'catalog'];
const cleanerActions: Action[] = [...readerActions, 'push', 'delete'];

/** The catalog, and these actions where images and records are. */
function leastRights(actions: Action[]): Right[] {
  const repositories = ['shop/*', 'library/*', 'image-lifecycle/*'];
  return [{ repository: '*', actions: ['catalog'] }, ...repositories.map(repository => ({ repository, actions }))];
}

describe('CleanImages and its connections', () => {
  let cleaning: Cleaning;
  beforeEach(async () => {
    cleaning = await openCleaning();
    await cleaning.configure(policy);
    await cleaning.build({ id: 100, repositories: ['shop/web'] });
    await cleaning.build({ id: 201, definitionId: 13, repositories: ['library/base'], registry: cleaning.prod });
    cleaning.clock.advance(2 * day);
    cleaning.devOps.world.deleteBuild(100);
    cleaning.devOps.world.deleteBuild(201);
    for (const { requests } of [cleaning.ci, cleaning.prod]) requests.clear();
  });
  afterEach(() => cleaning.close());

  /** A principal with rights on everything in these registries. */
  const grant = (rights: { ci?: Action[]; prod?: Action[] }) => {
    const principal = cleaning.addPrincipal();
    for (const name of ['ci', 'prod'] as const) {
      const actions = rights[name];
      if (!actions) continue;
      const { id, objectId } = principal;
      cleaning.identities[name].push({ name: id, objectId, rights: [{ repository: '*', actions }] });
    }
    return principal;
  };
  const endpointsOf = (...principals: ReturnType<typeof grant>[]) =>
    Object.fromEntries(principals.map(({ id, endpoint }) => [id, endpoint]));

  it('opens a registry by its own connection, and the others by an Azure connection, without asking who may', async () => {
    const azure = grant({ prod: cleanerActions });
    const outcome = await cleaning.clean(
      { mode: 'plan-and-apply', containerRegistries: 'ci-connection', azureSubscriptions: azure.id },
      { endpoints: endpointsOf(azure) },
    );
    assertSucceeded(outcome);
    assert.deepEqual(cleaning.ci.world.tags('shop/web'), {});
    assert.deepEqual(cleaning.prod.world.tags('library/base'), {});
    assert.equal(outcome.variables['deletions'], '2');
    assert.equal(cleaning.prod.requests.all().filter(each => each.query['n'] === '1').length, 0);
    const secret = azure.endpoint.parameters?.['serviceprincipalkey'] ?? '';
    assertMasked(outcome, secret);
    assertKept(outcome, secret);
    assertKept(outcome, 'admin-password');
  });

  it('tries several Azure connections in their order, and takes the first that may list the registry', async () => {
    const [one, two] = [grant({ ci: cleanerActions }), grant({ prod: cleanerActions })];
    const outcome = await cleaning.clean(
      { mode: 'plan-and-apply', containerRegistries: '', azureSubscriptions: `${one.id}, ${two.id}` },
      { endpoints: endpointsOf(one, two) },
    );
    assertSucceeded(outcome);
    const lines = linesOf(outcome);
    assert.ok(lines.includes('ci is opened by connection 1 of azureSubscriptions.'), outcome.output);
    assert.ok(lines.includes('prod is opened by connection 2 of azureSubscriptions.'), outcome.output);
    assert.deepEqual(cleaning.prod.world.tags('library/base'), {});
  });

  it('tells what each was answered where none may, and then nothing is deleted anywhere', async () => {
    const [one, two] = [grant({ ci: cleanerActions }), grant({ ci: readerActions })];
    const run = (mode: string) =>
      cleaning.clean(
        { mode, containerRegistries: '', azureSubscriptions: `${one.id},${two.id}` },
        { endpoints: endpointsOf(one, two) },
      );
    const planned = await run('plan');
    assert.equal(planned.result, 'SucceededWithIssues', planned.output);
    assert.match(
      planned.message,
      /^Everything stays, because the (?:repositories|build records) of prod were not read: /,
    );
    assert.ok(Number(planned.variables['unread']) >= 1);
    assert.equal(planned.variables['deletions'], '0');
    const warning = warningsOf(planned).find(each => each.startsWith('No connection may list')) ?? '';
    assert.match(warning, /of prod\. connection 1 of azureSubscriptions: .* connection 2 of azureSubscriptions: /);
    const applied = await run('plan-and-apply');
    assertFailed(
      applied,
      /^Nothing may be deleted, because the (?:repositories|build records) of prod were not read: /,
    );
    assert.deepEqual(cleaning.changes(), []);
  });

  it('plans with an identity that may only read, and fails to apply with it, naming the right', async () => {
    const reader = grant({ ci: readerActions, prod: readerActions });
    const run = (mode: string) =>
      cleaning.clean(
        { mode, containerRegistries: '', azureSubscriptions: reader.id },
        { endpoints: endpointsOf(reader) },
      );
    const planned = await run('plan');
    assertSucceeded(planned);
    assert.equal(planned.variables['deletions'], '2');
    assertFailed(
      await run('plan-and-apply'),
      /could not be done: .*no permission for "repository:image-lifecycle\/tombs/,
    );
    assert.equal(Object.keys(cleaning.ci.world.tags('shop/web')).length, 1);
  });

  it('asks Azure DevOps by the job, and by nobody else', async () => {
    assertSucceeded(await cleaning.clean());
    assert.deepEqual(cleaning.entra.requests, []);
  });

  it('asks Azure DevOps by the identity of azureDevOpsConnection, where the job itself may not', async () => {
    const principal = cleaning.addPrincipal();
    const job = { url: cleaning.devOps.url, scheme: 'OAuth', parameters: { AccessToken: 'revoked-access-token' } };
    const run = (azureDevOpsConnection: string) =>
      cleaning.clean(
        { azureDevOpsConnection },
        { endpoints: { [principal.id]: principal.endpoint, SYSTEMVSSCONNECTION: job } },
      );
    assertFailed(await run(''), /could not be looked up: .*azureDevOpsConnection|could not be looked up: /);
    const outcome = await run(principal.id);
    assertSucceeded(outcome);
    assert.equal(outcome.variables['deletions'], '2');
    const scopes = cleaning.entra.requests.flatMap(({ scope }) => scope ?? []);
    assert.deepEqual([...new Set(scopes)], ['499b84ac-1321-427f-aa17-267ca6975798/.default']);
    assertKept(outcome, principal.endpoint.parameters?.['serviceprincipalkey'] ?? '');
  });

  it('finds clusters by their server or their context, and says which is missing', async () => {
    const { cluster, agent } = cleaning;
    await writeFile(join(agent.sources, 'kubeconfig'), cluster.kubeconfig());
    const endpoints = { aks: cleaning.clusterConnection() };
    const helm = 'keep: { references: [], helmRevisions: 0 }';
    await cleaning.configure(`clusters: [{ name: a, server: "${cluster.url}" }]\n${helm}`);
    assertSucceeded(await cleaning.clean({ kubernetesConnections: 'aks' }, { endpoints }));
    await cleaning.configure(`clusters: [{ name: a, context: emulator }]\n${helm}`);
    assertSucceeded(await cleaning.clean({ kubeconfig: 'kubeconfig' }));
    await cleaning.configure(`clusters: [{ name: a }]\n${helm}`);
    assertSucceeded(await cleaning.clean({ kubernetesConnections: 'aks' }, { endpoints }));
    await cleaning.configure('clusters: [{ name: a, context: other }]');
    cleaning.cluster.requests.clear();
    assertFailed(
      await cleaning.clean({ kubeconfig: 'kubeconfig' }),
      /^The cluster a of the configuration: no Kubernetes connection and no context of the kubeconfig has the context "other"\. There are: .* or name what opens this cluster in the input kubernetesConnections or kubeconfig\.$/,
    );
    assertFailed(
      await cleaning.clean({ kubernetesConnections: 'gone' }),
      /input kubernetesConnections: there is no serv/,
    );
    assert.deepEqual(cluster.requests.entries, []);
  });

  it('asks a cluster for its Secrets only where a policy is about Helm', async () => {
    const { cluster } = cleaning;
    const asked = async (keep: string) => {
      await cleaning.configure(`clusters: [{ name: a, server: "${cluster.url}" }]\nkeep: { references: [], ${keep} }`);
      cluster.requests.clear();
      const endpoints = { aks: cleaning.clusterConnection() };
      assertSucceeded(await cleaning.clean({ kubernetesConnections: 'aks' }, { endpoints }));
      return cluster.requests.entries.filter(each => each.operation.endsWith(' secrets')).length;
    };
    assert.ok((await asked('helmRevisions: 3')) > 0);
    assert.equal(await asked('deployed: false'), 0);
  });
});

describe('CleanImages by the least rights that its page names', () => {
  for (const abac of [false, true]) {
    it(`audits, plans and applies in a registry ${abac ? 'with' : 'without'} conditions on repositories`, async () => {
      const cleaning = await openCleaning({ abac });
      try {
        await cleaning.configure(policy);
        await cleaning.build({ id: 100, repositories: ['shop/web'] });
        cleaning.clock.advance(2 * day);
        cleaning.devOps.world.deleteBuild(100);
        const modes: [mode: string, actions: Action[]][] = [
          ['audit', ['pull', 'metadata_read']],
          ['plan', ['pull', 'metadata_read']],
          ['plan-and-apply', ['pull', 'metadata_read', 'push', 'delete']],
        ];
        for (const [mode, actions] of modes) {
          const { id, endpoint, objectId } = cleaning.addPrincipal();
          for (const name of ['ci', 'prod'] as const) {
            cleaning.identities[name].push({ name: id, objectId, rights: leastRights(actions) });
          }
          const outcome = await cleaning.clean(
            { mode, containerRegistries: '', azureSubscriptions: id },
            { endpoints: { [id]: endpoint } },
          );
          assertSucceeded(outcome);
        }
        assert.deepEqual(cleaning.ci.world.tags('shop/web'), {});
      } finally {
        await cleaning.close();
      }
    });
  }
});
