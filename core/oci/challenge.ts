/** The `WWW-Authenticate` header of a registry. https://distribution.github.io/distribution/spec/auth/token/ */

/** What a registry asks for on 401. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer';
      readonly realm: string;
      readonly service?: string;
      readonly scope?: string;
      /** `insufficient_scope`: signed in, but a right is missing. */
      readonly error?: string;
    };

/** Reads the header; undefined where it holds no scheme that we know. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  if (header === undefined) return undefined;
  const [, scheme = '', rest = ''] = /^\s*([A-Za-z]+)\s*(.*)$/s.exec(header) ?? [];
  if (scheme.toLowerCase() === 'basic') return { scheme: 'basic' };
  if (scheme.toLowerCase() !== 'bearer') return undefined;
  const parameters = new Map<string, string>();
  for (const match of rest.matchAll(/([a-z_]+)=(?:"([^"]*)"|([^\s,]+))/gi)) {
    const name = String(match[1]).toLowerCase();
    // What comes twice belongs to a second challenge in the same header.
    if (!parameters.has(name)) parameters.set(name, match[2] ?? match[3] ?? '');
  }
  const realm = parameters.get('realm');
  if (!realm) return undefined;
  const pick = (name: string) => {
    const value = parameters.get(name);
    return value ? { [name]: value } : {};
  };
  return { scheme: 'bearer', realm, ...pick('service'), ...pick('scope'), ...pick('error') };
}
