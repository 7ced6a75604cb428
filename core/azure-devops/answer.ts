/** Judges what Azure DevOps answered. Whatever is not exactly understood is `unknown`: an error is never an absence. */
import * as z from 'zod';
import type { Exchange } from './http.ts';

/** What a request brought. */
export type Answer =
  /** 2xx with a whole JSON body; `body` is undefined on 204. With a token the list goes on. */
  | { readonly kind: 'ok'; readonly body: unknown; readonly continuationToken?: string }
  /** 400, 404, 409 and the like with the JSON error that Azure DevOps itself writes. */
  | { readonly kind: 'refused'; readonly status: number; readonly typeKey: string; readonly message: string }
  /** Everything else. `reason` names the thing, what happened and what to do, and never holds a token. */
  | {
      readonly kind: 'unknown';
      readonly reason: string;
      readonly retryable: boolean;
      /** Whether it was a 401 or a 403: nothing was done, and somebody else may get another answer. */
      readonly denied?: true;
    };

type Answered = Extract<Exchange, { kind: 'answered' }>;

/** The body of an error: https://learn.microsoft.com/azure/devops/integrate/concepts/rest-api-methods */
const errorBody = z.looseObject({ typeKey: z.string().min(1), message: z.string() });

const retryableStatus = new Set([408, 429, 500, 502, 503, 504]);
/** 203 and 206 are successes in name only: a sign-in page, a part of a body. */
const success = new Set([200, 201, 202, 204]);
const meaning: Readonly<Record<number, string>> = {
  203: 'answered with its sign-in page (203), so the token is wrong, expired or of another organization: check the sign-in',
  429: 'limits the rate of requests (429): ask less often, or wait',
};

/** Makes an answer that says nothing; `what` names the thing that was asked for. */
export function unknownAnswer(what: string, happened: string, retryable = false): Extract<Answer, { kind: 'unknown' }> {
  return { kind: 'unknown', reason: `${what}: ${happened}`, retryable };
}

/** Reads an exchange as an {@link Answer} about `what`; `right` is what a 403 says to grant. */
export function judgeAnswer(what: string, exchange: Exchange, right: string): Answer {
  if (exchange.kind === 'broken') return unknownAnswer(what, `Azure DevOps ${exchange.why}`, exchange.retryable);
  const { status } = exchange;
  const retryable = retryableStatus.has(status);
  if (status === 401 || status === 403) return { ...denied(what, exchange, right), denied: true };
  const known = meaning[status];
  if (known !== undefined) return unknownAnswer(what, `Azure DevOps ${known}`, retryable);
  if (status >= 300 && status < 400) return redirected(what, exchange.headers.location, status);
  if (retryable || status >= 500 || (status < 300 && !success.has(status))) {
    return unknownAnswer(what, `Azure DevOps failed (${status}): try again later`, retryable);
  }
  return status === 204 ? { kind: 'ok', body: undefined } : judgeJson(what, exchange);
}

function judgeJson(what: string, { status, headers, body }: Answered): Answer {
  const json = readJson(headers['content-type'], body);
  if ('why' in json)
    return unknownAnswer(what, `Azure DevOps answered ${status} ${json.why}: check the URL and the sign-in`);
  const continuationToken = headers['x-ms-continuationtoken'];
  if (status < 300)
    return { kind: 'ok', body: json.value, ...(typeof continuationToken === 'string' && { continuationToken }) };
  const error = errorBody.safeParse(json.value);
  if (!error.success) return unknownAnswer(what, `Azure DevOps answered ${status} without saying why: check the URL`);
  return { kind: 'refused', status, typeKey: error.data.typeKey, message: shorten(error.data.message) };
}

/** Azure DevOps names the identity and the permission that it misses; one that it does not know gets a page instead. */
function denied(
  what: string,
  { status, headers, body }: Answered,
  right: string,
): Extract<Answer, { kind: 'unknown' }> {
  const json = readJson(headers['content-type'], body);
  const error = errorBody.safeParse('value' in json ? json.value : undefined);
  const said = error.success ? `. It said: ${shorten(error.data.message)}` : '';
  const happened =
    status === 403
      ? `denied it (403): give the identity ${right}`
      : 'did not accept the token (401): check that it is not expired and belongs to this organization';
  return unknownAnswer(what, `Azure DevOps ${happened}${said}`);
}

/** Only the origin of the target is told: the rest of it may carry a sign-in. */
function redirected(what: string, location: string | undefined, status: number): Answer {
  const target = location !== undefined && URL.canParse(location) ? new URL(location).origin : 'elsewhere';
  const happened = `Azure DevOps redirected to ${target} (${status}), which is not followed: check the URL and the sign-in`;
  return unknownAnswer(what, happened);
}

function readJson(contentType: string | undefined, body: Buffer): { value: unknown } | { why: string } {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  if (type.trim() !== 'application/json') return { why: `with ${type.trim() || 'no content type'} instead of JSON` };
  const charset = parameters.find(parameter => parameter.trim().startsWith('charset='));
  if (charset !== undefined && !/^\s*charset="?utf-8"?\s*$/.test(charset))
    return { why: 'in another charset than UTF-8' };
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown };
  } catch {
    return { why: 'with JSON that does not parse' };
  }
}

/** Bounds text from outside, on one line. */
function shorten(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, 300);
}
