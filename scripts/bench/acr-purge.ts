/** Azure's own cleaner as a peer: `acr purge`, by age, since it knows nothing of builds. https://github.com/Azure/acr-cli */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const version = 'v0.18.1';
const root = resolve(import.meta.dirname, '../..');
const longestMs = 30 * 60_000;

/** Which registry, and how old an image must be to go. */
export interface PurgeOrder {
  readonly host: string;
  readonly ca: string;
  readonly days: number;
}

/** How a purge ended. */
export interface PurgeResult {
  readonly seconds: number;
  /** What it said last, where it failed. */
  readonly failure?: string;
}

/** Purges tags and the manifests that are left, 32 at a time, the most that it takes. */
export type AcrPurge = (order: PurgeOrder) => Promise<PurgeResult>;

/** `acr` of the path, or built where Go is and its module can be had; undefined where neither is. */
export async function findAcrPurge(say: (line: string) => void): Promise<AcrPurge | undefined> {
  const path = (await isThere('acr')) ? 'acr' : await buildAcr(say);
  return path === undefined ? undefined : order => purge(path, order);
}

async function isThere(path: string): Promise<boolean> {
  return execute(path, ['version']).then(
    () => true,
    () => false,
  );
}

async function buildAcr(say: (line: string) => void): Promise<string | undefined> {
  const folder = join(root, '.tmp', `acr-${version}`);
  const path = join(folder, 'acr');
  if (await isThere(path)) return path;
  await mkdir(folder, { recursive: true });
  try {
    const env = { ...process.env, GOBIN: folder };
    await execute('go', ['install', `github.com/Azure/acr-cli/cmd/acr@${version}`], { env, timeout: longestMs });
    return path;
  } catch {
    say(`acr purge is not here: it is not on the path, and ${version} could not be built with Go`);
    return undefined;
  }
}

async function purge(path: string, { host, ca, days }: PurgeOrder): Promise<PurgeResult> {
  await mkdir(join(root, '.tmp'), { recursive: true });
  const folder = await mkdtemp(join(root, '.tmp', 'acr-'));
  const authority = join(folder, 'ca.pem');
  await writeFile(authority, ca);
  // A name without a dot would be one of Azure's.
  const registry = host.replace('localhost', '127.0.0.1');
  const what = ['--filter', '.*:.*', '--ago', `${days}d`, '--untagged', '--concurrency', '32'];
  const args = ['purge', '-r', registry, '-u', 'admin', '-p', 'admin-password', ...what];
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 100) / 10;
  try {
    const env = { PATH: process.env['PATH'], HOME: folder, SSL_CERT_FILE: authority };
    await execute(path, args, { env, timeout: longestMs, maxBuffer: 64 * 1024 * 1024 });
    return { seconds: seconds() };
  } catch (thrown) {
    const { stderr = '', stdout = '' } = thrown as { stderr?: string; stdout?: string };
    return { seconds: seconds(), failure: (stderr || stdout).trim().slice(-300) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
