/** Filling a world without HTTP: images as builds make them, and repositories as large as years make them. */
import { type Descriptor, digestOf, type ManifestDocument, mediaTypes } from './content.ts';

/** How a manifest is put. */
export interface PutOptions {
  readonly tags?: readonly string[];
  readonly mediaType?: string;
  /** Milliseconds since the epoch; the clock's time when absent. */
  readonly at?: number;
  readonly algorithm?: string;
  /** What the bytes say, when the caller knows it already. */
  readonly document?: ManifestDocument;
}

/** What seeding needs of a world. */
export interface SeedBase {
  putBlob(repository: string, bytes: Uint8Array | string): string;
  putManifest(repository: string, manifest: Uint8Array | ManifestDocument, options?: PutOptions): string;
  tag(repository: string, name: string, digest: string, at?: number): void;
}

/** What all seeded manifests may have. */
export interface SeedOptions {
  readonly tags?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly at?: number;
}

/** A platform image; without `layers` it has one that no other image has. */
export interface ImageOptions extends SeedOptions {
  readonly architecture?: string;
  readonly os?: string;
  readonly layers?: readonly (string | Uint8Array)[];
}

/** An artifact with an empty config; its one layer holds `content`. */
export interface ArtifactOptions extends SeedOptions {
  readonly artifactType: string;
  readonly content?: string | Uint8Array;
}

/** How large a repository is to be. */
export interface BulkOptions {
  /** All manifests, indexes among them. */
  readonly manifests: number;
  readonly indexes?: number;
  readonly childrenPerIndex?: number;
  /** The tag of the nth index, or of the nth image where there are no indexes. */
  readonly tag?: (ordinal: number) => string | undefined;
  readonly at?: number;
}

/** Ways to fill a world; each gives what it put. */
export interface Seeds {
  putImage(repository: string, options?: ImageOptions): Descriptor;
  putIndex(repository: string, children: readonly Descriptor[], options?: SeedOptions): Descriptor;
  putArtifact(repository: string, options: ArtifactOptions): Descriptor;
  /** Points many tags at one manifest. */
  seedTags(repository: string, digest: string, names: Iterable<string>, at?: number): void;
  /** Puts many small manifests; gives their digests, images first. */
  seedManifests(repository: string, options: BulkOptions): { images: string[]; indexes: string[] };
}

interface Seeder {
  readonly base: SeedBase;
  /** Makes default layers differ. */
  count: number;
}

function describe(mediaType: string, bytes: Uint8Array | string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: Buffer.byteLength(bytes) };
}

function putDescribed({ base }: Seeder, repository: string, mediaType: string, bytes: Uint8Array | string): Descriptor {
  base.putBlob(repository, bytes);
  return describe(mediaType, bytes);
}

function put(seeder: Seeder, repository: string, document: ManifestDocument, options: SeedOptions): Descriptor {
  const { tags = [], at, annotations, subject, artifactType } = options;
  const whole: ManifestDocument = {
    schemaVersion: 2,
    ...document,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(subject === undefined ? {} : { subject }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  const bytes = Buffer.from(JSON.stringify(whole));
  const put: PutOptions = { tags, document: whole, ...(at === undefined ? {} : { at }) };
  const digest = seeder.base.putManifest(repository, bytes, put);
  return { mediaType: document.mediaType ?? mediaTypes.ociManifest, digest, size: bytes.length };
}

function putImage(seeder: Seeder, repository: string, options: ImageOptions): Descriptor {
  const { architecture = 'amd64', os = 'linux' } = options;
  seeder.count += 1;
  const layers = options.layers ?? [`layer ${seeder.count}`];
  const config = JSON.stringify({
    architecture,
    os,
    rootfs: { type: 'layers', diff_ids: layers.map(layer => digestOf(layer)) },
  });
  const document: ManifestDocument = {
    mediaType: mediaTypes.ociManifest,
    config: putDescribed(seeder, repository, mediaTypes.ociConfig, config),
    layers: layers.map(layer => putDescribed(seeder, repository, mediaTypes.ociLayer, layer)),
  };
  return { ...put(seeder, repository, document, options), platform: { architecture, os } };
}

function putArtifact(seeder: Seeder, repository: string, options: ArtifactOptions): Descriptor {
  const document: ManifestDocument = {
    mediaType: mediaTypes.ociManifest,
    config: putDescribed(seeder, repository, mediaTypes.empty, '{}'),
    layers: [putDescribed(seeder, repository, options.artifactType, options.content ?? '{}')],
  };
  return { ...put(seeder, repository, document, options), artifactType: options.artifactType };
}

function putIndex(
  seeder: Seeder,
  repository: string,
  children: readonly Descriptor[],
  options: SeedOptions,
): Descriptor {
  return put(seeder, repository, { mediaType: mediaTypes.ociIndex, manifests: children }, options);
}

function seedManifests(
  seeder: Seeder,
  repository: string,
  options: BulkOptions,
): { images: string[]; indexes: string[] } {
  const { manifests, indexes = 0, childrenPerIndex = 2, at, tag } = options;
  const config = putDescribed(seeder, repository, mediaTypes.ociConfig, '{"architecture":"amd64","os":"linux"}');
  const layers = [putDescribed(seeder, repository, mediaTypes.ociLayer, 'a shared layer')];
  const tagsOf = (ordinal: number, wanted: boolean): SeedOptions => {
    const name = wanted ? tag?.(ordinal) : undefined;
    return { ...(name === undefined ? {} : { tags: [name] }), ...(at === undefined ? {} : { at }) };
  };
  const images = Array.from({ length: manifests - indexes }, (_, ordinal) => {
    seeder.count += 1;
    const document = { mediaType: mediaTypes.ociManifest, config, layers };
    const annotations = { ordinal: String(seeder.count) };
    return put(seeder, repository, document, { annotations, ...tagsOf(ordinal, indexes === 0) });
  });
  const made = Array.from({ length: indexes }, (_, ordinal) => {
    const first = (ordinal * childrenPerIndex) % Math.max(1, images.length);
    seeder.count += 1;
    const annotations = { ordinal: String(seeder.count) };
    const children = images.slice(first, first + childrenPerIndex);
    return putIndex(seeder, repository, children, { annotations, ...tagsOf(ordinal, true) });
  });
  return { images: images.map(image => image.digest), indexes: made.map(index => index.digest) };
}

/** Makes the ways to fill `base`. */
export function createSeeds(base: SeedBase): Seeds {
  const seeder: Seeder = { base, count: 0 };
  return {
    putImage: (repository, options = {}) => putImage(seeder, repository, options),
    putIndex: (repository, children, options = {}) => putIndex(seeder, repository, children, options),
    putArtifact: (repository, options) => putArtifact(seeder, repository, options),
    seedTags: (repository, digest, names, at) => {
      for (const name of names) base.tag(repository, name, digest, at);
    },
    seedManifests: (repository, options) => seedManifests(seeder, repository, options),
  };
}
