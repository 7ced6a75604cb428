/** The images of a step, from the inputs `images` and `imageFiles`. */
import { inputError, withContext } from '../../core/base/errors.ts';
import type { ImageToTag } from '../../core/lifecycle/tag.ts';
import { isRepository, parseReference } from '../../core/oci/reference.ts';
import { findFiles, readTextFile } from '../agent/files.ts';
import { type NamedDigest, type Place, parseImageFile, parsePlace } from './image-files.ts';
import { maxImages, type TagImageInputs } from './inputs.ts';

const maxFileBytes = 1024 * 1024;
const maxLineLength = 1024;

/** Every image once. Throws `INPUT_INVALID`, naming the input; nothing is sent. */
export async function collectImages(inputs: TagImageInputs, host: string): Promise<ImageToTag[]> {
  const written = within('The input images', () => inputs.images.map(line => parseLine(line, host)));
  const found = await readImageFiles(inputs.imageFiles);
  const recorded = within('The input imageFiles', () =>
    found.map(({ repository, digest, registry }) => {
      checkRegistry(`${registry}/${repository}@${digest}`, registry, host);
      return { repository, reference: digest };
    }),
  );
  const images = new Map([...written, ...recorded].map(image => [`${image.repository} ${image.reference}`, image]));
  if (images.size > maxImages) {
    throw inputError(`The inputs images and imageFiles name ${images.size} images; ${maxImages} are the most.`);
  }
  return [...images.values()];
}

function parseLine(line: string, host: string): ImageToTag {
  if (line.length > maxLineLength) {
    throw inputError(`a line has ${line.length} characters; ${maxLineLength} are the most.`);
  }
  const { registry, repository, tag, digest } = parseReference(line);
  checkRegistry(line, registry, host);
  return { repository, reference: digest ?? tag ?? '' };
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
