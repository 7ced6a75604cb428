/** TLS material that several processes share through a directory. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTls, type TlsMaterial } from '../tls.ts';

/**
 * Gives the `key.pem`, `cert.pem` and `ca.pem` of `directory`, or makes them and leaves them there for others to trust.
 * Processes that start at the same moment must not share an empty directory.
 */
export async function openTlsDirectory(directory: string): Promise<TlsMaterial> {
  const at = (name: string): string => join(directory, `${name}.pem`);
  try {
    const [key, cert, ca] = await Promise.all([
      readFile(at('key'), 'utf8'),
      readFile(at('cert'), 'utf8'),
      readFile(at('ca'), 'utf8'),
    ]);
    return { key, cert, ca };
  } catch {
    const made = await createTls();
    await mkdir(directory, { recursive: true });
    await writeFile(at('key'), made.key, { mode: 0o600 });
    await writeFile(at('cert'), made.cert);
    await writeFile(at('ca'), made.ca);
    return made;
  }
}
