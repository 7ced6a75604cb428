/**
 * `npm run demo`: the whole life of an image, from the push to its end, with nothing but this clone. Everything is real
 * but the clouds: the bundles of the tasks and of the webhook handler run as processes of their own, against emulated
 * Azure Container Registries, Azure Resource Manager, Entra and Azure DevOps. `--image PATH` takes an image of your own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildTasks } from '../../test/support/run-task.ts';
import { build } from '../build.ts';
import { startCloud } from './cloud.ts';
import { live } from './life.ts';
import { type Stage, stopEverything } from './processes.ts';
import { countFailures, headline, introduce, tell } from './story.ts';

const { values } = parseArgs({ options: { image: { type: 'string' } } });

async function main(): Promise<void> {
  const started = Date.now();
  headline('Image Lifecycle for Azure Pipelines: the whole life of an image');
  tell('Bundling the tasks, the handler and the emulated clouds …');
  await Promise.all([buildTasks(), build({ only: 'webhook-handler/' }), build({ only: 'emulators/' })]);
  const folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-demo-'));
  const stage: Stage = { folder, caFile: join(folder, 'ca.pem') };
  try {
    const cloud = await startCloud(stage);
    for (const { host, name } of Object.values(cloud.registries)) introduce('An Azure Container Registry', host, name);
    introduce('An Azure DevOps', cloud.organization.url, 'Azure DevOps');
    tell('In what is quoted, digests and ids are cut short.');
    await live({ ...cloud, stage, image: values.image });
    await cloud.stop();
  } finally {
    stopEverything();
    await rm(folder, { recursive: true, force: true });
  }
  const failures = countFailures();
  headline(
    failures === 0
      ? `All as promised, in ${Math.round((Date.now() - started) / 1000)} s.`
      : `Promises broken: ${failures}.`,
  );
  process.exitCode = failures === 0 ? 0 : 1;
}

await main();
