/** Whether Azure can bring the images by itself: between two of its registries, where the identity is permitted to. */
import type { Arm } from '../../core/acr/arm.ts';
import { type FoundRegistry, findRegistry } from '../../core/acr/arm-registry.ts';
import { createImporter, type Importer } from '../../core/acr/import.ts';
import { inputError } from '../../core/base/errors.ts';
import type { CopyRun } from '../../core/oci/copy-run.ts';
import type { Http } from '../../core/oci/http.ts';
import { type AzureConnection, openArm, readSubscription } from '../agent/arm.ts';
import { agentLog } from '../agent/log.ts';
import { hostOf } from '../agent/sign-in.ts';
import type { PromoteImageInputs } from './inputs.ts';

/**
 * Finds both registries in Azure Resource Manager, by the target's identity, which is the one that imports.
 * Undefined where images are copied; one line says why. Throws `INPUT_INVALID` where that was not wanted.
 */
export async function readImporter(
  run: CopyRun,
  { method, importSides }: Pick<PromoteImageInputs, 'method' | 'importSides'>,
  http: Http,
): Promise<Importer | undefined> {
  if (method === 'copy') return undefined;
  if (!importSides) return without(method, 'an import needs an Azure Resource Manager connection on both sides');
  const { from, to } = importSides;
  const arm = openArm(to, http);
  const [source, target] = await Promise.all([findSide(arm, from), findSide(arm, to)]);
  if (source.kind === 'found' && target.kind === 'found') {
    return createImporter({ arm, source: source.registry, target: target.registry, request: run.request });
  }
  const reasons = [source, target].flatMap(each => (each.kind === 'unavailable' ? [each.reason] : []));
  return without(
    method,
    `${reasons.join('; ')}. For an import the identity of ${to.input} needs the role "Container Registry Data Importer and Data Reader" on both registries`,
  );
}

async function findSide(arm: Arm, connection: AzureConnection): Promise<FoundRegistry> {
  const subscriptionId = readSubscription(connection);
  if (subscriptionId !== undefined) return findRegistry(arm, hostOf(connection.registry), { subscriptionId });
  return { kind: 'unavailable', reason: `the connection of ${connection.input} is not for a subscription` };
}

function without(method: 'auto' | 'import', why: string): undefined {
  if (method === 'import') {
    throw inputError(`The input method is import, but ${why}. Set it to auto to have images copied through the agent.`);
  }
  agentLog.info(`Images are copied through this agent: ${why}.`);
}
