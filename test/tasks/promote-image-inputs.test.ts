import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestEndpoint } from '../support/run-task.ts';
import { type Deployment, openDeployment } from './promotion.ts';
import { assertFailed } from './step.ts';

/** Nobody listens there, and nobody is to be asked. */
const registryAt = (port: number): TestEndpoint => ({
  scheme: 'UsernamePassword',
  parameters: { registry: `http://localhost:${port}`, username: 'someone', password: 'something' },
  data: { registrytype: 'Others' },
});
const digest = `sha256:${'0'.repeat(64)}`;

describe('PromoteImage and inputs that are wrong', () => {
  let deployment: Deployment;
  before(async () => {
    deployment = await openDeployment();
    const { sources } = deployment.agent;
    await writeFile(join(sources, 'images.json'), '{"schema":1,"build":{"id":1,"projectId":"x"},"images":[]}');
    await writeFile(join(sources, 'junk.json'), '<html>');
  });
  after(() => deployment.close());

  const images = { source: 'images', images: `a@${digest}` };
  const azure = { connectionType: 'azureResourceManager', registry: 'contoso.azurecr.io' };
  const wrong: [what: string, inputs: Record<string, string>, message: RegExp][] = [
    ['an unknown source', { source: 'build' }, /input source is "build"; it must be one of currentRun, pipelineRes/],
    ['no alias', { source: 'pipelineResource' }, /input pipelineResource is required/],
    ['an alias that is not there', { source: 'pipelineResource', pipelineResource: 'ci' }, /no pipeline resource "ci"/],
    ['artifacts in a pipeline', { source: 'releaseArtifact', releaseArtifacts: '_ci' }, /this is no classic release/],
    ['no images', { source: 'images' }, /input images is required where source is images/],
    ['no archives', { source: 'archive' }, /input archives is required where source is archive/],
    ['two builds for images', { ...images, pipelineResource: 'a', releaseArtifacts: 'b' }, /name two builds/],
    ['too many images', { ...images, images: 'a:1\n'.repeat(1001) }, /input images has 1001 lines; 1000 are the most/],
    ['an unknown sign-in', { connectionType: 'token' }, /input connectionType is "token"/],
    ['no target', { containerRegistry: '' }, /input containerRegistry is required/],
    ['no source', { sourceContainerRegistry: '' }, /input sourceContainerRegistry is required/],
    ['no Azure connection', { ...azure, azureSubscription: '' }, /input azureSubscription is required/],
    ['no registry of the target', { ...azure, azureSubscription: 'x', registry: '' }, /input registry is required/],
    [
      'no Azure connection to fall back on',
      { sourceConnectionType: 'azureResourceManager', sourceRegistry: 'contosoci.azurecr.io' },
      /input sourceAzureSubscription is required where sourceConnectionType is azureResourceManager/,
    ],
    [
      'no registry of the source',
      { ...azure, azureSubscription: 'x', sourceConnectionType: 'azureResourceManager' },
      /input sourceRegistry is required/,
    ],
    ['a registry that is a name', { connectionType: 'dockerConfig', registry: 'prod' }, /input registry is "prod"; it/],
    [
      'a connection that is not there',
      { containerRegistry: 'gone' },
      /input containerRegistry: there is no service connection "gone"/,
    ],
    ['a tag outside the grammar', { tags: 'v 1' }, /input tags: "v 1" makes no tag/],
    ['a placeholder that nobody knows', { tags: '{version}' }, /input tags: "\{version\}" .* is known is \{buildId\}/],
    ['a tag whose variable is not set', { tags: '$(Missing)' }, /input tags: "\$\(Missing\)"/],
    ['a prefix of tags outside the grammar', { buildTagPrefix: '-' }, /input buildTagPrefix is "-"/],
    ['a prefix of repositories in upper case', { repositoryPrefix: 'Prod' }, /input repositoryPrefix is "Prod"/],
    ['a name without another', { repositories: 'shop/web' }, /input repositories: "shop\/web" is not of the form/],
    ['a repository with three names', { repositories: 'a=b=c' }, /input repositories: "a=b=c" is not of the form/],
    [
      'an unknown rule for tags',
      { onExistingTag: 'move' },
      /input onExistingTag is "move"; .*skip-if-same, fail, over/,
    ],
    ['an unknown wish to hold', { retainBuild: 'yes' }, /input retainBuild is "yes"; .*true, required, false/],
    ['no number of builds', { keepLeases: 'some' }, /input keepLeases is "some"; it must be a whole number from 1/],
    ['no builds to hold', { keepLeases: '0' }, /input keepLeases is "0"; it must be a whole number from 1 to 100/],
    ['half a build', { keepLeases: '1.5' }, /input keepLeases is "1\.5"/],
    ['neither true nor false', { dryRun: 'maybe' }, /input dryRun is "maybe"; it must be true or false/],
    ['an unknown method', { method: 'push' }, /input method is "push"; it must be one of auto, import, copy/],
    ['an import without Azure', { method: 'import' }, /input method is import, which needs an Azure Resource Manager/],
    ['a stage before that is a name', { requirePromotedTo: 'qa' }, /input requirePromotedTo is "qa"; it must be the/],
    [
      'the stage itself as the stage before',
      { requirePromotedTo: 'http://localhost:2' },
      /input requirePromotedTo is localhost:2, which is the registry of this stage itself/,
    ],
    [
      'a stage before that no connection is for',
      { requirePromotedTo: 'qa.azurecr.io' },
      /input requirePromotedToConnection is required: .* is not for qa\.azurecr\.io/,
    ],
    ['no file of pins', { imagesFile: 'none.json' }, /input imagesFile: the file ".*\/none\.json" cannot be read/],
    ['a folder for that file', { imagesFile: '.' }, /input imagesFile: the file ".*" is not a file/],
    ['a file without pins', { imagesFile: 'images.json' }, /input imagesFile: .* names no places where a chart/],
    [
      'a file that is something else',
      { imagesFile: 'junk.json' },
      /input imagesFile: .* names no places where a chart/,
    ],
    [
      'a file whose variable is not set',
      { imagesFile: '$(Chart)/images.json' },
      /input imagesFile names the variable "Chart", which is not set in this run/,
    ],
    [
      'a folder whose variable is not set',
      { outputDirectory: '$(Nowhere)/x' },
      /input outputDirectory names the variable "Nowhere"/,
    ],
  ];
  for (const [what, inputs, message] of wrong) {
    it(`refuses ${what} before any request`, async () => {
      const outcome = await deployment.promote(800, {
        inputs: {
          sourceConnectionType: 'dockerRegistry',
          sourceContainerRegistry: 'ci-connection',
          connectionType: 'dockerRegistry',
          containerRegistry: 'stage-connection',
          ...inputs,
        },
        endpoints: { 'ci-connection': registryAt(1), 'stage-connection': registryAt(2) },
      });
      assertFailed(outcome, message);
      assert.doesNotMatch(outcome.output, /#\d+ (?:GET|HEAD|PUT|POST) /);
      assert.deepEqual(deployment.devOps.requests.entries, []);
      assert.ok(outcome.message.length < 1000, outcome.message);
    });
  }
});
