/** Asks an emulator plainly, so that no client of ours stands between a test and the answer. */
import type { AzureDevOpsEmulator } from './azure-devops.ts';

/** An answer, read whole; `json` is undefined where the body is none. */
export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies by hand
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
  readonly text: string;
}

/** Asks for `path` below the organization, signed in with the personal access token unless `init` says otherwise. */
export async function ask(emulator: AzureDevOpsEmulator, path: string, init: RequestInit = {}): Promise<Asked> {
  const authorization = `Basic ${Buffer.from(`:${emulator.pat}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/json', ...(init.headers as Record<string, string>) };
  const response = await fetch(`${emulator.url}/${path}`, { redirect: 'manual', ...init, headers });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return { status: response.status, headers: response.headers, json: isJson ? JSON.parse(text) : undefined, text };
}
