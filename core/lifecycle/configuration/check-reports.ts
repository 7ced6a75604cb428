/** What usage reports must be to the two steps of a deletion, and to what goes in one. Pure. */
import type { DeletePolicy, KeepPolicy } from '../keep-policy/policy-schema.ts';
import type { Fault } from './faults.ts';
import type { RegistryConfiguration } from './registry-schema.ts';
import type { Placed } from './written-path.ts';

/** What says when an image may go; undefined where it is not sound, and then it has a fault of its own. */
export interface Going {
  readonly keep: KeepPolicy | undefined;
  readonly delete: DeletePolicy | undefined;
  /** Milliseconds. */
  readonly grace: number | undefined;
}

/**
 * Checks that no report counts that is from before the release of an image, nor from before the last change of what goes
 * untagged: it knows nothing of what was started since, and would answer before the grace and after it alike.
 */
export function checkReports(registries: readonly Placed<RegistryConfiguration>[], going: Going): Fault[] {
  const { keep, grace } = going;
  if (!keep || (!keep.deployed && keep.helmRevisions === undefined)) return [];
  const limits = [
    {
      key: 'grace',
      most: grace,
      why: 'one report would answer before the grace and after it, and what was deployed meanwhile would go',
    },
    {
      key: 'delete.untagged.olderThan',
      most: going.delete?.untagged?.olderThan,
      why: 'a report from before an image was pushed cannot name it',
    },
  ];
  return registries.flatMap(({ at, one }) =>
    limits
      .filter(({ most }) => most !== undefined && one.usage !== undefined && one.usage.maxAge > most)
      .map(({ key, why }) => ({
        path: ['registries', at, 'usage', 'maxAge'],
        message: `(24h where it is left out) must not be longer than ${key}: ${why}`,
      })),
  );
}
