/** A registry, an agent, and TagImage between them. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildRecord } from '../../core/lifecycle/build-record.ts';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import type { Content } from '../support/images.ts';
import {
  type AgentFolder,
  buildTasks,
  makeAgentFolder,
  runTask,
  type TaskOutcome,
  type TaskRun,
} from '../support/run-task.ts';
import { inspectDigest, pushImage } from '../support/skopeo.ts';

/** The lower-case project of the default variables. */
export const projectId = '6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c';

/** What a test of TagImage works with. */
export interface Bench {
  readonly registry: DockerRegistry;
  readonly agent: AgentFolder;
  /** Runs TagImage with a Docker registry connection; `more` comes over that. */
  tag(inputs: Record<string, string>, more?: Partial<TaskRun>): Promise<TaskOutcome>;
  push(reference: string, image: Content): Promise<void>;
  /** The digest that a foreign client finds. */
  digestOf(reference: string): Promise<string | undefined>;
  /** Every record of a build, in no order. */
  records(buildId?: number): Promise<BuildRecord[]>;
  /** The file that the task wrote. */
  imagesJson(): Promise<{ images: { reference: string; tags: string[] }[] } & Record<string, unknown>>;
  close(): Promise<void>;
}

/** Starts a registry, with a password unless told, and makes an agent's folders. */
export async function openBench(options: { password?: boolean } = { password: true }): Promise<Bench> {
  await buildTasks();
  const [registry, agent] = await Promise.all([startDockerRegistry(options), makeAgentFolder()]);
  return {
    registry,
    agent,
    tag: (inputs, more = {}) =>
      runTask(agent, {
        task: 'TagImage',
        inputs: {
          connectionType: 'dockerRegistry',
          containerRegistry: 'registry-connection',
          tags: '$(Build.BuildId)',
          onBuildDeleted: 'delete',
          overwrite: 'false',
          outputDirectory: '$(Build.ArtifactStagingDirectory)/image-lifecycle',
          ...inputs,
        },
        endpoints: { 'registry-connection': connectionTo(registry) },
        ...more,
      }),
    push: (reference, image) => pushImage(registry, reference, image),
    digestOf: reference => inspectDigest(registry, reference),
    records: (buildId = 4711) => readRecords(registry, buildId),
    imagesJson: async () => JSON.parse(await readFile(join(agent.staging, 'image-lifecycle/images.json'), 'utf8')),
    close: async () => {
      await Promise.all([registry.stop(), agent.remove()]);
    },
  };
}

/** A Docker registry connection, as Azure DevOps makes it of what people enter. */
export function connectionTo(registry: DockerRegistry, password = registry.password) {
  return {
    url: 'https://index.docker.io/v1/',
    scheme: 'UsernamePassword',
    parameters: {
      registry: `http://${registry.host}`,
      ...(registry.username && { username: registry.username }),
      ...(password && { password }),
      email: 'someone@example.com',
    },
    data: { registrytype: 'Others' },
  };
}

/** Asserts success, and shows what the task said where it did not succeed. */
export function assertSucceeded(outcome: TaskOutcome): void {
  assert.equal(outcome.result, 'Succeeded', outcome.output);
  assert.equal(outcome.exitCode, 0);
}

/** Asserts a failure whose message fits; a failing task exits with 0 as well. */
export function assertFailed(outcome: TaskOutcome, message: RegExp): void {
  assert.equal(outcome.result, 'Failed', outcome.output);
  assert.match(outcome.message, message);
  assert.equal(outcome.exitCode, 0);
  assert.equal(outcome.commands.filter(command => command.name === 'task.complete').length, 1);
}

/** Asserts that a secret stands in no line but those that tell the agent to mask it: as it is, in a URL, in Basic, in JSON. */
export function assertKept(outcome: TaskOutcome, secret: string): void {
  const lines = outcome.output.split('\n').filter(line => !line.startsWith('##vso[task.setsecret]'));
  const seen = lines.flatMap(line => [line, line.replaceAll('%AZP25', '%')]).join('\n');
  const forms = [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
    JSON.stringify(secret).slice(1, -1),
  ];
  for (const form of forms) assert.ok(!seen.includes(form), `${form} is in the log:\n${seen}`);
}

/** Asserts that the agent was told to mask a secret, as it is and as it stands in a URL. */
export function assertMasked(outcome: TaskOutcome, secret: string): void {
  const masked = outcome.commands.filter(command => command.name === 'task.setsecret').map(command => command.data);
  assert.ok(masked.includes(secret) && masked.includes(encodeURIComponent(secret)), masked.join('\n'));
}

/** Every record of a build in a registry, in no order, read without our code. */
export async function readRecords(registry: DockerRegistry, buildId: number): Promise<BuildRecord[]> {
  const get = async (path: string): Promise<unknown> => {
    const sign = Buffer.from(`${registry.username}:${registry.password}`).toString('base64');
    const answer = await fetch(`http://${registry.host}/v2/image-lifecycle/builds/${projectId}/${path}`, {
      headers: {
        accept: 'application/vnd.oci.image.manifest.v1+json, */*',
        ...(registry.username && { authorization: `Basic ${sign}` }),
      },
    });
    return answer.status === 404 ? {} : answer.json();
  };
  const { tags } = (await get('tags/list')) as { tags?: string[] };
  const ours = (tags ?? []).filter(tag => tag.startsWith(`${buildId}.`));
  return Promise.all(
    ours.map(async tag => {
      const { layers } = (await get(`manifests/${tag}`)) as { layers: { digest: string }[] };
      return (await get(`blobs/${layers[0]!.digest}`)) as BuildRecord;
    }),
  );
}
