/** The product's side of a bench: one reconciliation by a client that knows nothing yet, as a handler that just started. */
import { createAcrCredentials } from '../../core/acr/sign-in.ts';
import { connectAzureDevOps } from '../../core/azure-devops/connection.ts';
import { type Clock, systemClock } from '../../core/base/clock.ts';
import { silentLog } from '../../core/base/log.ts';
import { type ReconcileRequest, reconcile } from '../../core/lifecycle/reconcile.ts';
import type { Rules } from '../../core/lifecycle/rules.ts';
import { createHttp } from '../../core/oci/http.ts';
import { openRegistry } from '../../core/oci/registry.ts';
import { readPeakMB } from './peak-memory.ts';

/** What to reconcile, as text that can go to another process. */
export interface ClientOrder {
  readonly registry: { readonly host: string; readonly ca: string; readonly entraToken: string };
  readonly azureDevOps: { readonly url: string; readonly token: string };
  readonly rules: Rules;
  readonly request: Pick<ReconcileRequest, 'only'>;
  /** Whether it ends when it knows what there is to do. */
  readonly findOnly?: boolean;
}

/** What became of it. */
export interface ClientResult {
  /** Report items by their outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The first reason of each outcome that a bench does not expect. */
  readonly reasons: readonly string[];
  readonly braked: string | undefined;
  /** Pauses that were made, and their milliseconds added up; several requests may pause at the same time. */
  readonly waits: { readonly count: number; readonly ms: number };
  readonly seconds: number;
  /** Peak of the whole process. */
  readonly rssMB: number;
}

/** Runs an order, here or in a process of its own. */
export type RunClient = (order: ClientOrder) => Promise<ClientResult>;

/** Signs in with Entra and reconciles once, in this process. */
export const runHere: RunClient = async order => {
  const started = performance.now();
  const waits = { count: 0, ms: 0 };
  const clock = countWaits(waits);
  const { host, ca, entraToken } = order.registry;
  const http = createHttp({ ca, clock });
  const credentials = createAcrCredentials({ host, entraToken: async () => entraToken, http });
  const { url, token } = order.azureDevOps;
  const azureDevOps = connectAzureDevOps({
    url,
    token: async () => ({ kind: 'bearer', value: token }),
    clock,
    log: silentLog,
  });
  const registry = openRegistry({ address: host, credentials, http });
  const request = { ...order.request, ...(order.findOnly && { until: () => true }) };
  const report = await reconcile({ registry, azureDevOps, clock, log: silentLog }, order.rules, request);
  await http.close();
  const outcomes: Record<string, number> = {};
  const reasons = new Set<string>();
  for (const { outcome, subject, reason } of report.items) {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (['kept', 'failed'].includes(outcome) && reasons.size < 3) reasons.add(`${outcome} ${subject}: ${reason}`);
  }
  return {
    outcomes,
    reasons: [...reasons],
    braked: report.braked,
    waits,
    seconds: Math.round((performance.now() - started) / 100) / 10,
    rssMB: readPeakMB(),
  };
};

function countWaits(waits: { count: number; ms: number }): Clock {
  return {
    ...systemClock,
    sleep: (ms, signal) => {
      waits.count += 1;
      waits.ms += ms;
      return systemClock.sleep(ms, signal);
    },
  };
}
