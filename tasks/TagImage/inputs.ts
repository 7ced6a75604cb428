/** TagImage's inputs: the one file that knows their names. task.json declares them. */
import { inputError } from '../../core/base/errors.ts';
import { isTag } from '../../core/oci/reference.ts';
import { readConnection } from '../agent/connection.ts';
import { readChoice, readLines, readPath, readSwitch, readText } from '../agent/input.ts';
import type { Connection } from '../agent/sign-in.ts';

/** At most so many images in one step, and so many tags on each. */
export const maxImages = 1000;
const maxTags = 100;

/** Every name that is read here; a test holds them against task.json. */
export const inputNames = [
  'connectionType',
  'azureSubscription',
  'containerRegistry',
  'registry',
  'images',
  'imageFiles',
  'localImages',
  'tags',
  'buildTagPrefix',
  'onBuildDeleted',
  'overwrite',
  'outputDirectory',
] as const;

/** What the user wants. */
export interface TagImageInputs {
  readonly connection: Connection;
  /** Lines of `images`, as they stand. */
  readonly images: readonly string[];
  /** Lines of `imageFiles`, as they stand. */
  readonly imageFiles: readonly string[];
  /** Lines of `localImages`, as they stand. */
  readonly localImages: readonly string[];
  /** The build tag first. */
  readonly tags: readonly [string, ...string[]];
  /** Whether the build tag was not among the tags that the user named. */
  readonly buildTagAdded: boolean;
  readonly onBuildDeleted: 'delete' | 'keep';
  readonly overwrite: boolean;
  readonly outputDirectory: string;
}

/** Reads and checks every input. Throws `INPUT_INVALID`, naming the input. */
export function readInputs(buildId: number): TagImageInputs {
  const images = readLines('images', maxImages);
  const imageFiles = readLines('imageFiles', maxImages);
  const localImages = readLines('localImages', maxImages);
  if (images.length + imageFiles.length + localImages.length === 0) {
    throw inputError('Name at least one image, in one of the inputs images, imageFiles and localImages.');
  }
  return {
    connection: readConnection({
      connectionType: 'connectionType',
      azureSubscription: 'azureSubscription',
      containerRegistry: 'containerRegistry',
      registry: 'registry',
    }),
    images,
    imageFiles,
    localImages,
    ...readTags(buildId),
    onBuildDeleted: readChoice('onBuildDeleted', ['delete', 'keep']),
    overwrite: readSwitch('overwrite'),
    outputDirectory: readPath('outputDirectory'),
  };
}

/** A line that is the build id alone means the build tag, prefix and all: without it, it would be another organization's. */
function readTags(buildId: number): Pick<TagImageInputs, 'tags' | 'buildTagAdded'> {
  const prefix = readText('buildTagPrefix');
  const buildTag = `${prefix}${buildId}`;
  if (!isTag(buildTag)) {
    throw inputError(
      `The input buildTagPrefix is "${prefix.slice(0, 200)}", and "${buildTag.slice(0, 200)}" is not a tag: ${tagGrammar}.`,
    );
  }
  const named = readLines('tags', maxTags).map(tag => (tag === String(buildId) ? buildTag : tag));
  const wrong = named.find(tag => !isTag(tag));
  if (wrong !== undefined) {
    throw inputError(
      `The input tags: "${wrong.slice(0, 200)}" (${wrong.length} characters) is not a tag: ${tagGrammar}.`,
    );
  }
  return {
    tags: [buildTag, ...new Set(named.filter(tag => tag !== buildTag))],
    buildTagAdded: !named.includes(buildTag),
  };
}

const tagGrammar = '1 to 128 letters, digits, ".", "_" and "-", of which the first is not "." or "-"';
