/** Retention leases: https://learn.microsoft.com/rest/api/azure/devops/build/leases */
import { readScope } from './build-routes.ts';
import { type Call, failure, list, ok, type Reply, type Route, readId } from './http.ts';
import type { Lease, NewLease } from './leases.ts';
import type { World } from './world.ts';

/** Every operation on leases. */
export function leaseRoutes(world: World): Route[] {
  const base = '{project}/_apis/build/retention/leases';
  const inProject =
    (work: (call: Call, projectId: string) => Reply, writes?: 'writes') =>
    (call: Call): Reply => {
      const scope = readScope(world, call);
      if ('status' in scope) return scope;
      if (writes !== undefined && scope.project?.executeDenied === true) return mayNotWrite(scope.project.name);
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
      handle: inProject((call, id) => create(world, call, id), 'writes'),
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
      handle: inProject((call, projectId) => {
        const ids = (call.query.get('ids') ?? '').split(',').map(readId);
        if (ids.includes(undefined)) return invalid('The value of ids must be a list of integers.');
        // Ids that are not there, or are of another project, are passed over.
        for (const { leaseId } of owned(projectId)) if (ids.includes(leaseId)) world.leases.remove(leaseId);
        return { status: 204 };
      }, 'writes'),
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
      handle: inProject((call, projectId) => {
        const change = (call.body ?? {}) as { daysValid?: number; protectPipeline?: boolean };
        const leaseId = owned(projectId).find(lease => lease.leaseId === Number(call.params['leaseId']))?.leaseId;
        const found = leaseId === undefined ? undefined : world.leases.update(leaseId, change);
        return found === undefined ? noLease(call) : ok(leaseBody(found));
      }, 'writes'),
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
  const wanted = call.body as NewLease[];
  if (!Array.isArray(wanted) || wanted.length === 0)
    return failure(400, 'ArgumentNullException', 'Value cannot be null. Parameter name: newLeases');
  for (const lease of wanted) {
    const build = world.readBuild(lease.runId);
    if (build === undefined || build.deleted || build.projectId !== projectId) return noBuild(String(lease.runId));
    const valid = build.definitionId === lease.definitionId && lease.daysValid > 0 && Boolean(lease.ownerId);
    if (!valid) return failure(400, 'InvalidRetentionLeaseException', 'The retention lease is not valid.');
  }
  return list(wanted.map(lease => leaseBody(take(world, lease))));
}

/** Whether an owner may have two leases on one build is not documented; `world.behaviour` holds both readings. */
function take(world: World, lease: NewLease): Lease {
  const held = world.behaviour.secondLease === 'same' ? world.leases.find(lease) : undefined;
  return (held && world.leases.update(held.leaseId, lease)) ?? world.leases.add(lease);
}

/** The three forms of the question: by owner, by the user who is one, and `leasesToFetch=ownerId,definitionId,runId|…` in JSON. */
function select(leases: readonly Lease[], query: ReadonlyMap<string, string>): Reply {
  const minimal = query.get('leasestofetch');
  const user = query.get('userownerid');
  if (user !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(user)) {
    return invalid(`The value '${user}' is not valid for userOwnerId.`);
  }
  const owner = query.get('ownerid') ?? (user === undefined ? undefined : `User:${user}`);
  const [definition, run] = [query.get('definitionid'), query.get('runid')];
  if (run !== undefined && definition === undefined) return invalid('runId requires definitionId.');
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

function invalid(message: string): Reply {
  return failure(400, 'ArgumentException', message);
}

function mayNotWrite(project: string): Reply {
  const message = `TF215106: Access denied. ${project} Build Service (emulated) needs Retain indefinitely permissions for build pipeline ci in team project ${project} to perform the action. For more information, contact the Azure DevOps administrator.`;
  return failure(403, 'AccessDeniedException', message);
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
