/** What people see on the run's page. */
import { groupBy } from '../../core/base/group-by.ts';
import { formatPath } from '../../core/helm/mapping.ts';
import type { Candidate, PinnedChart, ValueChange } from '../../core/helm/pin-images.ts';
import { code, row, shortDigest, table } from '../agent/markdown.ts';
import { neutralise } from '../agent/output.ts';
import { escapeMarkdown } from '../agent/summary.ts';
import type { PackagedChart } from './artifacts.ts';
import type { Findings, ForeignImage } from './check.ts';
import type { ReadyChart } from './pack.ts';

/** What the page tells of. */
export interface SummaryContent {
  readonly build: { readonly id: number };
  readonly ready: readonly ReadyChart[];
  /** The same, in the same order. */
  readonly charts: readonly PackagedChart[];
  readonly findings: Findings;
}

/** No page is read to its end that is longer, and the agent takes 1 MiB: what all charts have together. */
const maxChanges = 500;
/** Of one value. */
const maxShown = 500;

/** Writes the page, as Markdown. */
export function describeCharts({ build, ready, charts, findings }: SummaryContent): string {
  const rows = charts.map(({ name, version, sha256, reference = '' }) =>
    row([code(name), code(version), code(sha256), reference && code(reference)]),
  );
  const share = Math.max(1, Math.floor(maxChanges / ready.length));
  return [
    `### Charts of build ${build.id}`,
    table(['Chart', 'Version', 'sha256 of the archive', 'Pushed as'], ['left', 'left', 'left', 'left'], rows),
    ...ready.flatMap(each => describePins(each, share)),
    ...list('Not pinned', [
      ...ready.flatMap(describeUnpinned),
      ...findings.loose.map(escapeMarkdown),
      ...describeForeign(findings.foreign),
    ]),
    ...list('Pulled from the same registry in every stage', ready.flatMap(describeFixed)),
    ...list('Not checked', findings.unchecked.map(escapeMarkdown)),
    '',
  ].join('\n\n');
}

/** At most `most` images, and as many lines of the values. */
function describePins({ name, pinned }: ReadyChart, most: number): string[] {
  if (pinned.changes.length === 0) return [`${code(name)} names no image of the build.`];
  const rows = [...groupBy(pinned.pins, pin => `${pin.repository}@${pin.digest}`).values()].map(pins => {
    const [{ repository, digest }] = pins as [PinnedChart['pins'][number]];
    return row([code(repository), shortDigest(digest), pins.map(({ path }) => code(formatPath(path))).join(', ')]);
  });
  return [
    `#### What is pinned in ${code(name)}`,
    table(['Image', 'Digest', 'Values'], ['left', 'left', 'left'], rows.slice(0, most)),
    ...(rows.length > most ? [`and ${rows.length - most} more images.`] : []),
    describeChanges(pinned.changes, most),
  ];
}

/** Both sides as they stand in the file, and only what was written: what else stands there may be nobody's business. */
function describeChanges(changes: readonly ValueChange[], most: number): string {
  const shown = changes.slice(0, most);
  const lines = [...groupBy(shown, ({ file }) => file)].flatMap(([file, ofFile]) => [
    `# ${neutralise(file)}`,
    ...ofFile.flatMap(({ line, path, before, after }) => {
      const key = formatPath(path);
      return [
        `@@ line ${line} @@`,
        ...(before === undefined ? [] : [`- ${neutralise(`${key}: ${before.slice(0, maxShown)}`)}`]),
        `+ ${neutralise(`${key}: ${JSON.stringify(after.slice(0, maxShown))}`)}`,
      ];
    }),
  ]);
  const more = changes.length > shown.length ? [`# and ${changes.length - shown.length} more`] : [];
  // Each line begins with a sign of ours, so none of them can end the block.
  return ['```diff', ...lines, ...more, '```'].join('\n');
}

function describeUnpinned({ name, pinned }: ReadyChart): string[] {
  return pinned.unpinned.map(
    ({ file, line, path, image }: Candidate) =>
      `${code(image)} at ${code(formatPath(path))} of ${code(name)} (${code(file)}, line ${line})`,
  );
}

function describeForeign(images: readonly ForeignImage[]): string[] {
  return images.map(({ chart, image }) => `${code(image)} in what helm renders of ${code(chart)}`);
}

/** Whoever promotes wants to know: the values of a stage do not name these. */
function describeFixed({ name, pinned }: ReadyChart): string[] {
  const fixed = pinned.pins.filter(({ values }) => Object.keys(values).length === 0);
  return fixed.map(({ path, repository }) => `${code(repository)} at ${code(formatPath(path))} of ${code(name)}`);
}

function list(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, maxChanges).map(item => `- ${item}`);
  return [`#### ${title}`, shown.join('\n')];
}
