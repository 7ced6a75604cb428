/**
 * The client credentials grant: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 * and the errors it ends in: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
import { randomUUID } from 'node:crypto';
import { issueToken, readToken } from '../tokens.ts';
import type { Application, Directory } from './directory.ts';

/** An answer of the emulated Entra. */
export interface EntraReply {
  readonly status: number;
  readonly json: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the grant is judged by. */
export interface GrantContext {
  readonly directory: Directory;
  /** Milliseconds. */
  readonly now: number;
  readonly tenantId: string;
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const lifetimeSeconds = 3600;

/** Gives an access token, or the refusal that Entra would give. */
export function grantToken(context: GrantContext, form: URLSearchParams): EntraReply {
  const { directory, tenantId } = context;
  const clientId = form.get('client_id') ?? '';
  if (!directory.hasTenant(tenantId)) return noTenant(context);
  const application = directory.applications.get(clientId.toLowerCase());
  if (application === undefined || application.tenantId.toLowerCase() !== tenantId.toLowerCase()) {
    const message = `Application with identifier '${clientId}' was not found in the directory '${tenantId}'.`;
    return refuse(context, { status: 400, error: 'unauthorized_client', code: 700016, message });
  }
  if (form.get('grant_type') !== 'client_credentials') {
    const message = `The app requested an unsupported grant type '${form.get('grant_type') ?? ''}'.`;
    return refuse(context, { status: 400, error: 'unsupported_grant_type', code: 70003, message });
  }
  const refusal = form.has('client_assertion')
    ? judgeAssertion(context, application, form)
    : judgeSecret(context, application, form.get('client_secret'));
  return refusal ?? issue(context, application, form.get('scope') ?? '');
}

/** The refusal of a tenant that does not exist. */
export function noTenant(context: GrantContext): EntraReply {
  const message = `Tenant '${context.tenantId}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`;
  return refuse(context, { status: 400, error: 'invalid_request', code: 90002, message });
}

function issue(context: GrantContext, { tenantId, clientId, objectId }: Application, scope: string): EntraReply {
  const suffix = '/.default';
  const wanted = scope.split(' ').filter(one => !['openid', 'profile', 'offline_access', ''].includes(one));
  if (wanted.length !== 1 || !wanted[0]?.endsWith(suffix)) {
    const message = `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`;
    return refuse(context, { status: 400, error: 'invalid_scope', code: 1002012, message });
  }
  const aud = wanted[0].slice(0, -suffix.length);
  const iat = Math.floor(context.now / 1000);
  const who = { appid: clientId, oid: objectId, sub: objectId, tid: tenantId, idtyp: 'app', ver: '1.0' };
  const times = { iat, nbf: iat, exp: iat + lifetimeSeconds };
  const iss = `https://sts.windows.net/${tenantId}/`;
  const access_token = issueToken({ aud, iss, ...times, ...who, uti: randomUUID() });
  const expires_in = lifetimeSeconds - 1;
  return { status: 200, json: { token_type: 'Bearer', expires_in, ext_expires_in: expires_in, access_token } };
}

function judgeSecret(context: GrantContext, application: Application, secret: string | null): EntraReply | undefined {
  const { clientId } = application;
  if (secret === null) {
    const message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
    return refuse(context, { status: 401, error: 'invalid_client', code: 7000218, message });
  }
  if (application.secrets.has(secret)) return undefined;
  const expired = application.expiredSecrets.has(secret);
  const message = expired
    ? `The provided client secret keys for app '${clientId}' are expired.`
    : `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`;
  return refuse(context, { status: 401, error: 'invalid_client', code: expired ? 7000222 : 7000215, message });
}

/** https://learn.microsoft.com/entra/workload-id/workload-identity-federation */
function judgeAssertion(
  context: GrantContext,
  { federated }: Application,
  form: URLSearchParams,
): EntraReply | undefined {
  const deny = (code: number, message: string): EntraReply =>
    refuse(context, { status: 401, error: 'invalid_client', code, message });
  const assertion = form.get('client_assertion') ?? '';
  if (form.get('client_assertion_type') !== assertionType) return deny(50027, 'JWT token is invalid or malformed.');
  const claims = readToken(assertion, context.now);
  if (claims === undefined) {
    // At the beginning of time nothing has expired yet, so what reads then is well signed.
    const expired = readToken(assertion, 0) !== undefined;
    return expired
      ? deny(700024, 'Client assertion is not within its valid time range.')
      : deny(
          700027,
          'The certificate with identifier used to sign the client assertion is not registered on application.',
        );
  }
  const { iss, sub, aud } = claims;
  const sameIssuer = federated.filter(one => one.issuer === iss);
  const hint = 'Check your federated identity credential Subject, Audience and Issuer against the presented assertion.';
  const none = 'No matching federated identity record found for presented assertion';
  if (sameIssuer.length === 0) return deny(700211, `${none} issuer '${String(iss)}'. ${hint}`);
  const sameSubject = sameIssuer.filter(one => one.subject === sub);
  if (sameSubject.length === 0) return deny(700213, `${none} subject '${String(sub)}'. ${hint}`);
  const match = sameSubject.some(one => one.audience === aud);
  return match ? undefined : deny(700212, `${none} audience '${String(aud)}'. ${hint}`);
}

interface Refusal {
  readonly status: number;
  readonly error: string;
  readonly code: number;
  readonly message: string;
}

function refuse(context: GrantContext, { status, error, code, message }: Refusal): EntraReply {
  const timestamp = `${new Date(context.now).toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const [trace, correlation] = [randomUUID(), randomUUID()];
  const tail = `Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`;
  return {
    status,
    json: {
      error,
      error_description: `AADSTS${code}: ${message} ${tail}`,
      error_codes: [code],
      timestamp,
      trace_id: trace,
      correlation_id: correlation,
      error_uri: `https://login.microsoftonline.com/error?code=${code}`,
    },
  };
}
