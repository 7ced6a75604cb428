/** Refusals in the words of Azure Resource Manager: `{"error":{"code","message"}}`. */
import type { Reply } from '../azure-devops/http.ts';

/** Thrown by whatever refuses; carries the whole answer. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reply: Reply;

  constructor(reply: Reply) {
    super(`refused with ${reply.status}`);
    this.reply = reply;
  }
}

/** An error body with its status. */
export function failure(status: number, code: string, message: string): Reply {
  return { status, json: { error: { code, message } } };
}

/** A refusal with one error. */
export function refuse(status: number, code: string, message: string): Refusal {
  return new Refusal(failure(status, code, message));
}

/** Who lacks a right, or asks for something whose existence is none of its business. */
export function unauthorized(objectId: string, action: string, scope: string): Refusal {
  return refuse(
    403,
    'AuthorizationFailed',
    `The client '${objectId}' with object id '${objectId}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );
}

/** The words are those of https://github.com/Azure/acr/issues/237 */
export function linkedUnauthorized(objectId: string, scope: string, linked: string): Refusal {
  return refuse(
    403,
    'LinkedAuthorizationFailed',
    `The client '${objectId}' with object id '${objectId}' has permission to perform action 'Microsoft.ContainerRegistry/registries/importImage/action' on scope '${scope}'; however, it does not have permission to perform action 'read' on the linked scope(s) '${linked}' or the linked scope(s) are invalid.`,
  );
}

/** A resource that is not there. */
export function notFound(resourceGroup: string, name: string): Refusal {
  return refuse(
    404,
    'ResourceNotFound',
    `The Resource 'Microsoft.ContainerRegistry/registries/${name}' under resource group '${resourceGroup}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}
