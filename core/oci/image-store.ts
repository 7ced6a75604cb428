/** Images beside each other in one place on the agent, and which of them is meant. */
import { AppError, inputError } from '../base/errors.ts';
import { type Digest, isDigest } from './digest.ts';
import type { ImageSource } from './source.ts';

/** An image that is kept in files. */
export interface StoredImage {
  /** What tells it from the others: the manifest's digest in a layout, the image's id in an archive of `docker save`. */
  readonly digest: Digest;
  /** What it is called there; often nothing. */
  readonly names: readonly string[];
}

/** An image that is ready to be copied. */
export interface LocalImage {
  readonly source: ImageSource;
  /** The digest of its manifest or index in `source`. */
  readonly root: Digest;
}

/** A layout or an archive. */
export interface ImageStore {
  /** Its path, for messages. */
  readonly label: string;
  readonly images: readonly StoredImage[];
  /**
   * Makes an image ready, and looks whether all of it is there; `digest` may in a layout be that of any manifest in it.
   * Undefined where there is none. Throws `IMAGE_NOT_FOUND` or `DIGEST_MISMATCH` where something of it is missing or wrong.
   */
  open(digest: Digest): Promise<LocalImage | undefined>;
}

/** Most stores have a handful; a message tells no more than this. */
const listedAtMost = 10;

/**
 * The image that `pick` names: a name as it stands there, or a digest. Without one, the only image there is.
 * Throws `INPUT_INVALID`, listing the images, where that is none or more than one.
 */
export async function openImage(store: ImageStore, pick?: string): Promise<LocalImage> {
  const { images, label } = store;
  if (pick !== undefined && isDigest(pick)) {
    const opened = await store.open(pick);
    if (opened) return opened;
    throw inputError(`${label} has no image ${pick}. ${list(images)}`);
  }
  const [found, ...more] = pick === undefined ? images : images.filter(({ names }) => names.includes(pick));
  if (!found)
    throw inputError(`${label} has no image${pick === undefined ? '' : ` called "${pick}"`}. ${list(images)}`);
  if (more.length > 0) {
    const called = pick === undefined ? '' : ` called "${pick}"`;
    throw inputError(`${label} has ${more.length + 1} images${called}: name one of them. ${list(images)}`);
  }
  const opened = await store.open(found.digest);
  if (opened) return opened;
  throw new AppError(`${label} lists the image ${found.digest}, which is not in it.`, { code: 'IMAGE_NOT_FOUND' });
}

function list(images: readonly StoredImage[]): string {
  const lines = images
    .slice(0, listedAtMost)
    .map(({ digest, names: [name] }) => (name === undefined ? digest : `"${name.slice(0, 100)}" (${digest})`));
  const more = images.length > listedAtMost ? ` and ${images.length - listedAtMost} more` : '';
  return `It has ${lines.join(', ') || 'none'}${more}.`;
}

/** A name, and as people write it where it is one of Docker Hub: `docker.io/library/web:1` is `web:1` to Docker. */
export function withFamiliarName(name: string): string[] {
  const familiar = name.replace(/^(?:docker\.io|index\.docker\.io)\/(?:library\/)?/, '');
  return familiar === name ? [name] : [familiar, name];
}
