/** An order to reconcile an emulated estate. */
import type { BrakeLimit } from '../../core/lifecycle/rules.ts';
import type { Estate } from '../../test/core/lifecycle/estate.ts';
import { issueToken } from '../../test/emulators/tokens.ts';
import type { ClientOrder } from './client.ts';

const noBrake: BrakeLimit = { images: 1_000_000, percent: 100 };

/** Orders a reconciliation of the whole estate, or of one build by a hint. Nobody is asked before many images go. */
export function orderFor(estate: Estate, hinted?: number): ClientOrder {
  const { acr, ado, projectId, rules } = estate;
  const entraToken = issueToken({
    aud: 'https://containerregistry.azure.net',
    oid: 'cleaner',
    exp: Math.floor(acr.clock.now() / 1000) + 3600,
  });
  return {
    registry: { host: acr.host, ca: acr.ca, entraToken },
    azureDevOps: { url: ado.url, token: ado.token },
    rules: { ...rules, brake: { deleted: noBrake, absent: noBrake } },
    request: hinted === undefined ? {} : { only: [{ projectId, buildId: hinted }] },
  };
}
