/** Whether what a cluster says it runs can be all of it. */
import type { Reading } from '../base/reading.ts';
import type { UseFact } from './usage.ts';

/**
 * The reading as it is, but unread where nothing runs at all: every cluster runs what makes it one, so a list without
 * anything is that of another place, or of a proxy that shows a tenant only its own.
 */
export function demandUses(uses: Reading<UseFact>): Reading<UseFact> {
  if (uses.kind === 'unread' || uses.items.length > 0) return uses;
  return {
    kind: 'unread',
    reason:
      'it says that it runs nothing at all, which no cluster does: name the API server itself, and an identity that may list in every namespace',
  };
}
