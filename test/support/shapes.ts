/**
 * Every form that an image has in a registry of today, each with what is said about it: what a copy must bring whole.
 * They are made on the spot, the same bytes each time.
 */
import { gzipSync } from 'node:zlib';
import {
  dockerConfig,
  dockerIndex,
  dockerLayer,
  dockerManifest,
  emptyConfig,
  ociConfig,
  ociIndex,
  ociLayer,
  ociManifest,
} from '../../core/oci/media-types.ts';
import {
  type Content,
  content,
  contentOf,
  flatten,
  makeImage,
  makeIndex,
  makeSignature,
  makeTar,
  pointTo,
} from './images.ts';

/** An image in the source's repository. */
export interface Shape {
  readonly root: Content;
  /** What refers to it, to its parts or to each other. */
  readonly referrers?: readonly Content[];
  /** Tags that say something about it by their name. */
  readonly digestTags?: Readonly<Record<string, Content>>;
}

/** The tag under which something is said about a manifest. */
export function digestTag(subject: Content, end = ''): string {
  return `${subject.digest.replace(':', '-')}${end}`;
}

/** What an artifact is made of. */
export interface ArtifactOptions {
  readonly subject?: Content;
  readonly layers?: readonly Content[];
  /** The descriptor's annotations of each layer, by its place. */
  readonly annotations?: readonly Readonly<Record<string, string>>[];
  /** The bytes of its config, which is empty unless told. */
  readonly config?: Buffer;
}

/** An artifact in the form of an image manifest; `type` is its `artifactType`. */
export function makeArtifact(type: string, options: ArtifactOptions = {}): Content {
  const { subject, layers = [content(type, Buffer.from(`the content of ${type}`))], annotations = [] } = options;
  const config = content(emptyConfig, options.config ?? Buffer.from('{}'));
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifest,
    artifactType: type,
    config: pointTo(config),
    layers: layers.map((layer, at) => ({
      ...pointTo(layer),
      ...(annotations[at] && { annotations: annotations[at] }),
    })),
    ...(subject && { subject: describeSubject(subject) }),
  };
  return contentOf(ociManifest, manifest, [config, ...layers]);
}

/** A subject is named without its platform. */
function describeSubject({ mediaType, digest, bytes }: Content) {
  return { mediaType, digest, size: bytes.byteLength };
}

/** An index of anything; `extra` goes into the descriptors, by their place, and `more` into the index. */
export function makeIndexOf(children: readonly Content[], extra: readonly object[] = [], more: object = {}): Content {
  const manifests = children.map((child, at) => ({ ...pointTo(child), ...extra[at] }));
  return contentOf(ociIndex, { schemaVersion: 2, mediaType: ociIndex, manifests, ...more }, children);
}

/** A list of referrers, as the tag schema keeps it. */
export function makeReferrersList(referrers: readonly Content[]): Content {
  const described = referrers.map(({ bytes }) => {
    const { artifactType, annotations } = JSON.parse(bytes.toString()) as Record<string, unknown>;
    return { artifactType, annotations };
  });
  return makeIndexOf(referrers, described);
}

/** A signature as cosign v2 keeps it: the payload is the same for every key, and the signature is an annotation. */
export function makeCosignature(subject: Content, ...keys: readonly string[]): Content {
  const type = 'application/vnd.dev.cosign.simplesigning.v1+json';
  const payload = contentOf(type, {
    critical: { image: { 'docker-manifest-digest': subject.digest } },
    optional: null,
  });
  const signed = keys.map(key => ({ ...pointTo(payload), annotations: { 'dev.cosignproject.cosign/signature': key } }));
  const config = contentOf(ociConfig, {
    architecture: '',
    os: '',
    rootfs: { type: 'layers', diff_ids: signed.map(() => payload.digest) },
  });
  const manifest = { schemaVersion: 2, mediaType: ociManifest, config: pointTo(config), layers: signed };
  return contentOf(ociManifest, manifest, [config, payload]);
}

/** An image in the media types of Docker. */
export function makeDockerImage(seed: string, architecture = 'amd64'): Content {
  const tar = makeTar([[`etc/${seed}`, `${seed} for ${architecture}\n`]]);
  const layer = content(`${dockerLayer}.gzip`, gzipSync(tar, { level: 9 }));
  const diffIds = [content('', tar).digest];
  const config = contentOf(dockerConfig, { architecture, os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } });
  const manifest = { schemaVersion: 2, mediaType: dockerManifest, config: pointTo(config), layers: [pointTo(layer)] };
  return { ...contentOf(dockerManifest, manifest, [config, layer]), platform: { os: 'linux', architecture } };
}

function makeDockerList(seed: string): Content {
  const children = ['amd64', 'arm64'].map(architecture => makeDockerImage(seed, architecture));
  const list = { schemaVersion: 2, mediaType: dockerIndex, manifests: children.map(pointTo) };
  return contentOf(dockerIndex, list, children);
}

/** An image with one more layer of a kind of its own; with `isThere` false the registry does not have it. */
function makeImageOver(
  seed: string,
  layer: Content,
  options: { urls?: readonly string[]; isThere?: boolean } = {},
): Content {
  const { urls, isThere = true } = options;
  const image = makeImage(seed, { layers: 1 });
  const read = JSON.parse(image.bytes.toString()) as { layers: object[] };
  const layers = [{ ...pointTo(layer), ...(urls && { urls }) }, ...read.layers];
  return contentOf(ociManifest, { ...read, layers }, isThere ? [...image.parts, layer] : image.parts);
}

function makeForeign(isThere: boolean): Content {
  const bytes = gzipSync(makeTar([['Windows/base', `foreign, ${isThere}`]]));
  const layer = content('application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', bytes);
  return makeImageOver(`foreign-${isThere}`, layer, { urls: [`https://layers.invalid/${layer.digest}`], isThere });
}

