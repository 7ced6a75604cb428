/** What a reconciliation did and why, for people and for exit codes. Pure data. */
import type { BuildKey } from './rules.ts';

/** What became of one thing. */
export type Outcome =
  | 'released' /* the build's tags were taken off */
  | 'deleted' /* the manifest was deleted */
  | 'alreadyGone'
  | 'kept' /* for the reason that is given */
  | 'restored' /* the build turned out to live: its tags are back */
  | 'failed';

/** One line of the report: one image, or one build where `subject` is not an image. */
export interface ReportItem extends BuildKey {
  /** `repository@digest`, `repository:tag`, or `build 4711`. */
  readonly subject: string;
  readonly outcome: Outcome;
  /** A sentence. */
  readonly reason: string;
}

/** A build to release, and how many images that takes from it. */
export interface PlannedRelease extends BuildKey {
  readonly images: number;
}

/** A plan for people to approve: the builds to release, and the images to delete, each as `repository@digest`. */
export interface Plan {
  readonly release: readonly PlannedRelease[];
  readonly collect: readonly string[];
}

/** The result of one reconciliation. */
export interface Report {
  readonly items: readonly ReportItem[];
  /** What was done, or in a dry run would be done. */
  readonly plan: Plan;
  /** Why it stopped before a limit of deletions was passed; undefined when it did not. */
  readonly braked: string | undefined;
  /** How far it came, as a sentence, where its time was over before all was done; the next run goes on. */
  readonly stopped?: string | undefined;
  /** Builds that have records in the registry; of a run by hints, those of them that were looked at, or all. */
  readonly builds: number;
}
