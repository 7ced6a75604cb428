/** The images of the demo, made on the spot from files of this project. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Content, type Files, makeImage, makeIndex, makeSignature } from '../../test/support/images.ts';

const root = resolve(import.meta.dirname, '../..');

/** What the story is about. */
export interface Cast {
  /** Two platforms, and a signature that refers to the index. */
  readonly api: Content;
  readonly signature: Content;
  readonly web: Content;
  readonly worker: Content;
  readonly tool: Content;
}

/** A layer of files of this project, under `app/`. */
async function layer(...paths: readonly string[]): Promise<Files> {
  return Promise.all(paths.map(async path => [`app/${path}`, await readFile(resolve(root, path))] as const));
}

/** Makes the images; `own` takes the place of the first. */
export async function makeCast(own: Content | undefined): Promise<Cast> {
  const base = await layer('LICENSE', 'package.json');
  const handler = await layer('dist/webhook-handler/main.js');
  const task = await layer('dist/tasks/TagImage/index.js');
  const api = own ?? makeIndex('shop-api', [base, handler]);
  return {
    api,
    signature: makeSignature(api),
    web: makeImage('shop-web', { files: [base, task] }),
    worker: makeImage('shop-worker', { files: [base] }),
    tool: makeImage('shop-tool', { files: [base] }),
  };
}
