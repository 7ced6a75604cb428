import assert from 'node:assert/strict';
import type { AzureDevOps } from '../../../core/azure-devops/connection.ts';
import { getRelease } from '../../../core/azure-devops/releases.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../../emulators/azure-devops/azure-devops.ts';
import type { Effect } from '../../emulators/azure-devops/faults.ts';
import { connect } from './connect.ts';

type Json = { artifacts: Array<{ definitionReference: Record<string, { id: unknown; name: unknown }> }> };

function edit(change: (json: Json) => unknown): Effect {
  const spoil = (json: unknown): unknown => change(json as Json) ?? json;
  return { kind: 'edit', edit: spoil };
}

describe('asking Azure DevOps about a classic release', () => {
  let emulator: AzureDevOpsEmulator;
  let ado: AzureDevOps;
  let projectId: string;
  let library: string;
  let releaseId: number;
  beforeEach(async () => {
    emulator = await startAzureDevOps();
    ado = connect(emulator, { url: emulator.releaseUrl }).ado;
    projectId = emulator.world.addProject({ name: 'Shop' }).id;
    library = emulator.world.addProject({ name: 'Library' }).id;
    emulator.world.addDefinition({ projectId, id: 12 });
    emulator.world.addDefinition({ projectId: library, id: 13 });
    emulator.world.addBuild({ definitionId: 12, id: 4711, number: '20261123.1' });
    emulator.world.addBuild({ definitionId: 13, id: 815, number: '1.2.3' });
    const artifacts = [
      { alias: '_shop ci', buildId: 4711 },
      { alias: '_lib', buildId: 815 },
      { alias: '_charts', type: 'Git' },
      { alias: '_npm', type: 'AzureArtifactsFeed-or-whatever', isPrimary: false },
    ];
    releaseId = emulator.world.releases.add({ projectId, artifacts }).id;
  });
  afterEach(() => emulator.close());

  const ask = () => getRelease(ado, projectId, releaseId);
  it('tells each artifact, and of builds which one, of which project', async () => {
    const answer = await getRelease(ado, projectId.toUpperCase(), releaseId);
    assert.ok(answer.kind === 'found', JSON.stringify(answer));
    assert.deepEqual(answer.release, {
      id: releaseId,
      artifacts: [
        {
          alias: '_shop ci',
          type: 'Build',
          isPrimary: true,
          build: { projectId, definitionId: 12, buildId: 4711, number: '20261123.1' },
        },
        {
          alias: '_lib',
          type: 'Build',
          isPrimary: false,
          build: { projectId: library, definitionId: 13, buildId: 815, number: '1.2.3' },
        },
        { alias: '_charts', type: 'Git', isPrimary: false },
        { alias: '_npm', type: 'AzureArtifactsFeed-or-whatever', isPrimary: false },
      ],
    });
  });

  it('is asked for on a host of its own, where no builds are; a server is one host', async () => {
    assert.notEqual(new URL(emulator.releaseUrl).host, new URL(emulator.url).host);
    const elsewhere = await getRelease(connect(emulator).ado, projectId, releaseId);
    assert.ok(elsewhere.kind === 'unknown' && /HttpControllerNotFoundException/.test(elsewhere.reason));
    const path = [projectId, '_apis', 'build', 'builds', '4711'];
    assert.equal((await ado.ask({ what: 'the build', path })).kind, 'refused');
    const server = await startAzureDevOps({ flavour: 'server' });
    try {
      assert.equal(server.releaseUrl, server.url);
      const { id } = server.world.addProject();
      const release = server.world.releases.add({ projectId: id, artifacts: [] });
      assert.equal((await getRelease(connect(server).ado, id, release.id)).kind, 'found');
    } finally {
      await server.close();
    }
  });

  it('says which right is missing', async () => {
    emulator.access.tokens.set('build-reader', { value: 'build-reader', rights: ['read'] });
    const reader = connect(emulator, {
      url: emulator.releaseUrl,
      token: async () => ({ kind: 'bearer', value: 'build-reader' }),
    });
    const answer = await getRelease(reader.ado, projectId, releaseId);
    assert.ok(answer.kind === 'unknown');
    assert.match(answer.reason, /^release 1 of project .*\(403\): give the identity "View releases".*vso\.release/);
  });

  const strange: Readonly<Record<string, Effect>> = {
    'another release': edit(json => ({ ...json, id: 99 })),
    "another project's release": edit(json => ({
      ...json,
      projectReference: { id: '99999999-8888-4777-8666-555555555555' },
    })),
    'a release without artifacts': edit(json => ({ ...json, artifacts: undefined })),
    'one alias twice': edit(json => ({ ...json, artifacts: [...json.artifacts, { alias: '_LIB', type: 'Git' }] })),
    'a build whose id is a number': edit(json => void (json.artifacts[1]!.definitionReference['version']!.id = 815)),
    'a build whose id is padded': edit(json => void (json.artifacts[1]!.definitionReference['version']!.id = ' 815')),
    'a build whose id is 0x32f': edit(json => void (json.artifacts[1]!.definitionReference['version']!.id = '0x32f')),
    'a build whose id is too long': edit(
      json => void (json.artifacts[1]!.definitionReference['version']!.id = '81500000000'),
    ),
    'a build with no number': edit(json => void (json.artifacts[1]!.definitionReference['version']!.name = null)),
    'a build of a project by name': edit(
      json => void (json.artifacts[1]!.definitionReference['project']!.id = 'Library'),
    ),
    'a build of no definition': edit(json => void delete json.artifacts[1]!.definitionReference['definition']),
    'a 404': { kind: 'status', status: 404, json: { typeKey: 'ReleaseNotFoundException', message: 'VS402881' } },
    'a 500': { kind: 'status', status: 500 },
    'a sign-in page': { kind: 'status', status: 203 },
    'half a JSON': { kind: 'truncated' },
    'a null': { kind: 'edit', edit: () => null },
  };
  for (const [name, effect] of Object.entries(strange)) {
    it(`learns nothing from ${name}`, async () => {
      emulator.faults.add({ operation: 'releases.get', effect });
      const answer = await ask();
      assert.ok(answer.kind === 'unknown');
      assert.match(answer.reason, /^release 1 of project /);
    });
  }

  it('names the artifact that it does not understand', async () => {
    emulator.faults.add({
      effect: edit(json => void (json.artifacts[1]!.definitionReference['version']!.id = 'latest')),
    });
    const answer = await ask();
    assert.ok(answer.kind === 'unknown' && /artifact "_lib": the answer does not say version\.id/.test(answer.reason));
  });

  it('sends nothing for ids that are none', async () => {
    assert.equal((await getRelease(ado, 'Shop', releaseId)).kind, 'unknown');
    assert.equal((await getRelease(ado, projectId, 1.5)).kind, 'unknown');
    assert.equal(emulator.requests.entries.length, 0);
  });
});
