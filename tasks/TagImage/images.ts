/** The images of a step, from the inputs `images`, `imageFiles` and `localImages`. */
import { inputError, withContext } from '../../core/base/errors.ts';
import type { ImageToTag } from '../../core/lifecycle/tag.ts';
import { isRepository, parseReference } from '../../core/oci/reference.ts';
import { findFiles, readTextFile } from '../agent/files.ts';
import { type LocalImageLine, type OpenedImage, openLocalImage, parseLocalImage } from '../agent/local-images.ts';
import { type NamedDigest, type Place, parseImageFile, parsePlace } from './image-files.ts';
import { maxImages, type TagImageInputs } from './inputs.ts';

const maxFileBytes = 1024 * 1024;
const maxLineLength = 1024;

/** Images, until they are closed: what Docker saved of them for this step is removed then. */
export interface CollectedImages {
  readonly images: readonly ImageToTag[];
  readonly close: () => Promise<void>;
}

/** Every image once. Throws `INPUT_INVALID` and what else an archive can be, naming the input; nothing is sent. */
export async function collectImages(inputs: TagImageInputs, host: string): Promise<CollectedImages> {
  const written = within('The input images', () => inputs.images.map(line => parseLine(line, host)));
  const found = await readImageFiles(inputs.imageFiles);
  const recorded = within('The input imageFiles', () =>
    found.map(({ repository, digest, registry }) => {
      checkRegistry(`${registry}/${repository}@${digest}`, registry, host);
      return { repository, reference: digest };
    }),
  );
  const lines = within('The input localImages', () => inputs.localImages.map(line => parseLocalLine(line, host)));
  const images = new Map([...written, ...recorded].map(image => [`${image.repository} ${image.reference}`, image]));
  if (images.size + lines.length > maxImages) {
    throw inputError(`The inputs name ${images.size + lines.length} images; ${maxImages} are the most.`);
  }
  const local = await openLocalImages(lines);
  return { images: [...images.values(), ...local.images], close: local.close };
}

function parseLine(line: string, host: string): ImageToTag {
  if (line.length > maxLineLength) {
    throw inputError(`a line has ${line.length} characters; ${maxLineLength} are the most.`);
  }
  const { registry, repository, tag, digest } = parseReference(line);
  checkRegistry(line, registry, host);
  return { repository, reference: digest ?? tag ?? '' };
}

function parseLocalLine(line: string, host: string): LocalImageLine {
  const parsed = parseLocalImage(line);
  checkRegistry(line, parsed.registry, host);
  return parsed;
}

/** One after the other: the layers of an archive of Docker are read through for their digests. */
async function openLocalImages(lines: readonly LocalImageLine[]): Promise<CollectedImages> {
  const opened: OpenedImage[] = [];
  const close = async (): Promise<void> => {
    for (const each of opened) await each.close();
  };
  const images: ImageToTag[] = [];
  try {
    for (const { repository, from } of lines) {
      const image = await openLocalImage(from);
      opened.push(image);
      images.push({ repository, reference: image.root, source: image.source });
    }
    return { images, close };
  } catch (cause) {
    await close();
    throw withContext('The input localImages', cause);
  }
}

function checkRegistry(image: string, registry: string | undefined, host: string): void {
  if (registry === undefined || registry.toLowerCase() === host) return;
  throw inputError(
    `"${image}" is in the registry ${registry}, but this step signs in to ${host}. Use a step of its own for each registry.`,
  );
}

function within<T>(clause: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw withContext(clause, cause);
  }
}

async function readImageFiles(lines: readonly string[]): Promise<NamedDigest[]> {
  const excluded = lines.filter(line => line.startsWith('!')).map(line => line.slice(1));
  const found: NamedDigest[] = [];
  for (const line of lines.filter(each => !each.startsWith('!'))) {
    const { place, pattern } = splitLine(line);
    const paths = findFiles(pattern, excluded);
    if (paths.length === 0) throw inputError(`The input imageFiles: "${pattern}" matches no file.`);
    if (paths.length > maxImages) {
      throw inputError(`The input imageFiles: "${pattern}" matches ${paths.length} files; ${maxImages} are the most.`);
    }
    for (const path of paths)
      found.push(...parseImageFile(await readTextFile(path, 'imageFiles', maxFileBytes), path, place));
  }
  return found;
}

/** `repository=path`, for files that hold a digest alone. A path with a `=` behind what looks like a repository needs `./`. */
function splitLine(line: string): { place?: Place; pattern: string } {
  const [, name = '', pattern = ''] = /^([^=]+)=(.+)$/.exec(line) ?? [];
  const path = name.includes('/') && /^[^/]*[.:]/.test(name) ? name.slice(name.indexOf('/') + 1) : name;
  return pattern && isRepository(path) ? { place: parsePlace(name), pattern } : { pattern: line };
}
