/** The images of pods, and of templates of pods. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
import * as z from 'zod';
import type { UseFact } from './usage.ts';

const container = z.object({ name: z.string(), image: z.string().optional() });

/** What a pod is made of, as far as it names images. */
export const podSpec = z.object({
  containers: z.array(container),
  initContainers: z.array(container).optional(),
  ephemeralContainers: z.array(container).optional(),
  // An image can be mounted, too. https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/
  volumes: z.array(z.object({ image: z.object({ reference: z.string().optional() }).optional() })).optional(),
});

const containerStatus = z.object({ name: z.string(), image: z.string().default(''), imageID: z.string().default('') });
const statuses = z.array(containerStatus).optional();

/** What a node says of a pod. */
export const podStatus = z.object({
  containerStatuses: statuses,
  initContainerStatuses: statuses,
  ephemeralContainerStatuses: statuses,
});

export type PodSpec = z.infer<typeof podSpec>;
export type PodStatus = z.infer<typeof podStatus>;

/** The images that a specification names, with those that nodes say they run; each once. */
export function listUses(where: string, spec: PodSpec, status: PodStatus = {}): UseFact[] {
  const containers = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
  const mounted = (spec.volumes ?? []).flatMap(each => each.image?.reference || []);
  const running = listRunning(where, new Map(containers.map(each => [each.name, each.image])), status);
  const known = new Set(running.map(each => each.image));
  const named = [...containers.flatMap(each => each.image || []), ...mounted].filter(image => !known.has(image));
  return [...running, ...[...new Set(named)].map(image => ({ image, where }))];
}

function listRunning(where: string, named: ReadonlyMap<string, string | undefined>, status: PodStatus): UseFact[] {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = status;
  const uses = new Map<string, UseFact>();
  for (const each of [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses]) {
    const { image: pulled, imageID: imageId } = each;
    if (imageId === '') continue;
    const image = named.get(each.name) || pulled;
    uses.set(`${image} ${imageId}`, { image, imageId, where });
    // The specification of a running pod can be changed, and until its container starts again the old image runs. Where
    // the node knows no digest, the name that it pulled is all there is.
    if (!imageId.includes('@') && isName(pulled)) uses.set(`${pulled} ${imageId}`, { image: pulled, imageId, where });
  }
  return [...uses.values()];
}

/** Where a node lost the name, it gives an id in its place. */
function isName(text: string): boolean {
  return text !== '' && !/^(?:sha256:)?[0-9a-f]{64}$/.test(text);
}
