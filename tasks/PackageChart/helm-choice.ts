/** Whether this step uses helm: what the user wants, and what the agent has. */
import { inputError } from '../../core/base/errors.ts';
import { findHelm, type Helm } from '../agent/helm.ts';
import { agentLog } from '../agent/log.ts';

/** The helm to use; without one, the reason as a clause. */
export type HelmChoice =
  | { readonly helm: Helm; readonly reason?: undefined }
  | { readonly helm?: undefined; readonly reason: string };

/** Looks for helm where it is wanted. Throws `INPUT_INVALID` where it is required and is not there. */
export async function chooseHelm(wish: 'auto' | 'required' | 'never'): Promise<HelmChoice> {
  if (wish === 'never') return { reason: 'the input helm is never' };
  const found = await findHelm();
  if ('path' in found) {
    agentLog.info(`Using helm ${found.version}.`);
    return { helm: found };
  }
  if (wish === 'auto') return { reason: found.missing };
  throw inputError(`The input helm is required, but ${found.missing}. Install helm before this step.`);
}
