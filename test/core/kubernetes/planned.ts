/** What a plan makes of a reading of a cluster, where everything in the registry was made by builds that are gone. */
import type { ClusterUsage } from '../../../core/kubernetes/read-cluster.ts';
import { planImages } from '../../../core/lifecycle/keep-policy/keep-plan.ts';
import type { RegistryFacts } from '../../../core/lifecycle/keep-policy/policy-facts.ts';
import { digestOf, factsOf, rulesOf, type Scenario } from '../lifecycle/keep-policy/policy-world.ts';

/** What is in the registry, and how much of Helm's history is kept. */
export interface Planned {
  /** As `repository:build`; the build is the tag, too. */
  readonly images: readonly string[];
  /** Those of images that do not have one made up. */
  readonly digests?: Readonly<Record<string, string>>;
  readonly helmRevisions: number;
}

/** Gives what stays and what goes, in order, and the sources that were not read. */
export function planCluster(
  reading: ClusterUsage,
  { images, digests = {}, helmRevisions }: Planned,
): { readonly kept: string[]; readonly gone: string[]; readonly unread: readonly string[] } {
  const scenario: Scenario = {
    title: 'a cluster that was read',
    policy: `keep: { deployed: true, helmRevisions: ${helmRevisions} }`,
    builds: Object.fromEntries(images.map(image => [buildOf(image), 'main 9d deleted'])),
    images: Object.fromEntries(images.map(each => [`ci/${each.split(':')[0]} ${each}`, { builds: [buildOf(each)] }])),
    runs: { prod: [] },
  };
  const facts = factsOf(scenario);
  const given = (text: string): string =>
    Object.entries(digests).reduce((rest, [image, digest]) => rest.replaceAll(digestOf(image), digest), text);
  const registries = JSON.parse(given(JSON.stringify(facts.registries))) as RegistryFacts[];
  const usage = facts.usage.map(each => ({ ...each, ...reading }));
  const plan = planImages(rulesOf(scenario), { ...facts, registries, usage });
  const names = new Map(images.map(image => [digests[image] ?? digestOf(image), image]));
  const of = (decision: string): string[] =>
    plan.images.flatMap(each => (each.decision === decision ? (names.get(each.digest) ?? []) : [])).sort();
  return { kept: of('keep'), gone: of('delete'), unread: plan.unread };
}

function buildOf(image: string): number {
  return Number(image.split(':')[1]);
}
