/** Builds are gone, and their images go after them: tags first, bytes a day later. */
import { control } from './control.ts';
import { reconcile } from './handler.ts';
import type { Server } from './processes.ts';
import { has, tagsOf } from './registry.ts';
import { hookPassword, type Scene } from './scene.ts';
import { chapter, check, quote, showImages, tell } from './story.ts';

/** 25 hours: more than the grace of the configuration. */
export const oneDay = 25 * 60 * 60_000;

/** A notification makes it prompt. */
export async function notify({ http, organization, registries }: Scene, handler: Server): Promise<void> {
  const { ci, qa, production } = registries;
  chapter('Release: the tags of dead builds come off. First way: a notification');
  tell('To say it plainly: Azure DevOps sends NO event when a build is deleted. There is no such service hook today.');
  tell('So whatever is sent is a hint that makes things prompt; the truth is what Azure DevOps says of each build.');
  tell('This one has the form of a contract that Microsoft published and nobody can subscribe to yet. Build 101:');
  const sent = await control(http, organization.url, 'notifications', {
    url: `http://127.0.0.1:${String(handler.ready['port'])}/azure-devops`,
    basicAuthUsername: 'azure-devops',
    basicAuthPassword: hookPassword,
    event: 'build-deleted',
    buildId: 101,
  });
  check('the handler took the notification', sent['result'] === 'succeeded');
  // One run for each registry at its start, and one now.
  await handler.printed('reconciliation ended', 2 * Object.keys(registries).length);
  const states = await Promise.all([ci, qa, production].map(each => each.look()));
  const [atCi, atQa, atProduction] = states.map(state => tagsOf(state, 'shop/api'));
  const isOff = atCi === '' && atQa === '';
  check(`it asked Azure DevOps, and took the tag 101 off in ${ci.name} and ${qa.name}`, isOff);
  check(`it left it on in ${production.name}: no rule says that a stage's copies go`, atProduction === '101');
}

/** Reconciliation finds the rest. */
export async function release(scene: Scene): Promise<void> {
  const { ci, qa, production } = scene.registries;
  chapter('Release, second way: reconciliation, which needs no notification and no server');
  tell('Nobody says anything about 102, 104 and 105. What follows could be a scheduled pipeline:');
  const { code, output } = await reconcile(scene);
  quote(output, /^(?! +BUILD )\s*\S/);
  await showImages('After the release, within the grace of 24 hours', [ci, qa, production], scene.images);
  const state = await ci.look();
  check('the reconciliation ended well', code === 0);
  const everything = scene.images.every(image => has(state, image));
  check('nothing was deleted yet: a release is undone by tagging again', everything);
  check('build 102 lost its tag; the same image keeps that of build 103', tagsOf(state, 'shop/web') === '103');
  check('the released tool lost the tag of its build alone', tagsOf(state, 'shop/tool') === 'v1.0.0');
  const isLocked = tagsOf(state, 'shop/worker') === '104' && output.includes('locked');
  check('the locked worker is as it was, and the report says why', isLocked);
}

/** The grace is over. */
export async function collect(scene: Scene): Promise<void> {
  const { registries, cast, images } = scene;
  const { ci, qa, production } = registries;
  chapter('Collect: a day later, what nothing holds is deleted');
  const before = await ci.look();
  tell('… 25 hours pass …');
  await scene.pass(oneDay);
  const { code, output } = await reconcile(scene);
  quote(output, /^(?! +BUILD )\s*\S/);
  await showImages('After the collection', [ci, qa, production], images);
  const [state, atQa, atProduction] = await Promise.all([ci.look(), qa.look(), production.look()]);
  check('the reconciliation ended well', code === 0);
  const isGone = [state, atQa].every(({ repositories }) => repositories['shop/api'] === undefined);
  check(`the lone image is gone from ${ci.name} and ${qa.name}, platforms and signature with it`, isGone);
  const freed = (before.blobBytes - state.blobBytes) / 1024;
  const bytes = cast.api.parts.every(part => ![...state.blobs, ...atQa.blobs].includes(part.digest));
  check(`so are its bytes: ${freed.toFixed(0)} KiB less in ${ci.name}`, bytes && freed > 0);
  const [api, signature, web, worker, tool, apiChart, webChart] = images;
  check(
    `${production.name} has it still, with its signature`,
    [api, signature].every(each => each && has(atProduction, each)),
  );
  check('the image that build 103 shares is there', web !== undefined && has(state, web) && has(atQa, web));
  const isChartGone = apiChart !== undefined && !has(state, apiChart) && !has(atQa, apiChart);
  check('the chart of the lone image went with its build', isChartGone);
  check(
    'the chart that build 103 shares is there',
    webChart !== undefined && has(state, webChart) && has(atQa, webChart),
  );
  check('the locked image is there', worker !== undefined && has(state, worker));
  check('the image with a release tag is there', tool !== undefined && has(state, tool));
}
