/** Signing in: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md and https://distribution.github.io/distribution/spec/auth/token/ */
import { type Claims, issueToken, readToken } from '../tokens.ts';
import {
  type Access,
  type Action,
  actionsOf,
  allActions,
  allows,
  grant,
  type Identity,
  mayList,
  type Right,
  type Scope,
  writeScope,
} from './access.ts';
import type { Call, Core } from './core.ts';
import { type Answer, type Refusal, refuse, refuseWith } from './errors.ts';

const everything: readonly Right[] = [{ repository: '*', actions: allActions }];
const anonymousRights: readonly Right[] = [{ repository: '*', actions: ['pull', 'metadata_read', 'catalog'] }];

/** With this user name the password is a refresh token: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md */
const tokenUser = '00000000-0000-0000-0000-000000000000';

function unauthorized(message: string): Refusal {
  return refuse(401, 'UNAUTHORIZED', message);
}

function findByPassword(core: Core, name: string, password: string): Access | undefined {
  if (name === tokenUser) return readRefreshToken(core, password);
  const found = core.identities.find(identity => identity.name === name && identity.password === password);
  return found?.password === undefined ? undefined : { identity: found.name, rights: found.rights };
}

function findByClaims(core: Core, claims: Claims): Access | undefined {
  const { oid, appid, sub } = claims;
  const found = core.identities.find(
    ({ objectId, appId }) => (objectId !== undefined && objectId === oid) || (appId !== undefined && appId === appid),
  );
  if (found !== undefined) return { identity: found.name, rights: found.rights };
  // Without configured identities whoever Entra knows is an owner, so that a test need not configure any.
  const name = [oid, appid, sub].find(claim => typeof claim === 'string') ?? 'entra';
  return core.entraOpen ? { identity: name, rights: everything } : undefined;
}

/** What a refresh token is worth: the rights that its identity has now, not those at the time it was made. */
function readRefreshToken(core: Core, token: string): Access | undefined {
  const claims = readToken(token, core.clock.now());
  if (claims === undefined || claims['grant_type'] !== 'refresh_token' || claims['aud'] !== core.host) return undefined;
  const name = String(claims['sub']);
  const known = core.identities.find(identity => identity.name === name);
  if (known !== undefined) return { identity: name, rights: known.rights };
  return core.entraOpen ? { identity: name, rights: everything } : undefined;
}

function signToken(core: Core, claims: Claims, life: number): string {
  const now = Math.floor(core.clock.now() / 1000);
  const frame = {
    iss: 'Azure Container Registry',
    aud: core.host,
    nbf: now,
    iat: now,
    exp: now + Math.floor(life / 1000),
  };
  return issueToken({ ...frame, version: '1.0', ...claims });
}

function signAccess(core: Core, access: Access, scopes: readonly string[]): string {
  const rights = grant(access.rights, scopes, core.abac);
  const granted = rights.map(right => ({ type: 'repository', name: right.repository, actions: right.actions }));
  return signToken(
    core,
    { sub: access.identity, grant_type: 'access_token', access: granted },
    core.behaviour.accessTokenLife,
  );
}

async function readForm(call: Call): Promise<URLSearchParams> {
  return new URLSearchParams((await call.body()).toString());
}

/** Scopes may be repeated, and one may hold several, parted by spaces. */
function readScopes(parameters: URLSearchParams): string[] {
  return parameters
    .getAll('scope')
    .flatMap(text => text.split(' '))
    .filter(text => text !== '');
}

/** `POST /oauth2/exchange`: an Entra token becomes a refresh token of this registry. */
export async function exchange(call: Call): Promise<Answer> {
  const { core } = call;
  const form = await readForm(call);
  if (form.get('grant_type') !== 'access_token') {
    throw refuse(400, 'UNSUPPORTED', `grant_type ${form.get('grant_type')} is not supported`);
  }
  const claims = readToken(form.get('access_token') ?? '', core.clock.now());
  const audience = String(claims?.['aud']);
  if (claims === undefined || !core.behaviour.entraAudiences.includes(audience)) {
    throw unauthorized('authentication required, the AAD token is invalid, expired or meant for somebody else');
  }
  checkService(core, form);
  const access = findByClaims(core, claims);
  if (access === undefined) throw unauthorized('the AAD identity has no access to this registry');
  call.identify(access.identity);
  const identity = core.abac ? { aad_identity: JSON.stringify({ oid: claims['oid'], appid: claims['appid'] }) } : {};
  const token = signToken(
    core,
    { sub: access.identity, grant_type: 'refresh_token', tenant: form.get('tenant') ?? claims['tid'], ...identity },
    core.behaviour.refreshTokenLife,
  );
  return { status: 200, body: { refresh_token: token } };
}

