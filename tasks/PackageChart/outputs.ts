/** The output variables. */
import { join } from 'node:path';
import { agentLog } from '../agent/log.ts';
import { setOutput } from '../agent/variables.ts';
import type { PackagedChart } from './artifacts.ts';

/** Each step that follows gets the variables in its environment, and no system takes a longer one everywhere. */
const maxVariableLength = 30_000;

/** Sets `chartPath`, `chartVersion` and `chartDigest` where there is one chart, and `charts`. `directory` is where the archives are. */
export function setOutputs(charts: readonly PackagedChart[], directory: string): void {
  const listed = charts.map(({ name, version, file, sha256, reference, digest }) => ({
    name,
    version,
    path: join(directory, file),
    sha256,
    reference,
    digest,
  }));
  const [only, ...more] = listed;
  if (only && more.length === 0) {
    setOutput('chartPath', only.path);
    setOutput('chartVersion', only.version);
    if (only.digest !== undefined) setOutput('chartDigest', only.digest);
  }
  const json = JSON.stringify(listed);
  if (json.length <= maxVariableLength) setOutput('charts', json);
  else {
    agentLog.warn(
      `The output variable charts is not set: ${listed.length} charts are too long for one. Read images.json.`,
    );
  }
}
