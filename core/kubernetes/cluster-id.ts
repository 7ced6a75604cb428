/** What tells a cluster from every other one. */
import * as z from 'zod';
import { AppError } from '../base/errors.ts';
import type { KubernetesApi } from './api.ts';

const namespace = z.object({
  apiVersion: z.literal('v1'),
  kind: z.literal('Namespace'),
  metadata: z.object({ name: z.literal('kube-system'), uid: z.string().min(1).max(256) }),
});

/**
 * The uid of the namespace `kube-system`, which every cluster has, which is never made anew while the cluster lives, and
 * which no two have alike. Throws `CLUSTER_UNREAD`.
 */
export async function readClusterId(api: KubernetesApi): Promise<string> {
  const what = `the namespace kube-system of ${api.server}`;
  const answer = await api.ask({
    path: '/api/v1/namespaces/kube-system',
    maxBytes: 1024 * 1024,
    what,
    rule: '{apiGroups: [""], resources: ["namespaces"], resourceNames: ["kube-system"], verbs: ["get"]}',
    absent: 'is that the URL of an API server?',
  });
  if (answer.kind !== 'ok') throw unread(answer.reason);
  const read = namespace.safeParse(answer.body);
  if (!read.success) throw unread(`${what}: the answer is no namespace of that name`);
  return read.data.metadata.uid;
}

function unread(reason: string): AppError {
  return new AppError(`Which cluster this is was not read: ${reason}.`, { code: 'CLUSTER_UNREAD' });
}
