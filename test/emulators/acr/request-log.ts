/** Every request that reached the emulator, so that a test can count what a client did. */

/** The classes that ACR throttles apart: https://learn.microsoft.com/azure/container-registry/container-registry-skus */
export type OperationClass = 'Read' | 'Write' | 'Delete' | 'ListReferrers' | 'OAuth' | 'Data';

/** One request. `status` is 0 until it is answered, and stays 0 when it never is. */
export interface LoggedRequest {
  readonly sequence: number;
  /** The emulator's time, in milliseconds. */
  readonly at: number;
  readonly method: string;
  /** Decoded, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly operation: string;
  readonly operationClass: OperationClass;
  readonly repository?: string;
  /** The tag, digest or upload that the path names. */
  readonly reference?: string;
  identity?: string;
  status: number;
}

/** Which requests; every field given must hold. */
export type RequestFilter = Partial<
  Pick<
    LoggedRequest,
    'method' | 'path' | 'operation' | 'operationClass' | 'repository' | 'reference' | 'identity' | 'status'
  >
>;

/** What was asked so far. */
export interface RequestLog {
  all(filter?: RequestFilter): LoggedRequest[];
  count(filter?: RequestFilter): number;
  /** Forgets; sequence numbers go on. */
  clear(): void;
}

/** The log's own side. */
export interface RequestRecorder extends RequestLog {
  record(request: Omit<LoggedRequest, 'sequence' | 'status'>): LoggedRequest;
}

/** Makes an empty log. */
export function createRequestLog(): RequestRecorder {
  let sequence = 0;
  let entries: LoggedRequest[] = [];
  const select = (filter: RequestFilter = {}): LoggedRequest[] => {
    const wanted = Object.entries(filter) as [keyof RequestFilter, unknown][];
    return entries.filter(entry => wanted.every(([key, value]) => entry[key] === value));
  };
  return {
    record: request => {
      sequence += 1;
      const entry: LoggedRequest = { ...request, sequence, status: 0 };
      entries.push(entry);
      return entry;
    },
    all: select,
    count: filter => select(filter).length,
    clear: () => {
      entries = [];
    },
  };
}
