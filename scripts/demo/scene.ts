/** Where the story plays: registry, organization, pipeline, images, configuration. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Content } from '../../test/support/images.ts';
import { createPipeline, type Organization, type Pipeline } from './azure-devops.ts';
import { type Cast, makeCast } from './images.ts';
import { readImage } from './layout.ts';
import type { Stage } from './processes.ts';
import type { Hands } from './registry.ts';
import type { Named } from './story.ts';

/** What there is before the story begins. */
export interface Beginning {
  readonly stage: Stage;
  readonly host: string;
  readonly hands: Hands;
  readonly organization: Organization;
  /** The path of the user's own image. */
  readonly image: string | undefined;
}

/** One build of the story: the number by which it is told, and what it made. */
export interface Build {
  readonly id: number;
  readonly repository: string;
  readonly content: Content;
}

/** The scene, set. */
export interface Scene extends Beginning {
  readonly pipeline: Pipeline;
  readonly cast: Cast;
  readonly builds: readonly Build[];
  /** What the tables show. */
  readonly images: readonly Named[];
  /** The path of the configuration of everything that deletes. */
  readonly configuration: string;
}

/** The secrets that the configuration names. */
export const secrets = { REGISTRY_PASSWORD: 'admin-password', HOOK_PASSWORD: 'a secret of service hooks' } as const;

/** Makes pipeline, images and configuration. */
export async function setScene(beginning: Beginning): Promise<Scene> {
  const { stage, image, organization } = beginning;
  const cast = await makeCast(image === undefined ? undefined : await readImage(image, stage.folder));
  const pipeline = await createPipeline(organization);
  const configuration = join(stage.folder, 'lifecycle.yaml');
  await writeFile(configuration, configure(beginning, pipeline));
  const { api, signature, web, worker, tool } = cast;
  return {
    ...beginning,
    pipeline,
    cast,
    configuration,
    builds: [
      { id: 101, repository: 'shop/api', content: api },
      { id: 102, repository: 'shop/web', content: web },
      { id: 103, repository: 'shop/web', content: web },
      { id: 104, repository: 'shop/worker', content: worker },
      { id: 105, repository: 'shop/tool', content: tool },
    ],
    images: [
      { name: image ? 'your own' : 'api, two platforms', repository: 'shop/api', digest: api.digest },
      { name: '  its signature', repository: 'shop/api', digest: signature.digest },
      { name: 'web, of two builds', repository: 'shop/web', digest: web.digest },
      { name: 'worker, locked', repository: 'shop/worker', digest: worker.digest },
      { name: 'tool, released', repository: 'shop/tool', digest: tool.digest },
    ],
  };
}

function configure({ host, organization }: Beginning, { projectId }: Pipeline): string {
  return `registries:
  - registry: ${host}
    signIn: { kind: password, username: admin, password: { env: REGISTRY_PASSWORD } }
organizations:
  - url: ${organization.url}
    signIn: { kind: pat, token: { env: ADO_TOKEN } }
    projects: [{ id: ${projectId}, repositories: ["shop/*"] }]
grace: 24h
reconcile: { every: 1h, minimumInterval: 1s }
server: { host: 127.0.0.1, port: 0, username: azure-devops, password: { env: HOOK_PASSWORD } }
`;
}
