/** The builds of which Azure DevOps is asked, and what the registries know of them. Pure data. */
import type { AbsenceScope } from '../evidence.ts';
import type { BuildName } from '../keep-policy/policy-facts.ts';

/** A build as one record tells it. Where Azure DevOps has the build, its own word counts. */
export interface RecordedBuildFact {
  readonly build: BuildName;
  readonly definition: number;
  readonly number: string;
  /** The name of its git repository, or the URL. */
  readonly repository: string;
  /** As `refs/heads/main`. */
  readonly branch: string;
  readonly commit: string;
}

/** A tombstone that says since when a build was not found. */
export interface SightingFact {
  readonly build: BuildName;
  readonly definition: number;
  /** `released`: the absence was confirmed, or the build said "deleted" itself, and images were let go. */
  readonly scope: AbsenceScope | 'released';
  /** When it was written, in milliseconds by the clock of the registry. */
  readonly time: number;
}

/** What is asked for. */
export interface AskedBuilds {
  readonly records: readonly RecordedBuildFact[];
  readonly sightings: readonly SightingFact[];
  /** Ids that tags of images without a record hold, by organization; their project is not known. */
  readonly candidates?: ReadonlyMap<string, readonly number[]>;
}
