/** Clusters that can be asked, by whatever offers them, and which of them a configuration means. */
import { inputError } from '../base/errors.ts';
import { type KubernetesApi, type KubernetesServer, readServerUrl } from './api.ts';
import type { Kubeconfig } from './kubeconfig.ts';

/** A cluster that can be asked. */
export interface OfferedCluster {
  /** What offers it, for messages: `the service connection "prod"`. */
  readonly by: string;
  /** Of a kubeconfig. */
  readonly context: string | undefined;
  /** What is meant where nobody says which context. */
  readonly isDefault: boolean;
  /** Its URL, as `readServerUrl` gives it; empty where a context leads nowhere. */
  readonly server: string;
  /** Throws `INPUT_INVALID` where the sign-in that it names cannot be used here. Nothing is sent yet. */
  readonly connect: (signal?: AbortSignal) => KubernetesApi;
}

/** What picks a cluster: its URL, a context, or, of one that is alone, nothing. */
export interface WantedCluster {
  readonly name: string;
  readonly server?: string | undefined;
  readonly context?: string | undefined;
}

/** How the contexts of a kubeconfig are offered. */
export interface OfferOptions {
  /** What offers them, for messages: `the kubeconfig "admin.conf"`. */
  readonly by: string;
  /** The context that is meant where none is named; the file's own where it is left out. */
  readonly chosen?: string | undefined;
  readonly connectorOf: (open: () => KubernetesServer) => OfferedCluster['connect'];
}

/** Offers every context of a kubeconfig. */
export function offerContexts(
  kubeconfig: Kubeconfig,
  { by, chosen = kubeconfig.current, connectorOf }: OfferOptions,
): OfferedCluster[] {
  return kubeconfig.contexts.map(({ name, server }) => ({
    by: `the context "${name}" of ${by}`,
    context: name,
    isDefault: name === chosen,
    server: addressOf(server),
    connect: connectorOf(() => kubeconfig.open(name)),
  }));
}

/**
 * The offer that is meant. Throws `INPUT_INVALID` where there is none, or where it could be one of several clusters.
 * `remedy` says where a cluster is offered, behind "Correct the configuration, or".
 */
export function pickCluster(
  offers: readonly OfferedCluster[],
  wanted: WantedCluster,
  remedy = 'give what opens this cluster',
): OfferedCluster {
  const fitting = offers.filter(offer => fits(offer, wanted));
  const [first] = fitting;
  const how = sayHow(wanted);
  if (!first) {
    const known = offers.map(each => `${each.server || 'no cluster'} by ${each.by}`).join('; ');
    throw inputError(
      `The cluster ${wanted.name} of the configuration: no Kubernetes connection and no context of the kubeconfig has ${how}. There are: ${known.slice(0, 500) || 'none'}. Correct the configuration, or ${remedy}.`,
    );
  }
  if (fitting.some(each => each.server !== first.server)) {
    const named = [...new Set(fitting.map(each => each.server))].join(', ').slice(0, 500);
    throw inputError(
      `The cluster ${wanted.name} of the configuration: several have ${how}: ${named}. Name its server.`,
    );
  }
  return fitting.find(each => each.isDefault) ?? first;
}

function fits(offer: OfferedCluster, { server, context }: WantedCluster): boolean {
  if (server !== undefined) return offer.server === readServerUrl(server);
  return context === undefined ? offer.isDefault : offer.context === context;
}

function sayHow({ server, context }: WantedCluster): string {
  if (server !== undefined) return `the server ${server}`;
  return context === undefined ? 'it by default' : `the context "${context}"`;
}

/** A context that leads nowhere is in the way of none of the others. */
function addressOf(server: string): string {
  try {
    return readServerUrl(server);
  } catch {
    return '';
  }
}
