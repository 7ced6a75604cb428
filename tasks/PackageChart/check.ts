/** What is checked of a packed chart before anything is written, and what could not be. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withContext } from '../../core/base/errors.ts';
import { checkSchema } from '../../core/helm/check-schema.ts';
import { checkRendered } from '../../core/helm/rendered-images.ts';
import { writeWhole } from '../agent/files.ts';
import { type Helm, lint, template } from '../agent/helm.ts';
import { agentLog } from '../agent/log.ts';
import { readVariable } from '../agent/variables.ts';
import type { HelmChoice } from './helm-choice.ts';
import type { ReadyChart } from './pack.ts';

/** A sentence for each thing that a person should know. */
export interface Findings {
  /** Images of the build that stand in the manifests without their pins. */
  readonly loose: readonly string[];
  readonly unchecked: readonly string[];
  /** Whatever else the manifests run. */
  readonly foreign: readonly ForeignImage[];
}

/** An image in what helm renders of a chart, as it stands there, that nothing pins. */
export interface ForeignImage {
  readonly chart: string;
  readonly image: string;
}

/** Checks every chart, with the archive that will be written. Throws `INPUT_INVALID`, naming the chart. */
export async function checkCharts(
  charts: readonly ReadyChart[],
  { helm, reason }: HelmChoice,
  valuesFiles: readonly string[],
): Promise<Findings> {
  const loose: string[] = [];
  const foreign: ForeignImage[] = [];
  const unchecked: string[] = [];
  for (const ready of charts) {
    const about = (sentence: string): string => `${ready.name}: ${sentence}`;
    try {
      unchecked.push(...checkSchema(ready.chart, ready.pinned.pins).map(about));
      if (!helm) continue;
      const rendered = await checkWithHelm(helm, ready, valuesFiles);
      loose.push(...rendered.loose.map(about));
      foreign.push(...rendered.foreign);
      unchecked.push(...rendered.unchecked.map(about));
    } catch (cause) {
      throw withContext(`The chart "${ready.name}"`, cause);
    }
  }
  if (!helm) {
    unchecked.push(
      `Nothing was linted or rendered, because ${reason}: whether the templates take every pin is not known.`,
    );
  }
  return { loose, unchecked, foreign };
}

async function checkWithHelm(helm: Helm, ready: ReadyChart, valuesFiles: readonly string[]): Promise<Findings> {
  const folder = await mkdtemp(join(readVariable('Agent.TempDirectory') ?? tmpdir(), 'image-lifecycle-'));
  try {
    const path = await writeWhole(folder, ready.packed.fileName, ready.packed.bytes);
    for (const line of (await lint(helm, path, valuesFiles)).split('\n')) {
      if (line.trim()) agentLog.info(`helm lint: ${line}`);
    }
    if (ready.chart.metadata.type === 'library') {
      const said = 'a library chart renders nothing by itself, so its pins were not looked for.';
      return { loose: [], foreign: [], unchecked: [said] };
    }
    const manifests = await template(helm, path, valuesFiles);
    const loose = checkRendered(manifests, ready.pinned.pins);
    return { loose, foreign: findForeign(manifests, ready), unchecked: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** For people alone, so what only looks like an image does no harm. */
function findForeign(manifests: string, { name, pinned }: ReadyChart): ForeignImage[] {
  const images = [...manifests.matchAll(/^\s*(?:- )?"?image"?: *["']?([\w./:@-]+)["']?\s*$/gm)].map(
    ([, image = '']) => image,
  );
  const isPinned = (image: string): boolean =>
    pinned.pins.some(({ shows }) => shows.every(shown => image.includes(shown)));
  return [...new Set(images)].flatMap(image => (isPinned(image) ? [] : [{ chart: name, image }]));
}
