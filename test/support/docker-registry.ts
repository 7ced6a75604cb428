/** Debian's docker-registry as a process of its own, on a free loopback port, with its storage in a temporary folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsMaterial } from '../emulators/tls.ts';
import { missingTool } from './tools.ts';

/** A running registry. */
export interface DockerRegistry {
  /** `localhost:port`. */
  readonly host: string;
  readonly username?: string;
  readonly password?: string;
  /** Forgets everything that is stored. */
  clear(): Promise<void>;
  /** One line for each stored file, with the digest of its bytes: equal means that nothing was changed. */
  fingerprint(): Promise<string>;
  stop(): Promise<void>;
}

/** The one account of a registry that asks for a password; what a shell, a URL and a header each trip over. */
export const account = { username: 'builder', password: 'p@ss wörd&1' } as const;
/** bcrypt of the password above: the one kind that docker-registry reads. */
const accountHash = '$2b$05$abcdefghijklmnopqrstuu6Tk.zcaFTUnh0pUWTvFgtd2beb6Kx.i';

/** How to start a registry. */
export interface DockerRegistryOptions {
  /** Whether it asks for {@link account}. */
  readonly password?: boolean;
  /** Without it, it is spoken to in plain text. */
  readonly tls?: TlsMaterial;
  /** The folder that its own is made in; that of temporary files unless told. */
  readonly within?: string;
}

/** Starts a registry. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const folder = await mkdtemp(join(options.within ?? tmpdir(), 'image-lifecycle-registry-'));
  const storage = join(folder, 'storage');
  await writeFile(join(folder, 'htpasswd'), `${account.username}:${accountHash}\n`);
  const tls = options.tls && { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  if (options.tls && tls) {
    await writeFile(tls.certificate, options.tls.cert);
    await writeFile(tls.key, options.tls.key);
  }
  await writeFile(
    join(folder, 'config.json'),
    // YAML reads JSON.
    JSON.stringify({
      version: '0.1',
      log: { level: 'info', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
      http: { addr: '127.0.0.1:0', ...(tls && { tls }) },
      // Otherwise it takes no layer that is elsewhere.
      validation: { manifests: { urls: { allow: ['^https://'] } } },
      ...(options.password && { auth: { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } } }),
    }),
  );
  const child = spawn('docker-registry', ['serve', join(folder, 'config.json')], { stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    const port = await readPort(child);
    return {
      host: `localhost:${port}`,
      ...(options.password && account),
      clear: () => rm(storage, { recursive: true, force: true }),
      fingerprint: () => fingerprint(storage),
      stop: () => stop(child, folder),
    };
  } catch (thrown) {
    await stop(child, folder);
    throw thrown;
  }
}

async function readPort(child: ChildProcess): Promise<number> {
  let output = '';
  return new Promise((resolve, reject) => {
    const read = (part: Buffer): void => {
      output += part.toString();
      const match = /listening on 127\.0\.0\.1:(\d+)/.exec(output);
      if (match) resolve(Number(match[1]));
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.on('error', cause => {
      reject((cause as { code?: unknown }).code === 'ENOENT' ? missingTool('docker-registry') : cause);
    });
    child.on('exit', code => reject(new Error(`docker-registry ended with ${code}: ${output}`)));
  });
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
}

async function fingerprint(storage: string): Promise<string> {
  const entries = await readdir(storage, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
  const lines = files.sort().map(async file => {
    const digest = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    return `${file.slice(storage.length)} ${digest}`;
  });
  return (await Promise.all(lines)).join('\n');
}
