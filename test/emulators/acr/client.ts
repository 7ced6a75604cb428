/** A plain client for the emulator's own tests: what is sent is what the test says, nothing is retried or followed. */

import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { issueToken } from '../tokens.ts';
import type { AcrEmulator } from './acr.ts';
import type { Attributes } from './repository.ts';

/** An answer, read whole. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly json: AnswerBody;
  /** The code of the first error in the body. */
  readonly code: string | undefined;
}

/** A tag as `/acr/v1` shows it. */
export interface TagItem {
  readonly name: string;
  readonly digest: string;
  readonly createdTime: string;
  readonly lastUpdateTime: string;
  readonly changeableAttributes: Attributes;
}

/** A manifest as `/acr/v1` shows it, or a descriptor in an answer about referrers. */
export interface ManifestItem {
  readonly digest: string;
  readonly mediaType: string;
  readonly tags?: readonly string[];
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly lastUpdateTime: string;
  readonly changeableAttributes: Attributes;
}

/** Whatever an answer's body may hold. */
export interface AnswerBody {
  readonly errors?: readonly { readonly code: string; readonly message: string; readonly detail?: unknown }[];
  readonly refresh_token?: string;
  readonly access_token?: string;
  readonly repositories?: readonly string[];
  readonly tags?: readonly TagItem[];
  readonly tag?: TagItem;
  readonly manifests?: readonly ManifestItem[];
  readonly manifest?: ManifestItem;
  readonly manifestCount?: number;
  readonly tagCount?: number;
  readonly lastUpdateTime?: string;
  readonly changeableAttributes?: Attributes;
}

/** The tags in an answer, which `/v2` lists by name and `/acr/v1` with all that belongs to them. */
export function tagNames(...replies: readonly Reply[]): string[] {
  const items = replies.flatMap(reply => (reply.json.tags ?? []) as readonly (TagItem | string)[]);
  return items.map(item => (typeof item === 'string' ? item : item.name));
}

/** The digests of the manifests in an answer. */
export function digests(...replies: readonly Reply[]): string[] {
  return replies.flatMap(reply => (reply.json.manifests ?? []).map(item => item.digest));
}

/** What is sent beside method and path. */
export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** `null` signs nobody in. */
  readonly authorization?: string | null;
  readonly host?: string;
}

/** Sends requests to one emulator. */
export interface Client {
  send(method: string, path: string, sent?: Sent): Promise<Reply>;
  close(): void;
}

/** The header of somebody with a password. */
export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

/** An Entra token, valid for an hour by the emulator's clock. */
export function entraToken(emulator: AcrEmulator, claims: Readonly<Record<string, unknown>> = {}): string {
  const exp = Math.floor(emulator.clock.now() / 1000) + 3600;
  return issueToken({ aud: 'https://containerregistry.azure.net', oid: 'an-object', exp, ...claims });
}

function parseJson(bytes: Buffer): AnswerBody {
  try {
    return JSON.parse(bytes.toString()) as AnswerBody;
  } catch {
    return {};
  }
}

/** Makes a client that signs in as the default administrator unless told otherwise. */
export function createClient(emulator: AcrEmulator, authorization = basic('admin', 'admin-password')): Client {
  const agent = new Agent({ keepAlive: true, ca: emulator.ca });
  return {
    close: () => agent.destroy(),
    send: (method, path, sent = {}) =>
      new Promise((resolve, reject) => {
        const [hostname, port] = (sent.host ?? emulator.host).split(':');
        const signed = sent.authorization === undefined ? authorization : sent.authorization;
        const headers = { ...(signed === null ? {} : { Authorization: signed }), ...sent.headers };
        const outgoing = request({ agent, hostname, port, method, path, headers }, response => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const bytes = Buffer.concat(chunks);
            const json = parseJson(bytes);
            const code = json.errors?.[0]?.code;
            resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, json, code });
          });
        });
        outgoing.on('error', reject);
        outgoing.end(sent.body);
      }),
  };
}

/** Follows `Link` from page to page and gives every reply. */
export async function readPages(client: Client, path: string): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const reply = await client.send('GET', next);
    replies.push(reply);
    const link = reply.headers['link'];
    next = /^<([^>]+)>; rel="next"$/.exec(Array.isArray(link) ? (link[0] ?? '') : (link ?? ''))?.[1];
  }
  return replies;
}

/** Runs `work` with a fresh emulator and a client, and closes both. */
export async function withAcr<T>(
  start: () => Promise<AcrEmulator>,
  work: (emulator: AcrEmulator, client: Client) => Promise<T>,
): Promise<T> {
  const emulator = await start();
  const client = createClient(emulator);
  try {
    return await work(emulator, client);
  } finally {
    client.close();
    await emulator.close();
  }
}
