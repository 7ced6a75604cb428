/** Azure DevOps, as the job that runs this task: by the job's own token or a service connection, and on the agent's way out. */
import { createEntraTokenSource } from '../../core/acr/entra.ts';
import {
  type AzureDevOps,
  azureDevOpsAudience,
  connectAzureDevOps as connectTo,
} from '../../core/azure-devops/connection.ts';
import { canonicalOrganization, isOfServices, releasesUrlOf } from '../../core/azure-devops/organization-url.ts';
import { systemClock } from '../../core/base/clock.ts';
import { AppError, inputError } from '../../core/base/errors.ts';
import type { Http } from '../../core/oci/http.ts';
import { readEntraIdentity } from './azure-identity.ts';
import { openEndpoint, readSystemAccessToken } from './endpoint.ts';
import { readHostKind } from './host.ts';
import { agentLog } from './log.ts';
import { readAuthorities, readProxyTo } from './proxy.ts';
import { readRequiredVariable, readVariable } from './variables.ts';

/** A service connection of an input, by its id; empty where none was chosen. */
export interface OrganizationConnection {
  readonly id: string;
  readonly input: string;
}

/** Connects to the organization or the collection: builds and leases. Throws `SIGN_IN_FAILED` or `INPUT_INVALID`. */
export function connectAzureDevOps(): AzureDevOps {
  const url = readOwnUrl();
  const token = readOwnToken();
  return connectBy(url, async () => token);
}

/** Connects to where classic releases are, which only a release knows. Throws `SIGN_IN_FAILED` or `INPUT_INVALID`. */
export function connectReleases(): AzureDevOps {
  if (readHostKind() !== 'release') {
    throw inputError('This is a pipeline, and no classic release: it has no artifacts of a release.');
  }
  const url = readUrl('System.TeamFoundationServerUri');
  const token = readOwnToken();
  return connectBy(url, async () => token);
}

/** An organization, and the host of its classic releases. */
export interface Organization {
  readonly azureDevOps: AzureDevOps;
  readonly releases: AzureDevOps;
}

/**
 * Connects to the organization or collection at `url` by the identity of a service connection; without one by the job's
 * own token, which goes to the job's own organization alone. Nothing is sent yet. Throws `INPUT_INVALID` or `SIGN_IN_FAILED`.
 */
export function connectOrganization(url: string, connection: OrganizationConnection, http: Http): Organization {
  const own = readOwnUrl();
  const isOwn = canonicalOrganization(url) === canonicalOrganization(own);
  if (connection.id) {
    // Whoever edits the configuration must not be able to send an identity's token to a host of their own.
    if (!isOwn && !isOfServices(url)) {
      throw inputError(
        `The input ${connection.input}: ${url} is no organization of Azure DevOps Services, and no other knows a service principal.`,
      );
    }
    const endpoint = openEndpoint(connection.id, connection.input);
    const entraToken = createEntraTokenSource(readEntraIdentity(endpoint, connection.input, http), {
      ca: readAuthorities(),
    });
    return connectBoth(url, () => entraToken(azureDevOpsAudience));
  }
  if (!isOwn) {
    throw inputError(
      `The configuration names ${url}, and this job is of ${own}, whose token opens no other. Name a service principal that is a member there in the input ${connection.input}.`,
    );
  }
  const token = readOwnToken();
  return connectBoth(own, async () => token);
}

function connectBoth(url: string, token: () => Promise<string>): Organization {
  return { azureDevOps: connectBy(url, token), releases: connectBy(releasesUrlOf(url), token) };
}

/** The organization or the collection of this job. */
export function readOwnUrl(): string {
  // System.TeamFoundationServerUri is the host of the releases where this is one.
  return readUrl(readVariable('System.CollectionUri') ? 'System.CollectionUri' : 'System.TeamFoundationCollectionUri');
}

function readUrl(variable: string): string {
  const url = readRequiredVariable(variable);
  if (URL.canParse(url)) return url.replace(/\/+$/, '');
  throw inputError(`The variable ${variable} is not a URL.`);
}

function readOwnToken(): string {
  const token = readSystemAccessToken();
  if (token !== undefined) return token;
  throw new AppError(
    'The agent gave this job no access token (SYSTEMVSSCONNECTION), so Azure DevOps cannot be asked. Update the agent.',
    { code: 'SIGN_IN_FAILED' },
  );
}

function connectBy(url: string, token: () => Promise<string>): AzureDevOps {
  const proxy = readProxyTo(url);
  const ca = readAuthorities();
  return connectTo({
    url,
    token: async () => ({ kind: 'bearer', value: await token() }),
    clock: systemClock,
    log: agentLog,
    ...(proxy && { proxy }),
    ...(ca && { ca }),
  });
}
