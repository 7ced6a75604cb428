/** Charts to push: of any bytes, and real ones, which helm packed. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type ChartMetadata, parseMetadata } from '../../../core/helm/metadata.ts';
import { type ArchivedChart, type ChartArtifact, createChartArtifact } from '../../../core/lifecycle/chart-artifact.ts';
import type { ChartToPush, PushRequest } from '../../../core/lifecycle/push-charts.ts';
import { type Helm, runHelm } from '../../support/helm.ts';
import { type BuildOptions, type Estate, requestOf } from './estate.ts';

/** An artifact whose archive no helm would read, for what only moves it. */
export function makeArtifact(version = '1.4.0', content = '', name = 'shop'): ChartArtifact {
  const metadata: ChartMetadata = { apiVersion: 'v2', name, version };
  return createChartArtifact({ bytes: gzipSync(`${name} ${version} ${content}`), metadata });
}

/** What a build of the estate asks of the verb. */
export function pushOf(
  estate: Estate,
  buildId: number,
  charts: readonly ChartToPush[],
  options: BuildOptions = {},
): PushRequest {
  const { build, onBuildDeleted, tags } = requestOf(estate, buildId, [], options);
  return { build, charts, buildTag: tags[0], onBuildDeleted };
}

/** A chart that helm packed. */
export interface PackedByHelm extends ArchivedChart {
  /** In the folder. */
  readonly fileName: string;
}

/** Writes a chart into `folder` and packs it there. */
export async function packByHelm(
  helm: Helm,
  folder: string,
  chartYaml: string,
  files: Readonly<Record<string, string>> = {},
): Promise<PackedByHelm> {
  const metadata = parseMetadata(chartYaml, 'Chart.yaml');
  const source = join(folder, 'source', metadata.name);
  await rm(source, { recursive: true, force: true });
  for (const [path, text] of Object.entries({ 'Chart.yaml': chartYaml, ...files })) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), text);
  }
  await runHelm(helm, ['package', source], folder);
  const fileName = `${metadata.name}-${metadata.version}.tgz`;
  return { fileName, metadata, bytes: await readFile(join(folder, fileName)) };
}
