/** TagImage: puts the build's tags on images that are in the registry, and records them. */
import { systemClock } from '../../core/base/clock.ts';
import type { BuildIdentity } from '../../core/lifecycle/build-record.ts';
import { type TagResult, tagImages } from '../../core/lifecycle/tag.ts';
import { createHttp, type Http } from '../../core/oci/http.ts';
import { openRegistry, type Registry } from '../../core/oci/registry.ts';
import { readBuild, readBuildUrl } from '../agent/build.ts';
import { createCopyProgress } from '../agent/copy-progress.ts';
import { type ListedImage, listImages, readImagesFile, writeImagesFile } from '../agent/images-json.ts';
import { agentLog, showProgress } from '../agent/log.ts';
import { createDispatcher } from '../agent/proxy.ts';
import { runTask } from '../agent/run.ts';
import { readSignIn } from '../agent/sign-in.ts';
import { showSummary } from '../agent/summary.ts';
import { setOutput } from '../agent/variables.ts';
import { collectImages } from './images.ts';
import { readInputs, type TagImageInputs } from './inputs.ts';
import { describeImages } from './summary.ts';

/** Each step that follows gets the variables in its environment, and no system takes a longer one everywhere. */
const maxVariableLength = 30_000;

async function tagImage(http: Http): Promise<void> {
  const build = readBuild();
  const inputs = readInputs(build.id);
  const registry = openRegistry({ ...(await readSignIn(inputs.connection, http)), http });
  const file = { directory: inputs.outputDirectory, build, registry: registry.host };
  const earlier = await readImagesFile(file);
  const { onBuildDeleted } = inputs;
  const result = await tag(registry, build, inputs);
  tellMoves(result, registry.host, inputs.overwrite);
  agentLog.info(`Recorded them in ${registry.host}/${result.record.repository}:${result.record.tag}.`);
  const listed = listImages(result.images, registry.host);
  agentLog.info(`Wrote ${await writeImagesFile(file, earlier, { images: listed, charts: [] })}.`);
  setOutputs(listed);
  await showSummary(
    `Images of build ${build.id}`,
    describeImages({ build, buildUrl: readBuildUrl(build), registry: registry.host, onBuildDeleted, result }),
  );
  showProgress(100, 'Done');
}

async function tag(registry: Registry, build: BuildIdentity, inputs: TagImageInputs): Promise<TagResult> {
  const { images, close } = await collectImages(inputs, registry.host);
  try {
    const { tags, onBuildDeleted, overwrite } = inputs;
    if (inputs.buildTagAdded) {
      agentLog.info(`The tag ${tags[0]} is added to the ones of the input tags: it ties the images to this build.`);
    }
    showProgress(10, `Tagging ${images.length} images in ${registry.host}`);
    return await tagImages(
      { registry, clock: systemClock, log: agentLog, onProgress: createCopyProgress(10, 90) },
      { build, images, tags, onBuildDeleted, overwrite },
    );
  } finally {
    await close();
  }
}

/** A rerun moves its own tags without a word; only what `overwrite` took from somebody else is told. */
function tellMoves(result: TagResult, host: string, overwrite: boolean): void {
  if (!overwrite) return;
  for (const { repository, digest, moved } of result.images) {
    for (const { tag, from } of moved) {
      agentLog.info(`Moved ${host}/${repository}:${tag} from ${from} to ${digest}.`);
    }
  }
}

function setOutputs(images: readonly ListedImage[]): void {
  const [only, ...more] = images;
  if (only && more.length === 0) setOutput('digest', only.digest);
  const json = JSON.stringify(images);
  if (json.length <= maxVariableLength) setOutput('images', json);
  else
    agentLog.warn(
      `The output variable images is not set: ${images.length} images are too long for one. Read images.json.`,
    );
}

void runTask(async () => {
  const http = createHttp({ dispatcher: createDispatcher(), log: agentLog });
  await tagImage(http);
  await http.close();
});
