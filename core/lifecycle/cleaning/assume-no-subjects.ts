/** What would be known if nothing referred to anything: the boldest guess about what was not read. Pure. */
import type { RegistryFacts } from '../keep-policy/policy-facts.ts';

/**
 * The facts with `none` for every subject that was not read. What a plan keeps of these it keeps of the true ones as well, but
 * for what belongs to something that goes, in the same repository.
 */
export function assumeNoSubjects(facts: RegistryFacts): RegistryFacts {
  const { repositories } = facts;
  if (repositories.kind === 'unread') return facts;
  const items = repositories.items.map(({ name, images }) => ({
    name,
    images:
      images.kind === 'unread'
        ? images
        : {
            kind: images.kind,
            items: images.items.map(image =>
              image.subject === undefined ? { ...image, subject: 'none' as const } : image,
            ),
          },
  }));
  return { ...facts, repositories: { kind: 'whole', items } };
}
