/** Who may do what: tokens, and the rules of their ClusterRoles. https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
import type { Reply } from '../azure-devops/http.ts';
import { failure } from './status.ts';

/** A rule, as ClusterRoles have it; `*` is any. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** One deed: `list` of `deployments` in `apps`. */
export interface Deed {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
}

/** The tokens that are known. */
export interface Access {
  /** Lets whoever has this token do that, in every namespace. */
  grant(token: string, user: string, rules: readonly Rule[]): void;
  /** The refusal of a deed; undefined where it is allowed. Without a deed only the token is looked at. */
  judge(authorization: string | undefined, deed?: Deed): Reply | undefined;
}

/** Knows one token, which may do everything. */
export function createAccess(master: string): Access {
  const known = new Map<string, { user: string; rules: readonly Rule[] }>();
  const access: Access = {
    grant: (token, user, rules) => known.set(`Bearer ${token}`, { user, rules }),
    judge: (authorization, deed) => {
      const who = known.get(authorization ?? '');
      if (!who) return failure(401, 'Unauthorized', 'Unauthorized');
      if (!deed || who.rules.some(rule => allows(rule, deed))) return undefined;
      const { verb, group, resource } = deed;
      const name = group === '' ? resource : `${resource}.${group}`;
      return failure(
        403,
        'Forbidden',
        `${name} is forbidden: User "${who.user}" cannot ${verb} resource "${resource}" in API group "${group}" at the cluster scope`,
        { group, kind: resource },
      );
    },
  };
  access.grant(master, 'admin', [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]);
  return access;
}

function allows({ apiGroups, resources, verbs }: Rule, { verb, group, resource }: Deed): boolean {
  return covers(apiGroups, group) && covers(resources, resource) && covers(verbs, verb);
}

function covers(list: readonly string[], one: string): boolean {
  return list.includes(one) || list.includes('*');
}
