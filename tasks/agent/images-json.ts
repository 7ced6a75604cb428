/** `images.json`: what the build made, by digest, for the steps and pipelines that come after it. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { inputError } from '../../core/base/errors.ts';
import { parseJson } from '../../core/base/json.ts';
import type { RecordedImage } from '../../core/lifecycle/build-record.ts';
import { readTextFile, writeWhole } from './files.ts';

const maxFileBytes = 4 * 1024 * 1024;

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

const build = z.looseObject({
  id: z.number().int().positive(),
  projectId: z.string(),
  collectionId: z.string(),
  commit: z.string().optional(),
});

const imagesFile = z.object({
  schema: z.literal(1),
  build,
  /** The registry's host. */
  registry: z.string(),
  images: z.array(image),
  /** Packaged charts; what is in them is the business of the task that packages. */
  charts: z.array(z.looseObject({ name: z.string() })).default([]),
});

/** One image of the file. */
export type ListedImage = z.infer<typeof image>;
/** One chart of the file. */
export type ListedChart = z.infer<typeof imagesFile>['charts'][number];
/** The build of the file: as much as is looked at. */
export type ListedBuild = z.infer<typeof build>;
/** The whole file. */
export type ImagesFile = z.infer<typeof imagesFile>;

/** Where the file is, and whose it is. */
export interface ImagesFileOptions {
  readonly directory: string;
  readonly build: ListedBuild;
  /** The registry's host. */
  readonly registry: string;
}

/** What steps list in it. */
export interface Listed {
  readonly images: readonly ListedImage[];
  readonly charts: readonly ListedChart[];
}

/** What was recorded, in the form of the file. */
export function listImages(images: readonly RecordedImage[], host: string): ListedImage[] {
  return images.map(({ repository, digest, tags, mediaType, size }) => ({
    repository,
    digest,
    tags: [...tags],
    mediaType,
    size,
    reference: `${host}/${repository}@${digest}`,
  }));
}

/** Whether two are the same build: ids are unique in a collection alone. */
export function isSameBuild(one: ListedBuild, other: ListedBuild): boolean {
  const keyOf = ({ id, projectId, collectionId }: ListedBuild): string =>
    `${id} ${projectId} ${collectionId}`.toLowerCase();
  return keyOf(one) === keyOf(other);
}

/** Reads the file that the input `imagesFile` names. Throws `INPUT_INVALID`. */
export async function readNamedImagesFile(path: string): Promise<ImagesFile> {
  const read = imagesFile.safeParse(parseJson(await readTextFile(path, 'imagesFile', maxFileBytes)));
  if (read.success) return read.data;
  throw inputError(
    `The input imagesFile: the file "${path}" is not an images.json of TagImage. ${z.prettifyError(read.error)}`,
  );
}

/**
 * What an earlier step of this same build wrote there; empty where there is nothing, or another build's.
 * Throws `INPUT_INVALID` when it is of another registry: one file is of one registry.
 */
export async function readImagesFile({ directory, build: ours, registry }: ImagesFileOptions): Promise<Listed> {
  const path = join(directory, 'images.json');
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return '';
    throw inputError(`The input outputDirectory: "${path}" cannot be read.`, cause);
  });
  const read = imagesFile.safeParse(parseJson(text)).data;
  if (!read || !isSameBuild(read.build, ours)) return { images: [], charts: [] };
  if (read.registry === registry) return read;
  throw inputError(
    `The input outputDirectory: "${path}" lists this build's images in ${read.registry}. Give the step for ${registry} a folder of its own.`,
  );
}

/**
 * Writes the file, whole or not at all: what earlier steps listed, then what this one does, where an image replaces the
 * same reference and a chart the same name.
 */
export async function writeImagesFile(options: ImagesFileOptions, earlier: Listed, now: Listed): Promise<string> {
  const { directory, build: ours, registry } = options;
  const images = new Map([...earlier.images, ...now.images].map(each => [each.reference, each]));
  const charts = new Map([...earlier.charts, ...now.charts].map(each => [each.name, each]));
  const document = {
    schema: 1,
    build: ours,
    registry,
    images: [...images.values()],
    ...(charts.size > 0 && { charts: [...charts.values()] }),
  };
  return writeWhole(directory, 'images.json', `${JSON.stringify(document, undefined, 2)}\n`);
}
