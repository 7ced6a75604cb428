/** Versions of charts, and the tags that they are in a registry. https://helm.sh/docs/topics/registries/#oci-feature-deprecation-and-behavior-changes-with-v380 */

/** What follows a version whose content names it. */
const contentPattern = /\+(?:[0-9A-Za-z-]+\.)*c\.[0-9a-f]{10}$/;

/** The version with a hash of the chart's content as build metadata, as in `1.4.0+c.3f9a1c22d0`. `hash` has ten hexadecimal digits. */
export function withContent(version: string, hash: string): string {
  return `${version}${version.includes('+') ? '.' : '+'}c.${hash}`;
}

/** Whether it is one of {@link withContent}: it names what is in the chart, and neither a release nor a build. */
export function isContentVersion(version: string): boolean {
  return contentPattern.test(version);
}

/** The tag of a version: helm puts `_` for the `+` that no tag may hold. */
export function tagOfVersion(version: string): string {
  return version.replaceAll('+', '_');
}
