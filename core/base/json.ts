/** JSON of others, which may be none. */

/** The value of a JSON text, as text or as its bytes in UTF-8; undefined where it is none. The parser's words quote the text, so they go unsaid. */
export function parseJson(json: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof json === 'string' ? json : Buffer.from(json).toString('utf8'));
  } catch {
    return undefined;
  }
}
