import { deepEqual, equal, match } from 'node:assert/strict';
import { configuredCluster } from '../../../../core/lifecycle/facts/configured-cluster.ts';
import { type Cluster, openCluster, podOf } from '../../kubernetes/cluster.ts';

describe('a cluster of the configuration', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await openCluster();
  });
  afterEach(() => cluster.close());
  const read = () => {
    const options = {
      keep: { helmRevisions: 10 },
      connect: async () => cluster.api,
      clock: { now: () => 7, sleep: async () => {} },
    };
    return configuredCluster({ name: 'aks', customResources: [] }, options).read();
  };

  it('tells what it runs, as of when it began to be asked', async () => {
    cluster.emulator.add('pods', podOf('web', 'ci.example/web:1'));
    const { takenAt, uses } = await read();
    equal(takenAt, 7);
    deepEqual(uses, { kind: 'whole', items: [{ image: 'ci.example/web:1', where: 'pod shop/web' }] });
  });

  it('is unread where it says that it runs nothing at all, as a proxy does that shows a tenant only its own', async () => {
    const { uses, releases } = await read();
    equal(releases.kind, 'whole');
    match(
      uses.kind === 'unread' ? uses.reason : '',
      /^it says that it runs nothing at all, which no cluster does: name the API server itself, and an identity that may/,
    );
  });
});
