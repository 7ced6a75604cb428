/** The builds of which Azure DevOps is asked, and what the registries know of them. Pure data. */
import type { AbsenceFact, RecordedBuildFact } from './registry-reading.ts';

/** A build as one record tells it. Where Azure DevOps has the build, its own word counts. */
export type NamedBuild = Pick<
  RecordedBuildFact,
  'build' | 'definition' | 'number' | 'repository' | 'branch' | 'commit' | 'stranger'
>;

/** What is asked for. */
export interface AskedBuilds {
  readonly records: readonly NamedBuild[];
  /** Of every registry. */
  readonly absences: readonly AbsenceFact[];
  /** Ids that tags of images without a record hold, by the organization's name; their project is not known. */
  readonly candidates?: ReadonlyMap<string, readonly number[]> | undefined;
}
