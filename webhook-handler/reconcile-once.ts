/** One reconciliation of everything that is configured. */
import { AppError, errorMessage } from '../core/base/errors.ts';
import type { ConnectedPairing } from './connect.ts';
import type { FiledPlan } from './plan-file.ts';
import type { PairingResult } from './report-text.ts';

/** What to do. */
export interface OnceRequest {
  readonly dryRun: boolean;
  readonly approved: readonly FiledPlan[];
  readonly signal: AbortSignal;
}

/** Reconciles one pairing after another. A failure of one is told in its result and stops none of the others. */
export async function reconcileOnce(
  pairings: readonly ConnectedPairing[],
  { dryRun, approved, signal }: OnceRequest,
): Promise<PairingResult[]> {
  const results: PairingResult[] = [];
  for (const { registry, organization, reconcile } of pairings) {
    const names = { registry: registry.url, organization: organization.url };
    const plan = approved.find(one => one.registry === names.registry && one.organization === names.organization)?.plan;
    try {
      signal.throwIfAborted();
      results.push({ ...names, report: await reconcile({ dryRun, signal, ...(plan && { approved: plan }) }) });
    } catch (thrown) {
      const code = thrown instanceof AppError ? thrown.code : 'DEFECT';
      const message = signal.aborted ? 'it was stopped before its end' : errorMessage(thrown);
      results.push({ ...names, error: { code, message } });
    }
  }
  return results;
}

/** 3 where a brake waits for a person, else 1 where anything failed, else 0. */
export function exitCodeOf(results: readonly PairingResult[]): 0 | 1 | 3 {
  if (results.some(({ report }) => report?.braked !== undefined)) return 3;
  const failed = results.some(({ report }) => !report || report.items.some(item => item.outcome === 'failed'));
  return failed ? 1 : 0;
}
