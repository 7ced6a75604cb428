/** Charts in an emulated registry, as `helm push` makes them, and what PackageChart leaves of a build that pushed one. */
import { writeRecord } from '../../../core/lifecycle/build-record.ts';
import type { Digest } from '../../../core/oci/digest.ts';
import type { AcrEmulator } from '../../emulators/acr/acr.ts';
import { type Estate, requestOf } from './estate.ts';

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';

/** A chart that is in the registry. */
export interface ChartThere {
  readonly repository: string;
  readonly digest: Digest;
  readonly version: string;
}

/** Puts a chart without a tag; the same version and content are the same chart. */
export function putChart({ world }: AcrEmulator, repository: string, version: string, content = ''): ChartThere {
  const put = (mediaType: string, bytes: string) => {
    return { mediaType, digest: world.putBlob(repository, bytes), size: Buffer.byteLength(bytes) };
  };
  const digest = world.putManifest(repository, {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: put(
      'application/vnd.cncf.helm.config.v1+json',
      JSON.stringify({ name: 'shop', version, apiVersion: 'v2' }),
    ),
    layers: [put('application/vnd.cncf.helm.chart.content.v1.tar+gzip', `the chart ${version} ${content}`)],
    annotations: { 'org.opencontainers.image.title': 'shop', 'org.opencontainers.image.version': version },
  });
  return { repository, digest: digest as Digest, version };
}

/** What the record of a build's step may say otherwise. */
export interface ChartPush {
  readonly attempt?: string;
  readonly onBuildDeleted?: 'delete' | 'keep';
  /** Tags that the record names beside the build's; the version, unless told. */
  readonly recorded?: readonly string[];
}

/** Records a chart and tags it with its version and the build. */
export async function pushChart(
  estate: Estate,
  buildId: number,
  { repository, digest, version }: ChartThere,
  options: ChartPush = {},
): Promise<void> {
  const { world, clock } = estate.acr;
  const tag = version.replaceAll('+', '_');
  const { recorded = [tag], onBuildDeleted = 'delete', attempt } = options;
  const { build } = requestOf(estate, buildId, [], attempt === undefined ? {} : { attempt });
  await writeRecord(estate.connect(), {
    build,
    images: [],
    charts: [
      {
        repository,
        digest,
        mediaType: ociManifest,
        size: 1,
        children: [],
        tags: [String(buildId), ...recorded],
        name: 'shop',
        version,
      },
    ],
    onBuildDeleted,
    createdAt: new Date(clock.now()).toISOString(),
  });
  world.tag(repository, tag, digest);
  world.tag(repository, String(buildId), digest);
}
