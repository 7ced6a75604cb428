/** What one cluster runs and could still start, as whoever looked at it tells it. Pure data. */

/** One image that something runs, or would run. */
export interface UseFact {
  /** As it stands in the specification. */
  readonly image: string;
  /** What the node says that it runs (`imageID`), where it says so. */
  readonly imageId?: string | undefined;
  /** For people: `pod shop/web-1`. */
  readonly where: string;
}

/** A Helm release of a cluster, with every stored revision. */
export interface HelmReleaseFact {
  readonly namespace: string;
  readonly name: string;
  /** The oldest revision that is in use; undefined where that cannot be told. */
  readonly oldestInUse: number | undefined;
  readonly revisions: readonly {
    readonly revision: number;
    /** As Helm stores it: `deployed`, `superseded`, `failed`, `pending-upgrade` and so on. */
    readonly status: string;
    readonly images: readonly string[];
  }[];
}
