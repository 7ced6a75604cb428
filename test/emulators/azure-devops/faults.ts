/** What can go wrong between Azure DevOps and its client, on demand. */
import type { Reply } from './http.ts';
import type { LoggedRequest } from './request-log.ts';

/** What happens to a matched request. */
export type Effect =
  /** Answers this instead, doing nothing. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly json?: unknown;
    }
  /** Drops the connection: before anything is done, after it is done, or in the middle of the body. */
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' | 'mid-body' }
  /** Waits this long before it does anything; with `drip`, sends the body so slowly that it takes as long again. */
  | { readonly kind: 'slow'; readonly ms: number; readonly drip?: boolean }
  /** A whole 200 with a page instead of JSON. */
  | { readonly kind: 'html' }
  /** A whole answer whose JSON ends in the middle. */
  | { readonly kind: 'truncated' }
  | { readonly kind: 'contentType'; readonly value: string }
  /** A list lacks this build. */
  | { readonly kind: 'missingBuild'; readonly id: number }
  /** Every build in the answer claims these ids: another organization's build, or a proxy's cache. */
  | { readonly kind: 'foreignBuild'; readonly id?: number; readonly projectId?: string; readonly definitionId?: number }
  /** The first item of a list comes twice. */
  | { readonly kind: 'doubled' }
  | { readonly kind: 'retryAfter'; readonly value: string }
  /** A body padded beyond this many bytes, with no Content-Length. */
  | { readonly kind: 'oversized'; readonly bytes: number }
  /** Whatever else a body may become. */
  | { readonly kind: 'edit'; readonly edit: (json: unknown) => unknown };

/** Which requests a fault meets: all conditions that are given. */
export interface Fault {
  /** As in the request log: `builds.get`, `builds.list`, `projects.get`, … */
  readonly operation?: string;
  readonly path?: string | RegExp;
  /** Starts at the nth match, counted from 1. */
  readonly nth?: number;
  /** How many matches it meets; all when absent. */
  readonly count?: number;
  readonly effect: Effect;
}

/** The faults that wait for a request. */
export interface Faults {
  /** Gives the function that takes the fault away. */
  add(fault: Fault): () => void;
  clear(): void;
  /** Asked about every request, before and after it is done. */
  intercept?:
    | ((request: LoggedRequest, phase: 'before' | 'after') => 'proceed' | 'cut' | Promise<'proceed' | 'cut'>)
    | undefined;
  /** The effects on this request, in the order they were added; counts it. */
  take(operation: string, path: string): Effect[];
}

/** Makes an empty set of faults. */
export function createFaults(): Faults {
  let waiting: Array<{ readonly fault: Fault; seen: number }> = [];
  return {
    add: fault => {
      const entry = { fault, seen: 0 };
      waiting.push(entry);
      return () => {
        waiting = waiting.filter(other => other !== entry);
      };
    },
    clear: () => {
      waiting = [];
    },
    take: (operation, path) =>
      waiting.flatMap(entry => {
        const { fault } = entry;
        if (!matches(fault, operation, path)) return [];
        entry.seen += 1;
        const first = fault.nth ?? 1;
        const met = entry.seen >= first && entry.seen < first + (fault.count ?? Number.POSITIVE_INFINITY);
        return met ? [fault.effect] : [];
      }),
  };
}

function matches(fault: Fault, operation: string, path: string): boolean {
  if (fault.operation !== undefined && fault.operation !== operation) return false;
  if (fault.path === undefined) return true;
  return typeof fault.path === 'string' ? path.includes(fault.path) : fault.path.test(path);
}

type BuildBody = { id: number; project: { id: string }; definition: { id: number } };

/** Applies the effects that change a good answer. */
export function spoil(reply: Reply, effects: readonly Effect[]): Reply {
  return effects.reduce(spoilOnce, reply);
}

function spoilOnce(reply: Reply, effect: Effect): Reply {
  switch (effect.kind) {
    case 'html':
      return { status: 200, html: '<html><body>Azure DevOps Services | Oops</body></html>' };
    case 'contentType':
      return { ...reply, headers: { ...reply.headers, 'content-type': effect.value } };
    case 'retryAfter':
      return { ...reply, headers: { ...reply.headers, 'retry-after': effect.value } };
    case 'edit':
      return { ...reply, json: effect.edit(structuredClone(reply.json)) };
    case 'missingBuild':
    case 'doubled':
    case 'foreignBuild':
      return spoilBuilds(reply, effect);
    case 'status':
    case 'cut':
    case 'slow':
    case 'truncated':
    case 'oversized':
      return reply; // the server's own work
  }
}

function spoilBuilds(
  reply: Reply,
  effect: Extract<Effect, { kind: 'missingBuild' | 'doubled' | 'foreignBuild' }>,
): Reply {
  const json = reply.json as { value?: unknown[] } | undefined;
  const items = json?.value;
  if (!Array.isArray(items)) {
    return effect.kind === 'foreignBuild' ? { ...reply, json: disguise(json as BuildBody, effect) } : reply;
  }
  const relist = (value: unknown[]): Reply => ({ ...reply, json: { ...json, count: value.length, value } });
  if (effect.kind === 'doubled') return relist([...items.slice(0, 1), ...items]);
  if (effect.kind === 'missingBuild') return relist(items.filter(item => (item as BuildBody).id !== effect.id));
  return relist(items.map(item => disguise(item as BuildBody, effect)));
}

function disguise(build: BuildBody, effect: Extract<Effect, { kind: 'foreignBuild' }>): unknown {
  return {
    ...build,
    id: effect.id ?? build.id,
    project: { ...build.project, id: effect.projectId ?? build.project.id },
    definition: { ...build.definition, id: effect.definitionId ?? build.definition.id },
  };
}
