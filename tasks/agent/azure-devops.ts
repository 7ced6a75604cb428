/** Azure DevOps, as the job that runs this task: by the job's own token, and on the agent's way out. */
import { type AzureDevOps, connectAzureDevOps as connectTo } from '../../core/azure-devops/connection.ts';
import { systemClock } from '../../core/base/clock.ts';
import { AppError, inputError } from '../../core/base/errors.ts';
import { readSystemAccessToken } from './endpoint.ts';
import { readHostKind } from './host.ts';
import { agentLog } from './log.ts';
import { readAuthorities, readProxyTo } from './proxy.ts';
import { readRequiredVariable, readVariable } from './variables.ts';

/** Connects to the organization or the collection: builds and leases. Throws `SIGN_IN_FAILED` or `INPUT_INVALID`. */
export function connectAzureDevOps(): AzureDevOps {
  // System.TeamFoundationServerUri is the host of the releases where this is one.
  return connect(readVariable('System.CollectionUri') ? 'System.CollectionUri' : 'System.TeamFoundationCollectionUri');
}

/** Connects to where classic releases are, which only a release knows. Throws `SIGN_IN_FAILED` or `INPUT_INVALID`. */
export function connectReleases(): AzureDevOps {
  if (readHostKind() === 'release') return connect('System.TeamFoundationServerUri');
  throw inputError('This is a pipeline, and no classic release: it has no artifacts of a release.');
}

function connect(variable: string): AzureDevOps {
  const url = readRequiredVariable(variable);
  if (!URL.canParse(url)) throw inputError(`The variable ${variable} is not a URL.`);
  const token = readSystemAccessToken();
  if (token === undefined) {
    throw new AppError(
      'The agent gave this job no access token (SYSTEMVSSCONNECTION), so Azure DevOps cannot be asked. Update the agent.',
      { code: 'SIGN_IN_FAILED' },
    );
  }
  const proxy = readProxyTo(url);
  const ca = readAuthorities();
  return connectTo({
    url,
    token: async () => ({ kind: 'bearer', value: token }),
    clock: systemClock,
    log: agentLog,
    ...(proxy && { proxy }),
    ...(ca && { ca }),
  });
}
