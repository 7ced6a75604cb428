/**
 * The verb behind the push of PackageChart: brings charts to a registry and records them. The order is the promise, as
 * with images: everything is looked at, then the record is written whole, then what the charts are made of, and the tags
 * last. A chart that another build pushed is the same one if it did not change: it gets one more tag.
 */
import { createLimit, mapConcurrently, settleAll } from '../base/concurrency.ts';
import { inputError } from '../base/errors.ts';
import { namesBuild } from '../helm/version.ts';
import type { Registry } from '../oci/registry.ts';
import { openRepository } from '../oci/repository.ts';
import { type BuildIdentity, type RecordedChart, writeRecord } from './build-record.ts';
import type { ChartArtifact } from './chart-artifact.ts';
import { bringChart, isThere, type PlacedChart, tagChart } from './put-chart.ts';
import { describeImage } from './recorded-image.ts';
import type { TagDeps, TagResult } from './tag.ts';
import { findMoves, type Move } from './tag-taken.ts';

/** A chart to push. */
export interface ChartToPush {
  /** Helm looks for a chart in a repository whose last part is its name. */
  readonly repository: string;
  readonly artifact: ChartArtifact;
}

/** What to do. */
export interface PushRequest {
  readonly build: BuildIdentity;
  readonly charts: readonly ChartToPush[];
  /** Ties the charts to the build; the version of each is a tag beside it. */
  readonly buildTag: string;
  readonly onBuildDeleted: 'delete' | 'keep';
}

/** What became of one chart. */
export interface PushedChart extends RecordedChart {
  /** Whether its version was there before, with this content. */
  readonly wasThere: boolean;
  /** What the build's tags were on before, where that was another digest. */
  readonly moved: readonly Move[];
}

/** What was done. */
export interface PushResult extends Pick<TagResult, 'record'> {
  readonly charts: readonly PushedChart[];
}

const atOnce = 8;

/**
 * Pushes, records and tags. Throws `INPUT_INVALID` or `TAG_TAKEN` before anything was changed; a failure after that
 * leaves a record that names tags which are not there yet, and the same call again mends it.
 */
export async function pushCharts(deps: Omit<TagDeps, 'onProgress'>, request: PushRequest): Promise<PushResult> {
  const { registry, clock, log } = deps;
  const { build, buildTag, onBuildDeleted } = request;
  const placed = placeCharts(registry, request);
  const wereThere = await mapConcurrently(placed, atOnce, isThere);
  const moves = await mapConcurrently(placed, atOnce, ({ repository, artifact, isBuildVersion }) =>
    findMoves(registry, {
      build,
      images: [{ repository, digest: artifact.manifest.digest }],
      tags: isBuildVersion ? [buildTag, artifact.tag] : [buildTag],
      overwrite: false,
      remedy: 'Push the chart in one step of the build alone, or into a repository of its own.',
    }),
  );
  const charts = placed.map(chart => describeChart(chart, buildTag));
  const createdAt = new Date(clock.now()).toISOString();
  const record = await writeRecord(registry, { build, images: [], charts, onBuildDeleted, createdAt });
  const limit = createLimit(atOnce);
  await settleAll(placed.map(chart => limit(() => bringChart(chart))));
  await settleAll(placed.map(chart => limit(() => tagChart(chart, buildTag))));
  const pushed = charts.map((chart, at) => ({
    ...chart,
    wasThere: wereThere[at] === true,
    moved: moves[at] ?? [],
  }));
  for (const { repository, digest, version, wasThere } of pushed) {
    const place = `${registry.host}/${repository}@${digest}`;
    log.info(
      `${wasThere ? 'Found' : 'Pushed'} the chart ${place}, version ${version}, and tagged it with ${buildTag}.`,
    );
  }
  return { charts: pushed, record };
}

/** Each chart once. Two for one repository would fight for its build tag. */
function placeCharts(registry: Registry, { charts, buildTag }: PushRequest): PlacedChart[] {
  const placed = new Map<string, PlacedChart>();
  for (const { repository: name, artifact } of charts) {
    const repository = openRepository(registry, name, ['pull', 'push']);
    const { digest } = artifact.manifest;
    const other = placed.get(name)?.artifact.manifest.digest ?? digest;
    if (other !== digest) {
      throw inputError(
        `Two charts are to go to ${repository.label}, ${other} and ${digest}. Give each a repository of its own.`,
      );
    }
    placed.set(name, { repository, artifact, isBuildVersion: namesBuild(artifact.version, buildTag) });
  }
  return [...placed.values()];
}

function describeChart({ repository, artifact }: PlacedChart, buildTag: string): RecordedChart {
  const { name, version, archive, manifest, tag } = artifact;
  return { ...describeImage(repository.name, manifest, [buildTag, tag]), name, version, archive };
}
