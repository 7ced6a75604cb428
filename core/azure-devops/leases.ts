/**
 * Retention leases: while one is valid, Azure DevOps leaves its build alone, and nobody deletes the build by hand.
 * https://learn.microsoft.com/rest/api/azure/devops/build/leases
 */
import * as z from 'zod';
import { buildId as id } from './build-body.ts';
import type { AzureDevOps } from './connection.ts';
import { checkIds, isRefusal, misunderstood, type Unknown, unknown } from './unknown.ts';

/** A lease, as Azure DevOps tells it. */
export interface Lease {
  readonly leaseId: number;
  /** The build that it holds. */
  readonly runId: number;
  readonly definitionId: number;
  readonly ownerId: string;
  /** ISO 8601, by the server's clock. */
  readonly createdOn: string;
}

/** Whose leases, of which pipeline. The project is the one of the builds. */
export interface LeaseScope {
  readonly projectId: string;
  readonly definitionId: number;
  readonly ownerId: string;
}

/** A lease to take. */
export interface NewLease extends LeaseScope {
  readonly buildId: number;
  readonly daysValid: number;
}

/** All leases that were asked for. */
export type ListedLeases = { readonly kind: 'found'; readonly leases: readonly Lease[] } | Unknown;

/** Nothing was changed for want of a right; `reason` names it. */
export interface Denied {
  readonly kind: 'denied';
  readonly reason: string;
}

/** What became of a lease that was to be taken. `buildGone` is Azure DevOps' own "no such build". */
export type AddedLease =
  | { readonly kind: 'added'; readonly lease: Lease }
  | { readonly kind: 'buildGone' }
  | Denied
  | Unknown;

/**
 * Either of the two permissions seems to be enough, for taking and for freeing; only the scope is documented. The build
 * service of a project has the first one there by default, and nothing in other projects.
 */
const right =
  '"Update build information" or "Retain indefinitely" on that pipeline, and a personal access token the scope vso.build_execute';

const leaseBody = z.object({
  leaseId: id,
  runId: id,
  definitionId: id,
  ownerId: z.string(),
  createdOn: z.iso.datetime({ offset: true }),
});
const leaseList = z.object({ count: z.int().nonnegative(), value: z.array(leaseBody) });

/** A lease that is younger than this was taken by the request whose answer was lost, or as good as that. */
const justNowMs = 15 * 60_000;
const attempts = 2;

/**
 * Takes a lease. A write whose answer was lost may have been done, so it is not sent again before a look at the list:
 * a lease that is there is taken for ours.
 */
export async function addLease(ado: AzureDevOps, wanted: NewLease): Promise<AddedLease> {
  const { projectId, buildId, definitionId } = wanted;
  const what = `a retention lease on build ${buildId} of pipeline ${definitionId} in project ${projectId}`;
  const wrong = checkIds(what, projectId, definitionId, buildId);
  if (wrong !== undefined) return wrong;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await postLease(ado, what, wanted);
    if (answer.kind !== 'lost') return answer;
    const listed = await listLeases(ado, wanted);
    if (listed.kind === 'unknown') return { kind: 'unknown', reason: answer.reason };
    const since = (ado.time() ?? 0) - justNowMs;
    const lease = listed.leases.find(each => each.runId === buildId && Date.parse(each.createdOn) >= since);
    if (lease !== undefined) return { kind: 'added', lease };
    if (attempt === attempts) return { kind: 'unknown', reason: answer.reason };
  }
}

type PostedLease = AddedLease | { readonly kind: 'lost'; readonly reason: string };

