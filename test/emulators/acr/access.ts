/** Who may do what: identities, their rights, and what a token carries. */

/** What a right or a scope allows: https://learn.microsoft.com/azure/container-registry/container-registry-repository-scoped-permissions */
export type Action = 'pull' | 'push' | 'delete' | 'metadata_read' | 'metadata_write' | 'catalog';

/** Every action. */
export const allActions: readonly Action[] = ['pull', 'push', 'delete', 'metadata_read', 'metadata_write', 'catalog'];

/** Actions on the repositories that `repository` names: one, `team/*`, or `*`. */
export interface Right {
  readonly repository: string;
  readonly actions: readonly Action[];
}

/** Somebody that the registry knows: by password, by what an Entra token says, or both. */
export interface Identity {
  readonly name: string;
  readonly password?: string;
  /** Matched with the token's `oid`. */
  readonly objectId?: string;
  /** Matched with the token's `appid`. */
  readonly appId?: string;
  readonly rights: readonly Right[];
}

/** What the caller may do in one request, as its token or password says. */
export interface Access {
  readonly identity: string;
  readonly rights: readonly Right[];
}

/** What a request needs. */
export interface Scope {
  readonly type: 'repository' | 'registry';
  readonly name: string;
  readonly actions: readonly Action[];
  /** One of the actions is enough; a challenge names the first. */
  readonly any?: boolean;
}

/** Whether a right's pattern covers a repository. */
export function covers(pattern: string, repository: string): boolean {
  if (pattern === '*') return true;
  return pattern.endsWith('/*') ? repository.startsWith(pattern.slice(0, -1)) : pattern === repository;
}

/** Whether the rights hold an action on a repository. */
export function allows(rights: readonly Right[], action: Action, repository: string): boolean {
  return rights.some(
    right => right.actions.includes(action) && (action === 'catalog' || covers(right.repository, repository)),
  );
}

/** The actions that a challenge names. */
export function actionsOf(scope: Scope): readonly string[] {
  if (scope.type === 'registry') return ['*'];
  return scope.any ? scope.actions.slice(0, 1) : scope.actions;
}

/** A scope in the words of a challenge: `repository:N:pull,push`. */
export function writeScope(scope: Scope): string {
  return `${scope.type}:${scope.name}:${actionsOf(scope).join(',')}`;
}

/** Reads `repository:N:pull,push`; a name may hold colons no more than it may hold spaces. */
export function parseScope(text: string): { type: string; name: string; actions: string[] } | undefined {
  const match = /^([a-z]+):(.+):([a-z_,*]*)$/.exec(text);
  if (match === null) return undefined;
  return { type: match[1] as string, name: match[2] as string, actions: (match[3] as string).split(',') };
}

/**
 * The part of `rights` that `scopes` asks for: what an access token carries.
 * A registry with ABAC ignores `repository:*:…` without a word, and lists its catalog only for who has that right:
 * https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
 */
export function grant(rights: readonly Right[], scopes: readonly string[], abac: boolean): Right[] {
  return scopes.flatMap(text => {
    const scope = parseScope(text);
    if (scope === undefined) return [];
    if (scope.type === 'registry') return mayList(rights, abac) ? [{ repository: '*', actions: ['catalog'] }] : [];
    const wanted = allActions.filter(action => scope.actions.includes(action) || scope.actions.includes('*'));
    if (scope.name === '*') {
      if (abac) return [];
      return rights.map(right => ({ ...right, actions: wanted.filter(action => right.actions.includes(action)) }));
    }
    const granted = wanted.filter(action => action !== 'catalog' && allows(rights, action, scope.name));
    return granted.length === 0 ? [] : [{ repository: scope.name, actions: granted }];
  });
}

/** Whether the catalog may be listed: its own right under ABAC, else any right to read everything. */
export function mayList(rights: readonly Right[], abac: boolean): boolean {
  const own = rights.some(right => right.actions.includes('catalog'));
  const readsAll = rights.some(right => right.repository === '*' && right.actions.includes('metadata_read'));
  return own || (!abac && readsAll);
}
