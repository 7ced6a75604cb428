/** A cluster to ask. */
import { type Clock, systemClock } from '../base/clock.ts';
import { errorMessage, inputError } from '../base/errors.ts';
import { type Logger, silentLog } from '../base/log.ts';
import { type Attempt, defaultRetryPolicy, type RetryPolicy, retry } from '../base/retry.ts';
import { judgeAnswer, type KubernetesAnswer, type Question } from './answer.ts';
import { createHttp, type Exchange, type SignIn, type Way } from './http.ts';

/** One GET below the server's URL. */
export interface KubernetesRequest extends Question {
  /** From the slash on, with its query: `/apis/apps/v1/deployments?limit=500`. */
  readonly path: string;
  /** The most bytes that an answer may have. */
  readonly maxBytes: number;
}

/** The API server of one cluster. */
export interface KubernetesApi {
  /** Its URL, for messages. */
  readonly server: string;
  /** Asks, with bounded retries; never rejects, whatever happens. */
  readonly ask: (request: KubernetesRequest) => Promise<KubernetesAnswer>;
}

/** Where an API server is, and how to sign in to it. */
export interface KubernetesServer extends Way {
  /** `https://…`, with a path where a gateway has the cluster below one. `http://` is for this machine alone. */
  readonly url: string;
  /** Called at first, each minute, and when a sign-in was not accepted, so that it can renew. May reject. */
  readonly signIn: () => Promise<SignIn>;
}

/** Where the world is replaced. */
export interface KubernetesSurroundings {
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly retryPolicy?: RetryPolicy;
  /** Bound of one exchange; 60 s when absent. */
  readonly requestTimeoutMs?: number;
  /** Ends the asking; what was not read to its end is unread then. */
  readonly signal?: AbortSignal | undefined;
}

/** Tokens of service accounts are renewed in their file long before they expire, and plugins keep what they got. */
const signInMs = 60_000;
/** A longer wait than this is not worth holding a run for. */
const longestPauseMs = 120_000;

/** Connects to an API server; sends nothing yet. Throws `INPUT_INVALID` for a URL that is none, or would carry a secret in the clear. */
export function connectToServer(server: KubernetesServer, surroundings: KubernetesSurroundings = {}): KubernetesApi {
  const { clock = systemClock, log = silentLog, retryPolicy = defaultRetryPolicy, signal } = surroundings;
  const url = readServerUrl(server.url);
  const send = createHttp(server, surroundings.requestTimeoutMs ?? 60_000);
  let signedIn: { readonly signIn: Promise<SignIn>; readonly until: number } | undefined;

  const signIn = (): Promise<SignIn> => {
    if (!signedIn || signedIn.until <= clock.now()) {
      signedIn = { signIn: server.signIn(), until: clock.now() + signInMs };
    }
    return signedIn.signIn;
  };
  const exchange = async ({ path, maxBytes }: KubernetesRequest): Promise<Exchange> => {
    try {
      return await send({ url: `${url}${path}`, signIn: await signIn(), maxBytes, signal });
    } catch (thrown) {
      signedIn = undefined;
      return {
        kind: 'broken',
        why: `was not asked, for there is no sign-in: ${errorMessage(thrown)}`,
        retryable: false,
      };
    }
  };
  const askOnce = async (request: KubernetesRequest): Promise<Attempt<KubernetesAnswer>> => {
    let answer = await exchange(request);
    if (answer.kind === 'answered' && answer.status === 401) {
      signedIn = undefined;
      answer = await exchange(request);
    }
    const judged = await withoutSecrets(judgeAnswer(request, answer), signedIn?.signIn);
    log.debug('asked a cluster', { what: request.what, answer: judged.kind });
    if (judged.kind !== 'unknown' || !judged.retryable) return { done: judged };
    return { failed: new Refused(judged), ...askedWait(answer) };
  };
  return {
    server: url,
    ask: async request => {
      try {
        return await retry(() => askOnce(request), clock, retryPolicy, signal);
      } catch (thrown) {
        if (thrown instanceof Refused) return thrown.answer;
        return { kind: 'unknown', reason: `${request.what}: ${errorMessage(thrown)}`, retryable: false };
      }
    },
  };
}

/** The last answer, when no retry helped. */
class Refused extends Error {
  readonly answer: KubernetesAnswer;
  constructor(answer: KubernetesAnswer) {
    super('no retry helped');
    this.answer = answer;
  }
}

/**
 * The URL of an API server as two places can be compared by it: lower-case host, no slash at the end. Throws
 * `INPUT_INVALID` for what is none.
 */
export function readServerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttps = url?.protocol === 'https:';
  const isLocal = url?.protocol === 'http:' && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (!url || !(isHttps || isLocal) || url.username || url.password || url.search || url.hash) {
    throw inputError(
      "The URL of a cluster's API server must look like https://contoso-dns-1a2b3c4d.hcp.westeurope.azmk8s.io:443, with no user and no query in it.",
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** How long the server asks us to wait: API servers say seconds. https://kubernetes.io/docs/concepts/cluster-administration/flow-control/ */
function askedWait(answer: Exchange): { waitMs?: number } {
  const seconds = answer.kind === 'answered' ? Number(answer.retryAfter ?? Number.NaN) : Number.NaN;
  return seconds > 0 && seconds * 1000 <= longestPauseMs ? { waitMs: seconds * 1000 } : {};
}

/** A server may put the sign-in that it was sent into its words. */
async function withoutSecrets(
  answer: KubernetesAnswer,
  signIn: Promise<SignIn> | undefined,
): Promise<KubernetesAnswer> {
  if (answer.kind === 'ok') return answer;
  const headers = await signIn?.then(
    each => each.headers,
    () => undefined,
  );
  const [, secret = ''] = /^\S+ (.{8,})$/.exec(headers?.['authorization'] ?? '') ?? [];
  return secret ? { ...answer, reason: answer.reason.replaceAll(secret, '***') } : answer;
}
