/** What a cluster runs and would start: pods, and everything of Kubernetes' own that makes pods. */
import * as z from 'zod';
import type { Reading } from '../base/reading.ts';
import type { KubernetesApi } from './api.ts';
import { describeFault } from './fault.ts';
import { findImages } from './find-images.ts';
import { readList } from './list.ts';
import { listUses, podSpec, podStatus } from './pod-images.ts';
import type { UseFact } from './usage.ts';

const metadata = z.object({ name: z.string().min(1), namespace: z.string().min(1) });
const template = z.object({ spec: podSpec });
const withTemplate = z.object({ metadata, spec: z.object({ template }) }).transform(each => ({
  ...each.metadata,
  spec: each.spec.template.spec,
}));

const pod = z
  .object({ metadata, spec: podSpec, status: podStatus.optional() })
  .transform(({ metadata, spec, status }) => ({ ...metadata, spec, status }));
const cronJob = z
  .object({ metadata, spec: z.object({ jobTemplate: z.object({ spec: z.object({ template }) }) }) })
  .transform(each => ({ ...each.metadata, spec: each.spec.jobTemplate.spec.template.spec }));
const podTemplate = z
  .object({ metadata, template })
  .transform(each => ({ ...each.metadata, spec: each.template.spec }));
/** The earlier templates of StatefulSets and DaemonSets, for `kubectl rollout undo`; others may store there what they like. */
const controllerRevision = z
  .object({ metadata, data: z.unknown().optional() })
  .transform(({ metadata, data }) => ({ ...metadata, data }));

/** A kind that is listed, of version v1. Its resource is the plural of its name. */
interface Workload {
  readonly group: string;
  readonly objectKind: string;
  readonly uses: (object: unknown) => Reading<UseFact>;
}

/**
 * What makes comes before what is made, and pods come last: what is handed on while the lists are read is seen in one of
 * them. https://kubernetes.io/docs/concepts/workloads/
 */
const workloads: readonly Workload[] = [
  { group: 'batch', objectKind: 'CronJob', uses: usesOf('cronjob', cronJob) },
  { group: '', objectKind: 'PodTemplate', uses: usesOf('podtemplate', podTemplate) },
  { group: 'apps', objectKind: 'Deployment', uses: usesOf('deployment', withTemplate) },
  { group: 'apps', objectKind: 'StatefulSet', uses: usesOf('statefulset', withTemplate) },
  { group: 'apps', objectKind: 'DaemonSet', uses: usesOf('daemonset', withTemplate) },
  { group: 'apps', objectKind: 'ControllerRevision', uses: revisionUses },
  // With zero replicas too: that is what "kubectl rollout undo" goes back to.
  { group: 'apps', objectKind: 'ReplicaSet', uses: usesOf('replicaset', withTemplate) },
  { group: '', objectKind: 'ReplicationController', uses: usesOf('replicationcontroller', withTemplate) },
  { group: 'batch', objectKind: 'Job', uses: usesOf('job', withTemplate) },
  { group: '', objectKind: 'Pod', uses: usesOf('pod', pod) },
];

type WithSpec = Pick<z.infer<typeof pod>, 'name' | 'namespace' | 'spec'> & Partial<z.infer<typeof pod>>;

function usesOf(kind: string, schema: z.ZodType<WithSpec>): Workload['uses'] {
  return object => {
    const read = schema.safeParse(object);
    if (!read.success)
      return { kind: 'unread', reason: `one ${kind} is not as expected: ${describeFault(read.error)}` };
    const { name, namespace, spec, status } = read.data;
    return { kind: 'whole', items: listUses(`${kind} ${namespace}/${name}`, spec, status) };
  };
}

function revisionUses(object: unknown): Reading<UseFact> {
  const read = controllerRevision.safeParse(object);
  if (!read.success) {
    return { kind: 'unread', reason: `one controllerrevision is not as expected: ${describeFault(read.error)}` };
  }
  const { name, namespace, data } = read.data;
  const where = `controllerrevision ${namespace}/${name}`;
  return { kind: 'whole', items: findImages(data).map(image => ({ image, where })) };
}

/** Reads all of them, in every namespace. The first that cannot be read ends it. */
export async function readWorkloads(api: KubernetesApi): Promise<Reading<UseFact>> {
  const items: UseFact[] = [];
  for (const { group, objectKind, uses } of workloads) {
    const resource = `${objectKind.toLowerCase()}s`;
    const read = await readList(api, { group, version: 'v1', resource, objectKind, pageSize: 500, read: uses });
    if (read.kind === 'unread') return read;
    for (const use of read.items) items.push(use);
  }
  return { kind: 'whole', items };
}
