/** GitHub on loopback, over TLS: of its GraphQL interface what lists references and pull requests. https://docs.github.com/graphql */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createFaults, type Effect, type Faults, spoil } from '../azure-devops/faults.ts';
import type { Reply } from '../azure-devops/http.ts';
import { createRequestLog, type RequestLog } from '../azure-devops/request-log.ts';
import type { TlsMaterial } from '../tls.ts';

/** What a reference is on. */
export type GitObject =
  | { readonly type: 'Commit'; readonly at: string }
  | { readonly type: 'Tag'; readonly at: string | undefined; readonly on: GitObject }
  | { readonly type: 'Tree' };

/** One repository. May be changed at any time. */
export interface GitHubRepositoryWorld {
  /** By their names without `refs/heads/`. */
  readonly branches: Map<string, GitObject>;
  readonly tags: Map<string, GitObject>;
  /** Those that are open, by their numbers, with their last update. */
  readonly pullRequests: Map<number, string>;
}

/** The running emulator. In its log and its faults an operation is `heads`, `tags` or `pullRequests`. */
export interface GitHubEmulator {
  /** `https://localhost:PORT`: a server's, whose interface is below `/api/graphql`. */
  readonly url: string;
  /** The one that may read everything. */
  readonly token: string;
  readonly faults: Faults;
  readonly requests: RequestLog;
  /** Adds an empty repository, by `owner/name`. */
  readonly addRepository: (path: string) => GitHubRepositoryWorld;
  readonly close: () => Promise<void>;
}

const token = 'ghp_emulatedPersonalAccessToken';

type Repositories = ReadonlyMap<string, GitHubRepositoryWorld>;
type Parts = Pick<GitHubEmulator, 'faults' | 'requests'> & { readonly repositories: Repositories };

/** Starts it on 127.0.0.1. */
export async function startGitHub({ key, cert }: TlsMaterial): Promise<GitHubEmulator> {
  const repositories = new Map<string, GitHubRepositoryWorld>();
  const parts = { repositories, faults: createFaults(), requests: createRequestLog() };
  const server = createServer({ key, cert }, (request, response) => {
    serve(parts, request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    ...parts,
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    token,
    addRepository: path => {
      const made = { branches: new Map(), tags: new Map(), pullRequests: new Map() };
      repositories.set(path.toLowerCase(), made);
      return made;
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What a commit of this date has for its name. */
export function oidOf(object: GitObject): string {
  return createHash('sha1').update(JSON.stringify(object)).digest('hex');
}

interface Asked {
  readonly query: string;
  readonly variables: { readonly owner: string; readonly name: string; readonly after?: string };
}

async function serve(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const asked = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Asked;
  const operation = operationOf(request, asked);
  const { authorization = '' } = request.headers;
  const [scheme = ''] = authorization.split(' ');
  const path = request.url ?? '/';
  parts.requests.add({ method: request.method ?? '', path, query: {}, operation, at: 0, scheme });
  const effects = parts.faults.take(operation, path);
  if (effects.some(effect => effect.kind === 'cut' && effect.when !== 'mid-body')) return void response.destroy();
  const instead = effects.find(effect => effect.kind === 'status');
  const reply = operation === 'none' ? { status: 404, json: { message: 'Not Found' } } : undefined;
  const refusal =
    authorization === `Bearer ${token}` ? undefined : { status: 401, json: { message: 'Bad credentials' } };
  write(response, instead ?? reply ?? refusal ?? spoil(answer(parts.repositories, operation, asked), effects), effects);
}

function operationOf({ method, url }: IncomingMessage, { query = '' }: Partial<Asked>): string {
  if (method !== 'POST' || url !== '/api/graphql') return 'none';
  if (/pullRequests\(states: OPEN,/.test(query)) return 'pullRequests';
  return /refs\(refPrefix: "refs\/(heads|tags)\/"/.exec(query)?.[1] ?? 'none';
}

/** An error of GraphQL is a 200. https://docs.github.com/graphql/guides/forming-calls-with-graphql */
function answer(repositories: Repositories, operation: string, { variables }: Asked): Reply {
  const { owner, name, after } = variables;
  const found = repositories.get(`${owner}/${name}`.toLowerCase());
  if (!found) {
    const message = `Could not resolve to a Repository with the name '${owner}/${name}'.`;
    return { status: 200, json: { data: { repository: null }, errors: [{ type: 'NOT_FOUND', message }] } };
  }
  const all = nodesOf(found, operation);
  const start = after === undefined ? 0 : Number(Buffer.from(after, 'base64').toString());
  const end = Math.min(start + 100, all.length);
  const list = {
    totalCount: all.length,
    pageInfo: {
      hasNextPage: end < all.length,
      endCursor: end === start ? null : Buffer.from(String(end)).toString('base64'),
    },
    nodes: all.slice(start, end),
  };
  return { status: 200, json: { data: { repository: { id: `R_${owner}/${name}`, list } } } };
}

function nodesOf({ branches, tags, pullRequests }: GitHubRepositoryWorld, operation: string): unknown[] {
  if (operation === 'pullRequests') {
    return [...pullRequests].sort(([a], [b]) => a - b).map(([number, updatedAt]) => ({ number, updatedAt }));
  }
  return [...(operation === 'heads' ? branches : tags)].map(([name, target]) => ({
    name,
    prefix: `refs/${operation}/`,
    target: show(target, operation === 'tags' ? 1 : 0),
  }));
}

/** `levels` of annotations are asked for. */
function show(object: GitObject, levels: number): object {
  const named = { type: object.type, oid: oidOf(object) };
  if (object.type === 'Commit') return { ...named, committedDate: object.at };
  if (object.type !== 'Tag' || levels === 0) return named;
  return { ...named, tagger: object.at === undefined ? null : { date: object.at }, target: show(object.on, 0) };
}

function write(response: ServerResponse, reply: Reply, effects: readonly Effect[]): void {
  const text = reply.json === undefined ? (reply.html ?? '') : JSON.stringify(reply.json);
  const isTruncated = effects.some(effect => effect.kind === 'truncated');
  const body = Buffer.from(isTruncated ? text.slice(0, text.length / 2) : text);
  const padding = effects.find(effect => effect.kind === 'oversized')?.bytes ?? 0;
  response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
  if (effects.some(effect => effect.kind === 'cut' && effect.when === 'mid-body')) {
    return void response.write(body.subarray(0, body.length / 2), () => response.destroy());
  }
  response.write(body);
  response.end(Buffer.alloc(padding, ' '));
}
