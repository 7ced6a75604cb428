/** The story itself, told while it happens. */
import { setTimeout } from 'node:timers/promises';
import type { Digest } from '../../core/oci/digest.ts';
import { command } from './azure-devops.ts';
import { type Ended, run, type Server, startServer } from './processes.ts';
import type { RegistryState } from './registry.ts';
import { type Beginning, type Scene, secrets, setScene } from './scene.ts';
import { chapter, check, quote, showImages, tell } from './story.ts';
import { runTagImage } from './tag-image.ts';

const hour = 60 * 60_000;

/** Plays it, from the push to the end of everything that may go. */
export async function live(beginning: Beginning): Promise<void> {
  const scene = await setScene(beginning);
  await pushAndTag(scene);
  showImages('Before', await scene.hands.look(), scene.images);
  const handler = await startHandler(scene);
  await deleteBuilds(scene);
  await notify(scene, String(handler.ready['port']));
  await release(scene);
  await collect(scene);
  await endTheLast(scene);
  check('the webhook handler stopped when it was told to, with exit code 0', (await handler.stop()) === 0);
}

async function pushAndTag(scene: Scene): Promise<void> {
  const { hands, cast, organization, pipeline, builds } = scene;
  chapter('1. Five builds push images, and TagImage ties each to its build');
  tell('Azure DevOps knows nothing of a registry, so images outlive the builds that made them and pile up.');
  tell('TagImage puts the build id on an image as a tag, and leaves a record of it in the registry.');
  for (const { repository, content } of builds) await hands.push(repository, content);
  await hands.push('shop/api', cast.signature);
  await hands.push('shop/tool', cast.tool, 'v1.0.0');
  for (const build of builds) {
    const { definitionId } = pipeline;
    await command(organization, 'builds', { definitionId, id: build.id, number: `20261123.${build.id}` });
    const tagged = await runTagImage(scene, build);
    quote(tagged.said);
    check(`build ${build.id} tagged its image in ${build.repository}`, tagged.succeeded);
  }
  await hands.lock('shop/worker', cast.worker.digest);
  tell('Builds 102 and 103 made the very same image. Somebody locked the worker. The tool was released as v1.0.0.');
}

async function startHandler(scene: Scene): Promise<Server> {
  chapter('2. The webhook handler starts');
  const args = ['webhook-handler/main.js', 'serve', '--config', scene.configuration];
  const server = await startServer(scene.stage, args, 'port', { ...secrets, ADO_TOKEN: scene.organization.pat });
  await server.printed('reconciliation ended');
  tell(
    `It listens on port ${String(server.ready['port'])} and has reconciled once: every build is alive, nothing was to do.`,
  );
  return server;
}

async function deleteBuilds({ organization }: Scene): Promise<void> {
  chapter('3. Azure DevOps deletes builds 101, 102, 104 and 105, as its retention does');
  for (const id of [101, 102, 104, 105]) await command(organization, `builds/${id}/delete`);
  tell('To say it plainly: Azure DevOps sends NO event when a build is deleted. There is no such service hook today.');
  tell('So whatever is sent is a hint that makes things prompt; the truth is what Azure DevOps says of each build.');
}

async function notify({ organization, hands }: Scene, port: string): Promise<void> {
  chapter('4. Release: the tags of dead builds come off. First way: a notification');
  tell('It has the form of a contract that Microsoft published and nobody can subscribe to yet. Build 101:');
  const sent = await command(organization, 'notifications', {
    url: `http://127.0.0.1:${port}/azure-devops`,
    basicAuthUsername: 'azure-devops',
    basicAuthPassword: secrets.HOOK_PASSWORD,
    event: 'build-deleted',
    buildId: 101,
  });
  check('the handler took the notification', sent['result'] === 'succeeded');
  let state = await hands.look();
  for (let tries = 0; tries < 100 && tagsOf(state, 'shop/api') !== ''; tries += 1) {
    await setTimeout(100);
    state = await hands.look();
  }
  check(
    'it asked Azure DevOps, was told that the build is deleted, and took the tag 101 off',
    tagsOf(state, 'shop/api') === '',
  );
}

