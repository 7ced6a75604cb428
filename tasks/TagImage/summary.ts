/** What people see on the build's page. */
import type { BuildIdentity } from '../../core/lifecycle/build-record.ts';
import type { TagResult } from '../../core/lifecycle/tag.ts';
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
      code(`${image.digest.slice(0, 'sha256:'.length + 12)}…`),
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
    [row(['Repository', 'Digest', 'Tags', 'Kind', 'Size']), row(['---', '---', '---', '---', '---:']), ...rows].join(
      '\n',
    ),
    ...(moved.length > 0 ? [moved.join('\n')] : []),
    `From commit ${code(build.commit.slice(0, 12))} of ${escapeMarkdown(build.repository)}, ${escapeMarkdown(build.branch)}. By digest:`,
    ['```text', ...result.images.map(image => `${registry}/${image.repository}@${image.digest}`), '```'].join('\n'),
    '',
  ].join('\n\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Only names of a known grammar come here, but a backtick or a bar would end the span or the cell. */
function code(text: string): string {
  return `\`${text.replace(/[`|\r\n]/g, '')}\``;
}

function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}
