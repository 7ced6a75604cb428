/** What people see on the run's page. */
import type { PromotedImage } from '../../core/lifecycle/promote.ts';
import type { CopyProgress } from '../../core/oci/copy-progress.ts';
import { code, count, formatBytes, row, shortDigest, table } from '../agent/markdown.ts';
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
    ...(referrers.length > 0 ? [count(referrers.length, 'referrer')] : []),
    ...(digestTags.length > 0 ? [count(digestTags.length, 'digest tag')] : []),
  ];
  const [there, brought] = content.dryRun ? ['is there', 'would be brought'] : ['was there', 'copied'];
  const how = content.imported.has(image.root) ? 'imported' : brought;
  return row([
    `${code(image.target.name)}${name}${isChart ? ', a chart' : ''}`,
    shortDigest(image.root),
    image.tags.map(code).join(' '),
    extra.join(', '),
    tagged.length === 0 ? there : how,
  ]);
}

/** On the bytes: what went, what was spared, how fast. */
export function describeBytes(content: Pick<SummaryContent, 'progress' | 'took' | 'dryRun' | 'imported'>): string {
  const { progress, took, dryRun, imported } = content;
  const { sent, spared, blobs, manifests } = progress;
  if (dryRun) return describePlan(progress);
  if (manifests === 0 && imported.size === 0) return 'Nothing had to be moved.';
  const rate = took > 0 ? `, ${formatBytes((sent / took) * 1000)}/s` : '';
  const graphs = imported.size === 1 ? 'one image or referrer' : `${imported.size} images and referrers`;
  return [
    imported.size > 0 && `Azure imported ${graphs}, without a byte through this agent.`,
    manifests > 0 && `Sent ${describeSent(sent, progress)} in ${(took / 1000).toFixed(1)} s${rate}.`,
    spared > 0 &&
      `Spared ${formatBytes(spared)}: ${count(blobs.present, 'blob')} there already, ${blobs.mounted} mounted.`,
  ]
    .filter(Boolean)
    .join(' ');
}

function describePlan(progress: CopyProgress): string {
  const { total, spared, blobs, manifests } = progress;
  if (manifests === 0) return 'Nothing would have to be moved. Nothing was changed.';
  const there = spared > 0 ? `${formatBytes(spared)} in ${count(blobs.present, 'blob')}` : 'nothing';
  return `To send: ${describeSent(total - spared, progress)}; there already: ${there}. Nothing was changed.`;
}

function describeSent(bytes: number, { blobs, manifests }: CopyProgress): string {
  return `${formatBytes(bytes)} in ${count(blobs.copied, 'blob')} and ${count(manifests, 'manifest')}`;
}
