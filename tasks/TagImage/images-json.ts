/** `images.json`: what the build made, by digest, for the steps and pipelines that come after it. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { inputError } from '../../core/base/errors.ts';
import { parseJson } from '../../core/base/json.ts';
import type { BuildIdentity } from '../../core/lifecycle/build-record.ts';
import type { TaggedImage } from '../../core/lifecycle/tag.ts';
import { writeWhole } from '../agent/files.ts';

const image = z.object({
  repository: z.string(),
  digest: z.string(),
  tags: z.array(z.string()),
  mediaType: z.string(),
  /** Bytes. */
  size: z.number(),
  /** `registry/repository@digest`. */
  reference: z.string(),
});

const imagesFile = z.object({
  schema: z.literal(1),
  build: z.looseObject({ id: z.number(), projectId: z.string(), collectionId: z.string() }),
  registry: z.string(),
  images: z.array(image),
});

/** One image of the file. */
export type ListedImage = z.infer<typeof image>;

/** Where the file is, and whose it is. */
export interface ImagesFileOptions {
  readonly directory: string;
  readonly build: BuildIdentity;
  /** The registry's host. */
  readonly registry: string;
}

/** What the verb reports, in the form of the file. */
export function listImages(images: readonly TaggedImage[], host: string): ListedImage[] {
  return images.map(({ repository, digest, tags, mediaType, size }) => ({
    repository,
    digest,
    tags: [...tags],
    mediaType,
    size,
    reference: `${host}/${repository}@${digest}`,
  }));
}

/**
 * What an earlier step of this same build wrote there; empty where there is nothing, or another build's.
 * Throws `INPUT_INVALID` when it is of another registry: one file is of one registry.
 */
export async function readImagesFile({ directory, build, registry }: ImagesFileOptions): Promise<ListedImage[]> {
  const path = join(directory, 'images.json');
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return '';
    throw inputError(`The input outputDirectory: "${path}" cannot be read.`, cause);
  });
  const read = imagesFile.safeParse(parseJson(text)).data;
  const isOurs =
    read?.build.id === build.id &&
    read.build.projectId === build.projectId &&
    read.build.collectionId === build.collectionId;
  if (!read || !isOurs) return [];
  if (read.registry === registry) return read.images;
  throw inputError(
    `The input outputDirectory: "${path}" lists this build's images in ${read.registry}. Give the step for ${registry} a folder of its own.`,
  );
}

/** Writes the file, whole or not at all: what earlier steps listed, then `images`, which replace the same reference. */
export async function writeImagesFile(
  options: ImagesFileOptions,
  earlier: readonly ListedImage[],
  images: readonly ListedImage[],
): Promise<string> {
  const { directory, build, registry } = options;
  const all = new Map([...earlier, ...images].map(each => [each.reference, each]));
  const document = { schema: 1, build, registry, images: [...all.values()] };
  return writeWhole(directory, 'images.json', `${JSON.stringify(document, undefined, 2)}\n`);
}
