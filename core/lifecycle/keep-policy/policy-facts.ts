/**
 * What a plan is reckoned from. Whoever reads a source gives it whole or says why not: half a list is no fact.
 * All times are milliseconds, of the clock that `now` is read from; undefined is "not known", never "never".
 */
import type { Reading } from '../../base/reading.ts';
import type { HelmReleaseFact, UseFact } from '../../kubernetes/usage.ts';
import type { Digest } from '../../oci/digest.ts';
import type { AbsenceScope } from '../evidence.ts';
import type { Rules } from '../rules.ts';
import type { DeletePolicy, KeepPolicy } from './policy-schema.ts';

/** One tag of an image. */
export interface TagFact {
  readonly name: string;
  readonly locked: boolean;
  readonly changedAt: number | undefined;
  /** It names the content of a chart (content-tags.ts) and holds nothing. */
  readonly content?: boolean;
}

/** A manifest in a repository. */
export interface ImageFact {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  readonly locked: boolean;
  /** When it was last pushed or changed. */
  readonly pushedAt: number | undefined;
  readonly tags: readonly TagFact[];
  /** The manifests of an index, empty for every other; undefined where it could not be read. */
  readonly children: readonly Digest[] | undefined;
  /** What it refers to; undefined where that was not read, and then it stays. */
  readonly subject: Digest | 'none' | undefined;
  /**
   * What refers to it, as the registry lists it. May be left out where the subject of every image of the repository was
   * read; else it stays, because some registries delete with an image what refers to it.
   */
  readonly referrers?: readonly Digest[] | undefined;
  /** Builds whose tombstone claims it, or an index that it is a child of: their tags were taken off already. */
  readonly released?: readonly ReleasingBuild[] | undefined;
  /** When the last of these tombstones was written. */
  readonly releasedAt?: number | undefined;
  /** Tags that tombstones say came off it: whoever still names it by one means it. */
  readonly takenTags?: readonly string[] | undefined;
}

/** A repository of a registry. */
export interface RepositoryFact {
  readonly name: string;
  readonly images: Reading<ImageFact>;
}

/** Which build, across organizations. */
export interface BuildName {
  /** As in {@link PlanRules.organizations}. */
  readonly organization: string;
  readonly project: string;
  readonly id: number;
}

/** A build on whose account an image was released. */
export interface ReleasingBuild extends BuildName {
  /** Whether its records said so, and not only a tag. */
  readonly recorded?: boolean;
}

/** A build record that agrees with its place. One that cannot be read makes its registry's records unread. */
export interface RecordFact {
  readonly build: BuildName;
  readonly definition: number;
  /** A promotion wrote it. */
  readonly promoted: boolean;
  readonly onBuildDeleted: 'delete' | 'keep';
  /** The images with all tags that the record names them by. */
  readonly images: readonly {
    readonly repository: string;
    readonly digest: Digest;
    readonly tags: readonly string[];
  }[];
}

/** A registry, by its name in the configuration. */
export interface RegistryFacts {
  readonly name: string;
  readonly repositories: Reading<RepositoryFact>;
  /** Of projects that the configuration does not name as well; their builds are unknown. */
  readonly records: Reading<RecordFact>;
  /** Why records of such projects were not read, for want of a right: any image without a tag may be theirs. */
  readonly othersUnread?: string | undefined;
  /** Where the records are, `<projectId>/<tag>`: what is at another place was written after the look. */
  readonly recordPlaces?: ReadonlySet<string> | undefined;
}

/** What Azure DevOps says of a build. Absence counts as long as it has been seen, with its proof (evidence.ts), since `since`. */
export type BuildState =
  | { readonly kind: 'alive' }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'absent'; readonly scope: AbsenceScope; readonly since: number | undefined }
  | { readonly kind: 'unknown'; readonly reason: string };

/** A build: one that records name, or a tag where there is no record. */
export interface BuildFact {
  readonly build: BuildName;
  readonly definition: number;
  readonly number?: string | undefined;
  readonly queuedAt: number | undefined;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  /** The git repository, by a name that no other organization or host uses for another; empty where it is not known. */
  readonly source: string;
  /** What was built, as `refs/heads/main`, `refs/tags/v1` or `refs/pull/12/merge`. */
  readonly ref: string;
  readonly commit: string;
  readonly pullRequest?: number | undefined;
  readonly state: BuildState;
  /** Leases and classic releases that hold it, each as people would name it. */
  readonly retainedBy: Reading<string>;
}

/** A branch, by its name without `refs/heads/`. */
export interface BranchFact {
  readonly name: string;
  readonly lastActivity: number | undefined;
}

/** A tag of git, by its name without `refs/tags/`; its date is the annotation's, else the commit's. */
export interface GitTagFact {
  readonly name: string;
  readonly date: number | undefined;
  /** The commit it is on at last; undefined where it was not resolved. */
  readonly commit: string | undefined;
}

/** A pull request. */
export interface PullRequestFact {
  readonly id: number;
  readonly state: 'active' | 'completed' | 'abandoned';
  readonly lastActivity: number | undefined;
}

/** What exists now in a git repository. One that is not given counts as unread. */
export interface SourceFacts {
  /** As in {@link BuildFact.source}. */
  readonly source: string;
  readonly branches: Reading<BranchFact>;
  readonly tags: Reading<GitTagFact>;
  readonly pullRequests: Reading<PullRequestFact>;
}

/** What one cluster runs: read directly, or from its report. */
export interface UsageFacts {
  /** As in {@link PlanRules.usage}; several clusters that report into one registry have its name. */
  readonly name: string;
  /** For people; the name where it is left out. */
  readonly label?: string | undefined;
  /** When the cluster was looked at; of a report, by the clock of its registry. */
  readonly takenAt: number | undefined;
  /** When the report was read, by that same clock; where it is left out, `now`. */
  readonly readAt?: number | undefined;
  readonly uses: Reading<UseFact>;
  readonly releases: Reading<HelmReleaseFact>;
}

/** Everything that was read. */
export interface PlanFacts {
  readonly now: number;
  readonly registries: readonly RegistryFacts[];
  readonly builds: readonly BuildFact[];
  /** Organizations whose builds were asked for, with why not where they could not be. */
  readonly organizations: readonly { readonly name: string; readonly unread?: string | undefined }[];
  readonly sources: readonly SourceFacts[];
  readonly usage: readonly UsageFacts[];
}

/** A registry as the configuration has it. */
export interface RegistryRules {
  readonly name: string;
  /** Left out it tells apart what a build pushed and what a promotion brought. */
  readonly onBuildDeleted?: 'delete' | 'keep' | undefined;
}

/** What the configuration says. What it names and the facts lack counts as unread. */
export interface PlanRules {
  readonly keep: KeepPolicy;
  readonly delete: DeletePolicy;
  readonly registries: readonly RegistryRules[];
  readonly organizations: readonly (Pick<Rules, 'buildTagPrefix' | 'alsoOwn'> & {
    readonly name: string;
    /** The projects whose images may go, and the repositories that their builds may have images in (globs). */
    readonly projects: readonly { readonly name: string; readonly repositories: readonly string[] }[];
  })[];
  /** Every cluster or report that must tell what runs, and how old its answer may be in milliseconds. */
  readonly usage: readonly { readonly name: string; readonly maxAge?: number | undefined }[];
}
