/** What every mode works with, once everything was looked at. */
import type { Clock } from '../../core/base/clock.ts';
import { type Drift, findDrift } from '../../core/lifecycle/cleaning/drift.ts';
import type { Look } from '../../core/lifecycle/cleaning/look.ts';
import { listNotRead, listUnparsed, type NotRead } from '../../core/lifecycle/cleaning/not-read.ts';
import { agentLog } from '../agent/log.ts';
import type { OpenedEstate } from './estate.ts';
import type { Job } from './prepare.ts';
import type { WhyAnswer } from './why-text.ts';

/** One step that has looked. */
export interface Scene extends OpenedEstate {
  readonly job: Job;
  readonly look: Look;
  readonly unread: NotRead;
  /** To the questions of `why`. */
  readonly answers: readonly WhyAnswer[];
  /** Whether the minutes of the step are over. */
  readonly isOver: () => boolean;
}

/** Each warning stands on the run's page, which is for people. */
const mostWarnings = 20;

/** What was not read, each with a warning of its own. */
export function tellUnread(look: Look): NotRead {
  const unread = listNotRead(look);
  const sentences = [
    ...unread.everything.map(each => `Everything stays: ${each}.`),
    ...listUnparsed(look.plan).map(each => `What it may mean stays: ${each}.`),
    ...look.unseen,
  ];
  for (const each of sentences.slice(0, mostWarnings)) agentLog.warn(each);
  for (const each of sentences.slice(mostWarnings)) agentLog.info(each);
  return unread;
}

/** Where things do not fit together. */
export function findDriftOf({ estate, look }: Scene): Drift {
  const registries = estate.registries.map(({ name, repositories, registry }) => ({
    name,
    repositories,
    host: registry.host,
  }));
  const { leases } = look;
  return findDrift(look.facts, look.plan, { registries, ...(leases && { leases }) });
}

/** What was looked at, in a sentence for people. */
export function describeScope({ job, estate, organizations }: Scene): string {
  const registries = estate.registries.map(({ name, registry }) =>
    name === registry.host ? name : `${name} (${registry.host})`,
  );
  const projects = organizations.flatMap(each => each.projects.map(({ name }) => name));
  const clusters = estate.clusters.map(({ name }) => name);
  const by = job.inputs.configuration ? '' : ', by the policy that holds where nothing is said';
  return [
    `Of ${registries.join(', ')}; builds of ${projects.join(', ')}`,
    ...(clusters.length > 0 ? [`; what runs in ${clusters.join(', ')}`] : []),
    job.inputs.mode === 'plan-and-apply' ? `${by}.` : `${by}. Nothing was changed.`,
  ].join('');
}

/** Whether `minutes` have passed since now; never, where there is no limit. */
export function startTimer(minutes: number, clock: Clock): () => boolean {
  const end = minutes === 0 ? Number.POSITIVE_INFINITY : clock.now() + minutes * 60_000;
  return () => clock.now() >= end;
}
