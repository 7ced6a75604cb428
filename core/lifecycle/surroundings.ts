/** What the verbs of deletion work with, and what they share within one run. */
import type { AzureDevOps } from '../azure-devops/connection.ts';
import type { Clock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Digest } from '../oci/digest.ts';
import type { Registry } from '../oci/registry.ts';
import type { Brake } from './brake.ts';
import type { RecordKey } from './build-record.ts';
import type { StatedBuild } from './owned-tags.ts';
import type { ReportItem } from './report.ts';
import type { ProjectRules, Rules } from './rules.ts';
import type { TimeBox } from './time-box.ts';
import type { LateVeto, Step, Veto } from './veto.ts';

/** One registry, one organization. */
export interface Surroundings {
  readonly registry: Registry;
  readonly azureDevOps: AzureDevOps;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One run of the reconciliation. */
export interface Run extends Surroundings {
  readonly rules: Rules;
  readonly brake: Brake;
  readonly dryRun: boolean;
  /** The collection's id as Azure DevOps states it, lower-case: records of another one are foreign. */
  readonly collectionId: string;
  readonly signal: AbortSignal | undefined;
  /** Asked before each step of each image; see {@link vetoOf}. */
  readonly veto: Veto | undefined;
  readonly lateVeto: LateVeto | undefined;
  readonly unapproved: Veto | undefined;
  readonly lookedAt: number | undefined;
  readonly timeBox: TimeBox;
  /** What must stay though no tag may show it, by {@link placeOf}, and why: found while judging, heeded while collecting. */
  readonly needed: Map<string, string>;
  report(item: ReportItem): void;
}

/** An image as one text, `repository@digest`. */
export function placeOf(image: { readonly repository: string; readonly digest: string }): string {
  return `${image.repository}@${image.digest}`;
}

interface Place {
  readonly repository: string;
  readonly digest: Digest;
}

/** Why a keep plan forbids this step of an image, or that nobody approved it; undefined where neither is so. */
export function vetoOf(
  { veto, unapproved }: Pick<Run, 'veto' | 'unapproved'>,
  { repository, digest }: Place,
  step: Step,
): string | undefined {
  return veto?.(repository, digest, step) ?? unapproved?.(repository, digest, step);
}

/** Whether the keep plan lets an image go, and nobody approved any step of it. */
export function lacksApprovalAlone(
  { veto, unapproved }: Pick<Run, 'veto' | 'unapproved'>,
  { repository, digest }: Place,
): boolean {
  const isFree = (['untag', 'delete'] as const).some(step => !unapproved?.(repository, digest, step));
  return !isFree && veto?.(repository, digest, 'delete') === undefined;
}

/** A build that is gone, as Azure DevOps states it, and the places of its records. */
export interface DeadBuild {
  readonly projectId: string;
  readonly build: StatedBuild;
  readonly definitionId: number;
  readonly evidence: { readonly kind: 'deleted' | 'absent'; readonly statement: string };
  readonly records: readonly RecordKey[];
}

/** Two servers whose clocks differ by more do not both tell the time: a proxy may answer with a `Date` of last week. */
const farOffMs = 60 * 60_000;

/**
 * The registry's time in milliseconds. Throws where it has sent no `Date`, or one that Azure DevOps contradicts:
 * without a true one no age can be reckoned.
 */
export function registryTime({ registry, azureDevOps }: Pick<Surroundings, 'registry' | 'azureDevOps'>): number {
  const time = registry.time();
  const other = azureDevOps.time();
  if (time !== undefined && other !== undefined && Math.abs(time - other) > farOffMs) {
    throw new AppError(
      `${registry.host} says it is ${new Date(time).toISOString()}, Azure DevOps ${new Date(other).toISOString()}; one of them is wrong, so no grace can be reckoned, and nothing was deleted.`,
      { code: 'REGISTRY_UNEXPECTED' },
    );
  }
  if (time !== undefined) return time;
  throw new AppError(`${registry.host} sends no Date, so no grace can be reckoned; nothing was deleted.`, {
    code: 'REGISTRY_UNEXPECTED',
  });
}

/** The rules of a project. Throws for one that is not configured. */
export function rulesOfProject(rules: Rules, projectId: string): ProjectRules {
  const found = rules.projects.find(each => each.projectId === projectId);
  if (found) return found;
  throw new AppError(`Project ${projectId} is not in the configuration.`, { code: 'DEFECT' });
}
