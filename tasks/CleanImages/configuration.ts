/** What is to be cleaned: the configuration's file, or for an audit without one what the inputs tell. */
import { inputError } from '../../core/base/errors.ts';
import { type Configuration, parseConfiguration } from '../../core/lifecycle/configuration/configuration.ts';
import { readOwnUrl } from '../agent/azure-devops.ts';
import { readTextFile } from '../agent/files.ts';
import { readGuid } from '../agent/variables.ts';

const maxBytes = 1024 * 1024;

/** What an audit without a configuration looks at. */
export interface Assumed {
  /** Login servers. */
  readonly registries: readonly string[];
  /** As in the configuration. */
  readonly clusters: readonly { readonly name: string; readonly server?: string }[];
}

/** Reads the file at `path`. Throws `INPUT_INVALID` with a line for each fault. */
export async function readConfiguration(path: string): Promise<Configuration> {
  const text = await readTextFile(path, 'configuration', maxBytes);
  return parseConfiguration(text, path);
}

/**
 * The configuration that an audit without one assumes: this job's own project, and the policy that holds where nothing is
 * said. Where no cluster is given, nothing is taken to run: else the policy would keep everything, and the audit would
 * tell nothing. Throws `INPUT_INVALID` where there is no registry.
 */
export function assumeConfiguration({ registries, clusters }: Assumed): Configuration {
  if (registries.length === 0) {
    throw inputError(
      'An audit without a configuration needs registries to look at: name login servers in the input registries, or connections in containerRegistries.',
    );
  }
  const assumed = {
    organization: readOwnUrl(),
    projects: [{ id: readGuid('System.TeamProjectId') }],
    registries: registries.map(url => ({ url })),
    clusters,
    ...(clusters.length === 0 && { keep: { deployed: false } }),
  };
  // Through the same text as a file's, so that the same checks and the same defaults hold.
  return parseConfiguration(JSON.stringify(assumed), 'the configuration that the audit assumes');
}
