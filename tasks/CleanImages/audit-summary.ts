/** An audit for people: how many bytes, whose, how old, and what would become free. Pure. */
import type { Audit, AuditedRepository, AuditGroup } from '../../core/lifecycle/cleaning/audit.ts';
import type { AuditedImage } from '../../core/lifecycle/cleaning/audited-images.ts';
import type { Owner } from '../../core/lifecycle/cleaning/whose-images.ts';
import type { Cause } from '../../core/lifecycle/keep-policy/judge-copy.ts';
import { formatBytes } from '../agent/markdown.ts';
import { notice } from './plan-summary.ts';
import {
  amount,
  type Block,
  bytes,
  type Cell,
  type Chart,
  day,
  digest,
  name,
  section,
  type Tone,
  tableOf,
  tags,
  text,
} from './report-blocks.ts';

/** Bars of a chart; the table below it has them all. */
const mostBars = 15;

const ownerWords: Readonly<Record<Owner, readonly [words: string, tone: Tone]>> = {
  living: ['builds that are there', 'living'],
  gone: ['builds that are gone', 'gone'],
  taggedGone: ['builds that are gone, by their tags alone', 'likelyGone'],
  unasked: ['builds of projects that were not asked', 'unasked'],
  unknown: ['builds of which nothing could be read', 'unknown'],
  nobody: ['nobody on record', 'nobody'],
  chart: ['Helm charts', 'chart'],
};

const causeWords: Readonly<Record<Cause, string>> = {
  build: 'their builds are gone',
  untagged: 'they have no tag',
  withoutRecord: 'their tags name builds that are deleted',
  belongs: 'they belong to what goes',
};

/** What an audit begins with: what was not read, and its figures. */
export function summarizeAudit(audit: Audit): Block[] {
  const { total, owners, registries, knowsUsage } = audit;
  const gone = owners.filter(({ owner }) => owner === 'gone' || owner === 'taggedGone');
  const atMost = knowsUsage ? '' : ' at most';
  return [
    ...notice('Nothing would go, because not everything could be read:', audit.unread),
    ...notice('These references of what runs could not be read:', audit.unparsed),
    {
      kind: 'figures',
      items: [
        { label: `in ${count(registries.length, 'registry', 'registries')}`, value: bytes(total.bytes) },
        { label: 'images, their parts and signatures', value: amount(total.images) },
        { label: 'belong to builds that are gone', value: bytes(gone.reduce((sum, each) => sum + each.bytes, 0)) },
        {
          label: `would become free${atMost} (${percentOf(total.freedBytes, total.bytes)})`,
          value: bytes(total.freedBytes),
        },
      ],
    },
    ...(total.images === 0 ? [tellEmpty(audit)] : []),
  ];
}

/** What was not read may have something in it. */
function tellEmpty({ unread, registries }: Audit): Block {
  const them = registries.length === 1 ? 'it' : 'them';
  return { kind: 'paragraph', text: unread.length > 0 ? 'No image was seen.' : `There is nothing in ${them}.` };
}

/** Tells an audit, but for single images. */
export function describeAudit(audit: Audit): Block[] {
  if (audit.total.images === 0) return [];
  return [
    ...section('Whose it is', [drawOwners(audit), ...tableOwners(audit)]),
    ...section('Where it lies', describePlaces(audit)),
    ...section('How old it is', [drawAges(audit)]),
    ...section('What would go', tableCauses(audit)),
  ];
}

/** The rest of it: images that somebody may ask about, and what was assumed. */
export function describeAuditedImages(audit: Audit): Block[] {
  return [
    ...section('The biggest images', tableImages(audit.biggest)),
    ...section('The oldest images', tableImages(audit.oldest)),
    ...section('What these figures assume', [{ kind: 'list', items: audit.assumptions }]),
  ];
}

function drawOwners({ owners, total }: Audit): Block {
  const shown = [...owners].reverse().filter(each => each.bytes > 0);
  const parts = shown.map(({ owner, bytes: of }) => `${ownerWords[owner][0]} ${percentOf(of, total.bytes)}`);
  return {
    kind: 'chart',
    chart: {
      kind: 'share',
      title: 'Whose the bytes are',
      description: `Of ${formatBytes(total.bytes)}: ${parts.join(', ') || 'nothing'}.`,
      legend: shown.map(({ owner }) => ({ series: ownerWords[owner][0], tone: ownerWords[owner][1] })),
      rows: [
        { label: 'all', segments: shown.map(({ owner, bytes: of }) => ({ series: ownerWords[owner][0], amount: of })) },
      ],
    },
  };
}

