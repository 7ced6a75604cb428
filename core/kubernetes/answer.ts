/** Judges what an API server answered. Whatever is not exactly understood is `unknown`: an error is never an absence. */
import * as z from 'zod';
import type { Exchange } from './http.ts';

/** What a request brought. */
export type KubernetesAnswer =
  /** 200 with a whole JSON body. */
  | { readonly kind: 'ok'; readonly body: unknown }
  /** 410: the list has changed too much since it was begun. https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses */
  | { readonly kind: 'expired'; readonly reason: string }
  /** More bytes than were to be read: ask for less at a time. */
  | { readonly kind: 'tooLarge'; readonly reason: string }
  /** Everything else. `reason` names the thing, what happened and what to do, and never holds a token. */
  | { readonly kind: 'unknown'; readonly reason: string; readonly retryable: boolean };

/** What is asked for, in words. */
export interface Question {
  /** As it stands in front of reasons: `the deployments of https://10.0.0.1`. */
  readonly what: string;
  /** The rule of a ClusterRole that a 403 asks for, as YAML in one line. */
  readonly rule: string;
  /** What a 404 means: a clause behind "(404): ". */
  readonly absent: string;
}

/** The body of an error. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
const statusBody = z.object({ kind: z.literal('Status'), message: z.string() });

const retryableStatus = new Set([408, 429, 500, 502, 503, 504]);

/** Reads an exchange as a {@link KubernetesAnswer} to a question. */
export function judgeAnswer(question: Question, exchange: Exchange): KubernetesAnswer {
  const { what } = question;
  if (exchange.kind === 'tooLarge') {
    return { kind: 'tooLarge', reason: `${what}: the answer is larger than what is read` };
  }
  if (exchange.kind === 'broken') return unknown(what, `the API server ${exchange.why}`, exchange.retryable);
  const { status } = exchange;
  const read = readJson(exchange);
  if (status === 200) {
    return 'why' in read
      ? unknown(what, `answered 200 ${read.why}: is that the API server, and no page in front of it?`)
      : { kind: 'ok', body: read.value };
  }
  const reason = `${meaningOf(question, status)}${quote('why' in read ? undefined : read.value)}`;
  if (status === 410) return { kind: 'expired', reason: `${what}: ${reason}` };
  return unknown(what, reason, retryableStatus.has(status));
}

function unknown(what: string, happened: string, retryable = false): KubernetesAnswer {
  return { kind: 'unknown', reason: `${what}: ${happened}`, retryable };
}

function meaningOf({ rule, absent }: Question, status: number): string {
  if (status === 401) return 'the sign-in is not accepted (401): it may be expired, or of another cluster';
  if (status === 403) return `denied (403): give the identity a ClusterRole with the rule ${rule}`;
  if (status === 404) return `not there (404): ${absent}`;
  if (status === 410) return 'the list expired while it was read (410): try again';
  if (status === 429) return 'too many requests (429): try again later';
  if (status >= 300 && status < 400) {
    return `redirected (${status}), which is not followed: name the API server by its own URL`;
  }
  if (status >= 500) return `the API server failed (${status}): try again later`;
  return `answered ${status}, which is not understood: check the URL`;
}

function readJson({
  contentType,
  bytes,
}: Extract<Exchange, { kind: 'answered' }>): { value: unknown } | { why: string } {
  const [type = ''] = contentType.toLowerCase().split(';');
  if (type.trim() !== 'application/json') return { why: `with ${type.trim() || 'no content type'} instead of JSON` };
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown };
  } catch {
    return { why: 'with JSON that does not parse' };
  }
}

/** The server's own words name the identity and what it lacks. Bounded, and on one line. */
function quote(body: unknown): string {
  const read = statusBody.safeParse(body);
  return read.success ? `. It said: ${read.data.message.replace(/\p{Cc}+/gu, ' ').slice(0, 300)}` : '';
}
