/** GitHub and GitHub Enterprise Server, by service connections. */
import { inputError, withContext } from '../../core/base/errors.ts';
import { connectGitHub, type GitHub } from '../../core/github/graphql.ts';
import type { Http } from '../../core/oci/http.ts';
import { openEndpoint } from './endpoint.ts';

/** Service connections by their ids, and the input that names them. */
export interface GitHubConnections {
  readonly input: string;
  readonly ids: readonly string[];
}

/** Opens each for its own host; nothing is sent. Throws `INPUT_INVALID`, naming the input, for one that holds no token. */
export function openGitHubs({ input, ids }: GitHubConnections, http: Http): GitHub[] {
  return ids.map(id => {
    const endpoint = openEndpoint(id, input);
    // Sign-ins by OAuth, by a personal access token and by GitHub's app; a server's calls it apitoken.
    // https://learn.microsoft.com/azure/devops/pipelines/library/service-endpoints#github-service-connection
    const token = endpoint.secret('accessToken') ?? endpoint.secret('apitoken') ?? endpoint.secret('IdToken');
    if (token === undefined || endpoint.url === undefined) {
      throw inputError(
        `The input ${input}: the service connection "${id}" holds no token of GitHub (${endpoint.scheme || 'no sign-in'}). Make one with a personal access token, by OAuth or by the app of Azure Pipelines.`,
      );
    }
    try {
      return connectGitHub({ url: endpoint.url, token, http });
    } catch (thrown) {
      throw withContext(`The input ${input}: the service connection "${id}"`, thrown);
    }
  });
}
