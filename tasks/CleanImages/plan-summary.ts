/** What a person reads before approving a plan: how much goes, from where, why, and what could not be read. Pure. */
import { groupBy } from '../../core/base/group-by.ts';
import type { CleanPlan, PlannedDeletion, WaitingImage } from '../../core/lifecycle/cleaning/clean-plan.ts';
import {
  amount,
  type Block,
  bytes,
  type Cell,
  day,
  digest,
  listTags,
  name,
  section,
  tableOf,
  tags,
  text,
} from './report-blocks.ts';

const inPlan = 'in plan.json';

/** The tags that came off images, by {@link keyOfPlanned}. */
export type TakenTags = ReadonlyMap<string, readonly string[]>;

/** An image of a plan as one text. */
export function keyOfPlanned({
  registry,
  repository,
  digest: of,
}: Pick<PlannedDeletion, 'registry' | 'repository' | 'digest'>): string {
  return `${registry}/${repository}@${of}`;
}

/** What a plan begins with: what was not read, its figures, and what it is approved by. */
export function summarizePlan(plan: CleanPlan): Block[] {
  const { deletions, waiting, kept } = plan;
  const leaving = deletions.filter(({ step }) => step === 'delete');
  return [
    ...describeUnread(plan),
    {
      kind: 'figures',
      items: [
        { label: 'lose their tags, and are deleted by a later run', value: amount(deletions.length - leaving.length) },
        { label: 'are deleted, which nothing brings back', value: amount(leaving.length) },
        { label: 'become free at most, as layers may be shared', value: bytes(sizeOf(leaving)) },
        { label: 'were released and wait', value: amount(waiting.length) },
        { label: 'stay', value: amount(kept.images) },
      ],
    },
    ...describeHash(plan),
  ];
}

/** Nobody is called to approve nothing; the hash is in plan.json all the same. */
function describeHash({ deletions, waiting, hash }: CleanPlan): Block[] {
  if (deletions.length === 0) {
    return [{ kind: 'paragraph', text: waiting.length === 0 ? 'Nothing is to go.' : 'Nothing is to go yet.' }];
  }
  return [
    { kind: 'paragraph', text: 'The hash that this plan is approved by:' },
    { kind: 'verbatim', lines: [hash] },
  ];
}

/** Tells a plan: what goes, what waits, and why the others stay. */
export function describePlan(plan: CleanPlan, takenTags: TakenTags): Block[] {
  const { deletions, waiting } = plan;
  return [
    ...section('What goes', [...describeRepositories(plan), ...describeDeletions(deletions, takenTags)]),
    ...section('What waits', describeWaiting(waiting)),
    ...section('Why the others stay', describeKept(plan)),
  ];
}

/** What holds everything, first: a plan with nothing in it is not one where nothing is to do. */
function describeUnread({ unread, unparsed }: CleanPlan): Block[] {
  const references = unparsed.map(each => `${each}, which something runs`);
  return [
    ...notice('Everything stays, because not everything could be read:', unread),
    ...notice('These references could not be read, and whatever they may mean stays:', references),
  ];
}

/** A notice, or nothing where there is nothing to tell. */
export function notice(words: string, items: readonly string[]): Block[] {
  return items.length === 0 ? [] : [{ kind: 'notice', text: words, items }];
}

function describeRepositories({ deletions, waiting }: CleanPlan): Block[] {
  const waits = groupBy(waiting, placeOf);
  const rows = [...groupBy(deletions, placeOf)]
    .sort(([one, of], [other, others]) => others.length - of.length || (one < other ? -1 : 1))
    .map(([repository, of]) => {
      const leaving = of.filter(({ step }) => step === 'delete');
      const untagged = of.length - leaving.length;
      const numbers = [untagged, leaving.length, waits.get(repository)?.length ?? 0];
      return [name(repository), ...numbers.map(amount), bytes(sizeOf(of))];
    });
  const head = ['Repository', 'Tags off', 'Deleted', 'Waiting', 'Bytes at most, once deleted'];
  return tableOf('By repository', head, rows, inPlan);
}

function placeOf({ registry, repository }: Pick<PlannedDeletion, 'registry' | 'repository'>): string {
  return `${registry}/${repository}`;
}

/** What is deleted is told before what only loses its tags, since nothing brings it back. */
function describeDeletions(deletions: readonly PlannedDeletion[], takenTags: TakenTags): Block[] {
  const ordered = [...deletions].sort((one, other) => rank(one) - rank(other));
  const rows = ordered.map(each => {
    const { registry, repository, digest: of, step, reasons } = each;
    return [
      name(`${registry}/${repository}`),
      digest(of),
      describeTags(each, takenTags),
      text(step === 'delete' ? 'deleted' : 'tags\u00a0off'),
      text(tellReasons(reasons)),
    ];
  });
  return tableOf('Image by image', ['Repository', 'Digest', 'Tags', 'Step', 'Because'], rows, inPlan);
}

/** Whoever approves what nothing brings back knows an image by the tags that it had. */
function describeTags(image: PlannedDeletion, takenTags: TakenTags): Cell {
  const taken = image.tags.length === 0 ? (takenTags.get(keyOfPlanned(image)) ?? []) : [];
  return taken.length === 0 ? tags(image.tags) : text(`was: ${listTags(taken, ', ')}`);
}

function rank({ step }: PlannedDeletion): number {
  return step === 'delete' ? 0 : 1;
}

function describeWaiting(waiting: readonly WaitingImage[]): Block[] {
  const rows = [...waiting]
    .sort((one, other) => dueOf(one) - dueOf(other))
    .map(({ registry, repository, digest: of, dueAt, reasons }) => [
      name(`${registry}/${repository}`),
      digest(of),
      day(dueAt ?? undefined),
      text(tellReasons(reasons)),
    ]);
  return tableOf('', ['Repository', 'Digest', 'Deleted from', 'Because'], rows, inPlan);
}

/** What nobody knows the date of is last. */
function dueOf({ dueAt }: WaitingImage): number {
  return dueAt === null ? Number.MAX_SAFE_INTEGER : Date.parse(dueAt);
}

function describeKept({ kept }: CleanPlan): Block[] {
  const rows = kept.reasons.map(({ because, images }) => [text(because), amount(images)]);
  const said =
    'An image may stay for several reasons, and is counted for each. The input why tells them for one image.';
  return rows.length === 0 ? [] : [...tableOf('', ['Reason', 'Images'], rows), { kind: 'paragraph', text: said }];
}

/** What is known of its build comes first: that is the evidence, and a tag that is off only follows from it. */
function tellReasons(reasons: readonly string[]): string {
  const first = reasons.find(each => each.startsWith('its build ')) ?? reasons[0] ?? '';
  return reasons.length > 1 ? `${first}, and ${reasons.length - 1} more` : first;
}

function sizeOf(images: readonly { readonly size: number }[]): number {
  return images.reduce((sum, { size }) => sum + size, 0);
}
