/** The packaged charts as images.json lists them, and as they are pushed. */
import { inputError } from '../../core/base/errors.ts';
import { type ChartArtifact, createChartArtifact } from '../../core/lifecycle/chart-artifact.ts';
import type { ChartToPush } from '../../core/lifecycle/push-charts.ts';
import { isRepository } from '../../core/oci/reference.ts';
import type { ListedChart } from '../agent/images-json.ts';
import type { PushInputs } from './inputs.ts';
import type { ReadyChart } from './pack.ts';

/** A chart as the file lists it. */
export interface PackagedChart extends ListedChart {
  readonly name: string;
  readonly version: string;
  /** Its name in the folder. */
  readonly file: string;
  /** Of the archive, in hexadecimal. */
  readonly sha256: string;
  /** `registry/repository@digest`, and the digest, of a chart that is pushed. */
  readonly reference?: string;
  readonly digest?: string;
}

/** Where each chart goes; nothing is sent. Throws `INPUT_INVALID` for what no registry takes. */
export function placeCharts(charts: readonly ReadyChart[], push: PushInputs | undefined): ChartToPush[] {
  if (!push) return [];
  return charts.map(({ name, chart, packed }) => {
    const repository = `${push.repositoryPrefix}/${name}`;
    if (!isRepository(repository)) {
      throw inputError(
        `The input push: "${repository}" is no repository. A chart that is pushed has a name of small letters, digits, "-", "_" and ".".`,
      );
    }
    return { repository, artifact: createChartArtifact({ bytes: packed.bytes, metadata: chart.metadata }) };
  });
}

/**
 * Lists them. `pushed` are the places of {@link placeCharts}, none or one for each chart. Throws `INPUT_INVALID` where
 * two would be one file.
 */
export function listCharts(
  charts: readonly ReadyChart[],
  pushed: readonly ChartToPush[],
  host: string,
): PackagedChart[] {
  refuseOneFile(charts);
  return charts.map(({ name, version, packed, pinned }, at) => ({
    name,
    version,
    file: packed.fileName,
    sha256: packed.sha256,
    ...referTo(pushed[at], host),
    pins: pinned.pins.map(({ repository, digest, values }) => ({ repository, digest, values })),
  }));
}

/** Names and versions hold hyphens, and Windows does not tell `Web` from `web`. */
function refuseOneFile(charts: readonly ReadyChart[]): void {
  const files = charts.map(({ packed }) => packed.fileName.toLowerCase());
  const at = files.findIndex((file, later) => files.indexOf(file) !== later);
  if (at < 0) return;
  const names = charts.flatMap(({ name }, each) => (files[each] === files[at] ? [`"${name}"`] : []));
  throw inputError(
    `The input charts: ${names.join(' and ')} would both be the file "${files[at]}". Package each in a step of its own, with an outputDirectory of its own.`,
  );
}

function referTo(pushed: ChartToPush | undefined, host: string): Pick<PackagedChart, 'reference' | 'digest'> {
  if (!pushed) return {};
  const { digest }: ChartArtifact['manifest'] = pushed.artifact.manifest;
  return { reference: `${host}/${pushed.repository}@${digest}`, digest };
}
