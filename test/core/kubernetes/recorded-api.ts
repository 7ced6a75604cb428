/** A cluster that answers as a real API server did: see recorded/README.md. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { judgeAnswer } from '../../../core/kubernetes/answer.ts';
import type { KubernetesApi } from '../../../core/kubernetes/api.ts';

/** A page of a list, as far as the recording is gone through. */
interface Page {
  readonly metadata: { readonly continue?: string };
}

/** What was recorded under a name. */
export async function readRecorded(name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(import.meta.dirname, 'recorded', `${name}.json`), 'utf8')) as unknown;
}

/** The cluster, and every path that it was asked for. */
export function openRecorded(): { readonly api: KubernetesApi; readonly asked: string[] } {
  const asked: string[] = [];
  const api: KubernetesApi = {
    server: 'https://recorded',
    ask: async request => {
      asked.push(request.path);
      const bytes = Buffer.from(JSON.stringify(await answerTo(request.path)));
      const contentType = 'application/json';
      return judgeAnswer(request, { kind: 'answered', status: 200, contentType, retryAfter: undefined, bytes });
    },
  };
  return { api, asked };
}

async function answerTo(path: string): Promise<unknown> {
  const url = new URL(path, 'https://recorded');
  const resource = url.pathname.split('/').at(-1) ?? '';
  if (resource !== 'pods') return readRecorded(resource);
  const pages = (await readRecorded('pods-in-pages')) as readonly Page[];
  const token = url.searchParams.get('continue');
  return token === null ? pages[0] : pages[pages.findIndex(page => page.metadata.continue === token) + 1];
}
