/** `stage-values.yaml`: where the charts find their images in this stage. */

import { resolve } from 'node:path';
import { z } from 'zod';
import { inputError, withContext } from '../../core/base/errors.ts';
import { parseJson } from '../../core/base/json.ts';
import {
  type PinnedCharts,
  pinnedCharts,
  stageValuesFile,
  writeValuesFiles,
} from '../../core/lifecycle/stage-values.ts';
import { readTextFile, writeWhole } from '../agent/files.ts';
import { agentLog } from '../agent/log.ts';
import { readVariable } from '../agent/variables.ts';
import type { PlannedBuild } from './plan-builds.ts';

const maxFileBytes = 4 * 1024 * 1024;

/** What the charts of the file pin, and the build that did it; undefined where no file was named. Throws `INPUT_INVALID`. */
export async function readPins(path: string): Promise<PinnedCharts | undefined> {
  if (!path) return undefined;
  const whole = resolve(readVariable('System.DefaultWorkingDirectory') ?? '', path);
  const read = pinnedCharts.safeParse(parseJson(await readTextFile(whole, 'imagesFile', maxFileBytes)));
  if (read.success) return read.data;
  throw inputError(
    `The input imagesFile: the file "${whole}" names no places where a chart pins its images. Is it the one that came with the packaged chart? ${z.prettifyError(read.error)}`,
  );
}

/**
 * The values files by their names; undefined where there are no pins. Throws `INPUT_INVALID` where they are another build's,
 * or a chart's image is not promoted.
 */
export function makeValues(
  pins: PinnedCharts | undefined,
  planned: readonly PlannedBuild[],
  host: string,
): ReadonlyMap<string, string> | undefined {
  if (!pins) return undefined;
  const { build, charts } = pins;
  if (!planned.some(each => each.build.id === build.id && each.build.projectId === build.projectId.toLowerCase())) {
    const promoted = planned.map(each => each.build.id).join(', ');
    throw inputError(
      `The input imagesFile names a file of build ${build.id}, and promoted is build ${promoted}. Take the artifact of the same build.`,
    );
  }
  const images = planned.flatMap(({ plan }) =>
    plan.images.map(({ recorded, image }) => ({
      sourceRepository: recorded.repository,
      repository: image.target.name,
      digest: image.root,
    })),
  );
  try {
    return writeValuesFiles(charts, images, host);
  } catch (cause) {
    throw withContext('The input imagesFile', cause);
  }
}

/** Writes the files, and gives the path of the one for all charts; undefined where they have none together. */
export async function writeValues(directory: string, files: ReadonlyMap<string, string>): Promise<string | undefined> {
  let together: string | undefined;
  for (const [name, text] of files) {
    const path = await writeWhole(directory, name, text);
    agentLog.info(`Wrote ${path}.`);
    if (name === stageValuesFile) together = path;
  }
  if (together === undefined) {
    agentLog.warn(
      `The output variable valuesFile is not set: the charts want different values at one place, so each has a file of its own, ${[...files.keys()].join(', ')}.`,
    );
  }
  return together;
}
