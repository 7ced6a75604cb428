/** A connection to Azure DevOps that asks nothing more once the run is ended. */
import type { AzureDevOps } from '../../azure-devops/connection.ts';

/** The connection, whose questions reject with the signal's reason from then on; one that is under way ends by itself. */
export function azureWithSignal(ado: AzureDevOps, signal: AbortSignal | undefined): AzureDevOps {
  if (!signal) return ado;
  return {
    ...ado,
    ask: async request => {
      signal.throwIfAborted();
      return ado.ask(request);
    },
  };
}
