/** The errors of an API server. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
import type { Reply } from '../azure-devops/http.ts';

/** An error as a server writes it. */
export function failure(code: number, reason: string, message: string, details: object = {}): Reply {
  return {
    status: code,
    json: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code },
  };
}

/** Thrown where an answer is known before the end. */
export class Refusal extends Error {
  readonly reply: Reply;
  constructor(reply: Reply) {
    super(`refused with ${reply.status}`);
    this.reply = reply;
  }
}

/** What nothing serves: text, and no Status. */
export const notServed: Reply = {
  status: 404,
  html: '404 page not found\n',
  headers: { 'content-type': 'text/plain; charset=utf-8' },
};
