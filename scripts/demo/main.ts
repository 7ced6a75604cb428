/**
 * `npm run demo`: the whole life of an image, from the push to its end, with nothing but this clone. Everything is real
 * but the two clouds: the bundles of TagImage and of the webhook handler run as processes of their own, against an
 * emulated Azure Container Registry and an emulated Azure DevOps. `--image PATH` takes your own OCI layout or archive.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../build.ts';
import { type Organization } from './azure-devops.ts';
import { live } from './life.ts';
import { type Stage, startServer, stopEverything } from './processes.ts';
import { takeHands } from './registry.ts';
import { chapter, countFailures, tell } from './story.ts';

const { values } = parseArgs({ options: { image: { type: 'string' } } });

async function main(): Promise<void> {
  const started = Date.now();
  chapter('Image Lifecycle for Azure Pipelines: the whole life of an image');
  tell('Bundling the task, the handler and the two emulated clouds …');
  await build();
  const folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-demo-'));
  const stage: Stage = { folder, caFile: join(folder, 'ca.pem') };
  try {
    const registry = await startServer(stage, ['emulators/acr.js', '--tls-dir', folder], 'host');
    const devOps = await startServer(stage, ['emulators/azure-devops.js'], 'url');
    const host = String(registry.ready['host']);
    tell(`An Azure Container Registry listens at ${host}, an Azure DevOps at ${String(devOps.ready['url'])}.`);
    const hands = takeHands(host, await readFile(stage.caFile, 'utf8'));
    await live({ stage, host, hands, organization: devOps.ready as unknown as Organization, image: values.image });
    await hands.close();
    await Promise.all([registry.stop(), devOps.stop()]);
  } finally {
    stopEverything();
    await rm(folder, { recursive: true, force: true });
  }
  const failures = countFailures();
  chapter(
    failures === 0
      ? `All as promised, in ${Math.round((Date.now() - started) / 1000)} s.`
      : `Promises broken: ${failures}.`,
  );
  process.exitCode = failures === 0 ? 0 : 1;
}

await main();
