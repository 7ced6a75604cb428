/** What we push is what `helm push` makes of the same archive, but for the time of the push. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChartArtifact, createChartArtifact } from '../../../core/lifecycle/chart-artifact.ts';
import { computeDigest } from '../../../core/oci/digest.ts';
import { getManifest } from '../../../core/oci/manifests.ts';
import { openRegistry } from '../../../core/oci/registry.ts';
import { openRepository } from '../../../core/oci/repository.ts';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';
import { type Helm, helms, runHelm } from '../../support/helm.ts';
import { anonymous, type Client, createClient, fails } from '../oci/world.ts';
import { makeArtifact, packByHelm } from './packed-charts.ts';

const created = 'org.opencontainers.image.created';
const plain = 'apiVersion: v2\nname: shop\nversion: 1.4.0\n';

/** Charts by what is special about them. */
const shapes: Readonly<Record<string, string>> = {
  'the least that a chart must say': plain,
  'every field that helm knows, and one that it does not': `apiVersion: v2
name: shop
version: 1.4.0+c.3f9a1c22d0
kubeVersion: ">=1.20.0-0"
description: A shop
type: application
keywords: [web, shop]
home: https://shop.invalid
sources: [https://git.invalid/shop, https://git.invalid/other]
maintainers: [{name: Eva, email: eva@shop.invalid, url: https://eva.invalid}, {name: Jim}, {email: only@shop.invalid}]
icon: https://shop.invalid/icon.svg
appVersion: "1.10"
deprecated: true
condition: shop.enabled
tags: web
annotations: {zeta: last, alpha: first}
dependencies: [{name: db, version: ">=0.1.0", condition: db.enabled, tags: [data], alias: store, import-values: [data]}]
mood: good
`,
  'what is empty': `${plain}description: ""\nsources: []\nkeywords: []\nmaintainers: []\ndeprecated: false\nannotations: {}\nhome: " "\n`,
  'text that has to be escaped, and text of several lines': `${plain}description: "Läden & <mehr> 🎉\\n\\tzweite\\u2028Zeile\\u00a0\\u200b\\u0007."\nannotations: {"ä<b>": "x & y\\n\\u2028z"}\n`,
  'annotations with the names of those that helm makes': `${plain}home: https://shop.invalid
annotations:
  org.opencontainers.image.title: other
  org.opencontainers.image.version: 9.9.9
  org.opencontainers.image.url: https://other.invalid
  org.opencontainers.image.licenses: MIT
`,
  'numbers where text is meant': `${plain}home: 3.10\nappVersion: 1.20\nkeywords: [1, true, 0x10]\nmaintainers: [{name: 7}]\n`,
  'a library of version 1': 'apiVersion: v1\nname: shop\nversion: v1.4.0-rc.1+7\n',
};

for (const helm of helms) {
  describe(`a chart as an artifact, beside helm ${helm.version}`, () => {
    let registry: DockerRegistry;
    let client: Client;
    let folder: string;
    before(async () => {
      registry = await startDockerRegistry();
      client = createClient();
      folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-charts-'));
    });
    after(async () => {
      await client.http.close();
      await registry.stop();
      await rm(folder, { recursive: true, force: true });
    });

    for (const [shape, chartYaml] of Object.entries(shapes)) {
      it(`with ${shape}`, async () => {
        const files = { 'charts/db/Chart.yaml': 'apiVersion: v2\nname: db\nversion: 0.1.0\n' };
        const packed = await packByHelm(helm, folder, chartYaml, shape.startsWith('every') ? files : {});
        await runHelm(helm, ['push', packed.fileName, `oci://${registry.host}/charts`, ...plainHttp(helm)], folder);
        const address = `http://${registry.host}`;
        const opened = openRegistry({ address, credentials: anonymous, http: client.http });
        const { manifest, tag, archive, blobs } = createChartArtifact(packed);
        const theirs = await getManifest(openRepository(opened, 'charts/shop', ['pull']), tag);
        assert.ok(theirs, 'it is under the tag that helm gave it');
        assert.deepEqual(manifest.config, theirs.config, 'the config is the same blob');
        assert.deepEqual(manifest.layers, theirs.layers);
        assert.equal(archive, computeDigest(packed.bytes));
        assert.deepEqual(
          blobs.map(({ digest, bytes }) => [digest, bytes.byteLength]),
          [theirs.config, ...theirs.layers].map(each => [each?.digest, each?.size]),
        );
        assert.deepEqual([manifest.mediaType, manifest.subject], [theirs.mediaType, undefined]);
        // Helm wrote none before 3.12.
        if (helm.version.startsWith('3.10.')) return assert.deepEqual(theirs.annotations, {});
        const { [created]: _, ...annotations } = theirs.annotations;
        assert.deepEqual(manifest.annotations, annotations);
        assert.deepEqual(Object.keys(manifest.annotations), Object.keys(annotations), 'in the same order');
      });
    }
  });
}

