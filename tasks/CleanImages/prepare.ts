/** Everything that a step works with, opened: what is wrong with its inputs is found here, before anything is asked. */
import type { CleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import type { Configuration } from '../../core/lifecycle/configuration/configuration.ts';
import type { EstateCluster } from '../../core/lifecycle/facts/estate.ts';
import type { Http } from '../../core/oci/http.ts';
import { connectOrganization, type Organization } from '../agent/azure-devops.ts';
import { hostOf } from '../agent/sign-in.ts';
import { readApprovedPlan } from './approved-plan.ts';
import { assumeClusters, openClusters } from './clusters.ts';
import { assumeConfiguration, readConfiguration } from './configuration.ts';
import { type CleanImagesInputs, readInputs } from './inputs.ts';
import { matchRegistries, type OwnConnection, type RegistryCandidates, readOwnConnections } from './registries.ts';

/** One step, ready to begin. */
export interface Job {
  readonly inputs: CleanImagesInputs;
  readonly configuration: Configuration;
  /** Undefined in every mode but `apply`. */
  readonly approved: CleanPlan | undefined;
  readonly registries: readonly RegistryCandidates[];
  /** By their URLs in the configuration. */
  readonly organizations: ReadonlyMap<string, Organization>;
  readonly clusters: readonly EstateCluster[];
}

/** Reads and opens. Nothing is sent. Throws `INPUT_INVALID` or `SIGN_IN_FAILED`, naming the input. */
export async function prepare(http: Http): Promise<Job> {
  const inputs = readInputs();
  const { connections } = inputs;
  const own = await readOwnConnections(connections, http);
  const configuration = await configure(inputs, own);
  const approved = inputs.approved && (await readApprovedPlan(inputs.approved, configuration));
  const { azureSubscriptions, azureDevOpsConnection: id } = connections;
  const registries = await matchRegistries(configuration.registries, own, { azureSubscriptions, http });
  const organizations = new Map(
    configuration.organizations.map(({ url }) => [
      url,
      connectOrganization(url, { id, input: 'azureDevOpsConnection' }, http),
    ]),
  );
  const clusters = await openClusters(configuration.clusters, connections);
  return { inputs, configuration, approved, registries, organizations, clusters };
}

async function configure(inputs: CleanImagesInputs, own: readonly OwnConnection[]): Promise<Configuration> {
  if (inputs.configuration) return readConfiguration(inputs.configuration);
  const registries = new Map(
    [...inputs.registries, ...own.map(each => each.address)].map(address => [hostOf(address), address]),
  );
  return assumeConfiguration({
    registries: [...registries.values()],
    clusters: await assumeClusters(inputs.connections),
  });
}
