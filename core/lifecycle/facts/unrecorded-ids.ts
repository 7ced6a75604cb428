/** Which build ids the tags of images without a record name, where a rule asks for such images. Pure. */
import { buildNumberIn } from '../keep-policy/judge-unrecorded.ts';
import type { PlanRules, RegistryFacts } from '../keep-policy/policy-facts.ts';

/** More than any organization has counted to; a longer number is no build's id. */
const greatestId = 2_147_483_647;

/**
 * The ids to ask each organization for, by its name: those in tags that match `delete.withoutRecord` and begin with the
 * organization's prefix. Empty where unrecorded images stay anyway.
 */
export function listUnrecordedIds(rules: PlanRules, registries: readonly RegistryFacts[]): Map<string, number[]> {
  const { withoutRecord } = rules.delete;
  if (withoutRecord === 'keep') return new Map();
  const names = new Set<string>();
  for (const registry of registries) {
    for (const name of unrecordedTags(registry)) if (withoutRecord.tagsMatching.matches(name)) names.add(name);
  }
  return new Map(
    rules.organizations.map(({ name, buildTagPrefix }) => {
      const own = [...names].filter(tag => tag.startsWith(buildTagPrefix));
      const ids = own.map(tag => Number(buildNumberIn(tag))).filter(id => id >= 1 && id <= greatestId);
      return [name, [...new Set(ids)].sort((one, other) => one - other)];
    }),
  );
}

function* unrecordedTags({ repositories, records }: RegistryFacts): Generator<string> {
  if (repositories.kind === 'unread' || records.kind === 'unread') return;
  const recorded = new Set(
    records.items.flatMap(record => record.images.map(({ repository, digest }) => `${repository}@${digest}`)),
  );
  for (const { name, images } of repositories.items) {
    for (const { digest, tags } of images.kind === 'whole' ? images.items : []) {
      if (!recorded.has(`${name}@${digest}`)) for (const tag of tags) yield tag.name;
    }
  }
}
