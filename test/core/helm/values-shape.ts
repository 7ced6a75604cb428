/**
 * Shapes of `values.yaml`: what pinning makes of the text, to the byte, and which images a real helm then renders.
 * `WEB` and `API` stand for the two pins, `TAG` for the tag alone, and `#WEB` and `#API` for the digests.
 */

/** One shape; either `after` and `rendered`, or `refused`. */
export interface Shape {
  readonly title: string;
  /** Go's expressions for the images of a template. */
  readonly images: readonly string[];
  readonly before: string;
  readonly after?: string;
  readonly rendered?: readonly string[];
  readonly refused?: RegExp;
}

/** A repository and a tag in a map. */
export const split = (at: string): string => `{{ .Values.${at}.repository }}:{{ .Values.${at}.tag }}`;
/** A whole image. */
export const whole = (at: string): string => `{{ .Values.${at} }}`;
/** As Bitnami's helper puts its parts together. */
export const bitnami = (at: string): string =>
  `{{ with .Values.${at} }}{{ .registry }}/{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}{{ end }}`;
/** What a pin renders as. */
export const web = 'shop/web:TAG@#WEB';
export const api = 'shop/api:TAG@#API';
/** The usual template. */
export const image = [split('image')];
