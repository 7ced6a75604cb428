/** The byte order mark, which helm takes off every file. */

/** The bytes without the mark in front, of which there is one at most. */
export function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
