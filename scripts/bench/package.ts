/** How fast a large chart is packaged, beside helm. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inFolder, writeChart } from '../../test/support/charts.ts';
import { packedHelm, runHelm } from '../../test/support/helm.ts';
import type { PackageOrder, PackageResult } from './package-client.ts';
import { makeLargeChart } from './package-tree.ts';
import { ratioOf, runRounds, tellRounds } from './rounds.ts';
import { bundleApart } from './run-apart.ts';

/** Our step in a fresh process, without its start, as a part of what helm takes as a whole process; and ours with it. */
export interface PackageFigures {
  readonly helm: number;
  readonly helmWithStart: number;
}

/** Packages one chart over and over, ours and helm in turns. */
export async function measurePackage(rounds: number, say: (line: string) => void): Promise<PackageFigures> {
  const client = await bundleApart<PackageOrder, PackageResult>('scripts/bench/package-process.ts', 'task');
  const helm = { version: '3.10.1', path: packedHelm };
  try {
    return await inFolder(async folder => {
      const order = { chart: await writeChart(join(folder, 'chart'), makeLargeChart()), output: join(folder, 'out') };
      const steps: PackageResult[] = [];
      const contenders = {
        ours: async () => steps.push(await client.run(order)),
        helm: () => runHelm(helm, ['package', order.chart, '--destination', order.output], folder),
      };
      const whole = await runRounds(contenders, rounds, () => clear(order.output));
      const step = { ours: steps.map(each => each.seconds), helm: whole.helm };
      say(`whole processes: ${tellRounds(whole)}`);
      say(`our step without the start of its process: ${tellRounds(step)}`);
      say(
        `our archive: ${steps[0]?.bytes} bytes, ${new Set(steps.map(each => each.sha256)).size} digest in all rounds`,
      );
      return { helm: ratioOf(step, 'ours', 'helm'), helmWithStart: ratioOf(whole, 'ours', 'helm') };
    });
  } finally {
    await client.remove();
  }
}

async function clear(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
}
