/** Whether Azure can bring the images by itself: between two of its registries, where the identity is permitted to. */
import { findRegistry } from '../../core/acr/arm-registry.ts';
import { createImporter, type Importer } from '../../core/acr/import.ts';
import { inputError } from '../../core/base/errors.ts';
import type { CopyRun } from '../../core/oci/copy.ts';
import type { Http } from '../../core/oci/http.ts';
import { openArm, readSubscription } from '../agent/arm.ts';
import { agentLog } from '../agent/log.ts';
import { type Connection, hostOf } from '../agent/sign-in.ts';

/** From where to where, and what the user wants. */
export interface ImportWish {
  readonly from: Connection | undefined;
  readonly to: Connection;
  readonly method: 'auto' | 'import' | 'copy';
}

/**
 * Finds both registries in Azure Resource Manager, by the target's identity, which is the one that imports.
 * Undefined where images are copied; one line says why. Throws `INPUT_INVALID` where that was not wanted.
 */
export async function readImporter(
  run: CopyRun,
  { from, to, method }: ImportWish,
  http: Http,
): Promise<Importer | undefined> {
  if (method === 'copy') return undefined;
  if (from?.kind !== 'azureResourceManager' || to.kind !== 'azureResourceManager') {
    return without(method, 'an import needs an Azure Resource Manager connection on both sides');
  }
  const arm = openArm(to, http);
  const found = await Promise.all(
    [from, to].map(async connection => {
      const subscriptionId = readSubscription(connection);
      return subscriptionId === undefined
        ? ({ kind: 'unavailable', reason: `the connection of ${connection.input} is not for a subscription` } as const)
        : findRegistry(arm, hostOf(connection.registry), { subscriptionId });
    }),
  );
  const [source, target] = found;
  if (source?.kind === 'found' && target?.kind === 'found') {
    return createImporter({ arm, source: source.registry, target: target.registry, request: run.request });
  }
  const reasons = found.flatMap(each => (each.kind === 'unavailable' ? [each.reason] : []));
  return without(method, reasons.join('; '));
}

function without(method: 'auto' | 'import', why: string): undefined {
  if (method === 'import') throw inputError(`The input method is import, but ${why}.`);
  agentLog.info(`Images are copied through this agent: ${why}.`);
}
