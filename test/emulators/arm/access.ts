/** Who calls, and what role assignments allow. https://learn.microsoft.com/azure/role-based-access-control/overview */
import type { SettableClock } from '../settable-clock.ts';
import { readToken } from '../tokens.ts';
import { refuse, unauthorized } from './errors.ts';

/** Actions of `Container Registry Data Importer and Data Reader`. */
export const importerActions = [
  'Microsoft.ContainerRegistry/registries/importImage/action',
  'Microsoft.ContainerRegistry/registries/read',
  'Microsoft.ContainerRegistry/registries/pull/read',
] as const;

/** Actions for one identity on a subscription, a resource group or a registry, and all below it. */
export interface RoleAssignment {
  readonly objectId: string;
  readonly scope: string;
  readonly actions: readonly string[];
}

/** The door. */
export interface Access {
  /** While there is none, whoever Entra knows may do everything. */
  readonly assignments: RoleAssignment[];
  /** Gives the object id of the caller. Throws a 401 in Azure's words. */
  identify(authorization: string | undefined): string;
  allows(objectId: string, action: string, scope: string): boolean;
  /** Throws a 403 in Azure's words. */
  check(objectId: string, action: string, scope: string): void;
}

/** Makes the door; `audiences` are those that it takes tokens for. */
export function createAccess(clock: SettableClock, audiences: () => readonly string[]): Access {
  const assignments: RoleAssignment[] = [];
  const allows = (objectId: string, action: string, scope: string): boolean =>
    assignments.length === 0 ||
    assignments.some(each => each.objectId === objectId && covers(each.scope, scope) && includes(each.actions, action));
  return {
    assignments,
    allows,
    identify: authorization => {
      const [, token] = /^Bearer (.+)$/i.exec(authorization ?? '') ?? [];
      if (token === undefined) {
        throw refuse(401, 'AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.");
      }
      const claims = readToken(token, clock.now());
      if (claims === undefined) throw refuse(401, 'InvalidAuthenticationToken', 'The access token is invalid.');
      const audience = String(claims['aud']);
      if (!audiences().includes(audience.replace(/\/+$/, ''))) {
        const message = `The access token has been obtained for wrong audience or resource '${audience}'. It should exactly match with one of the allowed audiences.`;
        throw refuse(401, 'InvalidAuthenticationTokenAudience', message);
      }
      return String(claims['oid'] ?? claims['appid'] ?? claims['sub']);
    },
    check: (objectId, action, scope) => {
      if (!allows(objectId, action, scope)) throw unauthorized(objectId, action, scope);
    },
  };
}

/** Scopes have no case, and end at a slash. */
function covers(assigned: string, scope: string): boolean {
  return `${scope}/`.toLowerCase().startsWith(`${assigned}/`.toLowerCase());
}

function includes(actions: readonly string[], action: string): boolean {
  return actions.some(each => each === '*' || each.toLowerCase() === action.toLowerCase());
}
