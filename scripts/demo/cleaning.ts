/** Production's own copies go as well, under a policy: what its cluster runs stays, and a person approves the rest. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import { openTlsDirectory } from '../../test/emulators/entra/tls-directory.ts';
import { type KubernetesEmulator, startKubernetes } from '../../test/emulators/kubernetes/kubernetes.ts';
import { type EndedStep, runStep } from './agent.ts';
import { oneDay } from './deletion.ts';
import { recordsIn } from './end.ts';
import { type Hands, has, type RegistryState, tagsOf } from './registry.ts';
import type { Scene } from './scene.ts';
import { chapter, check, quote, showImages, tell } from './story.ts';

/** Runs of the scheduled pipeline. */
let runs = 900;

/** Plans, approves, applies, and deletes a day later. */
export async function cleanProduction(scene: Scene): Promise<void> {
  const cluster = await startCluster(scene);
  try {
    const plan = await planWhatRuns(scene);
    await applyApproved(scene, plan);
    await deleteUnderBrake(scene, cluster);
  } finally {
    await cluster.close();
  }
}

/** The cluster of production, which runs what build 103 made. */
async function startCluster(scene: Scene): Promise<KubernetesEmulator> {
  const { stage, registries, cast } = scene;
  const cluster = await startKubernetes({ tls: await openTlsDirectory(stage.folder) });
  const image = `${registries.production.host}/shop/web@${cast.web.digest}`;
  const template = { spec: { containers: [{ name: 'web', image }] } };
  cluster.add('deployments', { metadata: { name: 'web', namespace: 'shop' }, spec: { replicas: 1, template } });
  await writeFile(join(stage.folder, 'kubeconfig'), cluster.kubeconfig());
  await writeFile(join(stage.folder, 'image-lifecycle.yml'), configure(scene));
  return cluster;
}

/** The registries of the story, ruled alike, and the cluster of production. */
function configure({ registries: { ci, qa, production }, organization }: Scene): string {
  return `organization: ${organization.url}
projects: [Shop]
registries:
  - { name: ci, url: "${ci.host}" }
  - { name: qa, url: "${qa.host}", onBuildDeleted: delete }
  - { name: production, url: "${production.host}", onBuildDeleted: delete }
clusters:
  - { name: aks }
keep:
  deployed: true
  helmRevisions: 10
  tags: ["v*"]
  references: []
`;
}

/** A plan that was written. */
interface Planned {
  readonly planFile: string;
  readonly hash: string;
}

async function planWhatRuns(scene: Scene): Promise<Planned> {
  const { production } = scene.registries;
  chapter('CleanImages: a policy that knows what runs, and a plan for a person to approve');
  tell(
    `${production.name} kept its copies, since nothing told what runs there. Now a configuration does, and rules them`,
  );
  tell('"delete"; a scheduled pipeline plans, and its cluster runs shop/web, which build 103 made. Build 103 is gone.');
  const step = await clean(scene, { mode: 'plan', why: `${production.host}/shop/web@${scene.cast.web.digest}` });
  const planFile = step.variables['planfile'] ?? '';
  quote(step.said, /^The plan|deployment shop\/web/);
  check(`the step planned, and changed nothing${step.message && `: ${step.message}`}`, step.succeeded);
  const plan = JSON.parse(await readFile(planFile, 'utf8')) as CleanPlan;
  const goes = (repository: string): boolean =>
    plan.deletions.some(each => each.registry === 'production' && each.repository === repository);
  check('shop/api of build 101 is to go, and its signature with it', goes('shop/api'));
  check('shop/web stays: a deployment of the cluster runs it', !goes('shop/web'));
  return { planFile, hash: plan.hash };
}

async function applyApproved(scene: Scene, { planFile, hash }: Planned): Promise<void> {
  const { production } = scene.registries;
  chapter('A person approves the plan by its hash, and it is applied');
  const another = hash.replace(/^./, first => (first === '0' ? '1' : '0'));
  const wrong = await clean(scene, { mode: 'apply', planFile, planHash: another });
  quote(wrong.message);
  check('another hash than the one that was approved is refused', !wrong.succeeded);
  const step = await clean(scene, { mode: 'apply', planFile, planHash: hash });
  quote(step.said, /^(?:Untagged|Took)/);
  check(`what was approved was applied${step.message && `: ${step.message}`}`, step.succeeded);
  const state = await production.look();
  check('the tags of build 101 are off', tagsOf(state, 'shop/api') === '');
  check('everything is there still, within the grace', isThere(state, 'shop/api'));
}

async function deleteUnderBrake(scene: Scene, cluster: KubernetesEmulator): Promise<void> {
  const { ci, qa, production } = scene.registries;
  const [api, signature, web] = scene.images;
  chapter('A day later: mode plan-and-apply, under the brake');
  tell('… 25 hours pass …');
  await scene.pass(oneDay);
  cluster.faults.add({ operation: 'list pods', count: 4, effect: { kind: 'status', status: 403 } });
  const blind = await clean(scene, { mode: 'plan-and-apply' });
  quote(blind.message);
  const before = await production.look();
  check(
    'while the cluster does not answer, nothing goes',
    [api, signature].every(each => each && has(before, each)),
  );
  cluster.faults.clear();
  tell('What was held has its grace anew. … 25 hours pass …');
  await scene.pass(oneDay);
  const step = await clean(scene, { mode: 'plan-and-apply' });
  quote(step.said, /^(?:Deleted|Took|[^:]*production[^:]*: .* stays?: )/);
  check(`the step cleaned${step.message && `: ${step.message}`}`, step.succeeded);
  await showImages('At the very end', [ci, qa, production], scene.images);
  const state = await production.look();
  check(`the image of build 101 is gone from ${production.name}, with its signature`, !isThere(state, 'shop/api'));
  const isExplained = /^(?:103\.\S+ ?)+$/.test(recordsIn(state));
  check('what runs is there, and the records that explain it', web !== undefined && has(state, web) && isExplained);
}

function isThere({ repositories }: RegistryState, repository: string): boolean {
  return (repositories[repository]?.manifests.length ?? 0) > 0;
}

/** Runs the task in a pipeline of its own, with a connection for each registry. */
function clean(scene: Scene, inputs: Readonly<Record<string, string>>): Promise<EndedStep> {
  const { registries, stage } = scene;
  runs += 1;
  const connections = Object.values(registries).map(each => [`${each.name}-connection`, adminOf(each)] as const);
  return runStep(scene, {
    task: 'CleanImages',
    run: runs,
    stage: 'clean',
    inputs: {
      configuration: join(stage.folder, 'image-lifecycle.yml'),
      kubeconfig: join(stage.folder, 'kubeconfig'),
      containerRegistries: connections.map(([id]) => id).join(','),
      ...inputs,
    },
    endpoints: Object.fromEntries(connections),
  });
}

function adminOf({ host }: Hands) {
  return {
    scheme: 'UsernamePassword',
    parameters: { registry: `https://${host}`, username: 'admin', password: 'admin-password' },
    data: { registrytype: 'Others' },
  };
}
