/**
 * Carries out a plan: every registry is reconciled with every organization under the plan's veto, then what no record names
 * is released, and what has no tag is deleted. What the plan knows was read minutes ago, so everything is asked again before
 * it is changed. Run at any time, and as often as one likes: what one run leaves, the next one does.
 */
import type { Configuration } from '../configuration/configuration.ts';
import type { ResolvedOrganization } from '../configuration/resolve-projects.ts';
import type { Estate } from '../facts/estate.ts';
import type { KeepPlan } from '../keep-policy/keep-plan.ts';
import type { PlanFacts } from '../keep-policy/policy-facts.ts';
import { createTimeBox } from '../time-box.ts';
import type { CleanPlan } from './clean-plan.ts';
import { cleanRegistry, type RegistryReport } from './clean-registry.ts';
import type { CleanReport } from './clean-report.ts';
import { freedBytes } from './freed-bytes.ts';
import { listLeaving } from './leaving.ts';

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
  const departure = listLeaving(request.facts, request.plan);
  // Over for one registry is over for all.
  const timeBox = createTimeBox(request.until);
  const until = (): boolean => timeBox.isOver();
  const parts: RegistryReport[] = [];
  for (const [at, registry] of estate.registries.entries()) {
    estate.onProgress?.(`cleaning ${registry.name}`, at / estate.registries.length);
    parts.push(await cleanRegistry(estate, registry, { ...request, departure, until }));
  }
  const items = parts.flatMap(each => each.items);
  return {
    items,
    freedBytes: freedBytes(departure.places, items),
    braked: parts.flatMap(each => each.braked),
    stopped: parts.flatMap(each => each.stopped),
    failures: parts.flatMap(each => each.failures),
  };
}
