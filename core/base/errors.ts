/** The error model: a code to branch on, whether trying again can help, and the cause below it. */

/** What went wrong, one line each. */
export type ErrorCode =
  | 'INPUT_INVALID' /* the user's own words are wrong; nothing was changed */
  | 'REGISTRY_DENIED' /* signed in, but this right is missing, or not signed in at all */
  | 'REGISTRY_UNAVAILABLE' /* 429, 5xx or a cut connection, after every retry */
  | 'REGISTRY_UNEXPECTED' /* an answer that breaks the protocol */
  | 'DIGEST_MISMATCH' /* bytes that do not have the digest they were asked by */
  | 'TOO_LARGE' /* an answer or a file over its bound */
  | 'IMAGE_NOT_FOUND' /* a reference that names nothing */
  | 'TAG_TAKEN' /* a tag that holds another digest */
  | 'LOCKED' /* the registry refuses a change because of a lock */
  | 'AZURE_DEVOPS_UNAVAILABLE' /* no usable answer about a build, whatever the cause */
  | 'CLUSTER_UNREAD' /* what a cluster runs could not be read whole */
  | 'SIGN_IN_FAILED' /* Entra or the agent gave no token */
  | 'RECORD_NOT_FOUND' /* no build record where one was counted on */
  | 'BUILD_GONE' /* the build was deleted, so nothing of it goes anywhere */
  | 'LEASE_DENIED' /* a build that had to be held could not be */
  | 'NOT_PROMOTED' /* an image that has not been where it must have been before */
  | 'RECORD_UNREADABLE' /* a build record or tombstone that cannot be understood */
  | 'NOT_CLEANED' /* what had to go is still there: a source was not read, or a deletion failed */
  | 'BRAKE' /* the limit of deletions in 24 hours is reached */
  | 'DEFECT'; /* ours */

/** What an {@link AppError} carries beside its message. */
export interface ErrorDetail {
  readonly code: ErrorCode;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable?: boolean;
  /** The right that whoever refused says is missing. */
  readonly missing?: string | undefined;
  readonly cause?: unknown;
}

/** Every error this project throws on purpose. The message names the thing, what happened, and what to do. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly missing: string | undefined;

  constructor(message: string, detail: ErrorDetail) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = detail.code;
    this.retryable = detail.retryable ?? false;
    this.missing = detail.missing;
  }
}

/** An error in what the user wrote; `message` names the input or the configuration key. */
export function inputError(message: string, cause?: unknown): AppError {
  return new AppError(message, { code: 'INPUT_INVALID', cause });
}

/** Puts one clause in front of a failure and keeps its code: `promoting x: destination: …`. */
export function withContext(clause: string, cause: unknown): AppError {
  const code = cause instanceof AppError ? cause.code : 'DEFECT';
  const retryable = cause instanceof AppError && cause.retryable;
  return new AppError(`${clause}: ${errorMessage(cause)}`, { code, retryable, cause });
}

/** The message of anything that was thrown. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Whether `thrown` is ours and carries one of `codes`. */
export function hasCode(thrown: unknown, ...codes: readonly ErrorCode[]): thrown is AppError {
  return thrown instanceof AppError && codes.includes(thrown.code);
}
