/** Images are born. */
import { connectionId, type EndedStep, runStep } from './agent.ts';
import { control } from './control.ts';
import type { Build, Scene } from './scene.ts';
import { chapter, check, quote, tell } from './story.ts';

/** Builds push, TagImage ties. */
export async function pushAndTag(scene: Scene): Promise<void> {
  const { registries, cast, builds } = scene;
  const { ci } = registries;
  chapter('Five builds push images, and TagImage ties each to its build');
  tell('Azure DevOps knows nothing of a registry, so images outlive the builds that made them and pile up.');
  tell('TagImage puts the build id on an image as a tag, and leaves a record of it in the registry.');
  for (const { repository, content } of builds) await ci.push(repository, content);
  await ci.push('shop/api', cast.signature);
  await ci.push('shop/tool', cast.tool, 'v1.0.0');
  const tagged = builds.map(build => tagImages(scene, build));
  for (const [at, { said, message, succeeded }] of (await Promise.all(tagged)).entries()) {
    quote(said, succeeded ? /^Tagged/ : undefined);
    check(`build ${builds[at]?.id} tagged its image${message && `: ${message}`}`, succeeded);
  }
  await ci.lock('shop/worker', cast.worker.digest);
  tell('Builds 102 and 103 made the very same image. Somebody locked the worker. The tool was released as v1.0.0.');
}

async function tagImages(scene: Scene, { id, repository, content }: Build): Promise<EndedStep> {
  const { http, registries, organization, pipeline } = scene;
  const { definitionId } = pipeline;
  await control(http, organization.url, 'builds', { definitionId, id, number: `20261123.${id}` });
  return runStep(scene, {
    task: 'TagImage',
    run: id,
    stage: 'build',
    inputs: {
      azureSubscription: connectionId,
      registry: registries.ci.host,
      images: `${repository}@${content.digest}`,
      tags: String(id),
      onBuildDeleted: 'delete',
    },
  });
}
