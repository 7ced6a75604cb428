/**
 * A packed chart as the OCI artifact that `helm push` makes of it, but for the time of the push: its digest is known
 * before anything is sent, and depends on the chart alone. Pure. https://helm.sh/docs/topics/registries/
 */
import { inputError } from '../base/errors.ts';
import { annotationsOf, encodeChartConfig, readChartConfig } from '../helm/chart-config.ts';
import type { ChartMetadata } from '../helm/metadata.ts';
import { tagOfVersion } from '../helm/version.ts';
import { computeDigest, type Digest } from '../oci/digest.ts';
import { type Descriptor, encodeManifest, type Manifest, maxManifestBytes } from '../oci/manifest.ts';
import { helmConfig, helmLayer, ociManifest } from '../oci/media-types.ts';
import { isTag } from '../oci/reference.ts';

/** A chart in its archive. */
export interface ArchivedChart {
  /** The `.tgz`. */
  readonly bytes: Uint8Array;
  /** What the `Chart.yaml` in it says. */
  readonly metadata: ChartMetadata;
}

/** A chart that can be pushed. */
export interface ChartArtifact {
  readonly name: string;
  readonly version: string;
  /** The version as a tag. */
  readonly tag: string;
  /** The digest of the `.tgz`. */
  readonly archive: Digest;
  readonly manifest: Manifest;
  /** What the manifest names: the config and the archive. */
  readonly blobs: readonly ChartBlob[];
}

/** A part of the artifact. */
export interface ChartBlob {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** Makes it. Throws `INPUT_INVALID` for metadata that helm would not read, and for what no registry takes. */
export function createChartArtifact({ bytes, metadata }: ArchivedChart): ChartArtifact {
  const { name, version } = metadata;
  const tag = tagOfVersion(version);
  if (!isTag(tag)) {
    throw inputError(
      `The chart "${name}" cannot be pushed: its version "${version.slice(0, 200)}" would be its tag, and a tag is 1 to 128 letters, digits, ".", "_" and "-". Give it a shorter version.`,
    );
  }
  const config = readChartConfig(metadata);
  const parts = { config: blobOf(encodeChartConfig(config)), archive: blobOf(bytes) };
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: ociManifest,
    config: describeBlob(helmConfig, parts.config),
    layers: [describeBlob(helmLayer, parts.archive)],
    annotations: annotationsOf(config),
  });
  if (manifest.bytes.byteLength > maxManifestBytes) {
    throw inputError(
      `The chart "${name}" cannot be pushed: the annotations in its Chart.yaml are more than the 4 MiB that a registry takes.`,
    );
  }
  return { name, version, tag, archive: parts.archive.digest, manifest, blobs: Object.values(parts) };
}

function blobOf(bytes: Uint8Array): ChartBlob {
  return { digest: computeDigest(bytes), bytes };
}

function describeBlob(mediaType: string, { digest, bytes }: ChartBlob): Descriptor {
  return { mediaType, digest, size: bytes.byteLength };
}
