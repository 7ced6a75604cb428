/** The images of the build: of its images.json, or of what it recorded in the registry. */
import { resolve } from 'node:path';
import { AppError, inputError } from '../../core/base/errors.ts';
import type { BuildImage } from '../../core/helm/pin-images.ts';
import type { BuildIdentity } from '../../core/lifecycle/build-record.ts';
import { buildTagIn, readPromotable } from '../../core/lifecycle/promotable.ts';
import { chooseImages } from '../../core/lifecycle/promotion-plan.ts';
import { type Digest, isDigest } from '../../core/oci/digest.ts';
import { isRepository } from '../../core/oci/reference.ts';
import type { Registry } from '../../core/oci/registry.ts';
import { type ListedBuild, type ListedImage, listImages, readNamedImagesFile } from '../agent/images-json.ts';
import { agentLog } from '../agent/log.ts';
import { readVariable } from '../agent/variables.ts';
import type { PackageChartInputs } from './inputs.ts';
import { checkBuild, type Place } from './place.ts';

/** A build and its images, in one registry. */
export interface BuildImages {
  readonly build: ListedBuild;
  /** The registry's host. */
  readonly registry: string;
  readonly images: readonly (ListedImage & { readonly digest: Digest })[];
}

/** Reads them. Throws `INPUT_INVALID`, naming the input, or `RECORD_NOT_FOUND`. */
export async function readBuildImages(
  inputs: PackageChartInputs,
  place: Place,
  registry: Registry | undefined,
): Promise<BuildImages> {
  const found = inputs.imagesFile
    ? await readFromFile(inputs.imagesFile, place, registry)
    : await readFromRecords(inputs, place, registry);
  if (found.images.length > 0) return found;
  throw inputError(
    `Build ${found.build.id} has no image in ${found.registry} that a chart could be pinned to. Did TagImage run in it, for this registry?`,
  );
}

async function readFromFile(file: string, place: Place, registry: Registry | undefined): Promise<BuildImages> {
  const path = resolve(readVariable('System.DefaultWorkingDirectory') ?? '', file);
  const read = await readNamedImagesFile(path);
  checkBuild(place, read.build, path);
  if (registry && registry.host !== read.registry) {
    throw inputError(
      `The input imagesFile: "${path}" lists images in ${read.registry}, but this step signs in to ${registry.host}. A chart is pushed to the registry of its images.`,
    );
  }
  const images = read.images.map(image => {
    const { repository, digest } = image;
    if (isDigest(digest) && isRepository(repository)) return { ...image, digest };
    throw inputError(`The input imagesFile: "${path}" names an image without a repository or without a digest.`);
  });
  return { build: read.build, registry: read.registry, images };
}

async function readFromRecords(
  { buildTagPrefix }: PackageChartInputs,
  { build }: Place,
  registry: Registry | undefined,
): Promise<BuildImages> {
  if (!build || !registry) {
    throw new AppError('Neither a file nor a registry says what the build made.', { code: 'DEFECT' });
  }
  const records = await readPromotable(registry, { ...build, buildId: build.id }, agentLog);
  const tagged = (repository: string) => buildTagIn(registry, repository, buildTagOf(buildTagPrefix, build));
  const chosen = await chooseImages({ records, from: registry.host, tagged }, { charts: false });
  const images = chosen.map(({ recorded }) => recorded);
  const listed = listImages(images, registry.host);
  return {
    build,
    registry: registry.host,
    images: listed.map((image, at) => ({ ...image, digest: (images[at] as (typeof images)[number]).digest })),
  };
}

/** The tag that ties images and charts to the build. */
export function buildTagOf(prefix: string, { id }: Pick<BuildIdentity, 'id'>): string {
  return `${prefix}${id}`;
}

/**
 * The images as a pin shows them. A tag of the digest's own digits leaves the archive the same for each build that has
 * these images; the build tag is there for those who want to read it, and where the tag is all that a chart has.
 * Throws `INPUT_INVALID` where that tag was not put on an image.
 */
export function showImages(
  { images, build }: BuildImages,
  { pin, version, buildTagPrefix }: PackageChartInputs,
): BuildImage[] {
  const buildTag = buildTagOf(buildTagPrefix, build);
  const untagged = images.find(({ tags }) => !tags.includes(buildTag));
  if (pin === 'tag' && untagged) {
    throw inputError(
      `The input pin is tag, but ${untagged.reference} does not have the tag ${buildTag}: it has ${untagged.tags.join(', ') || 'none'}. Set buildTagPrefix as in TagImage, or pin by digest.`,
    );
  }
  return images.map(({ repository, digest }) => ({
    repository,
    digest,
    tag: pin === 'tag' || version === 'build' ? buildTag : digest.slice('sha256:'.length, 'sha256:'.length + 12),
  }));
}
