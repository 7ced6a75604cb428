/** Retention leases: https://learn.microsoft.com/rest/api/azure/devops/build/leases */
import { readScope } from './build-routes.ts';
import { type Call, failure, list, ok, type Reply, type Route, readId } from './http.ts';
import type { Lease } from './leases.ts';
import type { World } from './world.ts';

/** Every operation on leases. */
export function leaseRoutes(world: World): Route[] {
  const base = '{project}/_apis/build/retention/leases';
  const inProject =
    (work: (call: Call, projectId: string) => Reply) =>
    (call: Call): Reply => {
      const scope = readScope(world, call);
      if ('status' in scope) return scope;
      return work(call, scope.project?.id ?? '');
    };
  const owned = (projectId: string): Lease[] =>
    world.leases.all().filter(lease => world.builds.get(lease.runId)?.projectId === projectId);
  return [
    {
      operation: 'leases.create',
      method: 'POST',
      pattern: base,
      right: 'execute',
      handle: inProject((call, id) => create(world, call, id)),
    },
    {
      operation: 'leases.list',
      method: 'GET',
      pattern: base,
      right: 'read',
      handle: inProject((call, id) => select(owned(id), call.query)),
    },
    {
      operation: 'leases.delete',
      method: 'DELETE',
      pattern: base,
      right: 'execute',
      handle: inProject(call => {
        for (const id of (call.query.get('ids') ?? '').split(',')) world.leases.remove(Number(id));
        return { status: 204 };
      }),
    },
    {
      operation: 'leases.get',
      method: 'GET',
      pattern: `${base}/{leaseId}`,
      right: 'read',
      handle: inProject((call, id) => {
        const found = owned(id).find(lease => lease.leaseId === Number(call.params['leaseId']));
        return found === undefined ? noLease(call) : ok(leaseBody(found));
      }),
    },
    {
      operation: 'leases.update',
      method: 'PATCH',
      pattern: `${base}/{leaseId}`,
      right: 'execute',
      handle: inProject(call => {
        const change = (call.body ?? {}) as { daysValid?: number; protectPipeline?: boolean };
        const found = world.leases.update(Number(call.params['leaseId']), change);
        return found === undefined ? noLease(call) : ok(leaseBody(found));
      }),
    },
    {
      operation: 'builds.leases',
      method: 'GET',
      pattern: '{project}/_apis/build/builds/{buildId}/leases',
      right: 'read',
      handle: inProject((call, projectId) => {
        const id = readId(call.params['buildId']);
        const build = id === undefined ? undefined : world.readBuild(id);
        if (build === undefined || build.projectId !== projectId) return noBuild(call.params['buildId'] ?? '');
        return list(world.leases.ofBuild(build.id).map(leaseBody));
      }),
    },
  ];
}

function create(world: World, call: Call, projectId: string): Reply {
  const wanted = call.body as Array<{
    daysValid: number;
    definitionId: number;
    ownerId: string;
    runId: number;
    protectPipeline?: boolean;
  }>;
  if (!Array.isArray(wanted) || wanted.length === 0)
    return failure(400, 'ArgumentNullException', 'Value cannot be null. Parameter name: newLeases');
  for (const lease of wanted) {
    const build = world.readBuild(lease.runId);
    if (build === undefined || build.deleted || build.projectId !== projectId) return noBuild(String(lease.runId));
    const valid = build.definitionId === lease.definitionId && lease.daysValid > 0 && Boolean(lease.ownerId);
    if (!valid) return failure(400, 'InvalidRetentionLeaseException', 'The retention lease is not valid.');
  }
  return list(wanted.map(lease => leaseBody(world.leases.add(lease))));
}

/** The three forms of the question: by owner, by user owner, and `leasesToFetch=ownerId,definitionId,runId|…` in JSON. */
function select(leases: readonly Lease[], query: ReadonlyMap<string, string>): Reply {
  const minimal = query.get('leasestofetch');
  const owner = query.get('ownerid') ?? query.get('userownerid');
  const [definition, run] = [query.get('definitionid'), query.get('runid')];
  if (minimal !== undefined) {
    const wanted = minimal.split('|').map(text => JSON.parse(text) as Partial<Lease>);
    const isWanted = (lease: Lease): boolean =>
      wanted.some(
        one => one.ownerId === lease.ownerId && one.runId === lease.runId && one.definitionId === lease.definitionId,
      );
    return list(leases.filter(isWanted).map(leaseBody));
  }
  const found = leases.filter(
    lease =>
      (owner === undefined || lease.ownerId === owner) &&
      (definition === undefined || lease.definitionId === Number(definition)) &&
      (run === undefined || lease.runId === Number(run)),
  );
  return list(found.map(leaseBody));
}

function leaseBody(lease: Lease) {
  return {
    ...lease,
    createdOn: new Date(lease.createdOn).toISOString(),
    validUntil: new Date(lease.validUntil).toISOString(),
  };
}

function noLease(call: Call): Reply {
  return failure(
    404,
    'RetentionLeaseNotFoundException',
    `Retention lease ${call.params['leaseId']} could not be found.`,
  );
}

function noBuild(id: string): Reply {
  return failure(404, 'BuildNotFoundException', `The requested build ${id} could not be found.`);
}
