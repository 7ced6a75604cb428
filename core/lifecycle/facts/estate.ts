/** Everything that facts are read from: opened registries, organizations and clusters, by their names in the configuration. */
import type { AzureDevOps } from '../../azure-devops/connection.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Reading } from '../../base/reading.ts';
import type { GitHub } from '../../github/graphql.ts';
import type { HelmReleaseFact, UseFact } from '../../kubernetes/usage.ts';
import type { Registry } from '../../oci/registry.ts';

/** A registry to look at. */
export interface EstateRegistry {
  readonly name: string;
  readonly registry: Registry;
  /** Globs of the repositories that are looked at; of the others nothing is read and nothing goes. */
  readonly repositories: readonly string[];
  /** Whether clusters report into it what they run. */
  readonly reportsUsage: boolean;
  /** Clusters that must report, by the names of their reports; beside these, whichever reports are there. */
  readonly usageClusters?: readonly string[] | undefined;
}

/** A project whose images may go. */
export interface EstateProject {
  /** Lower-case GUID. */
  readonly id: string;
  /** As people call it; the id where that could not be read. */
  readonly name: string;
}

/** An organization of Azure DevOps Services, or a collection of Azure DevOps Server. */
export interface EstateOrganization {
  /** Its URL as in the configuration. */
  readonly name: string;
  readonly azureDevOps: AzureDevOps;
  /** Where classic releases are asked for: a host of their own in Services. */
  readonly releases: AzureDevOps;
  readonly projects: readonly EstateProject[];
}

/** What one look at a cluster gave. */
export interface ClusterReading {
  /** When it was looked at, in milliseconds; undefined where that is not known. */
  readonly takenAt: number | undefined;
  readonly uses: Reading<UseFact>;
  readonly releases: Reading<HelmReleaseFact>;
}

/** A cluster that is asked directly. */
export interface EstateCluster {
  readonly name: string;
  /** Reads all of it; never rejects: what failed is unread, with why. */
  readonly read: () => Promise<ClusterReading>;
}

/** All of it. */
export interface Estate {
  readonly registries: readonly EstateRegistry[];
  readonly organizations: readonly EstateOrganization[];
  readonly clusters: readonly EstateCluster[];
  /** Where git repositories outside of these organizations are asked for, each for its own host; none where left out. */
  readonly gitHosts?: readonly GitHub[] | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of each step, for people: a sentence without a full stop, and how far it is (0 to 1). */
  readonly onProgress?: (what: string, share: number) => void;
  readonly signal?: AbortSignal;
}
