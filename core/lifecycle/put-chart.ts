/** One chart on its way into a repository: looked for, brought, tagged. What is there already is not sent again. */
import { AppError, hasCode } from '../base/errors.ts';
import { hasBlob } from '../oci/blobs.ts';
import { headManifest, offerManifest, putManifest } from '../oci/manifests.ts';
import { checkTag, readBack } from '../oci/put-tag.ts';
import type { Repository } from '../oci/repository.ts';
import { putBlob } from '../oci/upload.ts';
import type { ChartArtifact } from './chart-artifact.ts';

/** A chart, and where it goes. */
export interface PlacedChart {
  readonly repository: Repository;
  readonly artifact: ChartArtifact;
  /** Whether its version names this build: then it is moved where the build tag is, and looked after as that is. */
  readonly isBuildVersion: boolean;
}

/** Whether the version is there, with this content. Throws `TAG_TAKEN` where it is there with another, and is no build's. */
export async function isThere({ repository, artifact, isBuildVersion }: PlacedChart): Promise<boolean> {
  const { tag, manifest } = artifact;
  const head = await headManifest(repository, tag);
  if (!head || head.digest === manifest.digest || isBuildVersion) return head?.digest === manifest.digest;
  throw new AppError(
    `${repository.label}:${tag} is ${head.digest} already, and the chart is now ${manifest.digest}: the same version with another content. A version that was pushed is never overwritten: raise it in the Chart.yaml, or let the content be a part of it.`,
    { code: 'TAG_TAKEN' },
  );
}

/** Brings what the repository does not have, and the manifest under its digest, and reads that back. */
export async function bringChart(chart: PlacedChart): Promise<void> {
  const { repository, artifact } = chart;
  for (const { digest, bytes } of artifact.blobs) {
    if (!(await hasBlob(repository, digest))) await putBlob(repository, bytes);
  }
  await put(chart, artifact.manifest.digest);
  await readBack(repository, artifact.manifest.digest);
}

/**
 * Puts the version, and the build tag behind it. The manifest is sent with each of them also where it is there: a
 * deletion that judged it before finds it pushed anew. Throws `TAG_TAKEN` like {@link isThere} and `putTag`.
 */
export async function tagChart(chart: PlacedChart, buildTag: string): Promise<void> {
  // Since it was looked for, others may have pushed the same version.
  const wasThere = await isThere(chart);
  try {
    await putTagOn(chart, chart.artifact.tag);
  } catch (thrown) {
    // Who locks a version wants it to stay as it is, and so it does.
    if (!wasThere || !hasCode(thrown, 'LOCKED')) throw thrown;
  }
  await putTagOn(chart, buildTag);
  // A deletion between the two took the version with the manifest; from here on the build tag holds that.
  if (!(await isThere(chart))) await putTagOn(chart, chart.artifact.tag);
}

async function putTagOn(chart: PlacedChart, tag: string): Promise<void> {
  await put(chart, tag);
  await checkTag(chart.repository, tag, chart.artifact.manifest);
}

/** What was found a moment ago may be gone: a deletion takes the blobs with the manifest. So they are sent again, once. */
async function put({ repository, artifact }: PlacedChart, reference: string): Promise<void> {
  if (await offerManifest(repository, reference, artifact.manifest)) return;
  for (const { bytes } of artifact.blobs) await putBlob(repository, bytes);
  await putManifest(repository, reference, artifact.manifest);
}
