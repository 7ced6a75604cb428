/** From what the user chose to the images of each build: recorded ones, named ones, or those of archives. */
import { AppError, inputError, withContext } from '../../core/base/errors.ts';
import type { BuildIdentity, BuildRecord, RecordedImage } from '../../core/lifecycle/build-record.ts';
import { buildTagIn, readPromotable } from '../../core/lifecycle/promotable.ts';
import type { Promotable } from '../../core/lifecycle/promotion-plan.ts';
import { describeImage } from '../../core/lifecycle/recorded-image.ts';
import { getManifest } from '../../core/oci/manifests.ts';
import { parseReference } from '../../core/oci/reference.ts';
import type { Registry } from '../../core/oci/registry.ts';
import { openRepository } from '../../core/oci/repository.ts';
import { type ImageSource, repositorySource } from '../../core/oci/source.ts';
import { type OpenedImage, openLocalImage, parseLocalImage } from '../agent/local-images.ts';
import { agentLog } from '../agent/log.ts';

/** Images of one build, until they are closed. */
export interface OpenPromotable extends Promotable {
  close(): Promise<void>;
}

/** Reads what the build's records in `registry` name. */
export async function openRecorded(
  registry: Registry,
  build: BuildIdentity,
  buildTagPrefix: string,
): Promise<OpenPromotable> {
  const records = await readPromotable(registry, { ...build, buildId: build.id }, agentLog);
  return {
    records,
    from: registry.host,
    open: openSources(registry),
    tagged: repository => buildTagIn(registry, repository, `${buildTagPrefix}${build.id}`),
    close: async () => {},
  };
}

/** Looks up the images that the user names. No record says that the build made them, so they do not go with it. */
export async function openNamed(
  registry: Registry,
  build: BuildIdentity,
  lines: readonly string[],
): Promise<OpenPromotable> {
  const images = new Map<string, RecordedImage>();
  for (const line of lines) {
    const { repository, reference } = within('images', () => parseLine(line, registry.host));
    const manifest = await getManifest(openRepository(registry, repository, ['pull']), reference);
    if (!manifest) {
      throw new AppError(`The input images: "${line}" is not in ${registry.host}. Was it pushed there?`, {
        code: 'IMAGE_NOT_FOUND',
      });
    }
    const other = images.get(repository)?.digest ?? manifest.digest;
    if (other !== manifest.digest) {
      throw inputError(
        `The input images: ${repository} is named twice, on ${other} and on ${manifest.digest}. Leave one out: the build's tag can be on one of them alone.`,
      );
    }
    images.set(repository, describeImage(repository, manifest, []));
  }
  return {
    records: [recordOf(build, [...images.values()], 'keep')],
    from: registry.host,
    open: openSources(registry),
    tagged: async () => undefined,
    close: async () => {},
  };
}

/** One source for each repository, which lists its tags once. */
function openSources(registry: Registry): Promotable['open'] {
  const known = new Map<string, ImageSource>();
  return ({ repository }) => {
    const source = known.get(repository) ?? repositorySource(openRepository(registry, repository, ['pull']));
    known.set(repository, source);
    return source;
  };
}

/** Opens archives and layouts on the agent: what the build published, with no registry behind it. */
export async function openArchives(build: BuildIdentity, lines: readonly string[]): Promise<OpenPromotable> {
  const opened = new Map<string, OpenedImage>();
  const images: RecordedImage[] = [];
  const close = async (): Promise<void> => {
    for (const each of opened.values()) await each.close();
  };
  try {
    for (const line of lines) {
      const { repository, registry, from } = parseLocalImage(line);
      if (registry !== undefined) {
        throw inputError(`"${line.slice(0, 200)}" names the registry ${registry}; the one of this step is meant.`);
      }
      if (opened.has(repository)) throw inputError(`two archives are to go to ${repository}.`);
      const image = await openLocalImage(from);
      opened.set(repository, image);
      const manifest = await image.source.getManifest(image.root);
      if (!manifest) throw inputError(`${image.source.label} does not hold ${image.root}.`);
      images.push(describeImage(repository, manifest, []));
    }
  } catch (cause) {
    await close();
    throw withContext('The input archives', cause);
  }
  const sourceOf = (image: RecordedImage): ImageSource => {
    const found = opened.get(image.repository);
    if (found) return found.source;
    throw new AppError(`${image.repository} is in no archive.`, { code: 'DEFECT' });
  };
  return {
    records: [recordOf(build, images, 'delete')],
    from: 'archive',
    open: sourceOf,
    tagged: async () => undefined,
    close,
  };
}

function recordOf(build: BuildIdentity, images: RecordedImage[], onBuildDeleted: 'delete' | 'keep'): BuildRecord {
  // Its time is that of the promotion, which writes it down.
  return { schema: 1, build, images, charts: [], onBuildDeleted, createdAt: new Date(0).toISOString() };
}

function parseLine(line: string, host: string): { repository: string; reference: string } {
  const { registry, repository, tag, digest } = parseReference(line);
  if (registry !== undefined && registry.toLowerCase() !== host) {
    throw inputError(`"${line}" is in the registry ${registry}, but the source of this step is ${host}.`);
  }
  return { repository, reference: digest ?? tag ?? '' };
}

function within<T>(input: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw withContext(`The input ${input}`, cause);
  }
}
