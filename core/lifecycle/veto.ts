/** What a keep plan forbids to those who delete. */
import type { Digest } from '../oci/digest.ts';

/** The two steps of a deletion: tags off, then the manifest. */
export type Step = 'untag' | 'delete';

/**
 * Why an image of this registry must stay whatever the evidence says: the keep plan holds it, does not know it, or nobody
 * approved this step of it. Undefined lets the step be judged as always. A veto settles nothing: it may be lifted tomorrow.
 */
export type Veto = (repository: string, digest: Digest, step: Step) => string | undefined;

/**
 * Asks what was said since the keep plan was made, anew where the answer is old, and gives why an image of the repository
 * must stay.
 * Throws `RECORD_UNREADABLE` and a registry's errors: then nothing of the repository may be deleted.
 */
export type LateVeto = (repository: string) => Promise<(digest: Digest) => string | undefined>;
