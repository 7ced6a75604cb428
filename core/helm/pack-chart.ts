/** A chart as an archive whose bytes depend on its content alone. https://helm.sh/docs/topics/charts/#the-chart-file-structure */
import { createHash } from 'node:crypto';
import { pack } from 'tar-stream';
import type { Chart, ChartFile } from './chart.ts';
import { gzip } from './gzip.ts';
import { listPackedFiles } from './packed-files.ts';

/** An archive that helm installs. */
export interface PackedChart {
  /** As helm calls it: `<name>-<version>.tgz`. */
  readonly fileName: string;
  readonly bytes: Uint8Array;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Packs what `helm package` would, but `Chart.yaml` and `Chart.lock` as they are written. One content is one archive: no
 * time, user or machine is in it. Throws `INPUT_INVALID` where two files have one path.
 */
export async function packChart(chart: Chart): Promise<PackedChart> {
  const { name, version } = chart.metadata;
  const bytes = gzip(await packFiles(listPackedFiles(chart), name));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { fileName: `${name}-${version}.tgz`, bytes, sha256 };
}

/** What no checkout changes. */
const fixed = { type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) } as const;

async function packFiles(files: readonly ChartFile[], folder: string): Promise<Uint8Array> {
  const tar = pack();
  for (const { path, bytes } of files) {
    tar.entry({ ...fixed, name: `${folder}/${path}`, size: bytes.length }, bytes as Buffer);
  }
  tar.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of tar) parts.push(part as Uint8Array);
  return join(parts);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