function checkService(core: Core, parameters: URLSearchParams): void {
  const service = parameters.get('service');
  if (service !== null && service !== core.host) throw unauthorized(`service ${service} is not ${core.host}`);
}

function anonymous(core: Core): Access | undefined {
  return core.behaviour.anonymousPull ? { identity: 'anonymous', rights: anonymousRights } : undefined;
}

function accessOfForm(core: Core, form: URLSearchParams): Access | undefined {
  const type = form.get('grant_type');
  if (type === 'refresh_token') return readRefreshToken(core, form.get('refresh_token') ?? '');
  if (type !== 'password') throw refuse(400, 'UNSUPPORTED', `grant_type ${type} is not supported`);
  const name = form.get('username') ?? '';
  return name === '' ? anonymous(core) : findByPassword(core, name, form.get('password') ?? '');
}

/** `POST /oauth2/token`: a refresh token, a password or nothing becomes an access token for the scopes asked. */
export async function tokenByForm(call: Call): Promise<Answer> {
  const form = await readForm(call);
  checkService(call.core, form);
  const access = accessOfForm(call.core, form);
  if (access === undefined) throw unauthorized('authentication required');
  call.identify(access.identity);
  return { status: 200, body: { access_token: signAccess(call.core, access, readScopes(form)) } };
}

/** `GET /oauth2/token`: the same, with a password in the `Authorization` header. */
export async function tokenByBasic(call: Call): Promise<Answer> {
  checkService(call.core, call.query);
  const header = call.request.headers.authorization;
  const access = header === undefined ? anonymous(call.core) : readBasic(call.core, header);
  if (access === undefined) throw unauthorized('authentication required');
  call.identify(access.identity);
  return { status: 200, body: { access_token: signAccess(call.core, access, readScopes(call.query)) } };
}

function readBasic(core: Core, header: string): Access | undefined {
  const encoded = /^Basic (.+)$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return findByPassword(core, text.slice(0, colon), text.slice(colon + 1));
}

interface GrantedClaim {
  readonly name: string;
  readonly actions: readonly Action[];
}

function readBearer(core: Core, header: string): Access | undefined {
  const claims = readToken(/^Bearer (.+)$/i.exec(header)?.[1] ?? '', core.clock.now());
  if (claims === undefined || claims['grant_type'] !== 'access_token' || claims['aud'] !== core.host) return undefined;
  const granted = claims['access'] as readonly GrantedClaim[];
  const rights = granted.map(item => ({ repository: item.name, actions: item.actions }));
  return { identity: String(claims['sub']), rights };
}

/** The words and the header of a 401 as recorded from a live registry; also a missing right is a 401, never a 403. */
function challenge(core: Core, scopes: readonly Scope[], error: string | undefined): Refusal {
  const parts = [`realm="https://${core.host}/oauth2/token"`, `service="${core.host}"`];
  if (scopes.length > 0) parts.push(`scope="${scopes.map(writeScope).join(' ')}"`);
  if (error !== undefined) parts.push(`error="${error}"`);
  const detail = scopes.flatMap(scope =>
    actionsOf(scope).map(action => ({ Type: scope.type, Name: scope.name, Action: action })),
  );
  const message = 'authentication required, visit https://aka.ms/acr/authorization for more information.';
  const item = { code: 'UNAUTHORIZED', message, ...(scopes.length === 0 ? {} : { detail }) };
  return refuseWith(401, [item], { 'WWW-Authenticate': `Bearer ${parts.join(',')}` });
}

function holds(core: Core, access: Access, scope: Scope): boolean {
  if (scope.type === 'registry') return mayList(access.rights, core.abac);
  const held = scope.actions.filter(action => allows(access.rights, action, scope.name));
  return scope.any ? held.length > 0 : held.length === scope.actions.length;
}

/** Finds who calls, and answers with a challenge for `scopes` when that is nobody. */
export function authenticate(core: Core, header: string | undefined, scopes: readonly Scope[]): Access {
  if (header === undefined) throw challenge(core, scopes, undefined);
  const access = readBearer(core, header) ?? readBasic(core, header);
  if (access === undefined) throw challenge(core, scopes, 'invalid_token');
  return access;
}

/** Refuses a caller whose token or identity lacks one of the rights. */
export function checkScope(core: Core, access: Access, scopes: readonly Scope[]): void {
  if (scopes.every(scope => holds(core, access, scope))) return;
  throw challenge(core, scopes, 'insufficient_scope');
}

/** The identities of an emulator that was given none. */
export const defaultIdentities: readonly Identity[] = [
  { name: 'admin', password: 'admin-password', rights: everything },
];