/** What `docker buildx build` pushes: the provenance is a child of the index, and refers to its neighbour. */
function makeAttested(): Shape {
  const image = makeImage('attested');
  const statement = contentOf('application/vnd.in-toto+json', { subject: [{ digest: image.digest }] });
  const provenance = makeArtifact('application/vnd.docker.attestation.manifest.v1+json', {
    subject: image,
    layers: [statement],
  });
  const annotations = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': image.digest,
  };
  const platform = { architecture: 'unknown', os: 'unknown' };
  const root = makeIndexOf([image, provenance], [{}, { annotations, platform }]);
  return { root, referrers: [provenance] };
}

function makeCosigned(): Shape {
  const root = makeIndex('cosigned');
  const [child = root] = root.parts;
  const attestation = makeArtifact('application/vnd.dsse.envelope.v1+json');
  return {
    root,
    digestTags: {
      [digestTag(root, '.sig')]: makeCosignature(root, 'one key', 'another key'),
      [digestTag(root, '.att')]: attestation,
      [digestTag(child, '.sig')]: makeCosignature(child, 'one key'),
      [digestTag(child, '.sbom')]: makeArtifact('text/spdx+json'),
      // An attestation may be signed, too.
      [digestTag(attestation, '.sig')]: makeCosignature(attestation, 'one key'),
    },
  };
}

/** Signed with Notation, which keeps a list under the tag also where there is a referrers API, and with cosign beside it. */
function makeNotarized(): Shape {
  const root = makeImage('notarized');
  const signature = makeSignature(root);
  return {
    root,
    referrers: [signature],
    digestTags: {
      [digestTag(root)]: makeReferrersList([signature]),
      [digestTag(root, '.sig')]: makeCosignature(root, 'one key'),
    },
  };
}

/** An SBOM, its signature, and the signature of that. */
function makeDocumented(): Shape {
  const root = makeIndex('documented');
  const [child = root] = root.parts;
  const sbom = makeArtifact('application/spdx+json', { subject: root });
  const signature = makeSignature(sbom);
  return { root, referrers: [sbom, signature, makeSignature(signature), makeSignature(child)] };
}

function makeChart(): Content {
  const config = contentOf('application/vnd.cncf.helm.config.v1+json', {
    name: 'shop',
    version: '1.2.3',
    apiVersion: 'v2',
  });
  const bytes = gzipSync(makeTar([['shop/Chart.yaml', 'apiVersion: v2\nname: shop\nversion: 1.2.3\n']]));
  const layer = content('application/vnd.cncf.helm.chart.content.v1.tar+gzip', bytes);
  const manifest = { schemaVersion: 2, mediaType: ociManifest, config: pointTo(config), layers: [pointTo(layer)] };
  return contentOf(ociManifest, { ...manifest, annotations: { created: '2026-01-01' } }, [config, layer]);
}

/** What `--cache-to type=registry` pushes: an index that holds blobs. */
function makeBuildCache(): Content {
  const layers = ['one', 'two'].map(name => content(ociLayer, gzipSync(makeTar([[name, `cached ${name}`]]))));
  const config = contentOf('application/vnd.buildkit.cacheconfig.v0', {
    layers: layers.map(({ digest }) => ({ blob: digest })),
  });
  return makeIndexOf([...layers, config]);
}

/** All of them, by name. */
export function makeShapes(): Readonly<Record<string, Shape>> {
  const [, layer = makeChart()] = makeImage('twice', { layers: 1 }).parts;
  const platforms = makeIndex('nested');
  const subject = makeImage('subject');
  return {
    'an image': { root: makeImage('plain') },
    'an index': { root: makeIndex('index') },
    'a nested index': { root: makeIndexOf([makeIndexOf([platforms, makeImage('inner')]), makeImage('outer')]) },
    'a Docker image': { root: makeDockerImage('docker') },
    'a Docker list': { root: makeDockerList('docker') },
    'an index of both kinds': { root: makeIndexOf([makeDockerImage('mixed'), makeImage('mixed')]) },
    'an artifact with a subject': { root: makeArtifact('application/vnd.test.root', { subject }) },
    'an artifact of nothing': { root: makeArtifact('application/vnd.test.empty', { layers: [] }) },
    'an image with a foreign layer elsewhere': { root: makeForeign(false) },
    'an image with a foreign layer beside it': { root: makeForeign(true) },
    'an image with an empty layer': { root: makeImageOver('zero', content(ociLayer, Buffer.alloc(0))) },
    'an image with a layer twice': { root: makeImageOver('twice', layer) },
    'an index with provenance': makeAttested(),
    'an index signed with cosign': makeCosigned(),
    'an image signed with Notation': makeNotarized(),
    'an index with an SBOM and signatures': makeDocumented(),
    'a chart': { root: makeChart() },
    'a build cache': { root: makeBuildCache() },
  };
}

/** Every manifest of a shape, each once. */
export function manifestsOf({ root, referrers = [], digestTags = {} }: Shape): Content[] {
  return once([root, ...referrers, ...Object.values(digestTags)].flatMap(flatten).filter(isManifest));
}

/** Every blob of a shape, each once. */
export function blobsOf({ root, referrers = [], digestTags = {} }: Shape): Content[] {
  return once([root, ...referrers, ...Object.values(digestTags)].flatMap(flatten).filter(each => !isManifest(each)));
}

/** Whether it is kept as a manifest. */
export function isManifest({ mediaType }: Content): boolean {
  return [ociManifest, ociIndex, dockerManifest, dockerIndex].includes(mediaType);
}

function once(contents: readonly Content[]): Content[] {
  return [...new Map(contents.map(each => [each.digest, each])).values()];
}
