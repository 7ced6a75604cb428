/** What people see on the build's page. */
import type { BuildIdentity } from '../../core/lifecycle/build-record.ts';
import type { TagResult } from '../../core/lifecycle/tag.ts';
import { code, formatBytes, row, shortDigest, table } from '../agent/markdown.ts';
import { escapeMarkdown } from '../agent/summary.ts';

/** What the page tells of. */
export interface SummaryContent {
  readonly build: BuildIdentity;
  readonly buildUrl: string | undefined;
  /** The registry's host. */
  readonly registry: string;
  readonly onBuildDeleted: 'delete' | 'keep';
  readonly result: TagResult;
}

/** Writes the page, as Markdown. */
export function describeImages({ build, buildUrl, registry, onBuildDeleted, result }: SummaryContent): string {
  const number = escapeMarkdown(build.number || String(build.id));
  const fate =
    onBuildDeleted === 'delete'
      ? 'When this build is deleted its tags are taken off, and images that no other tag holds are deleted.'
      : 'These images are **kept** when this build is deleted.';
  const rows = result.images.map(image =>
    row([
      code(image.repository),
      shortDigest(image.digest),
      image.tags.map(code).join(' '),
      image.children.length > 0 ? `index of ${image.children.length}` : 'image',
      // Of an index we know the size of its manifests alone, which says nothing.
      image.children.length > 0 ? '' : formatBytes(image.size),
    ]),
  );
  const moved = result.images.flatMap(image =>
    image.moved.map(({ tag, from }) => `- ${code(`${image.repository}:${tag}`)} was moved from ${code(from)}.`),
  );
  return [
    `### Images of build ${buildUrl ? `[${number}](${buildUrl})` : number} in ${escapeMarkdown(registry)}`,
    fate,
    table(['Repository', 'Digest', 'Tags', 'Kind', 'Size'], ['left', 'left', 'left', 'left', 'right'], rows),
    ...(moved.length > 0 ? [moved.join('\n')] : []),
    `From commit ${code(build.commit.slice(0, 12))} of ${escapeMarkdown(build.repository)}, ${escapeMarkdown(build.branch)}. By digest:`,
    ['```text', ...result.images.map(image => `${registry}/${image.repository}@${image.digest}`), '```'].join('\n'),
    '',
  ].join('\n\n');
}
