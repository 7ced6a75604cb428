/** Files that images are kept in, as a seam: core asks for them by name, and whoever touches the disk answers. */
import { AppError, inputError } from '../base/errors.ts';
import type { BlobBody } from './blobs.ts';

/** One file. */
export interface StoredFile {
  /** Bytes. */
  readonly size: number;
  /** The bytes from `offset` on; none where that is behind the end. */
  read(offset: number): BlobBody;
}

/** A folder, or an archive, that is read where it lies. */
export interface Files {
  /** Its path, for messages. */
  readonly label: string;
  /**
   * The file of that name, whose parts are joined with `/`; undefined where there is none.
   * Throws `INPUT_INVALID` where the name leads out of the folder or to something that is not a file.
   */
  open(name: string): Promise<StoredFile | undefined>;
}

/** A file of at most `maxBytes`, whole; undefined where there is none. Throws `TOO_LARGE`. */
export async function readSmallFile(files: Files, name: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const file = await files.open(name);
  if (!file) return undefined;
  if (file.size > maxBytes) {
    throw new AppError(`${files.label}: ${name} has ${file.size} bytes; ${maxBytes} are the most.`, {
      code: 'TOO_LARGE',
    });
  }
  const parts: Uint8Array[] = [];
  for await (const part of file.read(0)) parts.push(part);
  return Buffer.concat(parts);
}

/** A JSON document of at most `maxBytes`; undefined where there is none. Throws `INPUT_INVALID` or `TOO_LARGE`. */
export async function readJsonFile(files: Files, name: string, maxBytes: number): Promise<unknown> {
  const bytes = await readSmallFile(files, name, maxBytes);
  if (!bytes) return undefined;
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    // What the parser says quotes the file, and a link may have led to any.
    throw inputError(`${files.label}: ${name} is not JSON.`);
  }
}
