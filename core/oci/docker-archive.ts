/**
 * Archives of `docker save` that are no OCI layout: of Docker before 25, podman, kaniko, Jib.
 * Their layers are pushed as they lie there, never compressed anew, so their digests are known before anything is sent.
 * https://github.com/moby/docker-image-spec/blob/v1.3.1/v1.2.md#combined-image-json--filesystem-changeset-format
 */

import { z } from 'zod';
import { AppError, inputError } from '../base/errors.ts';
import { groupBy } from '../base/group-by.ts';
import { parseJson } from '../base/json.ts';
import { computeDigest, type Digest, isDigest, verifyDigest } from './digest.ts';
import { type ArchivedLayer, readLayer } from './docker-layer.ts';
import { type Files, readJsonFile, readSmallFile } from './files.ts';
import { type ImageStore, type LocalImage, withFamiliarName } from './image-store.ts';
import { encodeManifest, type Manifest, maxManifestBytes } from './manifest.ts';
import { dockerConfig, dockerManifest } from './media-types.ts';
import type { ImageSource } from './source.ts';

const maxImages = 1000;
const maxLayers = 1000;
const name = z.string().max(1024);
const manifestFile = z
  .array(z.object({ Config: name, RepoTags: z.array(name).nullish(), Layers: z.array(name).max(maxLayers).nullish() }))
  .max(maxImages);
const configFile = z.object({
  rootfs: z.object({
    diff_ids: z.array(z.string().refine(isDigest, 'not a sha256 digest') as unknown as z.ZodType<Digest>).nullish(),
  }),
});

interface ArchivedImage {
  /** The digest of its config, which Docker calls the image's id. */
  readonly id: Digest;
  /** The name of its config's file. */
  readonly config: string;
  readonly names: readonly string[];
  /** The names of its layers' files, the lowest first. */
  readonly layers: readonly string[];
}

/** Whether there is such an archive among the files. */
export async function isDockerArchive(files: Files): Promise<boolean> {
  return (await files.open('manifest.json')) !== undefined;
}

/** Looks an archive through; no layer is read yet. Throws `INPUT_INVALID`, `IMAGE_NOT_FOUND` or `TOO_LARGE`. */
export async function openDockerArchive(files: Files): Promise<ImageStore> {
  const { label } = files;
  const read = manifestFile.safeParse(await readJsonFile(files, 'manifest.json', maxManifestBytes));
  if (!read.success) throw inputError(`${label}: manifest.json is not one of images: ${describeFaults(read.error)}`);
  const found: ArchivedImage[] = [];
  for (const { Config: config, RepoTags, Layers } of read.data) {
    const id = computeDigest(await readConfig(files, config));
    found.push({ id, config, names: (RepoTags ?? []).flatMap(withFamiliarName), layers: Layers ?? [] });
  }
  const images = groupBy(found, ({ id }) => id);
  return {
    label,
    images: [...images].map(([digest, group]) => ({ digest, names: group.flatMap(({ names }) => names) })),
    async open(id) {
      const image = images.get(id)?.[0];
      return image && makeImage(files, image);
    },
  };
}

async function readConfig(files: Files, config: string): Promise<Uint8Array> {
  const bytes = await readSmallFile(files, config, maxManifestBytes);
  if (bytes) return bytes;
  throw missing(files, config);
}

/**
 * The manifest that `docker push` would make, but for the layers, which stay as they are. It is of Docker's schema 2 and
 * not of OCI's, because podman finds a HEALTHCHECK in that alone; whoever pulls images reads both.
 * https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-2.md
 */
async function makeImage(files: Files, { id, config, layers: names }: ArchivedImage): Promise<LocalImage> {
  const bytes = await readConfig(files, config);
  verifyDigest(bytes, id, `${files.label}: ${config}`);
  const layers: ArchivedLayer[] = [];
  for (const each of names) {
    const layer = await readLayer(files, each);
    if (!layer) throw missing(files, each);
    layers.push(layer);
  }
  checkLayers(files, bytes, layers);
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: dockerManifest,
    config: { mediaType: dockerConfig, size: bytes.byteLength, digest: id },
    layers: layers.map(({ mediaType, size, digest }) => ({ mediaType, size, digest })),
  });
  const places = new Map([[id, config], ...layers.map(layer => [layer.digest, layer.name] as const)]);
  return { root: manifest.digest, source: createSource(files, manifest, places) };
}

/** The layers must be those that the config names, by their uncompressed bytes and in its order. */
function checkLayers({ label }: Files, config: Uint8Array, layers: readonly ArchivedLayer[]): void {
  const read = configFile.safeParse(parseJson(config));
  if (!read.success) throw inputError(`${label}: a config is not that of an image: ${describeFaults(read.error)}`);
  const expected = read.data.rootfs.diff_ids ?? [];
  if (expected.length !== layers.length) {
    throw inputError(`${label}: an image has ${layers.length} layers, but its config names ${expected.length}.`);
  }
  const wrong = layers.findIndex(({ diffId }, index) => diffId !== expected[index]);
  if (wrong < 0) return;
  throw new AppError(
    `${label}: the layer ${layers[wrong]?.name} has the bytes of ${layers[wrong]?.diffId}, but its image's config names ${expected[wrong]} there.`,
    { code: 'DIGEST_MISMATCH' },
  );
}

function createSource(files: Files, manifest: Manifest, places: ReadonlyMap<Digest, string>): ImageSource {
  return {
    label: files.label,
    getManifest: async digest => (digest === manifest.digest ? manifest : undefined),
    async openBlob({ digest }, offset) {
      const place = places.get(digest);
      const file = place === undefined ? undefined : await files.open(place);
      if (file) return file.read(offset);
      throw new AppError(`${files.label}: the blob ${digest} is not in it.`, { code: 'IMAGE_NOT_FOUND' });
    },
    // The format has no place for what refers to an image.
    listReferrers: async () => [],
    listDigestTags: async () => [],
  };
}

/** There may be thousands. */
function describeFaults(error: z.ZodError): string {
  return z.prettifyError(error).slice(0, 500);
}

function missing({ label }: Files, name: string): AppError {
  return new AppError(`${label}: manifest.json names "${name}", which is not in it.`, { code: 'IMAGE_NOT_FOUND' });
}
