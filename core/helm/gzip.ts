/** Gzip in JavaScript alone: what Node compresses differs between its versions. https://www.rfc-editor.org/rfc/rfc1952 */
import { Gunzip, gzipSync } from 'fflate';

/** DEFLATE makes at most 1032 bytes of one, so a part of this size never makes more than 4 MiB. */
const partBytes = 4096;
/** CRC-32 and size, behind the data. */
const trailerBytes = 8;

/** The same bytes for the same bytes, on every machine and day: no time, no name, and settings that depend on nothing. */
export function gzip(bytes: Uint8Array): Uint8Array {
  return gzipSync(bytes, { level: 6, mem: 4, mtime: 0 });
}

/**
 * What `bytes` were before they were compressed, part by part: who has enough stops asking, and nothing more is
 * decompressed. Throws a plain error for what is no gzip, or is damaged or cut off.
 */
export function* gunzip(bytes: Uint8Array): Generator<Uint8Array> {
  const parts: Uint8Array[] = [];
  const stream = new Gunzip(part => parts.push(part));
  stream.onmember = () => {
    throw new Error('It holds more than one member.');
  };
  let [crc, size] = [~0, 0];
  for (let start = 0; start < bytes.length || start === 0; start += partBytes) {
    stream.push(bytes.subarray(start, start + partBytes), start + partBytes >= bytes.length);
    for (const part of parts.splice(0)) {
      crc = updateCrc(crc, part);
      size += part.length;
      yield part;
    }
  }
  if (bytes.length < trailerBytes) throw new Error('It is too short.');
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - trailerBytes, trailerBytes);
  if (trailer.getUint32(0, true) !== ~crc >>> 0) throw new Error('Its checksum is wrong.');
  if (trailer.getUint32(4, true) !== size % 2 ** 32) throw new Error('Its size is wrong.');
}

const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** https://www.rfc-editor.org/rfc/rfc1952#section-8 */
function updateCrc(crc: number, bytes: Uint8Array): number {
  let next = crc;
  for (const byte of bytes) next = (crcTable[(next ^ byte) & 0xff] ?? 0) ^ (next >>> 8);
  return next;
}
