/** A piece of a file on the disk, as core reads files. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { StoredFile } from '../../core/oci/files.ts';

/** Few large parts: a layer has hundreds of megabytes. */
const partBytes = 1024 * 1024;

/** A piece of the file at `path`. */
export interface Piece {
  /** Where it begins, in bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** The piece as a file of its own. What reads it opens `path` again; its content is verified by digest, like any other. */
export function readPiece(path: string, { offset, size }: Piece): StoredFile {
  return {
    size,
    read: start =>
      // Node's streams know no empty range.
      start < size
        ? createReadStream(path, { start: offset + start, end: offset + size - 1, highWaterMark: partBytes })
        : Readable.from([]),
  };
}
