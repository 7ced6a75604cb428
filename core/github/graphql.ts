/** GitHub's GraphQL interface, by the token of one connection. https://docs.github.com/graphql */
import * as z from 'zod';
import { errorMessage, inputError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import type { Http, HttpAnswer } from '../oci/http.ts';

/** Nothing was learnt; never an absence. `reason` names the thing, what happened and what to do. */
export interface Unknown {
  readonly kind: 'unknown';
  readonly reason: string;
}

/** One question. */
export interface GitHubQuestion {
  /** As it stands in front of reasons: `the branches of https://github.com/contoso/shop`. */
  readonly what: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
}

/** GitHub, or a GitHub Enterprise Server. */
export interface GitHub {
  /** Its origin, as repositories have it in their URLs: `https://github.com`. */
  readonly url: string;
  /** Gives `data` of an answer without errors. Rejects with the signal's reason alone. */
  readonly ask: (question: GitHubQuestion) => Promise<{ readonly kind: 'ok'; readonly data: unknown } | Unknown>;
}

/** Where it is, and who asks. */
export interface GitHubOptions {
  /** `https://github.com`, or that of a GitHub Enterprise Server. */
  readonly url: string;
  readonly token: string;
  readonly http: Http;
}

/** A hundred references with the longest names that git has take some 200 KB. */
const maxBytes = 2 * 1024 * 1024;

/** Makes the client; nothing is sent yet. Throws `INPUT_INVALID` for a URL that is none. */
export function connectGitHub({ url: text, token, http }: GitHubOptions): GitHub {
  const url = readOrigin(text);
  // https://docs.github.com/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint and, of a server,
  // https://docs.github.com/enterprise-server/graphql/guides/forming-calls-with-graphql
  const endpoint = new URL(url === 'https://github.com' ? 'https://api.github.com/graphql' : `${url}/api/graphql`);
  return {
    url,
    async ask({ what, query, variables, signal }) {
      const fail = (why: string): Unknown => ({
        kind: 'unknown',
        reason: `${what}: ${why}`.replaceAll(token, '***'),
      });
      try {
        // A POST follows no redirect, so the token stays with this origin.
        const answer = await http.exchange({
          method: 'POST',
          url: endpoint,
          authorization: `Bearer ${token}`,
          headers: {
            accept: 'application/json',
            'content-type': 'application/json',
            // https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent
            'user-agent': 'image-lifecycle',
          },
          body: JSON.stringify({ query, variables }),
          maxBytes,
          signal,
        });
        const read = readAnswer(answer);
        return 'why' in read ? fail(read.why) : { kind: 'ok', data: read.data };
      } catch (thrown) {
        signal?.throwIfAborted();
        return fail(`${errorMessage(thrown).replace(/\.$/, '')}; try again later`);
      }
    },
  };
}

function readOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.username || url.password) {
    throw inputError('The URL of GitHub must look like https://github.com, or like https://github.contoso.com.');
  }
  return url.origin === 'https://api.github.com' ? 'https://github.com' : url.origin;
}

/** https://spec.graphql.org/October2021/#sec-Response-Format: with errors, `data` lacks what they are about. */
const answerBody = z.object({
  data: z.unknown(),
  errors: z.array(z.object({ type: z.string().nullish(), message: z.string() })).nullish(),
});
const refusalBody = z.object({ message: z.string() });

function readAnswer({ status, headers, bytes }: HttpAnswer): { readonly data: unknown } | { readonly why: string } {
  const body = parseJson(bytes);
  if (status !== 200)
    return { why: `${meaningOf(status, headers)}${quote(refusalBody.safeParse(body).data?.message)}` };
  const read = answerBody.safeParse(body);
  if (!read.success) return { why: 'answered 200 with no answer of GraphQL; check the URL of the connection' };
  const { data, errors } = read.data;
  const [error] = errors ?? [];
  return errors && error ? { why: `${adviceOf(error.type ?? '')}${quote(error.message)}` } : { data };
}

const notReadable =
  'not there, or this token may not read it: give it Contents (read) and Pull requests (read) on that repository';

/** https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api and, of limits, https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api */
function meaningOf(status: number, headers: HttpAnswer['headers']): string {
  if (status === 401) return 'the token is not accepted (401): it may be expired; renew the service connection';
  if (status === 403 && headers['x-github-sso'] !== undefined) {
    return "denied (403): authorize the token for the organization's single sign-on";
  }
  if (status === 403 && (headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined)) {
    return "the token's limit of requests is reached (403): try again later";
  }
  if (status === 403) return `denied (403): ${notReadable}`;
  if (status >= 300 && status < 400) {
    return `redirected (${status}), which is not followed: give the connection the URL that is meant`;
  }
  return `answered ${status}, which is not understood; check the URL of the connection`;
}

function adviceOf(type: string): string {
  if (type === 'NOT_FOUND' || type === 'FORBIDDEN' || type === 'INSUFFICIENT_SCOPES') return notReadable;
  if (type === 'RATE_LIMITED') return "the token's limit of requests is reached: try again later";
  return 'was not answered whole; try again later';
}

/** GitHub's own words, bounded and on one line. */
function quote(message: string | undefined): string {
  return message === undefined ? '' : `. It said: ${message.replace(/\p{Cc}+/gu, ' ').slice(0, 300)}`;
}
