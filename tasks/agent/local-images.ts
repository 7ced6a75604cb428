/** Images that are on the agent, as the lines of an input name them: `repository=path`, `repository=docker:name`. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inputError } from '../../core/base/errors.ts';
import { isDigest } from '../../core/oci/digest.ts';
import { isDockerArchive, openDockerArchive } from '../../core/oci/docker-archive.ts';
import { type ImageStore, type LocalImage, openImage } from '../../core/oci/image-store.ts';
import { isLayout, openLayout } from '../../core/oci/layout.ts';
import { parseReference, type Reference } from '../../core/oci/reference.ts';
import { saveDockerImage } from './docker-save.ts';
import { openFolder } from './folder.ts';
import { openTar } from './tar-archive.ts';
import { readVariable } from './variables.ts';

/** One line: where the image shall be, and where it is now. */
export interface LocalImageLine extends Pick<Reference, 'registry' | 'repository'> {
  readonly from: LocalPlace;
}

/** A path with the name or digest of one of several images, or what Docker on the agent calls the image. */
export type LocalPlace =
  | { readonly kind: 'path'; readonly path: string; readonly pick?: string | undefined }
  | { readonly kind: 'docker'; readonly name: string };

const maxLineLength = 4096;

/**
 * Reads `repository=path`, `repository=path#name`, `repository=path@sha256:…` or `repository=docker:name:tag`, with a
 * registry in front of the repository or without. Throws `INPUT_INVALID`.
 */
export function parseLocalImage(line: string): LocalImageLine {
  if (line.length > maxLineLength) {
    throw inputError(`a line has ${line.length} characters; ${maxLineLength} are the most.`);
  }
  const [, named = '', place = ''] = /^([^=]*)=(.*)$/.exec(line) ?? [];
  if (!named || !place) throw inputError(`"${line.slice(0, 200)}" is not of the form repository=path.`);
  if (/[:@][^/]*$/.test(named)) {
    throw inputError(
      `"${named.slice(0, 200)}" must be a repository alone, in front of the "=", without a tag or a digest.`,
    );
  }
  const { registry, repository } = parseReference(`${named.trim()}:tag`);
  return { registry, repository, from: parsePlace(place.trim()) };
}

function parsePlace(place: string): LocalPlace {
  const macro = /\$\(([^)]*)\)/.exec(place);
  if (macro)
    throw inputError(`"${place.slice(0, 200)}" names the variable "${macro[1]}", which is not set in this run.`);
  if (!place.startsWith('docker:')) return parsePath(place);
  const name = place.slice('docker:'.length);
  // It becomes a word of a command line, where a "-" in front would be an option.
  if (/^[A-Za-z0-9][A-Za-z0-9._/:@-]*$/.test(name)) return { kind: 'docker', name };
  throw inputError(`"${name.slice(0, 200)}" is not the name of an image in Docker.`);
}

/** What stands behind the last `#`, or behind an `@` that a digest follows, is which of several images is meant. */
function parsePath(place: string): LocalPlace {
  const [, path = place, digest, name] = /^(.+?)(?:@(sha\d+:[^@/\\]*)|#([A-Za-z0-9][^#]*))$/.exec(place) ?? [];
  if (digest !== undefined && !isDigest(digest)) {
    throw inputError(`"${digest.slice(0, 200)}" is not a digest: sha256: and 64 hexadecimal digits in lower case.`);
  }
  return { kind: 'path', path, pick: digest ?? name };
}

/** An image that is open until it is closed: what Docker saved for it is removed then. */
export interface OpenedImage extends LocalImage {
  readonly close: () => Promise<void>;
}

/**
 * Opens an OCI layout, as a folder or as a tar archive, an archive of `docker save`, or an image of the Docker on the
 * agent. Nothing is unpacked. Throws `INPUT_INVALID` and what `openImage` throws.
 */
export async function openLocalImage(from: LocalPlace): Promise<OpenedImage> {
  if (from.kind === 'path') {
    const path = resolve(readVariable('System.DefaultWorkingDirectory') ?? '', from.path);
    return { ...(await openImage(await openStore(path, path), from.pick)), close: async () => {} };
  }
  const folder = await mkdtemp(join(readVariable('Agent.TempDirectory') ?? tmpdir(), 'image-lifecycle-'));
  const close = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const path = join(folder, 'image.tar');
    await saveDockerImage(from.name, path);
    return { ...(await openImage(await openStore(path, `docker:${from.name}`))), close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function openStore(path: string, label: string): Promise<ImageStore> {
  const found = await stat(path).catch((cause: unknown) => {
    throw inputError(`${label} cannot be read.`, cause);
  });
  if (!found.isDirectory() && !found.isFile()) throw inputError(`${label} is neither a file nor a folder.`);
  const files = found.isDirectory() ? await openFolder(path, label) : await openTar(path, label);
  // Docker writes both since its version 25; the layout says more.
  if (await isLayout(files)) return openLayout(files);
  if (await isDockerArchive(files)) return openDockerArchive(files);
  throw inputError(
    `${label} is neither an OCI layout nor an archive of docker save: it has no oci-layout and no manifest.json.`,
  );
}
