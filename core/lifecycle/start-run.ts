/** Begins a run of the deletion: what its steps share. */
import { getCollectionId } from '../azure-devops/builds.ts';
import { AppError } from '../base/errors.ts';
import { createBrake } from './brake.ts';
import type { Plan, ReportItem } from './report.ts';
import type { Rules } from './rules.ts';
import { type Run, registryTime, type Surroundings } from './surroundings.ts';
import { createTimeBox } from './time-box.ts';
import type { TombstoneKey } from './tombstone.ts';
import type { LateVeto, Veto } from './veto.ts';

/** What a run is asked for. */
export interface RunRequest {
  /** Changes nothing, tells what would be done. */
  readonly dryRun?: boolean;
  /** A plan that a person approved: the brake lets its part of the fresh plan through. */
  readonly approved?: Plan;
  /** What a keep plan forbids. */
  readonly veto?: Veto;
  /** What forbids a deletion that the keep plan could not know of. */
  readonly lateVeto?: LateVeto;
  /** What nobody approved: it is not done, as under a veto, and has its grace behind it all the same when somebody does. */
  readonly unapproved?: Veto;
  /**
   * When it was looked at what is needed, by the registry's clock, in milliseconds: nothing goes of which the grace ended
   * later, because what needs it was asked in its grace, and is to be asked after it.
   */
  readonly lookedAt?: number;
  /** Whether the time is over: asked before anything new is begun. */
  readonly until?: () => boolean;
  readonly signal?: AbortSignal;
}

/** What a run begins with. */
export interface Start {
  readonly surroundings: Surroundings;
  readonly rules: Rules;
  readonly request: RunRequest;
  readonly collectionId: string;
  /** What the brake counts: all tombstones of the registry, and how many builds left something in it. */
  readonly known: { readonly tombstones: readonly TombstoneKey[]; readonly builds: number };
  readonly report: (item: ReportItem) => void;
}

/** Begins a run. Throws where the registry's time cannot be told. */
export function startRun({ surroundings, rules, request, collectionId, known, report }: Start): Run {
  const { dryRun = false, approved, signal, veto, lateVeto, unapproved, lookedAt, until } = request;
  const limits = rules.brake;
  return {
    ...surroundings,
    rules,
    collectionId,
    dryRun,
    signal,
    veto,
    lateVeto,
    unapproved,
    lookedAt,
    timeBox: createTimeBox(until),
    brake: createBrake({ limits, ...known, now: registryTime(surroundings), approved, dryRun }),
    needed: new Map(),
    report,
  };
}

/** The id of the organization's collection. Throws `AZURE_DEVOPS_UNAVAILABLE`. */
export async function readCollectionId({ azureDevOps }: Pick<Surroundings, 'azureDevOps'>): Promise<string> {
  const answer = await getCollectionId(azureDevOps);
  if (answer.kind === 'found') return answer.id;
  throw new AppError(`Nothing was reconciled: ${answer.reason}`, { code: 'AZURE_DEVOPS_UNAVAILABLE', retryable: true });
}
