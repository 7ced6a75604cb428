/** A connection to one organization of Azure DevOps Services or one collection of Azure DevOps Server. */
import type { Clock } from '../base/clock.ts';
import { errorMessage, inputError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { type Answer, judgeAnswer, unknownAnswer } from './answer.ts';
import { type AzureDevOpsProxy, type AzureDevOpsToken, createHttp, type Exchange, type HttpRequest } from './http.ts';

/** One request below the organization. */
export interface AzureDevOpsRequest {
  /** What is asked for, as it stands in reasons: `build 4711 of project …`. */
  readonly what: string;
  /** Path segments below the organization; each is encoded. */
  readonly path: readonly string[];
  readonly method?: HttpRequest['method'];
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: unknown;
  /** A POST that changes nothing, and so may be sent again. */
  readonly isQuestion?: boolean;
  /** What it takes, as it stands in the reason of a 403 behind "give the identity"; viewing builds when absent. */
  readonly right?: string;
  /** Resources in preview refuse a released version. */
  readonly apiVersion?: string;
}

/** A place to ask. */
export interface AzureDevOps {
  /** The organization or collection, with no slash at the end. */
  readonly url: string;
  /** Asks, with bounded retries; never rejects, whatever happens. */
  readonly ask: (request: AzureDevOpsRequest) => Promise<Answer>;
  /** Azure DevOps' own time, by the `Date` of its latest answer and what has passed since; undefined before the first. */
  readonly time: () => number | undefined;
}

/** What a connection is made of. */
export interface AzureDevOpsOptions {
  /** `https://dev.azure.com/{organization}` or `https://{server}/tfs/{collection}`. */
  readonly url: string;
  /** Called before each request, so that it can renew; its rejection makes the answer `unknown`. */
  readonly token: () => Promise<AzureDevOpsToken>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Bound of one exchange; 30 s when absent. */
  readonly requestTimeoutMs?: number;
  readonly proxy?: AzureDevOpsProxy;
  /** What to trust, as PEM, in place of Node's own authorities. */
  readonly ca?: readonly string[];
}

/** The application id of Azure DevOps in Entra, the same in every tenant: what an identity's token is asked for. */
export const azureDevOpsAudience = '499b84ac-1321-427f-aa17-267ca6975798';

const attempts = 4;
const firstPauseMs = 500;
/** A longer wait than this is not worth holding a run for. */
const longestPauseMs = 120_000;

/**
 * Connects to Azure DevOps; sends nothing yet. Throws INPUT_INVALID when `url` is not an absolute http(s) URL.
 * A `Retry-After` on any answer, 200 too, makes the next request wait:
 * https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
 */
export function connectAzureDevOps(options: AzureDevOpsOptions): AzureDevOps {
  const { clock, log } = options;
  const url = readUrl(options.url);
  const send = createHttp({ timeoutMs: options.requestTimeoutMs ?? 30_000, proxy: options.proxy, ca: options.ca });
  let pausedUntil = 0;
  let lead: number | undefined;

  const askOnce = async (request: AzureDevOpsRequest): Promise<Answer> => {
    const pause = pausedUntil - clock.now();
    if (pause > longestPauseMs) {
      return unknownAnswer(request.what, `Azure DevOps asked to wait ${Math.ceil(pause / 1000)} s: ask later`);
    }
    if (pause > 0) await clock.sleep(pause);
    let token: AzureDevOpsToken;
    try {
      token = await options.token();
    } catch (error) {
      return unknownAnswer(request.what, `no token for Azure DevOps: ${errorMessage(error)}`);
    }
    const exchange = await send(buildRequest(url, request, token));
    lead = readLead(exchange, clock.now()) ?? lead;
    pausedUntil = Math.max(pausedUntil, clock.now() + readRetryAfter(exchange, clock.now()));
    const right = request.right ?? 'the right to view builds in this project';
    return withoutToken(judgeAnswer(request.what, exchange, right), token.value);
  };

  const ask = async (request: AzureDevOpsRequest): Promise<Answer> => {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await askOnce(request);
      log.debug('asked Azure DevOps', { what: request.what, attempt, answer: answer.kind });
      const again = answer.kind === 'unknown' && answer.retryable && attempt < attempts;
      // A write that broke off may have been done; only reads are asked again.
      const isRead = (request.method ?? 'GET') === 'GET' || request.isQuestion === true;
      if (!again || !isRead) return answer;
      if (pausedUntil <= clock.now()) await clock.sleep(firstPauseMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2));
    }
  };
  return { url, ask, time: () => (lead === undefined ? undefined : clock.now() + lead) };
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const usable = url !== undefined && (url.protocol === 'https:' || url.protocol === 'http:');
  if (!usable || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw inputError(
      'the URL of Azure DevOps must look like https://dev.azure.com/{organization} or https://{server}/tfs/{collection}',
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function buildRequest(base: string, request: AzureDevOpsRequest, token: AzureDevOpsToken): HttpRequest {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {})) query.set(name, String(value));
  query.set('api-version', request.apiVersion ?? '7.1');
  return {
    method: request.method ?? 'GET',
    url: `${base}/${request.path.map(encodeURIComponent).join('/')}?${query.toString()}`,
    token,
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
  };
}

/** How far the other side's clock is ahead of ours, in milliseconds. */
function readLead(exchange: Exchange, now: number): number | undefined {
  const date = exchange.kind === 'answered' ? Date.parse(exchange.headers['date'] ?? '') : Number.NaN;
  return Number.isFinite(date) ? date - now : undefined;
}

/** Milliseconds that the answer asks to wait: seconds or an HTTP date, https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function readRetryAfter(exchange: Exchange, now: number): number {
  const value = exchange.kind === 'answered' ? exchange.headers['retry-after'] : undefined;
  if (value === undefined) return 0;
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}

/** A server may put the sign-in that it was sent into its message. */
function withoutToken(answer: Answer, token: string): Answer {
  const secrets = [token, Buffer.from(`PAT:${token}`).toString('base64')].filter(() => token.length >= 8);
  const clean = (text: string): string => secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  if (answer.kind === 'ok') return answer;
  if (answer.kind === 'refused') return { ...answer, message: clean(answer.message) };
  return { ...answer, reason: clean(answer.reason) };
}
