/** Media types by their standard names. https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md */

export const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
export const ociIndex = 'application/vnd.oci.image.index.v1+json';
export const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json';
export const dockerConfig = 'application/vnd.docker.container.image.v1+json';
export const dockerLayer = 'application/vnd.docker.image.rootfs.diff.tar';
export const dockerIndex = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const emptyConfig = 'application/vnd.oci.empty.v1+json';
export const ociLayer = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const helmConfig = 'application/vnd.cncf.helm.config.v1+json';
export const helmLayer = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
export const ociConfig = 'application/vnd.oci.image.config.v1+json';

/** A form of artifacts that the specification had before 1.1, and that registries still hold. Read, never copied. */
export const ociArtifact = 'application/vnd.oci.artifact.manifest.v1+json';

/** What we ask for: without the index types a registry answers 404 for an index. */
export const acceptManifests = [ociManifest, ociIndex, dockerManifest, dockerIndex].join(', ');

/** Whether the media type is that of an index (Docker: manifest list). */
export function isIndexType(mediaType: string): boolean {
  return mediaType === ociIndex || mediaType === dockerIndex;
}

/** Whether the media type is that of an image manifest of one platform (or an artifact in that form). */
export function isManifestType(mediaType: string): boolean {
  return mediaType === ociManifest || mediaType === dockerManifest;
}

/** Whether a layer of the media type may stay elsewhere, at the addresses in its descriptor. */
export function isForeignLayerType(mediaType: string): boolean {
  return (
    mediaType.startsWith('application/vnd.oci.image.layer.nondistributable.') ||
    mediaType.startsWith('application/vnd.docker.image.rootfs.foreign.')
  );
}
