/** One look at everything that is configured, and one plan of it that is carried out. */
import { carryOut } from '../core/lifecycle/cleaning/carry-out.ts';
import { type CleanPlan, makeCleanPlan } from '../core/lifecycle/cleaning/clean-plan.ts';
import type { CleanReport } from '../core/lifecycle/cleaning/clean-report.ts';
import { lookAtEstate } from '../core/lifecycle/cleaning/look.ts';
import { listNotRead, type NotRead } from '../core/lifecycle/cleaning/not-read.ts';
import { toPlanRules } from '../core/lifecycle/configuration/plan-rules.ts';
import type { ConnectedEstate } from './estate.ts';

/** What to do. */
export interface CleanRequest {
  readonly signal: AbortSignal;
  /** Only looks. */
  readonly dryRun?: boolean;
  /** What a person approved: only what stands in it as well is done, and the brake lets that through. */
  readonly approved?: CleanPlan | undefined;
  /** Awaited before anything is changed. */
  readonly onPlan?: (plan: CleanPlan) => Promise<void>;
}

/** What came of it. */
export interface CleanResult {
  /** What was to be done by the look of this run. */
  readonly plan: CleanPlan;
  readonly notRead: NotRead;
  /** Undefined where it only looked. */
  readonly report?: CleanReport;
}

/**
 * Looks, plans, and carries the plan out. Each run has a look of its own: what an earlier one saw lets nothing go. Throws
 * like `lookAtEstate` where not even looking could be begun, and the signal's reason; what fails later stands in the report.
 */
export async function clean(connected: ConnectedEstate, request: CleanRequest): Promise<CleanResult> {
  const { configuration, organizations } = connected;
  const { dryRun = false, approved, signal } = request;
  const estate = connected.open(signal);
  const look = await lookAtEstate(estate, toPlanRules(configuration, organizations), organizations);
  signal.throwIfAborted();
  for (const each of look.unseen) estate.log.debug(each);
  const plan = makeCleanPlan(look.facts, look.plan, configuration);
  const notRead = listNotRead(look);
  await request.onPlan?.(plan);
  if (dryRun) return { plan, notRead };
  const { facts, plan: keepPlan } = look;
  const report = await carryOut(estate, { configuration, organizations, facts, plan: keepPlan, approved, signal });
  return { plan, notRead, report };
}

/** 3 where a brake waits for a person, else 1 where anything failed or was not read, else 0. */
export function exitCodeOfClean({ report, notRead }: Pick<CleanResult, 'report' | 'notRead'>): 0 | 1 | 3 {
  if (report && report.braked.length > 0) return 3;
  const failed = report && (report.failures.length > 0 || report.items.some(({ outcome }) => outcome === 'failed'));
  return failed || notRead.everything.length > 0 || notRead.some.length > 0 ? 1 : 0;
}
