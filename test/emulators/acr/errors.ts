/** Errors as the registry words them: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */

/** What a route answers. An object body is sent as JSON. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string | object;
}

/** One item of an error body. */
export interface ErrorItem {
  readonly code: string;
  readonly message: string;
  readonly detail?: unknown;
}

/** Thrown by a route that refuses; carries the whole answer. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.answer = answer;
  }
}

/** A refusal with several errors, or with headers. */
export function refuseWith(
  status: number,
  errors: readonly ErrorItem[],
  headers: Readonly<Record<string, string>> = {},
): Refusal {
  return new Refusal({ status, headers, body: { errors } });
}

/** A refusal with one error. */
export function refuse(status: number, code: string, message: string, detail?: unknown): Refusal {
  return refuseWith(status, [detail === undefined ? { code, message } : { code, message, detail }]);
}

/** A repository that holds nothing. */
export function nameUnknown(name: string): Refusal {
  return refuse(404, 'NAME_UNKNOWN', 'repository name not known to registry', { name });
}

/** A manifest or the tag of one that is not there. */
export function manifestUnknown(name: string, reference: string): Refusal {
  const what = reference.includes(':')
    ? `manifest ${reference} is not found`
    : `manifest tagged by "${reference}" is not found`;
  return refuse(404, 'MANIFEST_UNKNOWN', what, { Name: name, Tag: reference });
}

/** The words were recorded from a live registry: https://github.com/Azure/acr-cli/issues/70 */
export function disallowed(): Refusal {
  return refuse(
    405,
    'REGISTRY_DISALLOWED_OPERATION',
    'The operation is disallowed on this registry, repository or image. View troubleshooting steps at https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation-',
    {},
  );
}

/** A digest that is malformed, or not that of the bytes. */
export function digestInvalid(detail: unknown): Refusal {
  return refuse(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content', detail);
}
