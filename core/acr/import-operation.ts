/**
 * Follows an operation of Azure Resource Manager to its end, or to a time limit of ours: imports that stay "Running" are known.
 * https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
 */
import { z } from 'zod';
import type { Limit } from '../base/concurrency.ts';
import { AppError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { type HttpAnswer, readRetryAfter } from '../oci/http.ts';
import { type Arm, type ArmAnswer, describeRefusal, readArmError } from './arm.ts';

/** How an operation ended, as far as Azure Resource Manager says. Only the target can say whether it worked. */
export type OperationEnd =
  | { readonly kind: 'succeeded' }
  /** By its own account; `reason` holds Azure's words. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** It may run on, but nobody tells us about it. */
  | { readonly kind: 'lostSight'; readonly reason: string }
  | { readonly kind: 'unfinished' };

/** What to follow an operation with. */
export interface Following {
  readonly arm: Arm;
  /** Through which every request goes; it throws where the whole run is to end. */
  readonly request: Limit;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
}

const shortestPause = 1000;
const longestPause = 30_000;
/** Where nothing is asked for: imports take from a part of a second to minutes. */
const longestOwnPause = 10_000;

const statusBody = z.object({ status: z.string() });

/** Follows the operation that `accepted` began, by `Azure-AsyncOperation` or `Location`, waiting as told between 1 and 30 s. */
export async function followOperation(following: Following, accepted: HttpAnswer): Promise<OperationEnd> {
  const { clock } = following.arm.http;
  let latest = accepted;
  let address = addressOf(accepted);
  for (let pause = shortestPause; ; pause = Math.min(pause * 1.5, longestOwnPause)) {
    if (address === undefined) return lostSight('it gave no address to follow the operation by');
    if (clock.now() >= following.deadline) return { kind: 'unfinished' };
    const asked = readRetryAfter(latest.headers, clock) ?? pause;
    await clock.sleep(Math.min(Math.max(asked, shortestPause), longestPause));
    const polled = await poll(following, address);
    if (polled === undefined) return { kind: 'unfinished' };
    if ('failed' in polled) return lostSight(polled.failed);
    const end = readEnd(polled.answer);
    if (end) return end;
    latest = polled.answer;
    // Each answer may carry a newly signed address.
    address = addressOf(latest) ?? address;
  }
}

/** Undefined where the time was over before Azure was ready to answer. */
async function poll({ arm, request, deadline }: Following, path: string): Promise<ArmAnswer | undefined> {
  let isLate = false;
  const polled = await request(() =>
    arm.ask({
      method: 'GET',
      path,
      beforeAgain: async () => {
        isLate = arm.http.clock.now() >= deadline;
        if (isLate) throw new AppError('The time is over.', { code: 'REGISTRY_UNAVAILABLE' });
      },
    }),
  );
  return isLate ? undefined : polled;
}

function addressOf({ headers }: HttpAnswer): string | undefined {
  return headers['azure-asyncoperation'] ?? headers['location'];
}

/** Undefined while it runs. */
function readEnd(answer: HttpAnswer): OperationEnd | undefined {
  const { status, bytes } = answer;
  if (isHidden(answer)) return lostSight(`the operation cannot be followed: ${describeRefusal(answer)}`);
  if (status >= 300) return { kind: 'failed', reason: describeRefusal(answer) };
  const json = bytes.byteLength === 0 ? null : parseJson(bytes);
  if (json === undefined) return lostSight('the state of the operation was answered with no JSON');
  const said = statusBody.safeParse(json).data?.status.toLowerCase();
  // By `Location`, a status other than 202 is the end, and the result of an import is nothing.
  if (said === undefined) return status === 202 ? undefined : { kind: 'succeeded' };
  if (said === 'succeeded') return { kind: 'succeeded' };
  const hasFailed = ['failed', 'canceled', 'cancelled'].includes(said);
  return hasFailed ? { kind: 'failed', reason: readArmError(bytes) || said } : undefined;
}

/** Who may begin an operation on a resource may still lack the right to follow it, which is one on the subscription. */
function isHidden({ status, bytes }: HttpAnswer): boolean {
  return status === 401 || status === 404 || (status === 403 && readArmError(bytes).startsWith('AuthorizationFailed'));
}

function lostSight(reason: string): OperationEnd {
  return { kind: 'lostSight', reason };
}
