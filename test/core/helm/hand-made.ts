/** Charts made by hand, without a folder to read, and written to one for a real helm. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import type { Chart } from '../../../core/helm/chart.ts';
import type { ChartMetadata } from '../../../core/helm/metadata.ts';
import { type Helm, runHelm } from '../../support/helm.ts';

/** A chart of these files; those below `charts/<name>/` are of a subchart. */
export function makeChart(files: Readonly<Record<string, string>>, label = 'shop'): Chart {
  const own = Object.entries(files).filter(([path]) => !path.startsWith('charts/'));
  const names = new Set(Object.keys(files).flatMap(path => /^charts\/([^/]+)\//.exec(path)?.[1] ?? []));
  const metadata = { apiVersion: 'v2', ...(parse(files['Chart.yaml'] ?? '') as object) } as ChartMetadata;
  const subcharts = [...names].map(name => {
    const prefix = `charts/${name}/`;
    const inner = Object.entries(files).filter(([path]) => path.startsWith(prefix));
    return makeChart(
      Object.fromEntries(inner.map(([path, text]) => [path.slice(prefix.length), text])),
      `${label}/charts/${name}`,
    );
  });
  return { label, metadata, files: own.map(([path, text]) => ({ path, bytes: Buffer.from(text) })), subcharts };
}

/** Every file by its path from the root. */
export function textsOf(chart: Chart): Record<string, string> {
  const own = chart.files.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()] as const);
  const inner = chart.subcharts.flatMap(sub =>
    Object.entries(textsOf(sub)).map(([path, text]) => [`charts/${sub.metadata.name}/${path}`, text] as const),
  );
  return Object.fromEntries([...own, ...inner]);
}

/** Writes the chart where `use` may look at it, and removes it again. */
export async function withChartFolder<T>(chart: Chart, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'chart-'));
  try {
    for (const [path, text] of Object.entries(textsOf(chart))) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What helm renders of it, with more values as text where there are some. */
export function render(helm: Helm, chart: Chart, values?: string): Promise<string> {
  return withChartFolder(chart, async folder => {
    if (values === undefined) return runHelm(helm, ['template', 'test', folder], folder);
    await writeFile(join(folder, '.more'), values);
    return runHelm(helm, ['template', 'test', folder, '--values', join(folder, '.more')], folder);
  });
}

/** The images of rendered manifests, in their order, by a plain look at the lines. */
export function imagesIn(manifests: string): string[] {
  return [...manifests.matchAll(/^[ -]*image: *"?([^"\r\n]*?)"?\s*$/gm)].map(([, image = '']) => image);
}
