/** Which build ids images without a record name, by tags or by what took these off, where a rule asks for them. Pure. */
import { buildNumberIn } from '../keep-policy/judge-unrecorded.ts';
import type { BuildName, ImageFact, PlanRules, RegistryFacts } from '../keep-policy/policy-facts.ts';

/** More than any organization has counted to; a longer number is no build's id. */
const greatestId = 2_147_483_647;

/**
 * The ids to ask each organization for, by its name: those in tags that match `delete.withoutRecord` and begin with the
 * organization's prefix, and those of builds on whose account such tags came off. Empty where unrecorded images stay anyway.
 */
export function listUnrecordedIds(rules: PlanRules, registries: readonly RegistryFacts[]): Map<string, number[]> {
  const { withoutRecord } = rules.delete;
  if (withoutRecord === 'keep') return new Map();
  const names = new Set<string>();
  const released: BuildName[] = [];
  for (const image of registries.flatMap(each => [...unrecordedImages(each)])) {
    for (const { name } of image.tags) if (withoutRecord.tagsMatching.matches(name)) names.add(name);
    released.push(...(image.released ?? []));
  }
  return new Map(
    rules.organizations.map(({ name, buildTagPrefix }) => {
      const own = [...names].filter(tag => tag.startsWith(buildTagPrefix));
      const tagged = own.map(tag => Number(buildNumberIn(tag)));
      const untagged = released.flatMap(build => (build.organization === name ? build.id : []));
      const ids = [...tagged, ...untagged].filter(id => id >= 1 && id <= greatestId);
      return [name, [...new Set(ids)].sort((one, other) => one - other)];
    }),
  );
}

function* unrecordedImages({ repositories, records }: RegistryFacts): Generator<ImageFact> {
  if (repositories.kind === 'unread' || records.kind === 'unread') return;
  const recorded = new Set(
    records.items.flatMap(record => record.images.map(({ repository, digest }) => `${repository}@${digest}`)),
  );
  for (const { name, images } of repositories.items) {
    for (const image of images.kind === 'whole' ? images.items : []) {
      if (!recorded.has(`${name}@${image.digest}`)) yield image;
    }
  }
}
