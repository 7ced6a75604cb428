import assert from 'node:assert/strict';
import { readPromoter } from '../../../tasks/agent/promoter.ts';
import { forgetVariables, pipelineVariables, releaseVariables, resourceVariables, setVariables } from './variables.ts';

const projectId = '6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c';

describe('who promotes', () => {
  afterEach(forgetVariables);

  it('is the run of the pipeline and its stage, whatever it deploys', () => {
    setVariables({ ...pipelineVariables, ...resourceVariables('ci', { id: 4711, definitionId: 12, projectId }) });
    assert.deepEqual(readPromoter(), {
      kind: 'pipeline',
      projectId,
      definitionId: 77,
      runId: 900,
      stage: 'Production',
      job: 'deploy',
      attempt: '2.1',
      url: 'https://dev.azure.com/contoso/Web%20Shop/_build/results?buildId=900',
    });
  });

  it('is the classic release and its stage, not the build that it deploys', () => {
    for (const host of ['release', 'deployment']) {
      setVariables({ ...releaseVariables, 'System.HostType': host, 'System.DefinitionId': '12' });
      assert.deepEqual(readPromoter(), {
        kind: 'release',
        projectId,
        definitionId: 4,
        runId: 392,
        stage: 'EU: Production',
        job: 'Agent job',
        attempt: '3',
        url: 'https://dev.azure.com/contoso/6ce954b1/_release?releaseId=392&_a=release-summary',
      });
    }
  });

  it('has no page where the agent names none', () => {
    for (const url of ['no URL', 'javascript:alert(1)', 'https://', `https://dev.azure.com/${'x'.repeat(1024)}`]) {
      setVariables({ ...releaseVariables, 'Release.ReleaseWebURL': url });
      assert.equal(readPromoter().url, undefined);
    }
    setVariables({ ...pipelineVariables, 'System.CollectionUri': undefined });
    assert.equal(readPromoter().url, undefined);
  });

  it('is not guessed', () => {
    setVariables({ ...releaseVariables, 'Release.DefinitionId': undefined });
    assert.throws(readPromoter, { code: 'INPUT_INVALID', message: /Release\.DefinitionId is not set/ });
    setVariables({ ...pipelineVariables, 'System.TeamProjectId': 'Web Shop' });
    assert.throws(readPromoter, { code: 'INPUT_INVALID', message: /System\.TeamProjectId is not a GUID/ });
    setVariables({ ...pipelineVariables, 'System.HostType': 'checks' });
    assert.throws(readPromoter, { code: 'INPUT_INVALID', message: /this is "checks"/ });
  });
});
