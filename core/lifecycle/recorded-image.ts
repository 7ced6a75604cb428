/** What a record keeps of an image. */
import type { Manifest } from '../oci/manifest.ts';
import type { RecordedImage } from './build-record.ts';

/** Describes the image of `manifest` in `repository`, with the tags that it has or gets, each once. */
export function describeImage(repository: string, manifest: Manifest, tags: readonly string[]): RecordedImage {
  const { digest, mediaType, config, layers, children, subject, bytes } = manifest;
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
