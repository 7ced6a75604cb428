import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { AcrEmulator } from '../emulators/acr/acr.ts';
import type { TaskRun, TestEndpoint } from '../support/run-task.ts';
import { chartOf, writeFiles } from './packaging.ts';
import { recordImages } from './promotion.ts';
import { type AzureBench, addressOf, azureConnection, openAzure } from './promotion-azure.ts';
import { assertFailed, assertKept, assertSucceeded, projectId } from './step.ts';

const records = `image-lifecycle/builds/${projectId}`;

describe('PackageChart on Azure', () => {
  let bench: AzureBench;
  before(async () => {
    bench = await openAzure();
    await writeFiles(join(bench.agent.sources, 'web'), chartOf('web', 'shop/web'));
  });
  after(() => bench.close());

  const pack = (buildId: number, registry: AcrEmulator, inputs: Record<string, string>, more: Partial<TaskRun> = {}) =>
    bench.step(
      buildId,
      { charts: 'web', registry: registry.host, helm: 'never', ...inputs },
      { task: 'PackageChart', ...more },
    );

  it('reads the record and pushes by workload identity federation and by a service principal', async () => {
    const [image] = await bench.record({ id: 950 }, 'shop/web');
    const federated = randomUUID();
    const endpoints = { [federated]: bench.federate(federated) };
    const first = await pack(950, bench.ci, { azureSubscription: federated, push: 'true' }, { endpoints });
    assertSucceeded(first);
    const digest = first.variables['chartdigest'] ?? '';
    assert.equal(bench.ci.world.tags('charts/web')['950'], digest);
    const again = await pack(950, bench.ci, { azureSubscription: azureConnection, push: 'true' });
    assertSucceeded(again);
    assert.equal(again.variables['chartdigest'], digest);
    assert.match(again.output, new RegExp(`Pinned shop/web@${image?.digest} at image of web`));
    assertKept(again, bench.secret);
  });

  it('needs no more than its page says', async () => {
    const writes = ['pull', 'push', 'metadata_read'] as const;
    const reads = ['pull', 'metadata_read'] as const;
    const registry = await bench.addRegistry({
      abac: true,
      identities: [
        { name: 'admin', password: 'admin-password', rights: [{ repository: '*', actions: writes }] },
        {
          name: 'reader',
          password: 'reader-password',
          rights: [records, 'shop/web'].map(repository => ({ repository, actions: reads })),
        },
        {
          name: 'writer',
          password: 'writer-password',
          rights: [records, 'charts/web'].map(repository => ({ repository, actions: writes })),
        },
      ],
    });
    const { digest } = registry.world.putImage('shop/web', { tags: ['built'] });
    const build = bench.addBuild({ id: 951 });
    await recordImages(addressOf(registry), build, [{ repository: 'shop/web', reference: digest }]);
    const as = (username: string): Partial<TaskRun> => ({
      endpoints: { own: connectionOf(registry, username) },
    });
    const signIn = { connectionType: 'dockerRegistry', containerRegistry: 'own' };
    assertSucceeded(await pack(951, registry, signIn, as('reader')));
    const before = registry.world.snapshot();
    assertFailed(await pack(951, registry, { ...signIn, push: 'true' }, as('reader')), /charts\/web/);
    assert.deepEqual(registry.world.snapshot(), before);
    assertSucceeded(await pack(951, registry, { ...signIn, push: 'true' }, as('writer')));
    assert.ok('951' in registry.world.tags('charts/web'));
  });
});

function connectionOf({ host }: AcrEmulator, username: string): TestEndpoint {
  return {
    scheme: 'UsernamePassword',
    parameters: { registry: `https://${host}`, username, password: `${username}-password` },
    data: { registrytype: 'Others' },
  };
}
