/** What is read of one registry: its facts for the plan, and what else its records and tombstones tell of builds. */
import type { Digest } from '../../oci/digest.ts';
import type { Manifest } from '../../oci/manifest.ts';
import type { AbsenceScope } from '../evidence.ts';
import type { BuildName, ImageFact, RecordFact, RegistryFacts } from '../keep-policy/policy-facts.ts';

/** A record as the plan knows it, and what it says of its build besides: its own words, which nobody has checked. */
export interface RecordedBuildFact extends RecordFact {
  /** As Azure DevOps called it. */
  readonly number: string;
  /** The git repository's name, not its URL; empty where the record does not say. */
  readonly repository: string;
  /** As `refs/heads/main`. */
  readonly branch: string;
  readonly commit: string;
  /** When it was written, in milliseconds, by the clock of whoever wrote it. */
  readonly createdAt: number;
  /** Why nobody can be asked for its build: it is unknown for ever, and holds what the record names. */
  readonly stranger?: string | undefined;
}

/** A build that a tombstone calls absent. A registry has at most one of each for a build, as a rule. */
export interface AbsenceFact {
  readonly build: BuildName;
  readonly definition: number;
  /** What was absent at this first sighting; `released`: its end was confirmed once, so that no waiting is left. */
  readonly seen: AbsenceScope | 'released';
  /** By the registry's clock. */
  readonly since: number;
}

/** Everything that was read of one registry. */
export interface RegistryReading {
  /** Its records are {@link builds}. */
  readonly facts: RegistryFacts;
  /** One for each record; empty where the records are unread. */
  readonly builds: readonly RecordedBuildFact[];
  /** Empty where the records are unread. */
  readonly absences: readonly AbsenceFact[];
  /** Records that contradict their place or are of another collection, each with why: they only hold what they name. */
  readonly foreign: readonly string[];
}

/** An image as it was listed, to decide whether it may go. */
export interface ListedImage {
  /** The registry's name in the configuration. */
  readonly registry: string;
  readonly repository: string;
  /** Its subject may not be read yet. */
  readonly image: ImageFact;
}

/** Where a manifest was read. */
export interface ManifestPlace {
  /** Host of the registry. */
  readonly host: string;
  readonly repository: string;
  readonly digest: Digest;
}

/** Told of every manifest that is read, each digest once in a run; whoever keeps its bytes keeps much. */
export type OnManifest = (manifest: Manifest, place: ManifestPlace) => void;