async function release(scene: Scene): Promise<void> {
  chapter('5. Release, second way: reconciliation, which needs no notification and no server');
  tell('Nobody says anything about 102, 104 and 105. What follows could be a scheduled pipeline:');
  const { code, output } = await reconcile(scene);
  quote(output);
  const state = await scene.hands.look();
  showImages('After the release, within the grace of 24 hours', state, scene.images);
  check('the reconciliation ended well', code === 0);
  check(
    'nothing was deleted yet: a release is undone by tagging again',
    scene.images.every(image => has(state, image)),
  );
  check('build 102 lost its tag; the same image keeps that of build 103', tagsOf(state, 'shop/web') === '103');
  check('the released tool lost the tag of its build alone', tagsOf(state, 'shop/tool') === 'v1.0.0');
  check(
    'the locked worker is as it was, and the report says why',
    tagsOf(state, 'shop/worker') === '104' && output.includes('locked'),
  );
}

async function collect(scene: Scene): Promise<void> {
  const { hands, cast, images } = scene;
  chapter('6. Collect: a day later, what nothing holds is deleted');
  const before = await hands.look();
  await passOneDay(scene);
  const { code, output } = await reconcile(scene);
  quote(output);
  const state = await hands.look();
  showImages('After the collection', state, images);
  check('the reconciliation ended well', code === 0);
  check('the lone image is gone, platforms and signature with it', state.repositories['shop/api'] === undefined);
  const freed = (before.blobBytes - state.blobBytes) / 1024;
  check(
    `so are its bytes: ${freed.toFixed(0)} KiB less`,
    cast.api.parts.every(part => !state.blobs.includes(part.digest)) && freed > 0,
  );
  check('the image that build 103 shares is there', has(state, { repository: 'shop/web', digest: cast.web.digest }));
  check('the locked image is there', has(state, { repository: 'shop/worker', digest: cast.worker.digest }));
  check('the image with a release tag is there', has(state, { repository: 'shop/tool', digest: cast.tool.digest }));
}

async function endTheLast(scene: Scene): Promise<void> {
  const { hands, organization, images } = scene;
  chapter('7. Build 103 is deleted too');
  await command(organization, 'builds/103/delete');
  const first = await reconcile(scene);
  await passOneDay(scene);
  const second = await reconcile(scene);
  const state = await hands.look();
  showImages('At the end', state, images);
  check('both reconciliations ended well', first.code === 0 && second.code === 0);
  check('the image that two builds made went with the second of them', state.repositories['shop/web'] === undefined);
  const records = Object.entries(state.repositories).flatMap(([name, { tags }]) =>
    name.startsWith('image-lifecycle/builds/') ? Object.keys(tags) : [],
  );
  check(
    'the one record left is that of the locked image',
    records.length === 1 && (records[0]?.startsWith('104.') ?? false),
  );
}

function reconcile({ stage, configuration, organization }: Scene): Promise<Ended> {
  const args = ['webhook-handler/main.js', 'reconcile', '--config', configuration];
  return run(stage, args, { ...secrets, ADO_TOKEN: organization.pat });
}

async function passOneDay({ hands, organization }: Scene): Promise<void> {
  tell('… 25 hours pass …');
  await hands.advance(25 * hour);
  await command(organization, 'clock', { advanceMs: 25 * hour });
}

function tagsOf(state: RegistryState, repository: string): string {
  return Object.keys(state.repositories[repository]?.tags ?? {}).join(' ');
}

function has(state: RegistryState, image: { readonly repository: string; readonly digest: string }): boolean {
  return state.repositories[image.repository]?.manifests.includes(image.digest as Digest) ?? false;
}
