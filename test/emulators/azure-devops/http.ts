/** What a route of the emulator gets and gives, and the bodies that Azure DevOps wraps its answers in. */
import type { IncomingHttpHeaders } from 'node:http';
import type { AcceptedToken } from './access.ts';

/** One request, read whole. `path` is below the collection, with no slash at either end. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  /** The `{name}`s of the route's pattern. */
  readonly params: Readonly<Record<string, string>>;
  readonly caller: AcceptedToken;
}

/** One answer; `json` is sent as JSON, `html` as a page, neither as no body. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly html?: string;
}

/** What a token may be allowed to do. */
export type Right = 'read' | 'execute' | 'delete' | 'hooks' | 'releases' | 'code';

/** One operation. `{name}` in `pattern` takes one path segment. */
export interface Route {
  readonly operation: string;
  readonly method: string;
  readonly pattern: string;
  readonly right: Right;
  /** Whether the resource is in preview and refuses a released api-version. */
  readonly preview?: boolean;
  readonly handle: (call: Call) => Reply | Promise<Reply>;
}

/** A 200 with one object. */
export function ok(json: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, json, headers };
}

/** A 200 with a list, in the wrapper of every Azure DevOps list. */
export function list(value: readonly unknown[], headers: Readonly<Record<string, string>> = {}): Reply {
  return ok({ count: value.length, value }, headers);
}

/** An error as Azure DevOps writes it: `typeKey` is the part to branch on. */
export function failure(status: number, typeKey: string, message: string): Reply {
  const space = /^(Build|Definition|Retention|CannotDelete)/.test(typeKey) ? 'Build.WebApi' : 'Core.WebApi';
  return {
    status,
    json: {
      $id: '1',
      innerException: null,
      message,
      typeName: `Microsoft.TeamFoundation.${space}.${typeKey}, Microsoft.TeamFoundation.${space}`,
      typeKey,
      errorCode: 0,
      eventId: 3000,
    },
  };
}

/** The 404 of a path that no controller serves: HTML-free, and no absence of anything. */
export function noController(path: string): Reply {
  return failure(404, 'HttpControllerNotFoundException', `The controller for path '/${path}' was not found.`);
}

/** Reads a parameter that must be a positive integer. */
export function readId(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
}
