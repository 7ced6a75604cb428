/**
 * Carries out a plan: every registry is reconciled with every organization under the plan's veto, then what no record names
 * is released, and what has no tag deleted. What the plan knows was read minutes ago, so everything is asked again before
 * it is changed. Run at any time, and as often as one likes: what one run leaves, the next one does.
 */
import { AppError, errorMessage, hasCode } from '../../base/errors.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { listPairings, type Pairing } from '../configuration/pairings.ts';
import { toPlanRules } from '../configuration/plan-rules.ts';
import type { ResolvedOrganization } from '../configuration/resolve-projects.ts';
import type { Estate, EstateOrganization, EstateRegistry } from '../facts/estate.ts';
import type { KeepPlan } from '../keep-policy/keep-plan.ts';
import type { PlanFacts } from '../keep-policy/policy-facts.ts';
import { reconcile } from '../reconcile.ts';
import type { ReportItem } from '../report.ts';
import type { RunRequest } from '../start-run.ts';
import type { Surroundings } from '../surroundings.ts';
import type { Veto } from '../veto.ts';
import type { CleanPlan } from './clean-plan.ts';
import type { CleanItem, CleanReport } from './clean-report.ts';
import { freedBytes } from './freed-bytes.ts';
import { type Leaving, listLeaving } from './leaving.ts';
import { releasesOf, vetoByPlan } from './plan-veto.ts';
import { releaseUnrecorded } from './release-unrecorded.ts';
import { sweepUntagged } from './sweep-untagged.ts';

/** What is carried out. */
export interface CarryOutRequest {
  readonly configuration: Configuration;
  readonly organizations: readonly ResolvedOrganization[];
  readonly plan: KeepPlan;
  /** What the plan was reckoned from. */
  readonly facts: PlanFacts;
  /** What a person approved: only what stands in it as well is done, and the brake lets that through. */
  readonly approved?: CleanPlan | undefined;
  /** Whether the time is over: asked before anything new is begun. */
  readonly until?: (() => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Carries out a plan. What fails in one registry stands in the report, and the others go on. Throws the signal's reason
 * where the run is ended, and `DEFECT` where plan and facts are not of one look.
 */
export async function carryOut(estate: Estate, request: CarryOutRequest): Promise<CleanReport> {
  throw new AppError(`Not yet: ${estate.registries.length} ${request.plan.hash}`, { code: 'DEFECT' });
}
