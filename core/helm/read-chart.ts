/** Reads a chart as helm does. https://github.com/helm/helm/blob/v4.2.4/pkg/chart/v2/loader/load.go */
import { AppError, inputError } from '../base/errors.ts';
import { type Budget, createBudget } from './bounds.ts';
import type { Chart, ChartFile } from './chart.ts';
import type { ChartFolder } from './chart-folder.ts';
import { compareBytes } from './file-order.ts';
import { readOwnFiles } from './own-files.ts';
import { readArchive } from './read-archive.ts';
import { readFolder } from './read-folder.ts';

/** Charts within charts within charts; real ones have three or four. */
const maxDepth = 20;

/**
 * Reads the chart in a folder, with the charts in its `charts/`, which are folders or archives. Throws `INPUT_INVALID`
 * with the file, and the line where there is one, for what helm would not package or could not read back; `TOO_LARGE`.
 */
export async function readChart(folder: ChartFolder): Promise<Chart> {
  const budget = createBudget();
  return readParts(await readFolder(folder, budget), { label: folder.label, budget, depth: 0 });
}

interface Place {
  readonly label: string;
  readonly budget: Budget;
  readonly depth: number;
}

async function readParts(files: readonly ChartFile[], place: Place): Promise<Chart> {
  const own: ChartFile[] = [];
  const vendored = new Map<string, ChartFile[]>();
  for (const { path, bytes } of files) {
    const [, name, rest = ''] = /^charts\/([^/]*)(?:\/(.*))?$/s.exec(path) ?? [];
    // A signature belongs to the chart that vendors, wherever below it stands.
    if (name === undefined || path.endsWith('.prov')) own.push({ path, bytes });
    else if (!/^[_.]/.test(name)) vendored.set(name, [...(vendored.get(name) ?? []), { path: rest, bytes }]);
  }
  const { metadata, files: kept } = readOwnFiles(own, place.label);
  const subcharts: Chart[] = [];
  for (const [name, parts] of [...vendored].sort(([one], [other]) => compareBytes(one, other))) {
    subcharts.push(await readSubchart(name, parts, place));
  }
  refuseDoubles(subcharts, place.label);
  return { label: place.label, metadata, files: kept, subcharts };
}

async function readSubchart(name: string, parts: readonly ChartFile[], above: Place): Promise<Chart> {
  const place = { ...above, label: `${above.label}/charts/${name}`, depth: above.depth + 1 };
  if (place.depth > maxDepth) {
    throw new AppError(`${place.label}: charts are nested more than ${maxDepth} deep.`, { code: 'TOO_LARGE' });
  }
  const file = parts.find(each => each.path === '');
  if (name.endsWith('.tgz')) {
    if (!file) throw inputError(`${place.label} is a folder, and helm takes it for an archive. Rename it.`);
    return readParts(await readArchive(file.bytes, place.label, place.budget), place);
  }
  if (!file) return readParts(parts, place);
  throw inputError(`${place.label} is a file, and helm takes it for a chart. Move it, or name it in .helmignore.`);
}

/** Helm writes both to one place, and mixes them when it reads them back. */
function refuseDoubles(charts: readonly Chart[], label: string): void {
  const labels = new Map<string, string>();
  for (const { metadata, label: second } of charts) {
    const first = labels.get(metadata.name);
    if (first)
      throw inputError(`${label}: "${first}" and "${second}" are both the chart "${metadata.name}". Remove one.`);
    labels.set(metadata.name, second);
  }
}
