/** What the one who runs the deletion decided: which projects, which tags, how long to wait, when to stop. Pure data. */

/** How many images may go within 24 hours before a person is asked. */
export interface BrakeLimit {
  /** Images. */
  readonly images: number;
  /** Per cent of the builds that have records; never less than the floor of `brake.ts`. */
  readonly percent: number;
}

/** A project whose builds' images may be deleted. */
export interface ProjectRules {
  /** Lower-case GUID. */
  readonly projectId: string;
  /** Repositories that this project's builds may have images in; a `*` stands for any characters. */
  readonly repositories: readonly string[];
}

/** The rules of one registry and one organization. */
export interface Rules {
  readonly projects: readonly ProjectRules[];
  /** In front of the build id in the build tag, where several organizations share a registry; else empty. */
  readonly buildTagPrefix: string;
  /** Further tags that belong to a build: `{buildId}` and `{buildNumber}` stand for Azure DevOps' own values. */
  readonly alsoOwn: readonly string[];
  /** The registry's own rule; the stricter of it and the record wins. */
  readonly onBuildDeleted: 'delete' | 'keep';
  /** The same for the copies that promotions brought, where `onBuildDeleted` is `delete`. */
  readonly promoted: 'delete' | 'keep';
  /** Milliseconds between release and collection. */
  readonly graceMs: number;
  readonly brake: { readonly deleted: BrakeLimit; readonly absent: BrakeLimit };
}

/** The rules where nothing else is said. */
export const defaultRules: Omit<Rules, 'projects'> = {
  buildTagPrefix: '',
  alsoOwn: [],
  onBuildDeleted: 'delete',
  // Nothing tells what runs in a stage.
  promoted: 'keep',
  graceMs: 24 * 60 * 60_000,
  brake: { deleted: { images: 500, percent: 20 }, absent: { images: 50, percent: 5 } },
};

/** A build by what tells it apart within one organization. */
export interface BuildKey {
  /** Lower-case GUID. */
  readonly projectId: string;
  readonly buildId: number;
}
