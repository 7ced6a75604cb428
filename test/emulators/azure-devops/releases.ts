/** Classic releases: what each takes from where. */
import type { SettableClock } from '../settable-clock.ts';
import type { Build } from './world.ts';

/** An artifact of a release; `buildId` where it is a build. */
export interface ReleaseArtifact {
  readonly alias: string;
  readonly type: string;
  readonly isPrimary: boolean;
  readonly buildId?: number | undefined;
  /** What another type says of itself, by name. */
  readonly reference: Readonly<Record<string, { readonly id: string; readonly name: string }>>;
}

/** A release; times are milliseconds. */
export interface Release {
  readonly id: number;
  readonly projectId: string;
  readonly definitionId: number;
  readonly name: string;
  readonly createdOn: number;
  readonly stages: readonly string[];
  readonly artifacts: readonly ReleaseArtifact[];
  status: 'draft' | 'active' | 'abandoned';
  keepForever: boolean;
  deleted: boolean;
}

/** What a new release is made of. An artifact with a `buildId` is a `Build`; the first one is primary. */
export interface NewRelease {
  readonly projectId: string;
  readonly id?: number;
  readonly definitionId?: number;
  readonly name?: string;
  readonly stages?: readonly string[];
  readonly artifacts: ReadonlyArray<Partial<ReleaseArtifact> & { readonly alias: string }>;
}

/** A classic release pipeline. */
export interface ReleaseDefinition {
  readonly id: number;
  readonly projectId: string;
  readonly name: string;
}

/** The releases of the organization. */
export interface Releases {
  readonly all: Map<number, Release>;
  /** The pipelines that releases are made by; a new release makes its own where it is not there. */
  readonly definitions: Map<number, ReleaseDefinition>;
  /** Marks its builds as retained by a release. Throws where one does not exist. */
  add(release: NewRelease): Release;
}

/** Makes an empty set of releases. */
export function createReleases(clock: SettableClock, builds: ReadonlyMap<number, Build>): Releases {
  const all = new Map<number, Release>();
  const definitions = new Map<number, ReleaseDefinition>();
  return {
    all,
    definitions,
    add: ({ projectId, id = all.size + 1, definitionId = 1, name = `Release-${id}`, ...rest }) => {
      const artifacts = rest.artifacts.map((artifact, index) => fillArtifact(artifact, index));
      for (const { buildId } of artifacts) if (buildId !== undefined) retain(builds, buildId);
      const { stages = ['Test', 'Production'] } = rest;
      const state = { status: 'active', keepForever: false, deleted: false } as const;
      const made: Release = { id, projectId, definitionId, name, createdOn: clock.now(), stages, artifacts, ...state };
      all.set(id, made);
      if (!definitions.has(definitionId)) {
        definitions.set(definitionId, { id: definitionId, projectId, name: `release-${definitionId}` });
      }
      return made;
    },
  };
}

function fillArtifact(artifact: NewRelease['artifacts'][number], index: number): ReleaseArtifact {
  const { buildId } = artifact;
  return { type: buildId === undefined ? 'Git' : 'Build', isPrimary: index === 0, reference: {}, ...artifact };
}

function retain(builds: ReadonlyMap<number, Build>, id: number): void {
  const build = builds.get(id);
  if (build === undefined) throw new Error(`the emulated Azure DevOps has no build ${id}`);
  build.retainedByRelease = true;
}
