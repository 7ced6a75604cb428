/**
 * The OIDC token of a service connection, which a job asks for at the address in SYSTEM_OIDCREQUESTURI.
 * https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create
 */
import { randomUUID } from 'node:crypto';
import { issueToken } from '../tokens.ts';
import type { Access } from './access.ts';
import { readScope } from './build-routes.ts';
import { type Call, failure, ok, type Reply, type Route } from './http.ts';
import type { World } from './world.ts';

/** A service connection with workload identity federation. */
export interface ServiceConnection {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
}

/** The claims that a federated credential in Entra has to match. */
export function federationOf(world: World, connection: ServiceConnection) {
  const project = world.projects.get(connection.projectId);
  return {
    issuer: `https://vstoken.dev.azure.com/${world.collectionId}`,
    subject: `sc://${world.organization}/${project?.name ?? ''}/${connection.name}`,
    audience: 'api://AzureADTokenExchange',
  };
}

/** The one route. Only the token of the very job is let in, and only for a connection of the job's project. */
export function oidcRoutes(world: World, access: Access, connections: ReadonlyMap<string, ServiceConnection>): Route[] {
  const handle = (call: Call): Reply => {
    const scope = readScope(world, call);
    if ('status' in scope) return scope;
    const job = access.jobs.find(one => one.token === call.caller.value);
    const { planId, jobId } = call.params;
    if (job === undefined || job.planId !== planId || job.jobId !== jobId || job.projectId !== scope.project?.id) {
      return failure(403, 'AccessDeniedException', 'TF400813: The token is not that of this job.');
    }
    const connection = connections.get((call.query.get('serviceconnectionid') ?? '').toLowerCase());
    if (connection === undefined || connection.projectId !== job.projectId) {
      return failure(
        404,
        'ServiceEndpointNotFoundException',
        'The service connection does not exist or may not be used.',
      );
    }
    const { issuer: iss, subject: sub, audience: aud } = federationOf(world, connection);
    const now = Math.floor(world.clock.now() / 1000);
    return ok({ oidcToken: issueToken({ iss, sub, aud, jti: randomUUID(), iat: now, nbf: now, exp: now + 600 }) });
  };
  const pattern = '{project}/_apis/distributedtask/hubs/{hub}/plans/{planId}/jobs/{jobId}/oidctoken';
  return [{ operation: 'oidcToken', method: 'POST', pattern, right: 'read', handle }];
}
