import { type ErrorCode, errorInfo } from '../../../errors.ts'
import type { Api } from '../api.ts'
import { type Operation, takesBody } from '../operation.ts'

const ALWAYS: readonly ErrorCode[] = ['too_many_requests', 'internal_error', 'unavailable']
const WITH_BODY: readonly ErrorCode[] = [
  'invalid_input',
  'payload_too_large',
  'unsupported_media_type',
]
/** Refusals of the door itself, at no documented path. */
const AT_THE_DOOR: readonly ErrorCode[] = ['not_found', 'method_not_allowed', 'misdirected_request']

/** Every refusal that an operation may answer with, each once. */
export function refusalsOf<Deps>(operation: Operation<Deps>): ErrorCode[] {
  const { guard, refusals = [] } = operation
  return [
    ...new Set([
      ...(takesBody(operation) ? WITH_BODY : []),
      ...guard.refusals,
      ...refusals,
      ...ALWAYS,
    ]),
  ]
}

/** Every code that the API answers with; the list is closed. */
export function catalogue<Deps>({ operations }: Api<Deps>): ErrorCode[] {
  return [...new Set([...operations.flatMap(refusalsOf), ...AT_THE_DOOR])].sort(
    (a, b) => errorInfo(a).status - errorInfo(b).status,
  )
}
