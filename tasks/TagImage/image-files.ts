/**
 * What build tools write about the images they pushed:
 * - `docker buildx build --metadata-file` and `docker buildx bake --metadata-file`
 *   https://docs.docker.com/reference/cli/docker/buildx/build/#metadata-file
 * - kaniko `--digest-file`, `--image-name-with-digest-file`, `--image-name-tag-with-digest-file`
 *   https://github.com/GoogleContainerTools/kaniko#flag---digest-file
 * - `jib-image.json` https://github.com/GoogleContainerTools/jib/blob/master/docs/faq.md
 */
import { z } from 'zod';
import { inputError, withContext } from '../../core/base/errors.ts';
import { type Digest, isDigest } from '../../core/oci/digest.ts';
import { parseReference, type Reference } from '../../core/oci/reference.ts';

/** An image in a file: its digest, and the repository and registry as the tool named them. */
export interface NamedDigest {
  readonly registry?: string | undefined;
  readonly repository: string;
  readonly digest: Digest;
}

/** Where an image is, without a tag or a digest. */
export type Place = Pick<Reference, 'registry' | 'repository'>;

const digest = z.string().refine(isDigest, 'not a sha256 digest') as unknown as z.ZodType<Digest>;
const buildx = z.object({ 'containerimage.digest': digest, 'image.name': z.string().optional() });
const jib = z.object({ imageDigest: digest, image: z.string() });

/**
 * Reads the images of one file. `place` stands in front of its path in the input and wins over what the file says.
 * Throws `INPUT_INVALID` when it is none of the known kinds; `path` names it.
 */
export function parseImageFile(text: string, path: string, place?: Place): NamedDigest[] {
  try {
    const content = text.trim();
    const found = content.startsWith('{') ? parseDocument(content, place) : parseLines(content, place);
    if (found.length > 0) return found;
  } catch (cause) {
    throw withContext(`The input imageFiles: the file "${path}"`, cause);
  }
  throw inputError(`The input imageFiles: the file "${path}" names no image.`);
}

function parseDocument(text: string, place: Place | undefined): NamedDigest[] {
  const document = parseJson(text);
  if ('containerimage.digest' in document) return parseBuildx(document, place);
  if ('imageDigest' in document) return parseJib(document, place);
  // Bake writes one such document for each target, beside others such as its warnings.
  const targets = Object.values(document).filter(
    (value): value is object => typeof value === 'object' && value !== null && 'containerimage.digest' in value,
  );
  if (targets.length > 0) return targets.flatMap(target => parseBuildx(target, place));
  throw inputError(
    'it has neither "containerimage.digest" (buildx, bake) nor "imageDigest" (Jib). Was the image pushed, and not only loaded?',
  );
}

function parseJson(text: string): object {
  try {
    return JSON.parse(text) as object;
  } catch (cause) {
    throw inputError('it is not valid JSON.', cause);
  }
}

function parseBuildx(document: object, place: Place | undefined): NamedDigest[] {
  const read = parseShape(buildx, document);
  const names = (read['image.name'] ?? '').split(',').flatMap(name => name.trim() || []);
  return named(names.map(parsePlace), place, read['containerimage.digest']);
}

function parseJib(document: object, place: Place | undefined): NamedDigest[] {
  const read = parseShape(jib, document);
  return named([parsePlace(read.image)], place, read.imageDigest);
}

function parseShape<T>(shape: z.ZodType<T>, document: object): T {
  const read = shape.safeParse(document);
  if (read.success) return read.data;
  throw inputError(z.prettifyError(read.error));
}

/** kaniko: a digest alone, or a reference with one, on each line. */
function parseLines(text: string, place: Place | undefined): NamedDigest[] {
  const lines = text.split(/\r?\n/).flatMap(line => line.trim() || []);
  return lines.flatMap(line => {
    if (isDigest(line)) return named([], place, line);
    const reference = parseReference(line);
    if (!reference.digest) throw inputError(`"${line.slice(0, 200)}" has no digest.`);
    return named([reference], place, reference.digest);
  });
}

function named(places: readonly Place[], given: Place | undefined, digest: Digest): NamedDigest[] {
  const found = given ? [given] : places;
  if (found.length > 0) return found.map(({ registry, repository }) => ({ registry, repository, digest }));
  throw inputError('it has a digest, but no name. Put the repository in front of the path: repository=path.');
}

/** A name with or without a tag; what counts is the digest beside it. */
export function parsePlace(name: string): Place {
  const [untagged = ''] = name.split('@');
  const tagged = /:[^/]*$/.test(untagged) ? untagged : `${untagged}:latest`;
  const { registry, repository } = parseReference(tagged);
  return { registry, repository };
}