function tableOwners({ owners, total }: Audit): Block[] {
  const rows = [...owners]
    .reverse()
    .filter(each => each.images > 0 || each.bytes > 0)
    .map(({ owner, images, bytes: of, leaving, freedBytes }) => [
      text(ownerWords[owner][0]),
      bytes(of),
      text(percentOf(of, total.bytes)),
      amount(images),
      amount(leaving),
      bytes(freedBytes),
    ]);
  return tableOf('', ['Whose', 'Bytes', 'Share', 'Images', 'Would go', 'Would become free'], rows);
}

function describePlaces({ teams, repositories, registries }: Audit): Block[] {
  const named = teams.map(each => ({ ...each, name: each.name === '' ? 'without a team' : each.name }));
  const hasTeams = teams.some(each => each.name !== '');
  const places = repositories.map(each => ({ ...each, name: placeOf(each) }));
  return [
    ...(registries.length > 1 ? tableGroups('By registry', 'Registry', registries) : []),
    ...(hasTeams
      ? [drawGroups('Bytes by team', named), ...tableGroups('By team, the first part of a path', 'Team', named)]
      : []),
    ...(places.length > 0
      ? [drawGroups('Bytes by repository', places), ...tableGroups('By repository', 'Repository', places)]
      : []),
  ];
}

function placeOf({ registry, name: repository }: AuditedRepository): string {
  return `${registry}/${repository}`;
}

const stays = 'stays';
const frees = 'would become free';

function drawGroups(title: string, groups: readonly AuditGroup[]): Block {
  const shown = groups.slice(0, mostBars);
  const more = groups.length > shown.length ? `, the ${shown.length} with the most of ${groups.length}` : '';
  const [first] = shown;
  const chart: Chart = {
    kind: 'bars',
    title: `${title}${more}`,
    description: first
      ? `Most has ${first.name} with ${formatBytes(first.bytes)}; the table below has the figures.`
      : 'There is nothing.',
    legend: [
      { series: stays, tone: 'stays' },
      { series: frees, tone: 'frees' },
    ],
    rows: shown.map(({ name: label, bytes: of, freedBytes }) => ({
      label,
      segments: [
        { series: stays, amount: of - freedBytes },
        { series: frees, amount: freedBytes },
      ],
    })),
  };
  return { kind: 'chart', chart };
}

/** Where nothing is shared, as between registries, there is no column for it. */
function tableGroups(title: string, what: string, groups: readonly AuditGroup[]): Block[] {
  const isShared = groups.some(each => each.ownBytes < each.bytes);
  const rows = groups.map(({ name: of, bytes: all, ownBytes, freedBytes, images, leaving }): Cell[] => [
    name(of),
    bytes(all),
    ...(isShared ? [bytes(all - ownBytes)] : []),
    amount(images),
    amount(leaving),
    bytes(freedBytes),
  ]);
  const shared = isShared ? ['Shared with others'] : [];
  return tableOf(title, [what, 'Bytes', ...shared, 'Images', 'Would go', 'Would become free'], rows);
}

function drawAges({ ages, total }: Audit): Block {
  const shown = ages.filter(({ name: band, bytes: of }) => of > 0 || band !== 'not known');
  const parts = shown.map(({ name: band, bytes: of }) => `${band} ${percentOf(of, total.bytes)}`);
  return {
    kind: 'chart',
    chart: {
      kind: 'columns',
      title: 'Bytes by the age of the newest image that has them',
      description: `${parts.join(', ')}.`,
      legend: [{ series: 'age', tone: 'age' }],
      rows: shown.map(({ name: label, bytes: of }) => ({ label, segments: [{ series: 'age', amount: of }] })),
    },
  };
}

function tableCauses({ causes }: Audit): Block[] {
  const rows = causes.map(({ cause, images }) => [text(causeWords[cause]), amount(images)]);
  return tableOf('', ['Because', 'Images'], rows);
}

function tableImages(images: readonly AuditedImage[]): Block[] {
  const rows = images.map(
    ({ registry, repository, digest: of, tags: all, bytes: size, pushedAt, owner, isLeaving }) => [
      name(`${registry}/${repository}`),
      digest(of),
      tags(all),
      bytes(size),
      day(pushedAt),
      text(ownerWords[owner][0]),
      text(isLeaving ? 'would go' : 'stays'),
    ],
  );
  return tableOf('', ['Repository', 'Digest', 'Tags', 'Bytes', 'Pushed', 'Whose', 'Plan'], rows);
}

function percentOf(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0\u00a0%';
  const percent = (part / whole) * 100;
  return percent < 1 ? 'below 1\u00a0%' : `${Math.round(percent)}\u00a0%`;
}

function count(of: number, one: string, several: string): string {
  return `${of} ${of === 1 ? one : several}`;
}
