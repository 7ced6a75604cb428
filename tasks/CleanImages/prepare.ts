/** Everything that a step works with, opened: what is wrong with its inputs is found here, before anything is asked. */
import type { GitHub } from '../../core/github/graphql.ts';
import type { OfferedCluster } from '../../core/kubernetes/offered-cluster.ts';
import type { CleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import type { Configuration } from '../../core/lifecycle/configuration/configuration.ts';
import type { EstateCluster } from '../../core/lifecycle/facts/estate.ts';
import type { Http } from '../../core/oci/http.ts';
import { connectOrganization, type Organization } from '../agent/azure-devops.ts';
import { openGitHubs } from '../agent/git-hub.ts';
import { hostOf } from '../agent/sign-in.ts';
import { readApprovedPlan } from './approved-plan.ts';
import { assumeClusters, offerClusters, openClusters } from './clusters.ts';
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
  readonly gitHosts: readonly GitHub[];
}

/** Reads and opens. Nothing is sent. Throws `INPUT_INVALID` or `SIGN_IN_FAILED`, naming the input. */
export async function prepare(http: Http): Promise<Job> {
  const inputs = readInputs();
  const { connections } = inputs;
  const own = await readOwnConnections(connections, http);
  const offers = await offerClusters(connections);
  const configuration = inputs.configuration
    ? await readConfiguration(inputs.configuration)
    : assume(inputs.registries, own, offers);
  const approved = inputs.approved && (await readApprovedPlan(inputs.approved, configuration));
  const { azureSubscriptions, azureDevOpsConnection: id } = connections;
  const registries = await matchRegistries(configuration.registries, own, { azureSubscriptions, http });
  const organizations = new Map(
    configuration.organizations.map(({ url }) => [
      url,
      connectOrganization(url, { id, input: 'azureDevOpsConnection' }, http),
    ]),
  );
  const clusters = openClusters(configuration, offers);
  const gitHosts = (['gitHubConnections', 'gitHubEnterpriseConnections'] as const).flatMap(input =>
    openGitHubs({ input, ids: connections[input] }, http),
  );
  return { inputs, configuration, approved, registries, organizations, clusters, gitHosts };
}

function assume(
  registries: readonly string[],
  own: readonly OwnConnection[],
  offers: readonly OfferedCluster[],
): Configuration {
  const addresses = [...registries, ...own.map(each => each.address)];
  const distinct = new Map(addresses.map(address => [hostOf(address), address]));
  return assumeConfiguration({ registries: [...distinct.values()], clusters: assumeClusters(offers) });
}
