import assert from 'node:assert/strict';
import { type BuildChoice, readSourceBuilds } from '../../../tasks/agent/source-build.ts';
import { connect } from '../../core/azure-devops/connect.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../../emulators/azure-devops/azure-devops.ts';
import {
  artifactVariables,
  forgetVariables,
  pipelineVariables,
  releaseVariables,
  resourceVariables,
  setVariables,
  type Variables,
} from './variables.ts';

const projectId = '6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c';
const library = '99999999-8888-4777-8666-555555555555';
const collectionId = '0a5a7f21-1b5c-4e6d-8f90-a1b2c3d4e5f6';
const choose = (choice: Partial<BuildChoice>): BuildChoice => ({
  source: 'currentRun',
  pipelineResource: '',
  releaseArtifacts: [],
  ...choice,
});
const nowhere = (): never => assert.fail('the release was asked for');
const read = (choice: Partial<BuildChoice>) => readSourceBuilds(choose(choice), nowhere);
const refuses = (work: Promise<unknown>, message: RegExp, code = 'INPUT_INVALID') =>
  assert.rejects(work, (error: Error & { code?: string }) => {
    assert.match(error.message, message);
    assert.equal(error.code, code);
    return true;
  });

describe('which build the images come from', () => {
  afterEach(forgetVariables);

  describe('in a pipeline', () => {
    const ci = { id: 4711, definitionId: 12, projectId: projectId.toUpperCase() };
    const withResources: Variables = {
      ...pipelineVariables,
      ...resourceVariables('my-shop_CI', ci),
      ...resourceVariables('lib', { id: 815, definitionId: 13, projectId: library }),
    };

    it('is this run where it builds and deploys', async () => {
      setVariables(withResources);
      const [build, ...more] = await read({});
      assert.deepEqual([build?.id, build?.definitionId, build?.number, more.length], [900, 77, '20261124.3', 0]);
      assert.deepEqual([build?.stage, build?.job, build?.attempt], ['Production', 'deploy', '2.1']);
    });

    it('is the run of a pipeline resource, and never the one that deploys', async () => {
      setVariables(withResources);
      assert.deepEqual(await read({ source: 'pipelineResource', pipelineResource: 'My-Shop_ci' }), [
        {
          collectionId,
          organization: 'https://dev.azure.com/contoso/',
          projectId,
          definitionId: 12,
          id: 4711,
          number: 'number of 4711',
          branch: 'refs/heads/release/1',
          commit: 'c'.repeat(40),
          repository: '',
          stage: '',
          job: '',
          attempt: '',
        },
      ]);
    });

    it('is of another project where the pipeline resource is', async () => {
      setVariables(withResources);
      const [build] = await read({ source: 'pipelineResource', pipelineResource: 'lib' });
      assert.deepEqual([build?.projectId, build?.definitionId, build?.id], [library, 13, 815]);
    });

    it('is not guessed where the alias is wrong, missing, or only a part of one; the ones that there are, are told', async () => {
      setVariables(withResources);
      for (const pipelineResource of ['', 'shop', 'my-shop', 'my_shop_ci', 'lib.runID', 'lib2']) {
        const candidates = /has no pipeline resource ".*"\. Its pipeline resources: "my-shop_CI", "lib"\./;
        await refuses(read({ source: 'pipelineResource', pipelineResource }), candidates);
      }
      setVariables(pipelineVariables);
      await refuses(
        read({ source: 'pipelineResource', pipelineResource: 'lib' }),
        /It has no pipeline resources\. Declare it under resources\.pipelines; Build\.BuildId is this run/,
      );
    });

    for (const [name, value] of Object.entries({ runID: 'latest', pipelineID: '', projectID: 'Shop' })) {
      it(`is not guessed where the resource's ${name} is ${JSON.stringify(value)}`, async () => {
        setVariables({ ...withResources, [`resources.pipeline.lib.${name}`]: value });
        await refuses(
          read({ source: 'pipelineResource', pipelineResource: 'lib' }),
          new RegExp(`^The variable resources\\.pipeline\\.lib\\.${name} is not `),
        );
      });
    }

    it('is no artifact of a release', async () => {
      setVariables({ ...withResources, ...artifactVariables('_ci', ci) });
      await refuses(
        read({ source: 'releaseArtifact', releaseArtifacts: ['_ci'] }),
        /this is no classic release\. Set source to pipelineResource/,
      );
    });

    it('is for named images and archives the one that an alias names, or else this run', async () => {
      setVariables(withResources);
      for (const source of ['images', 'archive'] as const) {
        assert.equal((await read({ source }))[0]?.id, 900);
        assert.equal((await read({ source, pipelineResource: 'lib' }))[0]?.id, 815);
        await refuses(read({ source, pipelineResource: 'no' }), /has no pipeline resource "no"/);
        await refuses(read({ source, releaseArtifacts: ['_ci'] }), /this is no classic release/);
        await refuses(read({ source, pipelineResource: 'lib', releaseArtifacts: ['_ci'] }), /name two builds/);
      }
    });
  });

  describe('in a classic release', () => {
    let emulator: AzureDevOpsEmulator;
    const everything: Variables = {
      ...releaseVariables,
      ...artifactVariables('_shop ci', { id: 4711, definitionId: 12 }),
      ...artifactVariables('lib.core', { id: 815, definitionId: 13 }),
      ...artifactVariables('_other', { id: 4712, definitionId: 12 }),
      'Release.Artifacts._charts.DefinitionId': 'contoso/charts',
      'Release.Artifacts._charts.Type': 'GitHub',
    };
    const addRelease = () =>
      emulator.world.releases.add({
        projectId,
        id: 392,
        definitionId: 4,
        artifacts: [
          { alias: '_shop ci', buildId: 4711 },
          { alias: 'lib.core', buildId: 815 },
          { alias: '_other', buildId: 4712 },
          { alias: '_charts', type: 'GitHub' },
        ],
      });
    beforeEach(async () => {
      emulator = await startAzureDevOps();
      emulator.world.addProject({ id: projectId, name: 'Web Shop' });
      emulator.world.addProject({ id: library, name: 'Library' });
      emulator.world.addDefinition({ projectId, id: 12 });
      emulator.world.addDefinition({ projectId: library, id: 13 });
      emulator.world.addBuild({ definitionId: 12, id: 4711, number: '20261123.1' });
      emulator.world.addBuild({ definitionId: 12, id: 4712, number: '20261123.2' });
      emulator.world.addBuild({ definitionId: 13, id: 815, number: '1.2.3' });
      addRelease();
      setVariables(everything);
    });
    afterEach(() => emulator.close());

    const ask = (choice: Partial<BuildChoice>) =>
      readSourceBuilds(choose(choice), () => connect(emulator, { url: emulator.releaseUrl }).ado);
    const artifacts = (...releaseArtifacts: string[]) => ask({ source: 'releaseArtifact', releaseArtifacts });

    it('is the artifact that is named, not the primary one', async () => {
      assert.deepEqual(await artifacts('_other'), [
        {
          collectionId,
          organization: 'https://dev.azure.com/contoso/',
          projectId,
          definitionId: 12,
          id: 4712,
          number: '20261123.2',
          branch: 'refs/heads/of-4712',
          commit: 'b'.repeat(40),
          repository: '',
          stage: '',
          job: '',
          attempt: '',
        },
      ]);
    });

    it('is of the project of the artifact, and several at once, each once', async () => {
      const builds = await artifacts('LIB.core', '_shop ci', 'lib.core');
      assert.deepEqual(
        builds.map(build => [build.projectId, build.definitionId, build.id]),
        [
          [library, 13, 815],
          [projectId, 12, 4711],
        ],
      );
      assert.equal(emulator.requests.count('releases.get'), 1);
    });

    it('takes nothing from Build.*', async () => {
      for (const name of Object.keys(everything).filter(each => each.startsWith('Build.'))) {
        setVariables({ ...everything, [name]: '666' });
        const [build] = await artifacts('_shop ci');
        assert.deepEqual([build?.id, build?.definitionId, build?.number], [4711, 12, '20261123.1'], name);
        assert.doesNotMatch(JSON.stringify(build), /666/);
      }
      setVariables(Object.fromEntries(Object.entries(everything).filter(([name]) => !name.startsWith('Build.'))));
      assert.equal((await artifacts('_shop ci'))[0]?.id, 4711);
    });

    it('is found on a deployment group too', async () => {
      setVariables({ ...everything, 'System.HostType': 'deployment' });
      assert.equal((await artifacts('_shop ci'))[0]?.id, 4711);
      setVariables({ ...everything, 'System.HostType': 'gates' });
      await refuses(artifacts('_shop ci'), /this is "gates"/);
    });

    it('is not guessed where no alias, a wrong one, or one that is no build was named; builds that there are, are told', async () => {
      const candidates = 'Its builds: "_shop ci", "lib\\.core", "_other"\\.$';
      await refuses(artifacts(), new RegExp(`releaseArtifacts names none\\. ${candidates}`));
      await refuses(artifacts('_shop ci', 'shop'), new RegExp(`no artifact "shop"\\. ${candidates}`));
      await refuses(artifacts('_charts'), new RegExp(`"_charts" .* type "GitHub", and no build .*\\. ${candidates}`));
    });

    for (const [name, value] of Object.entries({ BuildId: '4712', DefinitionId: '13' })) {
      it(`is not guessed where the agent has another ${name} than the release`, async () => {
        setVariables({ ...everything, [`Release.Artifacts._shop ci.${name}`]: value });
        await refuses(
          artifacts('_shop ci'),
          new RegExp(`build 4711 of pipeline 12 by the release, but .*${name} is "${value}"`),
        );
      });
    }

    it('is not guessed where two aliases have one name in the environment', async () => {
      setVariables({ ...everything, ...artifactVariables('_shop.ci', { id: 4712, definitionId: 12 }) });
      await refuses(artifacts('_shop ci'), /differs from the others in more than punctuation/);
    });

    it('is not known where the release cannot be read, or is another one', async () => {
      emulator.faults.add({ count: 4, effect: { kind: 'status', status: 503 } });
      await refuses(artifacts('_shop ci'), /^release 392 of project 6ce954b1/, 'AZURE_DEVOPS_UNAVAILABLE');
      emulator.faults.clear();
      setVariables({ ...everything, 'Release.ReleaseId': '393' });
      await refuses(artifacts('_shop ci'), /ReleaseNotFoundException/, 'AZURE_DEVOPS_UNAVAILABLE');
      setVariables({ ...everything, 'Release.ReleaseId': undefined });
      await refuses(artifacts('_shop ci'), /Release\.ReleaseId is not set/);
    });

    it('is neither this run nor a pipeline resource; the artifacts that there are, are told', async () => {
      const candidates = /a classic release, which builds nothing.*releaseArtifacts.*"_shop ci", "lib\.core", "_other"/;
      await refuses(read({ source: 'currentRun' }), candidates);
      await refuses(read({ source: 'pipelineResource', pipelineResource: 'lib' }), candidates);
      await refuses(read({ source: 'images' }), candidates);
    });

    it('is one for named images and archives', async () => {
      assert.equal((await ask({ source: 'archive', releaseArtifacts: ['lib.core'] }))[0]?.id, 815);
      await refuses(
        ask({ source: 'images', releaseArtifacts: ['lib.core', '_other'] }),
        /source is images, whose images belong to one build/,
      );
    });
  });
});
