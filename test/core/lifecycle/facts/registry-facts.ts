/** Reading the facts of the registry of an estate, and a world in it that has something of everything. */
import { type ReadRegistryOptions, readRegistryFacts } from '../../../../core/lifecycle/facts/read-registry.ts';
import type { RegistryReading } from '../../../../core/lifecycle/facts/registry-reading.ts';
import type { ImageFact } from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import type { AcrEmulator } from '../../../emulators/acr/acr.ts';
import type { Estate } from '../estate.ts';

export interface FactsOptions extends Partial<ReadRegistryOptions> {
  /** `*` unless told. */
  readonly globs?: readonly string[];
}

/** The names of the estate's own organization and project in facts. */
export const organization = 'https://dev.azure.com/contoso';
export const project = 'shop';

export function readFacts(estate: Estate, options: FactsOptions = {}): Promise<RegistryReading> {
  const { globs: repositories = ['*'], ...rest } = options;
  const { azureDevOps } = estate.surroundings;
  return readRegistryFacts(
    { name: 'ci', registry: estate.connect(), repositories, reportsUsage: false },
    [
      {
        name: organization,
        azureDevOps,
        releases: azureDevOps,
        projects: [{ id: estate.projectId, name: project }],
      },
    ],
    { collectionIds: new Map([[organization, estate.ado.collectionId]]), ...rest },
  );
}

/** The images by repository and digest; a repository that is unread by its reason. Throws where the repositories are. */
export function imagesOf({ facts }: RegistryReading): Record<string, Record<string, ImageFact> | string> {
  if (facts.repositories.kind === 'unread') throw new Error(facts.repositories.reason);
  return Object.fromEntries(
    facts.repositories.items.map(({ name, images }) => [
      name,
      images.kind === 'unread' ? images.reason : Object.fromEntries(images.items.map(image => [image.digest, image])),
    ]),
  );
}

function isLocked(flags?: { deleteEnabled: boolean; writeEnabled: boolean }): boolean {
  return flags?.deleteEnabled === false || flags?.writeEnabled === false;
}

/** What the emulator's own state says of every repository of images, in the shape of {@link imagesOf}. */
export function truthOf({ world }: AcrEmulator): Record<string, Record<string, unknown>> {
  const names = world.repositories().filter(name => !name.startsWith('image-lifecycle/'));
  return Object.fromEntries(
    names.map(name => {
      const repository = world.repository(name);
      const images = [...(repository?.manifests.values() ?? [])].map(({ digest, mediaType, document, ...entry }) => [
        digest,
        {
          mediaType,
          locked: isLocked(entry.attributes) || isLocked(repository?.attributes),
          pushedAt: Math.floor(entry.lastUpdateTime / 1000),
          tags: [...entry.tags].sort().map(tag => {
            const { lastUpdateTime = 0, attributes } = repository?.tags.get(tag) ?? {};
            return { name: tag, locked: isLocked(attributes), changedAt: Math.floor(lastUpdateTime / 1000) };
          }),
          children: (document.manifests ?? []).map(child => child.digest),
          subject: mediaType.includes('docker') ? 'none' : (document.subject?.digest ?? 'none'),
        },
      ]);
      return [name, Object.fromEntries(images) as Record<string, unknown>];
    }),
  );
}

/** What is read, in the shape of {@link truthOf}. */
export function readingOf(reading: RegistryReading): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(imagesOf(reading)).map(([name, images]) => [
      name,
      typeof images === 'string'
        ? images
        : Object.fromEntries(
            Object.values(images).map(({ digest, mediaType, locked, pushedAt, tags, children, subject }) => [
              digest,
              {
                mediaType,
                locked,
                pushedAt,
                tags: tags
                  .map(tag => ({ name: tag.name, locked: tag.locked, changedAt: tag.changedAt }))
                  .sort((one, other) => (one.name < other.name ? -1 : 1)),
                children,
                subject,
              },
            ]),
          ),
    ]),
  );
}
