/** A registry whose every request ends with the run. */
import type { Registry } from '../../oci/registry.ts';

/** The registry, whose requests and pauses end when the signal does, with its reason. */
export function withSignal(registry: Registry, signal: AbortSignal | undefined): Registry {
  if (!signal) return registry;
  return {
    ...registry,
    exchange: request => registry.exchange({ ...request, signal }),
    open: request => registry.open({ ...request, signal }),
  };
}
