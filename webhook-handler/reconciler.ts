/**
 * When to reconcile one registry with one organization, or everything by one plan: whole at start and on a timer, and soon after a hint.
 * Level-triggered: a run looks at what is, so a hint that is doubled, late or wrong changes nothing in the end.
 */
import type { Clock } from '../core/base/clock.ts';
import type { ReportItem } from '../core/lifecycle/report.ts';
import type { BuildKey } from '../core/lifecycle/rules.ts';
import type { Counters } from './counters.ts';
import { createHints, type HintBatch, type Hints } from './hints.ts';
import type { ErrorLogger } from './log.ts';

/** What one run is asked for. */
export interface RunRequest {
  readonly signal: AbortSignal;
  /** Hints: look at these builds alone. Without it: at everything. */
  readonly only?: readonly BuildKey[];
}

/** What one run tells. */
export interface RunReport {
  readonly items: readonly RunItem[];
  /** Why it stopped before a limit of deletions was passed. */
  readonly braked: string | undefined;
  /** What could not be read, or not be done at all; what failed for one image or build is among the items. */
  readonly failures?: readonly string[];
  /** Builds that have records, where the run counts them. */
  readonly builds?: number;
}

/** One line of it; where it is told whose build it is, a hint of that build can be tried again. */
export interface RunItem extends Pick<ReportItem, 'subject' | 'outcome' | 'reason'> {
  readonly projectId?: string | undefined;
  readonly buildId?: number | undefined;
}

/** What a reconciler is made of. */
export interface ReconcilerOptions {
  /** As it stands in the log. */
  readonly name: string;
  readonly reconcile: (request: RunRequest) => Promise<RunReport>;
  /** Milliseconds from the end of one whole run to the next. */
  readonly everyMs: number;
  /** Milliseconds from the end of one run to the start of the next, hints or not. */
  readonly minimumIntervalMs: number;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: ErrorLogger;
}

/** Runs reconciliations, one after another. */
export interface Reconciler {
  readonly hints: Pick<Hints, 'addBuild' | 'addWhole'>;
  /** Whether the first run has begun. */
  started(): boolean;
  /** Runs until `signal` is aborted, then ends with the change in hand. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** A registry of thousands of repositories may not answer for any; the log tells so many. */
const toldFailures = 50;

/** The pause after a first failure where the minimum interval is shorter; it doubles up to the timer's. */
const firstPauseMs = 5000;

/** Makes a reconciler; nothing runs before `run`. */
export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { clock, log, name } = options;
  let wake: (() => void) | undefined;
  const hints = createHints(() => wake?.());
  let started = false;
  let failures = 0;
  let nextWhole = Number.NEGATIVE_INFINITY;
  let earliest = Number.NEGATIVE_INFINITY;

  async function waitForTurn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pause = Math.max(earliest, Math.min(nextWhole, hints.dueAt())) - clock.now();
      if (pause <= 0) return;
      const waking = new AbortController();
      const stop = (): void => waking.abort();
      wake = stop;
      signal.addEventListener('abort', stop, { once: true });
      await clock.sleep(pause, waking.signal).catch(() => {});
      signal.removeEventListener('abort', stop);
    }
  }

  async function takeTurn(signal: AbortSignal): Promise<void> {
    const now = clock.now();
    if (nextWhole <= now) hints.addWhole();
    const batch = hints.take(now);
    // No builds at all must never be read as every build.
    if (!batch.whole && batch.builds.length === 0) return;
    const failed = await attempt(options, batch, signal);
    const end = clock.now();
    earliest = end + options.minimumIntervalMs;
    if (batch.whole) nextWhole = end + options.everyMs;
    if (signal.aborted) return;
    failures = failed ? failures + 1 : 0;
    if (!failed) return;
    const first = Math.max(options.minimumIntervalMs, firstPauseMs);
    const pause = Math.min(first * 2 ** Math.min(failures - 1, 30), options.everyMs);
    hints.postpone(failed, end + pause);
    log.info('will try again', { pairing: name, seconds: pause / 1000 });
  }

  return {
    hints,
    started: () => started,
    run: async signal => {
      while (!signal.aborted) {
        await waitForTurn(signal);
        if (signal.aborted) return;
        started = true;
        await takeTurn(signal);
      }
    },
  };
}

/** Runs once; gives what of the batch has to be tried again, undefined when nothing has. */
async function attempt(
  { reconcile, counters, log, name }: ReconcilerOptions,
  batch: HintBatch,
  signal: AbortSignal,
): Promise<HintBatch | undefined> {
  const kind = batch.whole ? 'whole' : 'hints';
  log.info('reconciliation began', { pairing: name, kind, hints: batch.builds.length });
  try {
    const report = await reconcile(batch.whole ? { signal } : { signal, only: batch.builds });
    const failed = leftOver(batch, report);
    tell({ counters, log, name }, kind, report);
    return failed;
  } catch (thrown) {
    if (signal.aborted) {
      log.info('reconciliation was stopped', { pairing: name, kind });
      return undefined;
    }
    counters.count('runs', 'failed');
    log.error('reconciliation failed', thrown, { pairing: name, kind });
    return batch;
  }
}

/** The hints that this run has not settled. A whole run that got to its end is not repeated before its time. */
function leftOver(batch: HintBatch, report: RunReport): HintBatch | undefined {
  if (report.braked !== undefined) return batch.whole ? undefined : batch;
  const failed = report.items.filter(item => item.outcome === 'failed');
  const keys = new Set(failed.map(item => `${item.projectId}/${item.buildId}`));
  // A failure of no build in particular is one of its whole project.
  const builds = batch.builds.filter(({ projectId, buildId }) =>
    [buildId, 0].some(id => keys.has(`${projectId}/${id}`)),
  );
  return builds.length > 0 ? { whole: false, builds } : undefined;
}

function tell(
  { counters, log, name }: Pick<ReconcilerOptions, 'counters' | 'log' | 'name'>,
  kind: string,
  report: RunReport,
): void {
  const totals: Record<string, number> = {};
  for (const { outcome, subject, reason, projectId, buildId } of report.items) {
    totals[outcome] = (totals[outcome] ?? 0) + 1;
    counters.count('items', outcome);
    if (outcome === 'failed') log.warn('failed', { pairing: name, subject, reason, projectId, buildId });
  }
  const { failures = [] } = report;
  for (const reason of failures.slice(0, toldFailures)) log.warn('failed', { pairing: name, reason });
  const more = failures.length - toldFailures;
  if (more > 0) log.warn('more failed', { pairing: name, failures: more });
  const braked = report.braked !== undefined;
  const isDone = totals['failed'] === undefined && failures.length === 0;
  counters.count('runs', braked ? 'braked' : isDone ? 'done' : 'incomplete');
  if (braked) {
    const go = 'webhook-handler reconcile --dry-run --plan plan.json, then --approve plan.json';
    log.warn('the brake stopped the deletion', { pairing: name, reason: report.braked, goOn: go });
  }
  log.info('reconciliation ended', { pairing: name, kind, builds: report.builds, ...totals });
}
