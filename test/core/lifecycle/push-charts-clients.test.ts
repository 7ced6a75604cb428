/** What others read of a chart that we pushed: helm of every age, and skopeo; from a registry of Debian and from Azure's. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { createChartArtifact } from '../../../core/lifecycle/chart-artifact.ts';
import { pushCharts } from '../../../core/lifecycle/push-charts.ts';
import { computeDigest } from '../../../core/oci/digest.ts';
import { offerManifest } from '../../../core/oci/manifests.ts';
import { openRegistry, type Registry } from '../../../core/oci/registry.ts';
import { openRepository } from '../../../core/oci/repository.ts';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';
import { type Helm, helms, packedHelm, runHelm } from '../../support/helm.ts';
import { inspectDigest, skopeo } from '../../support/skopeo.ts';
import { anonymous, type Client, createClient } from '../oci/world.ts';
import { type Estate, startEstate } from './estate.ts';
import { makeArtifact, type PackedByHelm, packByHelm, pushOf } from './packed-charts.ts';

const version = '1.4.0+c.3f9a1c22d0';
const tag = '1.4.0_c.3f9a1c22d0';
const chartYaml = `apiVersion: v2
name: shop
version: ${version}
description: Läden
maintainers: [{name: Eva, email: eva@shop.invalid}]
annotations: {artifacthub.io/images: "- name: web\\n  image: registry.invalid/web@sha256:00\\n"}
`;
const files = {
  'values.yaml': 'tag: "1.0"\n',
  'templates/map.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata: {tag: {{ .Values.tag | quote }}}\n',
};

describe('a chart that we pushed', () => {
  let estate: Estate;
  let docker: DockerRegistry;
  let client: Client;
  let folder: string;
  let packed: PackedByHelm;
  let id: number;
  before(async () => {
    estate = await startEstate();
    docker = await startDockerRegistry();
    client = createClient();
    folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-charts-'));
    packed = await packByHelm(helms[0] as Helm, folder, chartYaml, files);
    ({ id } = estate.ado.world.addBuild({ definitionId: estate.definitionId }));
    await signIn();
    await Promise.all([push(estate.connect()), push(connect())]);
  });
  after(async () => {
    await client.http.close();
    await Promise.all([estate.close(), docker.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  const connect = (): Registry =>
    openRegistry({ address: `http://${docker.host}`, credentials: anonymous, http: client.http });
  const push = (registry: Registry) => {
    const charts = [{ repository: 'charts/shop', artifact: createChartArtifact(packed) }];
    return pushCharts({ ...estate.surroundings, registry }, pushOf(estate, id, charts));
  };
  /** As `helm registry login` leaves it. */
  const signIn = async (): Promise<void> => {
    const auth = Buffer.from('admin:admin-password').toString('base64');
    await mkdir(join(folder, 'registry'));
    await writeFile(
      join(folder, 'registry', 'config.json'),
      JSON.stringify({ auths: { [estate.acr.host]: { auth } } }),
    );
    await writeFile(join(folder, 'ca.pem'), estate.acr.ca);
  };

  for (const helm of helms) {
    const isOld = helm.version.startsWith('3.10.');
    // The old one speaks to this machine in plain text, whatever it is told, and Azure never does.
    for (const kind of isOld ? (['docker-registry'] as const) : (['docker-registry', 'Azure'] as const)) {
      const run = (command: readonly string[], reference: string): Promise<string> => {
        const isAzure = kind === 'Azure';
        const place = `oci://${isAzure ? estate.acr.host : docker.host}/charts/shop`;
        const flags = isAzure || isOld ? [] : ['--plain-http'];
        const args = [...command, place, '--version', reference, ...flags];
        return runHelm(helm, args, folder, { SSL_CERT_FILE: join(folder, 'ca.pem') });
      };

      it(`is pulled by helm ${helm.version} from ${kind}, byte for byte`, async () => {
        const target = join(folder, 'pulled');
        await mkdir(target, { recursive: true });
        await run(['pull', '--destination', target], version);
        assert.deepEqual(await readFile(join(target, `shop-${version}.tgz`)), packed.bytes);
        await rm(target, { recursive: true });
      });

      it(`is shown and rendered by helm ${helm.version} from ${kind}`, async () => {
        const shown = await run(['show', 'chart'], version);
        // Some say first what they pulled.
        assert.deepEqual(parse(shown.slice(shown.indexOf('annotations:'))), parse(chartYaml));
        assert.match(await run(['template', 'name', '--set-string', 'tag=2'], version), /tag: "2"/);
      });
    }
  }

  it('has the digest that was known, for skopeo under either tag', async () => {
    const { manifest, archive } = createChartArtifact(packed);
    for (const name of [tag, String(id)]) {
      assert.equal(await inspectDigest(docker, `charts/shop:${name}`), manifest.digest);
    }
    const place = `docker://${docker.host}/charts/shop`;
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', `${place}@${manifest.digest}`);
    assert.equal(computeDigest(Buffer.from(raw)), manifest.digest);
    const layout = join(folder, 'layout');
    await skopeo('copy', '--preserve-digests', '--src-tls-verify=false', `${place}:${tag}`, `oci:${layout}:shop`);
    const blob = await readFile(join(layout, 'blobs/sha256', archive.slice('sha256:'.length)));
    assert.deepEqual(blob, packed.bytes, 'and copies it whole');
  });

  it('that helm pushed before shares what it is made of', async () => {
    await docker.clear();
    await runHelm(
      { version: '3.10.1', path: packedHelm },
      ['push', packed.fileName, `oci://${docker.host}/charts`],
      folder,
    );
    const { blobs } = createChartArtifact(packed);
    const stored = await docker.fingerprint();
    for (const { digest } of blobs) assert.ok(stored.includes(digest.slice('sha256:'.length)), digest);
    await assert.rejects(push(connect()), { code: 'TAG_TAKEN' }, 'but its manifest says when');
  });

  it('is not taken by a registry that lacks a part of it, and that is known from the answer', async () => {
    const { manifest } = makeArtifact('9.9.9');
    assert.equal(
      await offerManifest(openRepository(connect(), 'charts/none', ['pull', 'push']), '9.9.9', manifest),
      false,
    );
    const emulated = openRepository(estate.connect(), 'charts/none', ['pull', 'push']);
    assert.equal(await offerManifest(emulated, '9.9.9', manifest), false);
  });
});
