/** PackageChart: pins the build's images in charts, and makes the charts artifacts of the build. */
import { systemClock } from '../../core/base/clock.ts';
import { AppError } from '../../core/base/errors.ts';
import { formatPath } from '../../core/helm/mapping.ts';
import type { BuildIdentity } from '../../core/lifecycle/build-record.ts';
import { type ChartToPush, pushCharts } from '../../core/lifecycle/push-charts.ts';
import { createHttp, type Http } from '../../core/oci/http.ts';
import { openRegistry, type Registry } from '../../core/oci/registry.ts';
import { publishFolder } from '../agent/artifact.ts';
import { writeWhole } from '../agent/files.ts';
import { type Listed, readImagesFile, writeImagesFile } from '../agent/images-json.ts';
import { agentLog, showProgress } from '../agent/log.ts';
import { createDispatcher } from '../agent/proxy.ts';
import { runTask } from '../agent/run.ts';
import { readSignIn } from '../agent/sign-in.ts';
import { showSummary } from '../agent/summary.ts';
import { listCharts, type PackagedChart, placeCharts } from './artifacts.ts';
import { readCharts } from './charts.ts';
import { checkCharts, type Findings } from './check.ts';
import { chooseHelm } from './helm-choice.ts';
import { type BuildImages, buildTagOf, readBuildImages, showImages } from './images.ts';
import { type PackageChartInputs, readInputs } from './inputs.ts';
import { setOutputs } from './outputs.ts';
import { makeReady, type ReadyChart } from './pack.ts';
import { pinCharts } from './pin.ts';
import { readPlace } from './place.ts';
import { describeCharts } from './summary.ts';
import { findValuesFiles } from './values-files.ts';

/** Everything that is known before the first byte is written. */
interface Work {
  readonly inputs: PackageChartInputs;
  /** The build that runs this step; undefined in a classic release. */
  readonly build: BuildIdentity | undefined;
  readonly registry: Registry | undefined;
  readonly found: BuildImages;
  /** What earlier steps of this build listed. */
  readonly earlier: Listed;
  readonly ready: readonly ReadyChart[];
  readonly places: readonly ChartToPush[];
  readonly charts: readonly PackagedChart[];
  readonly findings: Findings;
}

async function packageCharts(http: Http): Promise<void> {
  const work = await prepare(http);
  const { inputs, found, ready, charts, findings } = work;
  for (const sentence of [...findings.unchecked, ...findings.loose]) agentLog.warn(sentence);
  tellPins(ready);
  await write(work);
  await push(work);
  if (inputs.publish) publishFolder(inputs.publish, inputs.outputDirectory);
  setOutputs(charts, inputs.outputDirectory);
  await showSummary(
    `Charts of build ${found.build.id}`,
    describeCharts({ build: found.build, ready, charts, findings }),
  );
  showProgress(100, 'Done');
}

/** Reads, pins, packs and checks. What fails here leaves nothing behind. */
async function prepare(http: Http): Promise<Work> {
  const inputs = readInputs();
  const place = readPlace(inputs);
  const valuesFiles = await findValuesFiles(inputs.valuesFiles);
  const helm = await chooseHelm(inputs.helm);
  const read = await readCharts(inputs.charts, helm);
  const registry = inputs.connection && openRegistry({ ...(await readSignIn(inputs.connection, http)), http });
  const found = await readBuildImages(inputs, place, registry);
  const file = { directory: inputs.outputDirectory, build: found.build, registry: found.registry };
  const earlier = await readImagesFile(file);
  showProgress(20, `Pinning ${found.images.length} images of ${found.registry}`);
  const pinned = pinCharts(read, showImages(found, inputs), found.registry, inputs);
  const ready = await Promise.all(pinned.map(each => makeReady(each, found, inputs)));
  const places = placeCharts(ready, inputs.push);
  showProgress(40, 'Checking what was packed');
  const findings = await checkCharts(ready, helm, valuesFiles);
  const charts = listCharts(ready, places, found.registry);
  return { inputs, build: place.build, registry, found, earlier, ready, places, charts, findings };
}

function tellPins(ready: readonly ReadyChart[]): void {
  for (const { name, version, pinned } of ready) {
    for (const { repository, digest, path } of pinned.pins) {
      agentLog.info(`Pinned ${repository}@${digest} at ${formatPath(path)} of ${name} ${version}.`);
    }
  }
}

/** The archives first: what images.json names is there. */
async function write({ inputs, found, earlier, ready, charts }: Work): Promise<void> {
  const directory = inputs.outputDirectory;
  const file = { directory, build: found.build, registry: found.registry };
  for (const { packed } of ready) {
    agentLog.info(`Wrote ${await writeWhole(directory, packed.fileName, packed.bytes)}, sha256 ${packed.sha256}.`);
  }
  agentLog.info(`Wrote ${await writeImagesFile(file, earlier, { images: found.images, charts })}.`);
}

async function push({ inputs, build, registry, places }: Work): Promise<void> {
  if (!inputs.push) return;
  if (!build || !registry) throw new AppError('There is nowhere to push to.', { code: 'DEFECT' });
  showProgress(70, `Pushing ${places.length} charts to ${registry.host}`);
  const { onBuildDeleted } = inputs.push;
  const buildTag = buildTagOf(inputs.buildTagPrefix, build);
  const { record } = await pushCharts(
    { registry, clock: systemClock, log: agentLog },
    { build, charts: places, buildTag, onBuildDeleted },
  );
  agentLog.info(`Recorded them in ${registry.host}/${record.repository}:${record.tag}.`);
}

void runTask(async () => {
  const http = createHttp({ dispatcher: createDispatcher(), log: agentLog });
  await packageCharts(http);
  await http.close();
});
