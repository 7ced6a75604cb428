/** What can be wrong with an answer of Azure DevOps, whatever was asked. */
import type { Effect } from '../../emulators/azure-devops/faults.ts';

/** Whatever is wrong with an answer, nothing may be read from it. */
export const broken: Readonly<Record<string, Effect>> = {
  'a 500': { kind: 'status', status: 500 },
  'a 401': { kind: 'status', status: 401 },
  'a 403': { kind: 'status', status: 403 },
  'a sign-in page': { kind: 'status', status: 203 },
  'a 200 page': { kind: 'html' },
  'a cut connection': { kind: 'cut', when: 'before' },
  'a cut body': { kind: 'cut', when: 'mid-body' },
  'half a JSON': { kind: 'truncated' },
  'an empty object': { kind: 'edit', edit: () => ({}) },
  'a null': { kind: 'edit', edit: () => null },
  'an empty 404': { kind: 'status', status: 404 },
  'a 404 of another kind': {
    kind: 'status',
    status: 404,
    json: { typeKey: 'HttpControllerNotFoundException', message: '' },
  },
  'a 400 that says not found': {
    kind: 'status',
    status: 400,
    json: { typeKey: 'BuildNotFoundException', message: '' },
  },
};

/** What can be wrong with a list besides. */
export const brokenLists: Readonly<Record<string, Effect>> = {
  'half a page': edit(({ count, value }) => ({ count, value: value.slice(0, Math.floor(value.length / 2)) })),
  'a page that counts too few': edit(({ value }) => ({ count: value.length - 1, value })),
  'a list without a count': edit(({ value }) => ({ value })),
  'items that are none': edit(({ value }) => ({ count: value.length, value: value.map(() => 'x') })),
};

interface List {
  readonly count: number;
  readonly value: readonly unknown[];
}

function edit(change: (list: List) => unknown): Effect {
  return { kind: 'edit', edit: json => change(json as List) };
}
