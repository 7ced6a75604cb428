/**
 * Lets builds go that a stage does not run any more, after the deployment of another one has succeeded. The one place
 * that frees leases: nothing else in this project calls `deleteLease`; a test holds that.
 */
import { deleteLease, type Lease, listLeases } from '../azure-devops/leases.ts';
import { inputError } from '../base/errors.ts';
import { type LeaseDeps, type LeaseOwner, nameOwner, retainBuild } from './retain-build.ts';

/** Whose leases, and which of them stay. */
export interface LetGoRequest {
  readonly owner: LeaseOwner;
  /** The project and the pipeline of the builds. */
  readonly projectId: string;
  readonly definitionId: number;
  /** The builds that the stage runs now, each retained by this run. They always stay. */
  readonly currentBuilds: readonly number[];
  /** How many builds stay, of those that the stage got last. */
  readonly keepLeases: number;
}

/** What was done. */
export interface LetGoResult {
  readonly freed: readonly Lease[];
  /** The owner's other leases. */
  readonly kept: readonly Lease[];
  /** Why less was freed than there was to free; undefined where nothing went wrong. */
  readonly problem?: string;
}

/**
 * A lease that is younger may be that of a promotion which still runs and will deploy last: only its own success says
 * which build the stage has then. A job of a hosted agent ends within hours.
 */
const sparedMs = 24 * 60 * 60_000;

/**
 * Frees the leases of exactly this owner and pipeline, but for those of the newest builds, of the current ones, and of
 * the last day. Never throws for what Azure DevOps answers: what cannot be read stays. Throws `INPUT_INVALID` for a
 * `keepLeases` that is no number of builds.
 */
export async function letGoLeases(deps: LeaseDeps, request: LetGoRequest): Promise<LetGoResult> {
  const { azureDevOps } = deps;
  const { owner, projectId, definitionId, currentBuilds, keepLeases } = request;
  if (!Number.isSafeInteger(keepLeases) || keepLeases < 0) {
    throw inputError(`keepLeases is ${keepLeases}; it must be the number of builds to keep.`);
  }
  const ownerId = nameOwner(owner);
  const listed = await listLeases(azureDevOps, { projectId, definitionId, ownerId });
  if (listed.kind === 'unknown') return { freed: [], kept: [], problem: listed.reason };
  const { leases } = listed;
  const lost = currentBuilds.filter(buildId => !leases.some(lease => lease.runId === buildId));
  if (lost.length > 0) return { freed: [], kept: leases, problem: await takeAgain(deps, request, lost) };
  const now = azureDevOps.time();
  if (now === undefined) {
    return { freed: [], kept: leases, problem: `${azureDevOps.url} sends no Date, so no age can be reckoned` };
  }
  return freeEach(deps, projectId, leases, chooseLeases(leases, { currentBuilds, keepLeases, now }));
}

/** What {@link chooseLeases} goes by. `now` is the server's time in milliseconds, as `createdOn` is. */
export interface Choice extends Pick<LetGoRequest, 'currentBuilds' | 'keepLeases'> {
  readonly now: number;
}

/**
 * The leases to free, oldest first. Several leases on one build stay or go together, and the newest of them says how new
 * the build is: a rerun does not push others out, and a build that is deployed again is the newest.
 */
export function chooseLeases(leases: readonly Lease[], { currentBuilds, keepLeases, now }: Choice): Lease[] {
  const oldestFirst = [...leases].sort((a, b) => takenAt(a) - takenAt(b) || a.leaseId - b.leaseId);
  const newestBuilds = [...new Set(oldestFirst.map(lease => lease.runId).reverse())].slice(0, keepLeases);
  const young = leases.filter(lease => now - takenAt(lease) < sparedMs).map(lease => lease.runId);
  const kept = new Set([...currentBuilds, ...newestBuilds, ...young]);
  return oldestFirst.filter(lease => !kept.has(lease.runId));
}

function takenAt(lease: Lease): number {
  return Date.parse(lease.createdOn);
}

/**
 * One by one, and no further than the first that fails. Nothing is asked again in between: a promotion that comes
 * meanwhile takes a lease of its own, which is not among these.
 */
async function freeEach(
  { azureDevOps, log }: LeaseDeps,
  projectId: string,
  leases: readonly Lease[],
  chosen: readonly Lease[],
): Promise<LetGoResult> {
  const freed: Lease[] = [];
  for (const lease of chosen) {
    const result = await deleteLease(azureDevOps, projectId, lease.leaseId);
    if (result.kind === 'denied' || result.kind === 'unknown') {
      return { freed, kept: leases.filter(each => !freed.includes(each)), problem: result.reason };
    }
    const done = result.kind === 'freed' ? 'Freed' : 'Found freed';
    log.info(
      `${done} the lease ${lease.leaseId} of ${lease.createdOn} on build ${lease.runId} of project ${projectId}.`,
    );
    freed.push(lease);
  }
  return { freed, kept: leases.filter(lease => !freed.includes(lease)) };
}

/** The stage runs a build that nothing holds: somebody freed its lease, or another promotion that ended first did. */
async function takeAgain(deps: LeaseDeps, request: LetGoRequest, builds: readonly number[]): Promise<string> {
  const { owner, projectId, definitionId } = request;
  const said: string[] = [];
  for (const buildId of builds) {
    const result = await retainBuild(deps, { owner, projectId, definitionId, buildId });
    const outcome = result.kind === 'added' ? 'was taken again' : `could not be taken again (${describe(result)})`;
    said.push(`the lease on build ${buildId} was not there any more and ${outcome}`);
  }
  return `${said.join('; ')}; nothing was let go`;
}

function describe(result: { readonly kind: string; readonly reason?: string }): string {
  return result.reason ?? 'there is no such build any more';
}
