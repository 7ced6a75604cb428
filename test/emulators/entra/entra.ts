/** Microsoft Entra ID on loopback, over TLS: what a client needs to sign in as an application. */
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createClock, type SettableClock } from '../settable-clock.ts';
import type { TlsMaterial } from '../tls.ts';
import { createDirectory, type Directory, type NewApplication } from './directory.ts';
import { type EntraReply, type GrantContext, grantToken, noTenant } from './token-endpoint.ts';

/** How to start. Azure's clients refuse an authority without TLS. */
export interface EntraOptions {
  readonly tls: TlsMaterial;
  readonly clock?: SettableClock;
  readonly port?: number;
}

/** One request that was made; a form's secrets and assertions are left out. */
export interface EntraRequest {
  readonly method: string;
  readonly path: string;
  readonly clientId?: string | undefined;
  readonly scope?: string | undefined;
  readonly status: number;
}

/** The running emulator. */
export interface EntraEmulator {
  /** The authority host, `https://localhost:PORT`. */
  readonly url: string;
  readonly clock: SettableClock;
  readonly directory: Directory;
  /** What was asked, in order. */
  readonly requests: EntraRequest[];
  /** While set, every token request ends like this. */
  outage?: { readonly status: number; readonly retryAfterSeconds?: number } | undefined;
  close(): Promise<void>;
}

/** Starts the emulator on 127.0.0.1. Rejects when the port is taken. */
export async function startEntra(options: EntraOptions): Promise<EntraEmulator> {
  const { key, cert } = options.tls;
  const emulator = {
    url: '',
    clock: options.clock ?? createClock(),
    directory: createDirectory(),
    requests: [] as EntraRequest[],
    close: (): Promise<void> =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server: Server = createServer({ key, cert }, (request, response) => {
    serve(emulator, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  emulator.url = `https://localhost:${(server.address() as AddressInfo).port}`;
  return emulator;
}

async function serve(emulator: EntraEmulator, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { pathname } = new URL(request.url ?? '/', emulator.url);
  const body = Buffer.concat(chunks).toString();
  const method = request.method ?? 'GET';
  const reply = answer(emulator, `${method} ${pathname}`, body);
  if (!pathname.startsWith('/_emulator/')) {
    const form = new URLSearchParams(body);
    const [clientId, scope] = [form.get('client_id') ?? undefined, form.get('scope') ?? undefined];
    emulator.requests.push({ method, path: pathname, clientId, scope, status: reply.status });
  }
  const text = JSON.stringify(reply.json);
  response.writeHead(reply.status, {
    date: new Date(emulator.clock.now()).toUTCString(),
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(text)),
    'cache-control': 'no-store, no-cache',
    ...reply.headers,
  });
  response.end(text);
}

function answer(emulator: EntraEmulator, line: string, body: string): EntraReply {
  const tenantId = decodeURIComponent(line.split('/')[1] ?? '');
  const context: GrantContext = { directory: emulator.directory, now: emulator.clock.now(), tenantId };
  if (/^GET \/[^/]+\/v2\.0\/\.well-known\/openid-configuration$/.test(line)) {
    return emulator.directory.hasTenant(tenantId) ? configuration(emulator.url, tenantId) : noTenant(context);
  }
  if (line === 'GET /common/discovery/instance') return discovery(emulator.url);
  if (/^POST \/[^/]+\/oauth2\/v2\.0\/token$/.test(line)) {
    return breakDown(emulator.outage) ?? grantToken(context, new URLSearchParams(body));
  }
  return control(emulator, line, body) ?? { status: 404, json: { error: 'not_found', error_description: line } };
}

function breakDown(outage: EntraEmulator['outage']): EntraReply | undefined {
  if (outage === undefined) return undefined;
  const { status, retryAfterSeconds } = outage;
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  const json = { error: 'temporarily_unavailable', error_description: 'AADSTS90033: A transient error has occurred.' };
  return { status, json, headers };
}

/** https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata */
function configuration(url: string, tenantId: string): EntraReply {
  const json = {
    issuer: `${url}/${tenantId}/v2.0`,
    authorization_endpoint: `${url}/${tenantId}/oauth2/v2.0/authorize`,
    token_endpoint: `${url}/${tenantId}/oauth2/v2.0/token`,
    jwks_uri: `${url}/${tenantId}/discovery/v2.0/keys`,
    response_types_supported: ['code', 'id_token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
    tenant_region_scope: 'EU',
  };
  return { status: 200, json };
}

function discovery(url: string): EntraReply {
  const { host } = new URL(url);
  const metadata = [{ preferred_network: host, preferred_cache: host, aliases: [host] }];
  const json = { tenant_discovery_endpoint: `${url}/common/v2.0/.well-known/openid-configuration`, metadata };
  return { status: 200, json: { ...json, 'api-version': '1.1' } };
}

/** Drives a standalone emulator: JSON in, JSON out. */
function control(emulator: EntraEmulator, line: string, body: string): EntraReply | undefined {
  const input = (): unknown => JSON.parse(body || '{}') as unknown;
  switch (line) {
    case 'POST /_emulator/applications': {
      const made = emulator.directory.addApplication(input() as NewApplication);
      return { status: 200, json: { ...made, secrets: [...made.secrets], expiredSecrets: [] } };
    }
    case 'POST /_emulator/clock':
      emulator.clock.advance((input() as { advanceMs?: number }).advanceMs ?? 0);
      return { status: 200, json: { now: emulator.clock.now() } };
    case 'GET /_emulator/requests':
      return { status: 200, json: { requests: emulator.requests } };
    default:
      return undefined;
  }
}
