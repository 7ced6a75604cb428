import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { packChart } from '../../../core/helm/pack-chart.ts';
import { readChart } from '../../../core/helm/read-chart.ts';
import { openChartFolder } from '../../../tasks/agent/chart-folder.ts';
import { ignoreShapes, plainShapes } from '../../support/chart-shapes.ts';
import { type ChartTree, inFolder, packageByHelm, unpack, writeChart } from '../../support/charts.ts';
import { type Helm, helms } from '../../support/helm.ts';

/** What helm writes anew. */
function isRewritten(path: string): boolean {
  return /(^|\/)Chart\.(yaml|lock)$/.test(path);
}

type Files = ReadonlyMap<string, Buffer>;

async function assertSame(helm: Helm, ours: { fileName: string; files: Files }, folder: string): Promise<void> {
  const theirs = await packageByHelm(helm, folder);
  assert.equal(ours.fileName, theirs.fileName, helm.version);
  assert.deepEqual([...ours.files.keys()].sort(), [...theirs.files.keys()].sort(), helm.version);
  for (const [path, bytes] of theirs.files) {
    if (!isRewritten(path)) assert.ok(bytes.equals(ours.files.get(path) ?? Buffer.of()), `${helm.version}: ${path}`);
  }
  // What it writes anew it writes from what it reads, so it must read the same in ours.
  const rules = /^[^/]*\/\.helmignore$/;
  const tree = Object.fromEntries([...ours.files].filter(([path]) => !rules.test(path)));
  const again = await inFolder(async top => {
    await writeChart(top, tree);
    const [name = ''] = await readdir(top);
    return packageByHelm(helm, join(top, name));
  });
  for (const [path, bytes] of theirs.files) {
    if (isRewritten(path))
      assert.equal(again.files.get(path)?.toString(), bytes.toString(), `${helm.version}: ${path}`);
  }
}

async function pack(folder: string): Promise<{ fileName: string; files: Files }> {
  const packed = await packChart(await readChart(await openChartFolder(folder, 'the chart')));
  return { fileName: packed.fileName, files: await unpack(packed.bytes) };
}

describe('an archive holds what every helm would put into its own', () => {
  const shapes: Readonly<Record<string, ChartTree>> = { ...plainShapes, ...ignoreShapes };
  for (const [title, tree] of Object.entries(shapes)) {
    it(title, () =>
      inFolder(async top => {
        const folder = await writeChart(join(top, 'folder'), tree);
        const ours = await pack(folder);
        await Promise.all(helms.map(helm => assertSame(helm, ours, folder)));
      }),
    );
  }
});
