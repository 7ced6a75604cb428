import { deepEqual, equal, ok } from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import type { KubernetesApi } from '../../core/kubernetes/api.ts';
import { readClusterId } from '../../core/kubernetes/cluster-id.ts';
import { readCluster } from '../../core/kubernetes/read-cluster.ts';
import { parseCommandLine } from '../../webhook-handler/command-line.ts';
import { ownKinds } from '../emulators/kubernetes/kinds.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly name: string };
  readonly subjects?: readonly { readonly name: string; readonly namespace: string }[];
}

interface PodSpec {
  readonly serviceAccountName: string;
  readonly restartPolicy: string;
  readonly securityContext: { readonly runAsNonRoot: boolean; readonly seccompProfile: object };
  readonly containers: readonly Container[];
}
interface Container {
  readonly args: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly valueFrom: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
  }[];
  readonly securityContext: object;
}
interface CronJob {
  readonly kind: string;
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly schedule: string;
    readonly concurrencyPolicy: string;
    readonly jobTemplate: {
      readonly spec: { readonly activeDeadlineSeconds: number; readonly template: { readonly spec: PodSpec } };
    };
  };
}

const kinds = new Map(ownKinds.map(each => [each.resource, each.kind]));

/** Rights in words, one for each resource: `list apps/deployments`. */
function rights(rules: readonly Rule[]): string[] {
  return rules
    .flatMap(({ apiGroups, resources, verbs, resourceNames = [''] }) =>
      apiGroups.flatMap(group =>
        resources.flatMap(resource =>
          verbs.flatMap(verb =>
            resourceNames.map(name => [verb, group === '' ? resource : `${group}/${resource}`, name].join(' ').trim()),
          ),
        ),
      ),
    )
    .sort();
}

/** The same of every request that looking at a cluster of one pod makes. */
async function asked(helm: boolean): Promise<string[]> {
  const found = new Set<string>();
  const api: KubernetesApi = {
    server: 'https://10.0.0.1',
    ask: async ({ path }) => {
      const [, group = '', version = '', resource = '', name] =
        /^\/(?:api|apis\/([^/]+))\/([^/]+)\/([^/?]+)(?:\/([^?]+))?/.exec(path) ?? [];
      found.add([name ? 'get' : 'list', group === '' ? resource : `${group}/${resource}`, name ?? ''].join(' ').trim());
      if (name) return { kind: 'ok', body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, uid: 'uid' } } };
      const apiVersion = group === '' ? version : `${group}/${version}`;
      const pod = {
        metadata: { name: 'web', namespace: 'shop' },
        spec: { containers: [{ name: 'web', image: 'web' }] },
      };
      return {
        kind: 'ok',
        body: {
          apiVersion,
          kind: `${kinds.get(resource)}List`,
          metadata: { resourceVersion: '1' },
          items: resource === 'pods' ? [pod] : [],
        },
      };
    },
  };
  equal(await readClusterId(api), 'uid');
  const { uses, releases } = await readCluster(api, { helm });
  deepEqual([uses.kind, releases.kind], ['whole', helm ? 'whole' : 'unread']);
  return [...found].sort();
}

describe('docs/kubernetes/usage-report.yaml', () => {
  const docs = new URL('../../docs/', import.meta.url);
  let text: string;
  let manifests: readonly Manifest[];
  before(async () => {
    text = await readFile(new URL('kubernetes/usage-report.yaml', docs), 'utf8');
    manifests = parse(text);
  });
  const parse = (yaml: string): Manifest[] =>
    parseAllDocuments(yaml).map(each => {
      deepEqual(each.errors, []);
      return each.toJS() as Manifest;
    });
  const roleOf = (name: string) =>
    manifests.find(each => each.kind === 'ClusterRole' && each.metadata.name === name)?.rules ?? [];

  it('gives the right to do what report-usage does, and no other', async () => {
    const [own, helms] = [roleOf('image-lifecycle-report-usage'), roleOf('image-lifecycle-report-usage-helm')];
    deepEqual(rights([...own, ...helms]), await asked(true));
    deepEqual(rights(own), await asked(false));
    ok(rights(own).length > 10);
    ok(!JSON.stringify(own).includes('secrets') && !JSON.stringify([own, helms]).includes('*'));
  });

  it('gives it to the account that the pod runs as, and to nobody else', () => {
    const bindings = manifests.filter(each => each.kind === 'ClusterRoleBinding');
    deepEqual(
      bindings.map(each => [each.roleRef?.name, each.subjects]),
      ['image-lifecycle-report-usage', 'image-lifecycle-report-usage-helm'].map(name => [
        name,
        [{ kind: 'ServiceAccount', name: 'report-usage', namespace: 'image-lifecycle' }],
      ]),
    );
    const account = manifests.find(each => each.kind === 'ServiceAccount');
    deepEqual([account?.metadata.name, account?.metadata.namespace], ['report-usage', 'image-lifecycle']);
  });

  it('runs one report at a time, as its command line is, with no right on its machine', () => {
    const cron = manifests.find(each => each.kind === 'CronJob') as unknown as CronJob;
    const { schedule, concurrencyPolicy, jobTemplate } = cron.spec;
    deepEqual([cron.metadata.namespace, schedule, concurrencyPolicy], ['image-lifecycle', '*/15 * * * *', 'Forbid']);
    ok(jobTemplate.spec.activeDeadlineSeconds < 15 * 60);
    const { serviceAccountName, restartPolicy, securityContext, containers } = jobTemplate.spec.template.spec;
    deepEqual([serviceAccountName, restartPolicy, containers.length], ['report-usage', 'Never', 1]);
    equal(parseCommandLine(containers[0]?.args ?? []).kind, 'report-usage');
    // https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    deepEqual([securityContext.runAsNonRoot, securityContext.seccompProfile], [true, { type: 'RuntimeDefault' }]);
    deepEqual(containers[0]?.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('signs in by the token of a scope map where its lines are taken in, from the Secret that the page makes', async () => {
    const page = await readFile(new URL('usage-report.md', docs), 'utf8');
    const taken = text.replaceAll(
      /^( *)# (- --username=|- --password-env=|env:| {2}- name:| {4}valueFrom:| {6}secretKeyRef:)/gm,
      '$1$2',
    );
    const cron = parse(taken).find(each => each.kind === 'CronJob') as unknown as CronJob;
    const [container] = cron.spec.jobTemplate.spec.template.spec.containers;
    const command = parseCommandLine(container?.args ?? []);
    ok(command.kind === 'report-usage');
    deepEqual(command.signIn, { kind: 'password', username: 'aks-prod-1', passwordEnv: 'REGISTRY_PASSWORD' });
    const [variable, ...others] = container?.env ?? [];
    deepEqual([variable?.name, others], ['REGISTRY_PASSWORD', []]);
    const { name, key } = variable?.valueFrom.secretKeyRef ?? {};
    ok(
      page.includes(
        `kubectl create secret generic ${name} -n ${cron.metadata.namespace} --from-file=${key}=/dev/stdin`,
      ),
    );
  });
});
