/** What carrying out a plan did and why, for people and for exit codes. Pure data. */
import type { BuildName } from '../keep-policy/policy-facts.ts';
import type { ReportItem } from '../report.ts';

/** One line of the report. */
export interface CleanItem extends Pick<ReportItem, 'subject' | 'outcome' | 'reason'> {
  /** The registry's name in the configuration. */
  readonly registry: string;
  /** On whose account it is; undefined for what has no tag, and for a project as a whole. */
  readonly build: BuildName | undefined;
}

/** The result of one run over all registries. Each sentence names its registry. */
export interface CleanReport {
  readonly items: readonly CleanItem[];
  /**
   * Bytes of the images that were deleted and of which the registry has no other copy, as it tells the size of each: layers
   * that images share are among them more than once.
   */
  readonly freedBytes: number;
  /** Why it stopped before a limit of deletions was passed. */
  readonly braked: readonly string[];
  /** How far it came, where the time was over before all was done. */
  readonly stopped: readonly string[];
  /** What could not be done at all. What failed for one image or build is among the items. */
  readonly failures: readonly string[];
}
