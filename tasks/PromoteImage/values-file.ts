/** `stage-values.yaml`: where the chart finds its images in this stage. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { inputError } from '../../core/base/errors.ts';
import type { PromotionPlan } from '../../core/lifecycle/promotion-plan.ts';
import { type PinnedCharts, pinnedCharts, writeStageValues } from '../../core/lifecycle/stage-values.ts';
import { readTextFile } from '../agent/files.ts';

const maxFileBytes = 4 * 1024 * 1024;

/** Builds whose images are promoted. */
export type PromotedBuilds = readonly { readonly id: number; readonly projectId: string }[];

/** Reads the charts of `images.json`. Throws `INPUT_INVALID` where it is another thing, or another build's. */
export async function readPinnedCharts(path: string, builds: PromotedBuilds): Promise<PinnedCharts['charts']> {
  const about = `The input imagesFile: the file "${path}"`;
  const read = pinnedCharts.safeParse(parseJson(await readTextFile(path, 'imagesFile', maxFileBytes)));
  if (!read.success) throw inputError(`${about} names no pinned images: ${z.prettifyError(read.error)}`);
  const { build, charts } = read.data;
  if (builds.some(each => each.id === build.id && each.projectId === build.projectId.toLowerCase())) return charts;
  throw inputError(
    `${about} is of build ${build.id}, and promoted is build ${builds.map(each => each.id).join(', ')}. Take the artifact of the same build.`,
  );
}

/** The text of the values file. Throws `INPUT_INVALID`, naming the chart, where an image is not promoted. */
export function describeValues(charts: PinnedCharts['charts'], plans: readonly PromotionPlan[], host: string): string {
  const images = plans.flatMap(plan =>
    plan.images.map(({ recorded, image }) => ({
      sourceRepository: recorded.repository,
      repository: image.target.name,
      digest: image.root,
    })),
  );
  return writeStageValues(charts, images, host);
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
