/** The state of the emulated organization. Tests change it directly; requests read it. */
import { randomUUID } from 'node:crypto';
import type { SettableClock } from '../settable-clock.ts';
import { createGit, type Git } from './git.ts';
import { createLeases, type Leases } from './leases.ts';
import { createReleases, type Releases } from './releases.ts';

/** How something that the caller may not read is answered. */
export type Denial = 'notFound' | 'unauthorized' | 'forbidden';

/** A team project. */
export interface Project {
  readonly id: string;
  name: string;
  state: 'wellFormed' | 'deleting' | 'deleted';
  denied?: Denial | undefined;
  /** Whether everybody lacks the right to change its builds, to take leases among them. */
  executeDenied?: boolean;
  /** Project settings, Pipelines, Retention: days to keep runs, and runs to keep of each pipeline. */
  retention: { days: number; minimumRuns: number };
}

/** A pipeline definition. */
export interface Definition {
  readonly id: number;
  readonly projectId: string;
  name: string;
  deleted: boolean;
  denied?: Denial | undefined;
}

/** A build (the UI's "run"). Times are milliseconds. */
export interface Build {
  readonly id: number;
  readonly projectId: string;
  readonly definitionId: number;
  number: string;
  status: 'notStarted' | 'inProgress' | 'cancelling' | 'postponed' | 'completed';
  result?: 'succeeded' | 'partiallySucceeded' | 'failed' | 'canceled' | undefined;
  queueTime: number;
  startTime?: number | undefined;
  finishTime?: number | undefined;
  sourceBranch: string;
  sourceVersion: string;
  /** The project's own repository of Azure Repos when absent; another one of these, or what a foreign host says. */
  repository?:
    | { readonly id: string; readonly type?: string; readonly name?: string; readonly url?: string }
    | undefined;
  /** The pull request that started it. */
  pullRequest?: number | undefined;
  tags: string[];
  keepForever: boolean;
  retainedByRelease: boolean;
  deleted?: { readonly at: number; readonly by: string; readonly reason: string } | undefined;
}

/** How the service answers where its documentation leaves a choice. May be changed at any time. */
export interface Behaviour {
  /** `buildIds` beside other filters: a 400, or the other filters are ignored. */
  combinedFilters: 'refused' | 'ignored';
  /** Whether `buildIds` alone gives deleted builds too. */
  bareBuildIdsGiveDeleted: boolean;
  /** How long a deleted build is still answered. */
  deletedReadableMs: number;
  /** What a bad token gets: the 203 page, the 302 to it, or a 401. Azure DevOps Server always answers 401. */
  signIn: 'page' | 'redirect' | 'unauthorized';
  /** What an owner gets who takes a lease on a build that it holds already: one more, or the same one made longer. */
  secondLease: 'another' | 'same';
  /** What a page of builds, refs, pull requests or releases holds at most, whatever was asked for. */
  largestPage: number;
  /** `Retry-After` seconds on every good answer. */
  retryAfterSeconds?: number | undefined;
}

/** What a new build may be told; the rest is made up. */
export type NewBuild = Partial<Omit<Build, 'id' | 'projectId' | 'definitionId'>> & {
  readonly definitionId: number;
  readonly id?: number;
};

/** The emulated organization. */
export interface World {
  readonly collectionId: string;
  readonly organization: string;
  readonly clock: SettableClock;
  readonly behaviour: Behaviour;
  readonly projects: Map<string, Project>;
  readonly definitions: Map<number, Definition>;
  readonly builds: Map<number, Build>;
  readonly leases: Leases;
  readonly releases: Releases;
  readonly git: Git;
  addProject(project?: Partial<Pick<Project, 'id' | 'name'>>): Project;
  addDefinition(definition: { projectId: string; id?: number; name?: string }): Definition;
  /** Throws when the definition does not exist. A build is completed and succeeded unless told otherwise. */
  addBuild(build: NewBuild): Build;
  /** The build as Azure DevOps still answers it; undefined when it never was or is past all reading. */
  readBuild(id: number): Build | undefined;
  /** As the retention job does, and nothing holds it: `deleted: true` from now on. Throws when there is no such build. */
  deleteBuild(id: number, reason?: string): Build;
  /** From now on 404. */
  purgeBuild(id: number): void;
  /** 404 from now on; its builds are deleted with it. */
  deleteDefinition(id: number): void;
  /** 404 from now on, with all that is in it. */
  deleteProject(id: string): void;
  /** Takes or gives back the right to read a project, or (`definition`) the builds of one definition. */
  denyProject(id: string, how?: Denial): void;
  allowProject(id: string): void;
  denyDefinition(id: number, how?: Denial): void;
  /** The daily job: deletes what is old, not among the last runs, not kept, not retained, not leased. Gives the ids. */
  runRetention(projectId?: string): number[];
}

