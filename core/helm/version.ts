/** Versions of charts, and the tags that they are in a registry. https://helm.sh/docs/topics/registries/#oci-feature-deprecation-and-behavior-changes-with-v380 */

/** What follows a version whose content names it. */
const contentPattern = /\+(?:[0-9A-Za-z-]+\.)*c\.[0-9a-f]{10}$/;

/** The version with a hash of the chart's content as build metadata, as in `1.4.0+c.3f9a1c22d0`. `hash` has ten hexadecimal digits. */
export function withContent(version: string, hash: string): string {
  return `${version}${version.includes('+') ? '.' : '+'}c.${hash}`;
}

/** The version with the build's tag as build metadata, as in `1.4.0+build.4711`. */
export function withBuild(version: string, buildTag: string): string {
  return `${version}${version.includes('+') ? '.' : '+'}build.${buildTag}`;
}

/** Whether it is one of {@link withBuild}, and names this build. */
export function namesBuild(version: string, buildTag: string): boolean {
  return version.endsWith(`+build.${buildTag}`) || (version.includes('+') && version.endsWith(`.build.${buildTag}`));
}

/** Whether it is one of {@link withContent}: it names what is in the chart, and neither a release nor a build. */
export function isContentVersion(version: string): boolean {
  return contentPattern.test(version);
}

/** The tag of a version: helm puts `_` for the `+` that no tag may hold. */
export function tagOfVersion(version: string): string {
  return version.replaceAll('+', '_');
}
