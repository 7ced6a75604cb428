/** skopeo, the independent client: it pushes what our code reads, and reads what our code writes. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Content, writeLayout } from './images.ts';
import { missingTool } from './tools.ts';

const execute = promisify(execFile);

/** Where skopeo goes: `host:port`, and the sign-in, if any. */
export interface SkopeoTarget {
  readonly host: string;
  readonly username?: string;
  readonly password?: string;
}

/** Runs skopeo; gives its output, rejects with what it said. */
export async function skopeo(...parameters: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execute('skopeo', ['--insecure-policy', ...parameters], { maxBuffer: 16 * 1024 * 1024 });
    return stdout;
  } catch (thrown) {
    const { code, stderr } = thrown as { code?: unknown; stderr?: string };
    if (code === 'ENOENT') throw missingTool('skopeo');
    throw new Error(`skopeo ${parameters[0]} failed: ${stderr ?? String(thrown)}`, { cause: thrown });
  }
}

/** Pushes `image` whole, byte for byte, to `repository:tag`. */
export async function pushImage(target: SkopeoTarget, reference: string, image: Content): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-layout-'));
  try {
    await writeLayout(folder, { image });
    const flags = ['--all', '--preserve-digests', '--dest-tls-verify=false', ...signIn('--dest-creds', target)];
    await skopeo('copy', ...flags, `oci:${folder}:image`, `docker://${target.host}/${reference}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The digest of the bytes that skopeo reads at `repository:tag`; undefined where there is none. */
export async function inspectDigest(target: SkopeoTarget, reference: string): Promise<string | undefined> {
  try {
    const flags = ['--raw', '--tls-verify=false', ...signIn('--creds', target)];
    const bytes = await skopeo('inspect', ...flags, `docker://${target.host}/${reference}`);
    return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  } catch (thrown) {
    if (/manifest unknown|name unknown|NAME_UNKNOWN|404/i.test(String(thrown))) return undefined;
    throw thrown;
  }
}

function signIn(flag: string, { username, password }: SkopeoTarget): string[] {
  return username === undefined ? [] : [flag, `${username}:${password ?? ''}`];
}