async function postLease(ado: AzureDevOps, what: string, wanted: NewLease): Promise<PostedLease> {
  const { projectId, definitionId, ownerId, daysValid, buildId: runId } = wanted;
  const answer = await ado.ask({
    what,
    method: 'POST',
    path: [projectId, '_apis', 'build', 'retention', 'leases'],
    // A pipeline goes with all of its builds, so the lease holds the pipeline as well.
    body: [{ daysValid, definitionId, ownerId, runId, protectPipeline: true }],
    right,
  });
  if (isRefusal(answer, 'BuildNotFoundException')) return { kind: 'buildGone' };
  if (isRefusal(answer, 'ProjectDoesNotExistException', 'ProjectDoesNotExistWithNameException')) {
    return {
      kind: 'denied',
      reason: `${what}: the project is not there or may not be seen; a job that is limited to its own project sees no other. Give the identity ${right}`,
    };
  }
  if (answer.kind === 'refused') return unknown(what, answer);
  if (answer.kind === 'unknown') {
    return { kind: answer.denied === true ? 'denied' : 'lost', reason: answer.reason };
  }
  const body = leaseList.safeParse(answer.body);
  if (!body.success) return { kind: 'lost', reason: misunderstood(what, body.error).reason };
  const lease = body.data.value.find(each => each.runId === runId && isIn(wanted)(each));
  return lease === undefined || body.data.value.length > 1
    ? { kind: 'lost', reason: `${what}: the answer held another lease; check the URL` }
    : { kind: 'added', lease };
}

/**
 * Lists the leases of exactly that owner on builds of exactly that pipeline. A server that ignores a filter changes
 * nothing: the rest is left out here. The resource has no pages.
 */
export async function listLeases(ado: AzureDevOps, scope: LeaseScope): Promise<ListedLeases> {
  const { projectId, definitionId, ownerId } = scope;
  const what = `the retention leases of ${ownerId} on pipeline ${definitionId} in project ${projectId}`;
  const listed = await askLeases(ado, what, { projectId, query: { ownerId, definitionId } });
  return listed.kind === 'unknown' ? listed : { kind: 'found', leases: listed.leases.filter(isIn(scope)) };
}

/** Lists the leases of all owners on builds of exactly that pipeline. */
export async function listLeasesOfPipeline(
  ado: AzureDevOps,
  { projectId, definitionId }: Omit<LeaseScope, 'ownerId'>,
): Promise<ListedLeases> {
  const what = `the retention leases on pipeline ${definitionId} in project ${projectId}`;
  const listed = await askLeases(ado, what, { projectId, query: { definitionId } });
  if (listed.kind === 'unknown') return listed;
  return { kind: 'found', leases: listed.leases.filter(lease => lease.definitionId === definitionId) };
}

async function askLeases(
  ado: AzureDevOps,
  what: string,
  { projectId, query }: { readonly projectId: string; readonly query: Readonly<Record<string, string | number>> },
): Promise<ListedLeases> {
  const wrong = checkIds(what, projectId, Number(query['definitionId']));
  if (wrong !== undefined) return wrong;
  const path = [projectId, '_apis', 'build', 'retention', 'leases'];
  const answer = await ado.ask({ what, path, query });
  if (answer.kind !== 'ok') return unknown(what, answer);
  const body = leaseList.safeParse(answer.body);
  if (!body.success) return misunderstood(what, body.error);
  const { count, value } = body.data;
  if (count !== value.length)
    return { kind: 'unknown', reason: `${what}: the answer counts ${count} and holds ${value.length}` };
  return { kind: 'found', leases: value };
}

function isIn({ ownerId, definitionId }: LeaseScope): (lease: Lease) => boolean {
  return lease => lease.ownerId === ownerId && lease.definitionId === definitionId;
}

/**
 * Frees a lease. From then on retention may delete the build, so `core/lifecycle/let-go-leases.ts` alone calls this.
 * A lost answer is `unknown`: the lease may be gone.
 */
export async function deleteLease(
  ado: AzureDevOps,
  projectId: string,
  leaseId: number,
): Promise<{ readonly kind: 'freed' } | { readonly kind: 'alreadyGone' } | Denied | Unknown> {
  const what = `the retention lease ${leaseId} of project ${projectId}`;
  const wrong = checkIds(what, projectId, leaseId);
  if (wrong !== undefined) return wrong;
  const path = [projectId, '_apis', 'build', 'retention', 'leases'];
  const answer = await ado.ask({ what, method: 'DELETE', path, query: { ids: leaseId }, right });
  if (answer.kind === 'ok') return { kind: 'freed' };
  if (isRefusal(answer, 'RetentionLeaseNotFoundException')) return { kind: 'alreadyGone' };
  if (answer.kind === 'unknown' && answer.denied === true) return { kind: 'denied', reason: answer.reason };
  return unknown(what, answer);
}