/** Helm 3.10 finds out by itself. */
function plainHttp({ version }: Helm): string[] {
  return version.startsWith('3.10.') ? [] : ['--plain-http'];
}

function makeAnnotated(annotations: Record<string, string>): ChartArtifact {
  const metadata = { apiVersion: 'v2' as const, name: 'shop', version: '1.4.0', annotations };
  return createChartArtifact({ bytes: Buffer.from('x'), metadata });
}

describe('a chart as an artifact', () => {
  it('has one digest, whenever and wherever it is made', () => {
    const { manifest } = makeArtifact('1.4.0', 'same');
    assert.deepEqual(makeArtifact('1.4.0', 'same').manifest.bytes, manifest.bytes);
    assert.equal(manifest.annotations[created], undefined);
    assert.notEqual(makeArtifact('1.4.0', 'other').manifest.digest, manifest.digest);
    assert.notEqual(makeArtifact('1.4.1', 'same').manifest.digest, manifest.digest);
  });

  it('does not depend on the order in which its annotations stand', () => {
    const [one, other] = [makeAnnotated({ a: '1', b: '2' }), makeAnnotated({ b: '2', a: '1' })];
    assert.equal(one.manifest.digest, other.manifest.digest);
  });

  it('keeps the time that the chart itself says', () => {
    const time = '2026-11-25T10:00:00Z';
    assert.equal(makeAnnotated({ [created]: time }).manifest.annotations[created], time);
  });

  it('has a tag of 128 characters at the most, and none that would be another path', async () => {
    assert.equal(makeArtifact(`1.4.0+${'c'.repeat(122)}`).tag, `1.4.0_${'c'.repeat(122)}`);
    for (const version of [`1.4.0+${'c'.repeat(123)}`, '../1', '1/2', '']) {
      const { message } = await fails(
        Promise.resolve().then(() => makeArtifact(version)),
        'INPUT_INVALID',
      );
      assert.match(message, /"shop".*its version ".*" would be its tag/);
    }
  });

  it('is refused, by its field, where helm would not read it', async () => {
    for (const [field, value] of [
      ['keywords', 'web'],
      ['maintainers', ['Eva']],
      ['home', ['https://shop.invalid']],
    ] as const) {
      const metadata = { apiVersion: 'v2' as const, name: 'shop', version: '1.4.0', [field]: value };
      const made = Promise.resolve().then(() => createChartArtifact({ bytes: Buffer.from('x'), metadata }));
      assert.match(
        (await fails(made, 'INPUT_INVALID')).message,
        new RegExp(`Chart\\.yaml of "shop".*\n.*${field}`, 's'),
      );
    }
  });

  it('is refused where its annotations are more than a registry takes', async () => {
    const annotations = Object.fromEntries(Array.from({ length: 70 }, (_, at) => [`a${at}`, 'x'.repeat(64 * 1024)]));
    const made = Promise.resolve().then(() => makeAnnotated(annotations));
    assert.match((await fails(made, 'INPUT_INVALID')).message, /more than the 4 MiB/);
  });
});
