/** Where the story plays: clouds, pipeline, images, configuration. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Content } from '../../test/support/images.ts';
import { createPipeline, type Pipeline } from './azure-devops.ts';
import type { Cloud } from './cloud.ts';
import { type Cast, makeCast } from './images.ts';
import { readImage } from './layout.ts';
import type { Stage } from './processes.ts';
import type { Named } from './story.ts';

/** What there is before the story begins. */
export interface Beginning extends Cloud {
  readonly stage: Stage;
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
  /** The environment of the webhook handler: the secrets that its configuration names. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** What whoever sends notifications signs in with. */
export const hookPassword = 'a secret of service hooks';

/** Makes pipeline, images and configuration. */
export async function setScene(beginning: Beginning): Promise<Scene> {
  const { stage, image, http, organization } = beginning;
  const cast = await makeCast(image === undefined ? undefined : await readImage(image));
  const pipeline = await createPipeline(http, organization);
  const configuration = join(stage.folder, 'lifecycle.yaml');
  await writeFile(configuration, configure(beginning, pipeline));
  const { api, signature, web, worker, tool } = cast;
  return {
    ...beginning,
    pipeline,
    cast,
    configuration,
    secrets: { REGISTRY_PASSWORD: 'admin-password', HOOK_PASSWORD: hookPassword, ADO_TOKEN: organization.pat },
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

/** The registry of the builds is ruled "delete" where nothing is said; the copies of a stage stay where nothing is said. */
function configure({ registries: { ci, qa, production }, organization }: Beginning, { projectId }: Pipeline): string {
  const signIn = 'signIn: { kind: password, username: admin, password: { env: REGISTRY_PASSWORD } }';
  return `registries:
  - url: ${ci.host}
    ${signIn}
  - url: ${qa.host}
    onBuildDeleted: delete
    ${signIn}
  - url: ${production.host}
    ${signIn}
organizations:
  - url: ${organization.url}
    signIn: { kind: pat, token: { env: ADO_TOKEN } }
    projects: [{ id: ${projectId}, repositories: ["shop/*"] }]
grace: 24h
reconcile: { every: 1h, minimumInterval: 1s }
server: { host: 127.0.0.1, port: 0, username: azure-devops, password: { env: HOOK_PASSWORD } }
`;
}
