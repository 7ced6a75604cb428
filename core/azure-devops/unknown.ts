/** How the questions to Azure DevOps say that they learnt nothing. */
import type * as z from 'zod';
import type { Answer } from './answer.ts';
import { buildId, guid } from './build-body.ts';

/** Nothing was learnt; never an absence. `reason` names the thing, what happened and what to do. */
export interface Unknown {
  readonly kind: 'unknown';
  readonly reason: string;
}

/** Whether Azure DevOps itself says, with a 404 of one of these kinds, that the thing is not there. */
export function isRefusal(answer: Answer, ...typeKeys: readonly string[]): boolean {
  return answer.kind === 'refused' && answer.status === 404 && typeKeys.includes(answer.typeKey);
}

/** Why an answer about `what` that is none tells nothing. */
export function unknown(what: string, answer: Exclude<Answer, { kind: 'ok' }>): Unknown {
  if (answer.kind === 'unknown') return { kind: 'unknown', reason: answer.reason };
  return { kind: 'unknown', reason: `${what}: ${answer.status} ${answer.typeKey}: ${answer.message}` };
}

/** Names the first place where a body about `what` is not as documented. */
export function misunderstood(what: string, error: z.ZodError): Unknown {
  const place = error.issues[0]?.path.map(String).join('.') || 'the body';
  return { kind: 'unknown', reason: `${what}: the answer does not say ${place} as documented; check the URL` };
}

/** Gives the refusal to ask where an id is not one: it would change the path, and the question with it. */
export function checkIds(what: string, projectId: string, ...ids: readonly number[]): Unknown | undefined {
  const valid = guid.safeParse(projectId).success && ids.every(id => buildId.safeParse(id).success);
  return valid ? undefined : { kind: 'unknown', reason: `${what}: not ids of Azure DevOps; check the record` };
}
