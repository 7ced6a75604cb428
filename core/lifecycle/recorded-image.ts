/** What a record says of one image, by its manifest. Pure. */
import type { Manifest } from '../oci/manifest.ts';
import type { RecordedImage } from './build-record.ts';

/** Describes an image of a repository that the build gave these tags. */
export function describeImage(repository: string, manifest: Manifest, tags: readonly string[]): RecordedImage {
  const { config, layers, children, subject, bytes, digest, mediaType } = manifest;
  return {
    repository,
    digest,
    mediaType,
    size: [config, ...layers, ...children].reduce((sum, part) => sum + (part?.size ?? 0), bytes.byteLength),
    children: children.map(child => child.digest),
    subject: subject?.digest,
    tags: [...new Set(tags)],
  };
}