/** What a world starts from. */
export interface WorldOptions {
  readonly clock: SettableClock;
  readonly collectionId?: string | undefined;
  readonly organization: string;
  readonly combinedFilters?: Behaviour['combinedFilters'] | undefined;
}

const day = 24 * 60 * 60 * 1000;

/** Makes an organization with nothing in it. */
export function createWorld(options: WorldOptions): World {
  const { clock } = options;
  const projects = new Map<string, Project>();
  const definitions = new Map<number, Definition>();
  const builds = new Map<number, Build>();
  let nextBuildId = 1;
  const leases = createLeases(clock);
  const git = createGit(clock);
  const world: World = {
    collectionId: options.collectionId ?? randomUUID(),
    organization: options.organization,
    clock,
    behaviour: {
      combinedFilters: options.combinedFilters ?? 'refused',
      bareBuildIdsGiveDeleted: false,
      deletedReadableMs: 30 * day,
      signIn: 'page',
      secondLease: 'another',
      largestPage: 5000,
    },
    projects,
    definitions,
    builds,
    leases,
    releases: createReleases(clock, builds),
    git,
    addProject: (project = {}) => {
      const id = (project.id ?? randomUUID()).toLowerCase();
      const name = project.name ?? `project-${projects.size + 1}`;
      const made: Project = { id, name, state: 'wellFormed', retention: { days: 30, minimumRuns: 3 } };
      projects.set(id, made);
      git.addRepository({ projectId: id, name });
      return made;
    },
    addDefinition: ({ projectId, id = definitions.size + 1, name = `pipeline-${id}` }) => {
      const made: Definition = { id, projectId: need(projects, projectId, 'project').id, name, deleted: false };
      definitions.set(id, made);
      return made;
    },
    addBuild: build => {
      const id = build.id ?? nextBuildId;
      nextBuildId = Math.max(nextBuildId, id + 1);
      const { projectId } = need(definitions, build.definitionId, 'definition');
      const made = { ...fillBuild(clock.now(), id), ...build, id, projectId };
      builds.set(id, made);
      return made;
    },
    readBuild: id => {
      const build = builds.get(id);
      const expired =
        build?.deleted !== undefined && build.deleted.at + world.behaviour.deletedReadableMs < clock.now();
      return expired ? undefined : build;
    },
    deleteBuild: (id, reason = 'Deleted by retention policy') => {
      const build = need(builds, id, 'build');
      build.deleted ??= { at: clock.now(), by: 'Microsoft.VisualStudio.Services.TFS', reason };
      return build;
    },
    purgeBuild: id => void builds.delete(id),
    deleteDefinition: id => {
      need(definitions, id, 'definition').deleted = true;
      for (const build of builds.values())
        if (build.definitionId === id) world.deleteBuild(build.id, 'Pipeline deleted');
    },
    deleteProject: id => void (need(projects, id, 'project').state = 'deleted'),
    denyProject: (id, how = 'notFound') => void (need(projects, id, 'project').denied = how),
    allowProject: id => void (need(projects, id, 'project').denied = undefined),
    denyDefinition: (id, how = 'notFound') => void (need(definitions, id, 'definition').denied = how),
    runRetention: projectId => {
      const due = [...projects.values()].filter(project => project.id === (projectId ?? project.id));
      return due.flatMap(project => findExpired(world, project)).map(id => world.deleteBuild(id).id);
    },
  };
  return world;
}

function need<K, V>(map: ReadonlyMap<K, V>, key: K, what: string): V {
  const found = map.get(key);
  if (found === undefined) throw new Error(`the emulated Azure DevOps has no ${what} ${String(key)}`);
  return found;
}

function fillBuild(now: number, id: number) {
  return {
    number: `${new Date(now).toISOString().slice(0, 10).replaceAll('-', '')}.${id}`,
    status: 'completed',
    result: 'succeeded',
    queueTime: now - 120_000,
    startTime: now - 90_000,
    finishTime: now,
    sourceBranch: 'refs/heads/main',
    sourceVersion: id.toString(16).padStart(40, '0'),
    tags: [] as string[],
    keepForever: false,
    retainedByRelease: false,
  } as const;
}

/** https://learn.microsoft.com/azure/devops/pipelines/policies/retention */
function findExpired(world: World, project: Project): number[] {
  const alive = [...world.builds.values()].filter(build => build.projectId === project.id && !build.deleted);
  const newestFirst = alive.sort((a, b) => b.queueTime - a.queueTime);
  const seen = new Map<number, number>();
  const before = world.clock.now() - project.retention.days * day;
  return newestFirst
    .filter(build => {
      const rank = seen.get(build.definitionId) ?? 0;
      seen.set(build.definitionId, rank + 1);
      const old = build.status === 'completed' && (build.finishTime ?? build.queueTime) < before;
      const kept = build.keepForever || build.retainedByRelease || world.leases.ofBuild(build.id).length > 0;
      return old && !kept && rank >= project.retention.minimumRuns;
    })
    .map(build => build.id);
}
