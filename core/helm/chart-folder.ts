/** The folder of a chart, as a seam: core asks for names, and whoever touches the disk answers. */

/** What stands in a folder. A link is what it leads to. */
export interface FolderEntry {
  readonly name: string;
  /** `other` is neither: a socket, a device, a pipe. */
  readonly kind: 'file' | 'folder' | 'other';
}

/** A folder that is read where it lies. Paths are joined with `/` and relative to it; its own is the empty one. */
export interface ChartFolder {
  /** As the user named it, for messages. */
  readonly label: string;
  /** What stands there, in any order. Throws `INPUT_INVALID` for a link that leads out, in a circle or to nothing. */
  list(path: string): Promise<readonly FolderEntry[]>;
  /** The whole of a file. Throws `TOO_LARGE` for more than `maxBytes`. */
  read(path: string, maxBytes: number): Promise<Uint8Array>;
}
