import { equal } from 'node:assert/strict';
import { readBuild } from '../../../tasks/agent/build.ts';
import { forgetVariables, pipelineVariables, setVariables } from './variables.ts';

describe('the git repository of a build', () => {
  afterEach(forgetVariables);

  const repositories: readonly (readonly [uri: string | undefined, repository: string])[] = [
    ['https://contoso@dev.azure.com/contoso/Web%20Shop/_git/web', 'https://dev.azure.com/contoso/Web%20Shop/_git/web'],
    ['https://someone:hunter2@git.example/web.git?token=hunter2#x', 'https://git.example/web.git'],
    ['git@github.com:contoso/web.git', 'contoso/deploy'],
    ['ssh://hunter2@git.example/web', 'contoso/deploy'],
    [`https://git.example/${'a'.repeat(1024)}`, 'contoso/deploy'],
    [undefined, 'contoso/deploy'],
  ];
  for (const [uri, repository] of repositories) {
    it(`is ${repository} where the agent says ${uri?.slice(0, 60)}`, () => {
      setVariables({ ...pipelineVariables, ...(uri !== undefined && { 'Build.Repository.Uri': uri }) });
      equal(readBuild().repository, repository);
    });
  }
});
