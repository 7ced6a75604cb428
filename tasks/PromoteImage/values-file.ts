/** `stage-values.yaml`: where the chart finds its images in this stage. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { inputError } from '../../core/base/errors.ts';
import { type PinnedCharts, pinnedCharts, writeStageValues } from '../../core/lifecycle/stage-values.ts';
import { readTextFile } from '../agent/files.ts';
import type { PlannedBuild } from './plan-builds.ts';

const maxFileBytes = 4 * 1024 * 1024;

/**
 * The text of the values file, for the charts that `path` names; undefined where no file was named.
 * Throws `INPUT_INVALID` where the file is another thing or another build's, or a chart's image is not promoted.
 */
export async function readValues(
  path: string,
  planned: readonly PlannedBuild[],
  host: string,
): Promise<string | undefined> {
  if (!path) return undefined;
  const charts = await readCharts(path, planned);
  const images = planned.flatMap(({ plan }) =>
    plan.images.map(({ recorded, image }) => ({
      sourceRepository: recorded.repository,
      repository: image.target.name,
      digest: image.root,
    })),
  );
  return writeStageValues(charts, images, host);
}

async function readCharts(path: string, planned: readonly PlannedBuild[]): Promise<PinnedCharts['charts']> {
  const about = `The input imagesFile: the file "${path}"`;
  const read = pinnedCharts.safeParse(parseJson(await readTextFile(path, 'imagesFile', maxFileBytes)));
  if (!read.success) throw inputError(`${about} names no pinned images: ${z.prettifyError(read.error)}`);
  const { build, charts } = read.data;
  if (planned.some(each => each.build.id === build.id && each.build.projectId === build.projectId.toLowerCase())) {
    return charts;
  }
  throw inputError(
    `${about} is of build ${build.id}, and promoted is build ${planned.map(each => each.build.id).join(', ')}. Take the artifact of the same build.`,
  );
}

/** Writes the file, whole or not at all, and gives its path. */
export async function writeValuesFile(directory: string, text: string): Promise<string> {
  const path = join(directory, 'stage-values.yaml');
  await mkdir(directory, { recursive: true });
  await writeFile(`${path}.partial`, text);
  await rename(`${path}.partial`, path);
  return path;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
