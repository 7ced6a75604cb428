/** Gzip in JavaScript alone: what Node compresses differs between its versions. https://www.rfc-editor.org/rfc/rfc1952 */
import { deflateSync, Gunzip } from 'fflate';

/** DEFLATE makes at most 1032 bytes of one, so a part of this size never makes more than 4 MiB. */
const partBytes = 4096;
/** No time and no name, and neither a machine nor a level is named. */
const header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/** Checksum and size, behind the data. */
const trailerBytes = 8;

/** The same bytes for the same bytes, on every machine and day: the settings depend on nothing. */
export function gzip(bytes: Uint8Array): Uint8Array {
  const body = deflateSync(bytes, { level: 6, mem: 4 });
  const whole = new Uint8Array(header.length + body.length + trailerBytes);
  whole.set(header);
  whole.set(body, header.length);
  const trailer = new DataView(whole.buffer, header.length + body.length);
  trailer.setUint32(0, crc32(bytes), true);
  trailer.setUint32(4, bytes.length, true);
  return whole;
}

/**
 * What `bytes` were before they were compressed, part by part: who has enough stops asking, and nothing more is
 * decompressed. Throws a plain error for what is no gzip, or is damaged or cut off.
 */
export function* gunzip(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.length < header.length + trailerBytes) throw new Error('It is too short.');
  const parts: Uint8Array[] = [];
  const stream = new Gunzip(part => parts.push(part));
  let [crc, size] = [0, 0];
  for (let start = 0; start < bytes.length; start += partBytes) {
    stream.push(bytes.subarray(start, start + partBytes), start + partBytes >= bytes.length);
    for (const part of parts.splice(0)) {
      crc = crc32(part, crc);
      size += part.length;
      yield part;
    }
  }
  // The library looks at neither. They are of one member: an archive of several is refused.
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - trailerBytes, trailerBytes);
  if (trailer.getUint32(0, true) !== crc) throw new Error('Its checksum is wrong.');
  if (trailer.getUint32(4, true) !== size % 2 ** 32) throw new Error('Its size is wrong.');
}

const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** Of `bytes`, or of them behind others that had the checksum `before`. https://www.rfc-editor.org/rfc/rfc1952#section-8 */
function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (let at = 0; at < bytes.length; at += 1) {
    crc = (crcTable[(crc ^ (bytes[at] as number)) & 255] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
