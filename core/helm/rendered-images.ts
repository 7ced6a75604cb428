/** What `helm template` made of the pins: each must be there, or it went nowhere. */
import type { Pin } from './pin-images.ts';

/**
 * Checks rendered manifests against the pins of their chart. Gives a sentence for each image of a pinned repository
 * that stands there without its pin, for a warning. Throws `INPUT_INVALID` for a pin that is nowhere in them,
 * and for a label that no cluster would take.
 */
export function checkRendered(_manifests: string, _pins: readonly Pin[]): readonly string[] {
  throw new Error('not yet');
}
