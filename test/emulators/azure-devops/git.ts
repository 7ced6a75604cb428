/** Azure Repos: branches, tags, commits by their dates, and pull requests. No content: nobody clones here. */
import { createHash, randomUUID } from 'node:crypto';
import type { SettableClock } from '../settable-clock.ts';
import type { Denial } from './world.ts';

/** An annotated tag's object; `at` is undefined where whoever made it did not say when. */
export interface Annotation {
  readonly name: string;
  /** What it is on: a commit, or another annotation. */
  readonly target: string;
  readonly at: number | undefined;
}

/** A pull request. */
export interface PullRequest {
  readonly id: number;
  readonly source: string;
  readonly createdAt: number;
  /** The head of its branch when it was last merged for a trial. */
  commit: string | undefined;
  status: 'active' | 'completed' | 'abandoned';
}

/** A repository. Names of branches and tags are without `refs/heads/` and `refs/tags/`; times are milliseconds. */
export interface GitRepository {
  readonly id: string;
  readonly projectId: string;
  name: string;
  denied?: Denial | undefined;
  readonly branches: Map<string, string>;
  readonly tags: Map<string, string>;
  /** When each was committed. */
  readonly commits: Map<string, number>;
  readonly annotations: Map<string, Annotation>;
  readonly pullRequests: Map<number, PullRequest>;
}

/** The repositories of the organization. */
export interface Git {
  readonly repositories: Map<string, GitRepository>;
  addRepository(repository: { projectId: string; id?: string; name: string }): GitRepository;
  /** The repository that a project is born with, by the name of the project then. */
  defaultOf(projectId: string): GitRepository;
  /** Makes a commit, now unless told otherwise, and gives its id. */
  commit(repository: GitRepository, commit?: { id?: string; at?: number }): string;
  /** Puts a branch on a commit, on a new one unless told otherwise. */
  push(repository: GitRepository, branch: string, commit?: { id?: string; at?: number }): string;
  /** Tags a commit; with `annotated` by an object that says when, or not. Gives what the tag is on. */
  tag(repository: GitRepository, name: string, commit: string, annotated?: { at?: number | undefined }): string;
  openPullRequest(
    repository: GitRepository,
    pullRequest: { id?: number; source: string; at?: number; commit?: string },
  ): PullRequest;
}

/** Makes an organization without repositories. */
export function createGit(clock: SettableClock): Git {
  const repositories = new Map<string, GitRepository>();
  const firstOf = new Map<string, GitRepository>();
  let nextCommit = 1;
  let nextPullRequest = 1;
  const git: Git = {
    repositories,
    addRepository: ({ projectId, id = randomUUID(), name }) => {
      const made: GitRepository = {
        id: id.toLowerCase(),
        projectId,
        name,
        branches: new Map(),
        tags: new Map(),
        commits: new Map(),
        annotations: new Map(),
        pullRequests: new Map(),
      };
      repositories.set(made.id, made);
      if (!firstOf.has(projectId)) firstOf.set(projectId, made);
      return made;
    },
    defaultOf: projectId => {
      const found = firstOf.get(projectId);
      if (found === undefined) throw new Error(`the emulated Azure DevOps has no repository in project ${projectId}`);
      return found;
    },
    commit: (repository, { id, at = clock.now() } = {}) => {
      const made = id ?? hash(`commit ${nextCommit++}`);
      repository.commits.set(made, at);
      return made;
    },
    push: (repository, branch, commit) => {
      const id = git.commit(repository, commit);
      repository.branches.set(branch, id);
      return id;
    },
    tag: (repository, name, commit, annotated) => {
      const object = annotated === undefined ? commit : hash(`tag ${name} ${commit}`);
      if (annotated !== undefined) repository.annotations.set(object, { name, target: commit, at: annotated.at });
      repository.tags.set(name, object);
      return object;
    },
    openPullRequest: (repository, { id = nextPullRequest, source, at = clock.now(), commit }) => {
      nextPullRequest = Math.max(nextPullRequest, id + 1);
      const made: PullRequest = {
        id,
        source,
        createdAt: at,
        commit: commit ?? git.commit(repository, { at }),
        status: 'active',
      };
      repository.pullRequests.set(id, made);
      return made;
    },
  };
  return git;
}

/** What a tag's object is on at last. */
export function peel(repository: GitRepository, object: string): string {
  const annotation = repository.annotations.get(object);
  return annotation === undefined ? object : peel(repository, annotation.target);
}

function hash(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
