import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertFailed, type Bench, openBench } from './step.ts';

const digest = `sha256:${'0'.repeat(64)}`;

describe('TagImage and inputs that are wrong', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
  });
  after(() => bench.close());

  const wrong: [what: string, inputs: Record<string, string>, message: RegExp][] = [
    ['no image at all', { images: ' \n ' }, /one of the inputs images, imageFiles and localImages/],
    ['an image without a tag', { images: 'team/app' }, /input images: .*neither a tag nor a digest/],
    ['upper case', { images: 'Team/App:1' }, /input images: .*is not a repository/],
    ['a digest that is too short', { images: 'team/app@sha256:00' }, /input images: .*is not a digest/],
    ['another registry', { images: `other.azurecr.io/app@${digest}` }, /input images: .*signs in to localhost/],
    ['a line that is too long', { images: `${'a'.repeat(1025)}:1` }, /input images: a line has 1027 characters/],
    ['too many images', { images: 'a:1\n'.repeat(1001) }, /input images has 1001 lines; 1000/],
    ['a tag of 129 characters', { images: 'a:1', tags: 'x'.repeat(129) }, /input tags: .*129 characters.*is not a tag/],
    ['a tag outside the grammar', { images: 'a:1', tags: '.hidden' }, /input tags: "\.hidden"/],
    ['a tag with a space', { images: 'a:1', tags: 'v1 v2' }, /input tags: "v1 v2"/],
    ['a tag whose variable is not set', { images: 'a:1', tags: '$(Missing)' }, /input tags: "\$\(Missing\)"/],
    ['a prefix outside the grammar', { images: 'a:1', buildTagPrefix: '-' }, /input buildTagPrefix is "-"/],
    ['a prefix that is too long', { images: 'a:1', buildTagPrefix: 'p'.repeat(125) }, /input buildTagPrefix/],
    ['an unknown choice', { images: 'a:1', onBuildDeleted: 'Delete' }, /input onBuildDeleted .*delete, keep/],
    ['neither true nor false', { images: 'a:1', overwrite: 'yes' }, /input overwrite is "yes"/],
    ['an unknown sign-in', { images: 'a:1', connectionType: 'token' }, /input connectionType is "token"/],
    ['no connection', { images: 'a:1', containerRegistry: '' }, /input containerRegistry is required/],
    [
      'a connection that is not there',
      { images: 'a:1', containerRegistry: 'gone' },
      /input containerRegistry: there is no service connection "gone"/,
    ],
    ['no registry', { images: 'a:1', connectionType: 'dockerConfig' }, /input registry is required/],
    [
      'a registry that is a name',
      { images: 'a:1', connectionType: 'dockerConfig', registry: 'contoso' },
      /input registry is "contoso"; it must be the login server/,
    ],
    [
      'a folder whose variable is not set',
      { images: 'a:1', outputDirectory: '$(Nowhere)/x' },
      /input outputDirectory names the variable "Nowhere"/,
    ],
  ];
  for (const [what, inputs, message] of wrong) {
    it(`refuses ${what} before any request`, async () => {
      const outcome = await bench.tag(inputs);
      assertFailed(outcome, message);
      assert.doesNotMatch(outcome.output, /(?:GET|HEAD|PUT|POST) localhost/);
      assert.ok(outcome.message.length < 1000, outcome.message);
    });
  }

  it('refuses plain http to another machine', async () => {
    const outcome = await bench.tag(
      {
        images: 'a:1',
        connectionType: 'azureResourceManager',
        azureSubscription: 'azure',
        registry: 'http://registry.example.com',
      },
      { endpoints: { azure: { scheme: 'ManagedServiceIdentity' } } },
    );
    assertFailed(outcome, /without TLS on this machine only/);
  });

  it('refuses a folder with the images of another registry', async () => {
    const directory = join(bench.agent.staging, 'image-lifecycle');
    await mkdir(directory, { recursive: true });
    const build = {
      id: 4711,
      projectId: '6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c',
      collectionId: '0a5a7f21-1b5c-4e6d-8f90-a1b2c3d4e5f6',
    };
    await writeFile(
      join(directory, 'images.json'),
      JSON.stringify({ schema: 1, build, registry: 'other.azurecr.io', images: [] }),
    );
    assertFailed(
      await bench.tag({ images: 'a:1' }),
      /input outputDirectory: .*lists this build's images in other\.azurecr\.io/,
    );
  });

  it('says so where it does not run on an agent', async () => {
    const outcome = await bench.tag({ images: 'a:1' }, { variables: { 'System.CollectionId': undefined } });
    assertFailed(outcome, /System\.CollectionId is not set/);
  });
});
