/** A task of one sentence, for a test: reads the clusters that it is told of. Its last line is JSON. */
import { pickCluster, type WantedCluster } from '../../../core/kubernetes/offered-cluster.ts';
import { readCluster } from '../../../core/kubernetes/read-cluster.ts';
import { listClusters } from '../../../tasks/agent/kubernetes.ts';
import { guardOutput, writeLine } from '../../../tasks/agent/output.ts';

/** What it is told. */
export interface ClustersJob {
  readonly connections: readonly string[];
  readonly kubeconfig: string;
  readonly wanted: WantedCluster;
}

/** What it says. */
export interface ClustersOutcome {
  readonly message?: string;
  readonly by?: string;
  readonly images?: readonly string[];
}

async function read({ connections, kubeconfig, wanted }: ClustersJob): Promise<ClustersOutcome> {
  const offers = await listClusters({
    connections: { input: 'kubernetesConnections', ids: connections },
    kubeconfig: { input: 'kubeconfig', path: kubeconfig },
  });
  const picked = pickCluster(offers, wanted);
  const { uses } = await readCluster(picked.connect());
  if (uses.kind === 'unread') return { by: picked.by, message: uses.reason };
  return { by: picked.by, images: uses.items.map(each => each.image) };
}

guardOutput();
const job = JSON.parse(process.argv[2] ?? '{}') as ClustersJob;
writeLine(JSON.stringify(await read(job).catch((thrown: Error) => ({ message: thrown.message }))));
process.exit();
