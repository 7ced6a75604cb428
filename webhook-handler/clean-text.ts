/** One plan over all registries, and what came of it, as text for people. */
import { describeAgreement } from '../core/lifecycle/cleaning/agreement.ts';
import type { CleanPlan } from '../core/lifecycle/cleaning/clean-plan.ts';
import type { CleanItem, CleanReport } from '../core/lifecycle/cleaning/clean-report.ts';
import type { CleanResult } from './clean.ts';
import { align, count, formatTotals, order, showLines, words } from './report-text.ts';

/** Gives what was planned, or what was done, with a line end at its end. */
export function formatClean({ plan, notRead, report }: CleanResult, approved: CleanPlan | undefined): string {
  return showLines([
    `${plan.registries.map(each => each.name).join(', ')} with ${plan.organizations.join(', ')}: plan ${plan.hash.slice(0, 12)}${report ? '' : '; nothing was changed'}`,
    ...(approved ? [`  ${describeAgreement(approved, plan)}`] : []),
    ...(report ? tellReport(report) : tellPlan(plan)),
    ...tellKept(plan),
    ...list('Everything stays, because not everything was read:', notRead.everything),
    ...list('Some images stay, because not everything was read:', notRead.some),
  ]);
}

function tellPlan({ deletions, waiting }: CleanPlan): string[] {
  const rows = [
    ...waiting.map(each => [each.dueAt === null ? 'waits' : `waits until ${each.dueAt}`, ...describe(each)]),
    ...deletions.filter(({ step }) => step === 'untag').map(each => [words.released[1], ...describe(each)]),
    ...deletions.filter(({ step }) => step === 'delete').map(each => [words.deleted[1], ...describe(each)]),
  ];
  const leaving = deletions.filter(({ step }) => step === 'delete');
  const bytes = leaving.reduce((sum, { size }) => sum + size, 0);
  const totals = [
    `${count(deletions.length - leaving.length, 'image')} would be released`,
    `${leaving.length} would be deleted${megabytes(leaving.length, bytes)}`,
    `${waiting.length} released and waiting`,
  ];
  return [...table(['', 'IMAGE', 'TAGS', 'WHY'], rows), `  ${totals.join(', ')}.`];
}

type Planned = Pick<CleanPlan['waiting'][number], 'registry' | 'repository' | 'digest' | 'tags' | 'reasons'>;

function describe({ registry, repository, digest, tags, reasons }: Planned): string[] {
  return [`${registry}: ${repository}@${digest}`, tags.join(' '), reasons.join('; ')];
}

function tellReport({ items, freedBytes, braked, stopped, failures }: CleanReport): string[] {
  const rows = [...items]
    .sort(compare)
    .map(({ registry, build, subject, outcome, reason }) => [
      words[outcome][0],
      build ? String(build.id) : '',
      `${registry}: ${subject}`,
      reason,
    ]);
  const deleted = items.filter(({ outcome }) => outcome === 'deleted').length;
  return [
    ...table(['', 'BUILD', 'WHAT', 'WHY'], rows),
    `  ${formatTotals(items, false).replace(/\.$/, '')}${megabytes(deleted, freedBytes)}.`,
    ...list('Not done:', failures),
    ...list('The time was over:', stopped),
    ...list('The brake stopped here:', braked),
  ];
}

function compare(a: CleanItem, b: CleanItem): number {
  return (
    order.indexOf(a.outcome) - order.indexOf(b.outcome) ||
    a.registry.localeCompare(b.registry) ||
    (a.build?.id ?? 0) - (b.build?.id ?? 0) ||
    a.subject.localeCompare(b.subject)
  );
}

function tellKept({ kept }: CleanPlan): string[] {
  const reasons = kept.reasons.map(({ because, images }) => `${because} (${images})`);
  const why = reasons.length > 0 ? `, for these reasons: ${reasons.join(', ')}` : '';
  return [`  By the plan ${count(kept.images, 'image')} ${kept.images === 1 ? 'stays' : 'stay'}${why}.`];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : ['', ...align([head, ...rows]), ''];
}

/** Layers may be shared, so that no more than this becomes free. */
function megabytes(images: number, bytes: number): string {
  return images === 0 ? '' : ` (${(bytes / 1e6).toFixed(1)} MB at most)`;
}

function list(title: string, sentences: readonly string[]): string[] {
  return sentences.length === 0 ? [] : [`  ${title}`, ...sentences.map(each => `    ${each}`)];
}
