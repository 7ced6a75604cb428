/**
 * Tags that name what is in a chart, as `1.4.0_c.3f9a1c22d0` does. Nobody released that version and no build owns it: all
 * builds with the same content share it. So it holds nothing by itself, and goes with the manifest when no build has that.
 */
import { isContentVersion, tagOfVersion } from '../helm/version.ts';
import type { Manifest } from '../oci/manifest.ts';
import { helmConfig } from '../oci/media-types.ts';

/** Whether a tag has the form of one; what it is on tells whether it is one. */
export function looksLikeContent(tag: string): boolean {
  const at = tag.indexOf('_');
  return at > 0 && isContentVersion(`${tag.slice(0, at)}+${tag.slice(at + 1)}`);
}

/** Whether `tag` is the version that the chart itself says. What is no chart has none, whatever its tags look like. */
export function isContentTagOf(manifest: Manifest, tag: string): boolean {
  return contentTagOf(manifest) === tag;
}

/** The tag that a chart's own version is, where that names its content; undefined for every other manifest. */
export function contentTagOf({ config, annotations }: Manifest): string | undefined {
  const version = annotations['org.opencontainers.image.version'] ?? '';
  return config?.mediaType === helmConfig && isContentVersion(version) ? tagOfVersion(version) : undefined;
}
