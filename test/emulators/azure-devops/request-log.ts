/** What the emulator was asked, in order. */

/** One request and its answer. */
export interface LoggedRequest {
  readonly method: string;
  /** Below the collection, with no leading slash. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** `builds.get`, `builds.list`, …; `none` where nothing serves the path. */
  readonly operation: string;
  /** Milliseconds by the emulator's clock. */
  readonly at: number;
  /** `Bearer`, `Basic` or empty; never the credential. */
  readonly scheme: string;
  /** Absent until answered, and for ever when the connection was cut. */
  status?: number;
}

/** The log; bounded, the oldest entries go first. */
export interface RequestLog {
  readonly entries: readonly LoggedRequest[];
  add(request: LoggedRequest): void;
  count(operation: string): number;
  clear(): void;
}

/** Makes an empty log. */
export function createRequestLog(): RequestLog {
  const entries: LoggedRequest[] = [];
  return {
    entries,
    add: request => {
      entries.push(request);
      if (entries.length > 20_000) entries.splice(0, 10_000);
    },
    count: operation => entries.filter(entry => entry.operation === operation).length,
    clear: () => {
      entries.length = 0;
    },
  };
}
