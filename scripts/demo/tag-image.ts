/** Runs TagImage as the agent does: a process that is told everything by its environment. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './processes.ts';
import type { Build, Scene } from './scene.ts';
import { secrets } from './scene.ts';

/** What the task said to people, and its verdict to the agent. */
export interface Tagged {
  readonly said: string;
  readonly succeeded: boolean;
}

const connection = 'registry-connection';

/** Runs the task in a build. */
export async function runTagImage(scene: Scene, build: Build): Promise<Tagged> {
  const { stage, host, organization, pipeline } = scene;
  const staging = join(stage.folder, `build-${build.id}`);
  await mkdir(staging, { recursive: true });
  const parameters = { registry: `https://${host}`, username: 'admin', password: secrets.REGISTRY_PASSWORD };
  const { output } = await run(stage, ['tasks/TagImage/index.js'], {
    INPUT_CONNECTIONTYPE: 'dockerRegistry',
    INPUT_CONTAINERREGISTRY: connection,
    INPUT_IMAGES: `${build.repository}@${build.content.digest}`,
    INPUT_TAGS: String(build.id),
    INPUT_ONBUILDDELETED: 'delete',
    INPUT_OUTPUTDIRECTORY: staging,
    [`ENDPOINT_URL_${connection}`]: `https://${host}`,
    [`ENDPOINT_AUTH_${connection}`]: JSON.stringify({ scheme: 'UsernamePassword', parameters }),
    [`ENDPOINT_AUTH_SCHEME_${connection}`]: 'UsernamePassword',
    ...Object.fromEntries(
      Object.entries(parameters).map(([key, value]) => [
        `ENDPOINT_AUTH_PARAMETER_${connection}_${key.toUpperCase()}`,
        value,
      ]),
    ),
    [`ENDPOINT_DATA_${connection}`]: '{"registrytype":"Others"}',
    [`ENDPOINT_DATA_${connection}_REGISTRYTYPE`]: 'Others',
    AGENT_TEMPDIRECTORY: staging,
    AGENT_VERSION: '4.265.1',
    BUILD_ARTIFACTSTAGINGDIRECTORY: staging,
    BUILD_BUILDID: String(build.id),
    BUILD_BUILDNUMBER: `20261123.${build.id}`,
    BUILD_REPOSITORY_NAME: 'shop',
    BUILD_SOURCEBRANCH: 'refs/heads/main',
    BUILD_SOURCEVERSION: String(build.id).padStart(40, '0'),
    SYSTEM_COLLECTIONID: organization.collectionId,
    SYSTEM_COLLECTIONURI: `${organization.url}/`,
    SYSTEM_DEFAULTWORKINGDIRECTORY: staging,
    SYSTEM_DEFINITIONID: String(pipeline.definitionId),
    SYSTEM_HOSTTYPE: 'build',
    SYSTEM_JOBATTEMPT: '1',
    SYSTEM_JOBNAME: '__default',
    SYSTEM_PHASENAME: 'images',
    SYSTEM_STAGEATTEMPT: '1',
    SYSTEM_STAGENAME: 'build',
    SYSTEM_TEAMPROJECT: 'Shop',
    SYSTEM_TEAMPROJECTID: pipeline.projectId,
  });
  const lines = output.split('\n');
  const succeeded = lines.some(line => line.startsWith('##vso[task.complete result=Succeeded'));
  return { succeeded, said: (succeeded ? lines.filter(line => !line.includes('##vso[')) : lines).join('\n') };
}
