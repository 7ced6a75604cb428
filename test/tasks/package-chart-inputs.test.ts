import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { helms } from '../support/helm.ts';
import { api, type Bench, chartOf, openBench, outputOf, web } from './packaging.ts';
import { linesOf } from './promotion.ts';
import { assertFailed, assertSucceeded, projectId } from './step.ts';

const digest = `sha256:${'0'.repeat(64)}`;

const imageOf = (repository: string) => ({
  repository,
  digest,
  tags: ['4711'],
  mediaType: 'x',
  size: 1,
  reference: `r/${repository}@${digest}`,
});

/** What a classic release has. */
const release = {
  'System.HostType': 'release',
  'Build.ArtifactStagingDirectory': undefined,
  'Release.ReleaseId': '9',
  'Release.DefinitionId': '3',
} as const;

describe('PackageChart and inputs that are wrong', () => {
  let bench: Bench;
  let untouched: string;
  before(async () => {
    bench = await openBench();
    await bench.build({ 'shop/web': web, 'shop/api': api });
    await bench.write('web', chartOf('web', 'shop/web'));
    await bench.write('again', chartOf('web', 'shop/web'));
    await bench.write('api', chartOf('api', 'shop/api'));
    await bench.write('capital', chartOf('Web', 'shop/web'));
    await bench.write('', {
      'junk.json': '<html>',
      'values.yaml': 'x: 1\n',
      'other.json': JSON.stringify(fileOf({ build: { id: 9, projectId, collectionId: collectionId } })),
      'elsewhere.json': JSON.stringify(fileOf({ registry: 'other.example.com' })),
      'nowhere.json': JSON.stringify(fileOf({ images: [{ ...imageOf('shop/web'), digest: 'latest' }] })),
      'untagged.json': JSON.stringify(fileOf({ images: [{ ...imageOf('shop/web'), tags: ['latest'] }] })),
    });
    await mkdir(join(bench.agent.sources, 'empty'));
    untouched = await fingerprint();
  });
  after(() => bench.close());

  const collectionId = '0a5a7f21-1b5c-4e6d-8f90-a1b2c3d4e5f6';
  const fileOf = (more: object) => ({
    schema: 1,
    build: { id: 4711, projectId: projectId.toUpperCase(), collectionId },
    registry: bench.registry.host,
    images: [imageOf('shop/web')],
    ...more,
  });

  /** Everything that the step could have changed: the registry and its folder. */
  async function fingerprint(): Promise<string> {
    return [await bench.registry.fingerprint(), ...(await bench.written()).sort()].join('\n');
  }

  const none = { connectionType: 'none', containerRegistry: '' };
  const azure = { connectionType: 'azureResourceManager', registry: 'contoso.azurecr.io' };
  const wrong: [what: string, inputs: Record<string, string>, message: RegExp][] = [
    ['no charts', { charts: ' ' }, /^The input charts is required/],
    ['too many charts', { charts: 'web\n'.repeat(101) }, /^The input charts has 101 lines; 100 are the most/],
    ['a chart that is not there', { charts: 'gone' }, /^The input charts: there is no folder "gone"/],
    ['a chart that is a file', { charts: 'values.yaml' }, /^The input charts: "values\.yaml" is not a folder/],
    ['a folder without a chart', { charts: 'empty' }, /^The input charts: empty.*Chart\.yaml/],
    [
      'a chart whose variable is not set',
      { charts: '$(Missing)/web' },
      /^The input charts names the variable "Missing"/,
    ],
    ['one chart twice', { charts: 'web\nagain' }, /^The input charts names two charts called "web"/],
    [
      'an unknown sign-in',
      { connectionType: 'token' },
      /^The input connectionType is "token"; it must be one of azure/,
    ],
    ['no connection', { containerRegistry: '' }, /^The input containerRegistry is required where connectionType is/],
    [
      'a connection that is not there',
      { containerRegistry: 'x' },
      /^The input containerRegistry: there is no service c/,
    ],
    [
      'no Azure connection',
      azure,
      /^The input azureSubscription is required where connectionType is azureResourceMana/,
    ],
    [
      'a registry that is a name',
      { ...azure, azureSubscription: 'x', registry: 'prod' },
      /^The input registry is "prod"/,
    ],
    ['no registry and no file', none, /^The input imagesFile is required where connectionType is none/],
    [
      'no registry to push to',
      { ...none, push: 'true', imagesFile: 'x' },
      /^The input push is true, but connectionType is/,
    ],
    [
      'a file that is not there',
      { imagesFile: 'gone.json' },
      /^The input imagesFile: the file ".*gone\.json" cannot be/,
    ],
    [
      'a file that is no images.json',
      { imagesFile: 'junk.json' },
      /^The input imagesFile: the file ".*" is not an images\.j/,
    ],
    [
      'a file of another build',
      { imagesFile: 'other.json' },
      /^The input imagesFile: ".*other\.json" is of build 9 in project 6ce9.*, and this is build 4711 in project 6ce9/,
    ],
    [
      'a file of another registry',
      { imagesFile: 'elsewhere.json' },
      /^The input imagesFile: ".*" lists images in other\.example\.com, but this step signs in to localhost:/,
    ],
    [
      'a file with a tag for a digest',
      { imagesFile: 'nowhere.json' },
      /^The input imagesFile: ".*" names an image without/,
    ],
    [
      'a file whose variable is not set',
      { imagesFile: '$(Missing)' },
      /^The input imagesFile names the variable "Missing"/,
    ],
    ['an unknown pin', { pin: 'both' }, /^The input pin is "both"; it must be one of tagAndDigest, digest, tag/],
    [
      'a tag that the images do not have',
      { pin: 'tag', ...none, imagesFile: 'untagged.json' },
      /^The input pin is tag, but r\/shop\/web@sha256:0+ does not have the tag 4711: it has latest\. Set buildTagPrefix/,
    ],
    [
      'a mapping that is none',
      { mappings: 'web:image' },
      /^The input mappings: "web:image": The mapping "image" cannot/,
    ],
    [
      'a mapping for no chart',
      { mappings: 'shop:a=shop/web' },
      /^The input mappings: "shop:a=shop\/web" is for the chart "shop"/,
    ],
    [
      'a mapping for one of several charts',
      { charts: 'web\napi', mappings: 'a=shop/web' },
      /^The input mappings: "a=shop\/web" does not say which chart it is for\. Write web:a=shop\/web\.$/,
    ],
    ['a mapping to nothing', { mappings: 'a.b=shop/none' }, /^The chart "web": .*shop\/none/],
    ['an unknown rule for what is not pinned', { onUnusedPin: 'ignore' }, /^The input onUnusedPin is "ignore"/],
    [
      'an image that no chart names',
      { onUnusedPin: '' },
      /^shop\/api@sha256:[0-9a-f]{64}: of this build, but pinned nowhere in web/,
    ],
    [
      'an unknown version rule',
      { version: '1.2.3' },
      /^The input version is "1\.2\.3"; it must be one of content, build/,
    ],
    ['no exact version', { version: 'exact' }, /^The input exactVersion is required/],
    ...['1.2', '01.2.3', 'v1.2.3', '1.2.3-', '1.2.3+', '1.2.3+a_b', `1.2.3-${'a'.repeat(128)}`].map(
      (exactVersion): [string, Record<string, string>, RegExp] => [
        `the version ${exactVersion.slice(0, 20)}`,
        { version: 'exact', exactVersion },
        /^The input exactVersion is ".*", which is not a version such as 1\.4\.0/,
      ],
    ),
    [
      'an appVersion whose variable is not set',
      { appVersion: '$(Missing)' },
      /^The input appVersion names the variable "M/,
    ],
    ['an appVersion of two lines', { appVersion: 'a\nb' }, /^The input appVersion has more than one line/],
    ['an unknown use of helm', { helm: 'yes' }, /^The input helm is "yes"; it must be one of auto, required, never/],
    [
      'values that are not there',
      { valuesFiles: 'values.yaml\ngone.yaml' },
      /^The input valuesFiles: the file ".*gone\.yaml"/,
    ],
    ['values that are a folder', { valuesFiles: 'web' }, /^The input valuesFiles: ".*web" is not a file/],
    ['too many values', { valuesFiles: 'x\n'.repeat(101) }, /^The input valuesFiles has 101 lines/],
    [
      'a folder whose variable is not set',
      { outputDirectory: '$(Missing)/x' },
      /^The input outputDirectory names the variab/,
    ],
    ...['a/b', 'a:b', 'a*', 'a.', 'a\nb'].map((publish): [string, Record<string, string>, RegExp] => [
      `the artifact ${JSON.stringify(publish)}`,
      { publish },
      /^The input publish (is ".*", which is not the name of an artifact|has more than one line)/,
    ]),
    ['a switch that is none', { push: 'yes' }, /^The input push is "yes"; it must be true or false/],
    [
      'a prefix that is no repository',
      { chartRepositoryPrefix: 'Charts' },
      /^The input chartRepositoryPrefix is "Charts"/,
    ],
    [
      'a chart that has no repository',
      { charts: 'capital', push: 'true' },
      /^The input push: "charts\/Web" is no reposito/,
    ],
    [
      'a prefix that begins no tag',
      { buildTagPrefix: '-' },
      /^The input buildTagPrefix is "-", which no tag can begin with/,
    ],
    ['an unknown fate', { onBuildDeleted: 'maybe' }, /^The input onBuildDeleted is "maybe"/],
  ];
  for (const [what, inputs, message] of wrong) {
    it(`is refused with ${what}, and nothing is changed`, async () => {
      assertFailed(await bench.pack({ charts: 'web', onUnusedPin: 'warn', ...inputs }), message);
      assert.equal(await fingerprint(), untouched);
    });
  }

  it('is refused where the folder lists this build in another registry', async () => {
    const folder = join(bench.agent.path, 'other');
    await mkdir(folder);
    await writeFile(join(folder, 'images.json'), JSON.stringify(fileOf({ registry: 'other.example.com' })));
    assertFailed(
      await bench.pack({ charts: 'web', onUnusedPin: 'warn', outputDirectory: folder }),
      /^The input outputDirectory: ".*" lists this build's images in other\.example\.com/,
    );
    assert.equal(await fingerprint(), untouched);
  });

  it('is refused where the build has no record, with what to do', async () => {
    assertFailed(
      await bench.pack({ charts: 'web' }, undefined, { variables: { 'Build.BuildId': '5000' } }),
      /has no record of build 5000 of pipeline 12, .* Did TagImage run in that build, for this registry\?$/,
    );
  });

  const inputsOfRelease = () => ({
    ...none,
    charts: 'web',
    imagesFile: join(outputOf(bench.agent.staging), 'images.json'),
    onUnusedPin: 'warn',
    outputDirectory: '$(Agent.TempDirectory)/charts',
  });

  describe('in a classic release', () => {
    const inRelease = { variables: release, endpoints: {} };

    it('says up front that a release keeps no artifacts, and packages what the file says', async () => {
      const outcome = await bench.pack(inputsOfRelease(), helms[0], inRelease);
      assertSucceeded(outcome);
      assert.match(linesOf(outcome)[0] ?? '', /^This is a classic release, and a release keeps no artifacts/);
      assert.match(outcome.variables['chartpath'] ?? '', /\/temp\/charts\/web-1\.4\.0\+c\.[0-9a-f]{10}\.tgz$/);
    });

    const refused: [what: string, inputs: Record<string, string>, message: RegExp][] = [
      [
        'to publish',
        { publish: 'chart' },
        /^The input publish is set, but this is a classic release, and a release keeps no/,
      ],
      [
        'to push',
        { push: 'true', connectionType: 'dockerConfig', registry: 'contoso.azurecr.io' },
        /^The input push is true, but this is a classic release/,
      ],
      [
        'to ask the registry what was built',
        { imagesFile: '', connectionType: 'dockerConfig', registry: 'contoso.azurecr.io' },
        /^The input imagesFile is required in a classic release/,
      ],
    ];
    for (const [what, more, message] of refused) {
      it(`is refused ${what}, and nothing is written`, async () => {
        assertFailed(await bench.pack({ ...inputsOfRelease(), ...more }, undefined, inRelease), message);
        assert.equal(await fingerprint(), untouched);
      });
    }
  });
});
