/** What people see on the run's page. */
import type { PromotedImage } from '../../core/lifecycle/promote.ts';
import type { CopyProgress } from '../../core/oci/copy-progress.ts';
import { code, formatBytes, row, shortDigest, table } from '../agent/markdown.ts';
import { escapeMarkdown } from '../agent/summary.ts';

/** What the page tells of one build. */
export interface SummaryContent {
  readonly build: { readonly buildId: number; readonly number: string };
  /** Hosts. */
  readonly from: string;
  readonly to: string;
  readonly stage: string;
  readonly dryRun: boolean;
  readonly images: readonly PromotedImage[];
  /** Digests that Azure imported. */
  readonly imported: ReadonlySet<string>;
  readonly progress: CopyProgress;
  /** Milliseconds. */
  readonly took: number;
  /** What holds the build, in words. */
  readonly hold: string;
}

/** Writes the page, as Markdown. */
export function describePromotion(content: SummaryContent): string {
  const { build, from, to, stage, dryRun, images } = content;
  const title = dryRun ? 'Would be promoted' : 'Promoted';
  const where = `${escapeMarkdown(from)} to ${escapeMarkdown(to)}${stage ? `, for ${escapeMarkdown(stage)}` : ''}`;
  const rows = images.map(image => describeImage(image, content));
  const moved = images.flatMap(({ planned }) =>
    planned.moves.map(
      ({ tag, from: old }) =>
        `- ${code(`${planned.image.target.name}:${tag}`)} ${dryRun ? 'would be' : 'was'} moved from ${code(old)}.`,
    ),
  );
  return [
    `### ${title}: build ${escapeMarkdown(build.number || String(build.buildId))}, from ${where}`,
    table(['Image', 'Digest', 'Tags', 'With it', 'How'], ['left', 'left', 'left', 'left', 'left'], rows),
    ...(moved.length > 0 ? [moved.join('\n')] : []),
    `${describeBytes(content)} ${escapeMarkdown(content.hold)}`,
    ['```text', ...images.map(({ planned: { image } }) => `${to}/${image.target.name}@${image.root}`), '```'].join(
      '\n',
    ),
    '',
  ].join('\n\n');
}

function describeImage({ planned, referrers, digestTags, tagged }: PromotedImage, content: SummaryContent): string {
  const { image, recorded, isChart } = planned;
  const name = image.target.name === recorded.repository ? '' : ` (from ${code(recorded.repository)})`;
  const extra = [
    ...(referrers.length > 0 ? [`${referrers.length} referrers`] : []),
    ...(digestTags.length > 0 ? [`${digestTags.length} digest tags`] : []),
  ];
  const there = tagged.length === 0 ? 'was there' : undefined;
  const how = content.imported.has(image.root) ? 'imported' : content.dryRun ? 'would be brought' : 'copied';
  return row([
    `${code(image.target.name)}${name}${isChart ? ', a chart' : ''}`,
    shortDigest(image.root),
    image.tags.map(code).join(' '),
    extra.join(', '),
    there ?? how,
  ]);
}

/** One sentence on the bytes: what went, what was spared, how fast. */
export function describeBytes({
  progress,
  took,
  dryRun,
}: Pick<SummaryContent, 'progress' | 'took' | 'dryRun'>): string {
  const { sent, spared, total, blobs, manifests } = progress;
  if (dryRun) {
    return `To send: ${formatBytes(total - spared)} in ${blobs.copied} blobs and ${manifests} manifests; there already: ${formatBytes(spared)} in ${blobs.present} blobs. Nothing was changed.`;
  }
  if (sent === 0 && manifests === 0) return 'Nothing had to be moved.';
  const rate = took > 0 ? `, ${formatBytes((sent / took) * 1000)}/s` : '';
  return `Sent ${formatBytes(sent)} in ${blobs.copied} blobs and ${manifests} manifests in ${(took / 1000).toFixed(1)} s${rate}; spared ${formatBytes(spared)}: ${blobs.present} blobs were there, ${blobs.mounted} were mounted.`;
}
