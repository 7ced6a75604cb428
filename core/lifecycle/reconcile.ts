/** Reconciliation: holds what Azure DevOps says of the recorded builds against what is in the registry. */
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Registry } from '../oci/registry.ts';
import type { Plan, Report } from './report.ts';
import type { BuildKey, Rules } from './rules.ts';

/** What the verbs of deletion work with: one registry, one organization. */
export interface Surroundings {
  readonly registry: Registry;
  readonly azureDevOps: unknown;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What to reconcile. */
export interface ReconcileRequest {
  /** Changes nothing, tells what would be done. */
  readonly dryRun?: boolean;
  /** Hints: look at these builds alone, and only release. Without it: every recorded build, and collect. */
  readonly only?: readonly BuildKey[];
  /** A plan that a person approved: the brake lets its part of the fresh plan through. */
  readonly approved?: Plan;
  readonly signal?: AbortSignal;
}

/** Reconciles. Throws only when nothing could be read at all; else what failed is in the report. */
export async function reconcile(
  _surroundings: Surroundings,
  _rules: Rules,
  _request: ReconcileRequest,
): Promise<Report> {
  throw new Error('not there yet');
}
