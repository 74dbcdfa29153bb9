/**
 * SQLSTATEs and socket errors of a database that cannot be used now: connection, resources,
 * shutdown, timeout, lock, deadlock, read-only.
 */
const UNAVAILABLE_CODE =
  /^(?:08|53|57P|57014|55P03|40P01|40001|25006|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)/
/** What `pg` says without a code. */
const UNAVAILABLE_MESSAGE =
  /timeout exceeded when trying to connect|timeout expired|Connection terminated|not queryable|not currently accepting connections/

/** Whether the fault is the database's and may pass (503), rather than ours (500). */
export function isUnavailable(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (typeof code === 'string' && UNAVAILABLE_CODE.test(code)) return true
  return typeof message === 'string' && UNAVAILABLE_MESSAGE.test(message)
}

/** Whether the statement met locks of others: a deadlock, or a wait that was too long. */
export function isContended(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return code === '40P01' || code === '55P03'
}

/** Whether a row was not deleted because another names it; 23001 from PostgreSQL 18 on. */
export function isReferenced(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return code === '23503' || code === '23001'
}

/** Why a database cannot be used, for the operator. */
export function reason(cause: unknown): string {
  const { code = '', message = '' } = (cause ?? {}) as { code?: string; message?: string }
  if (code === 'ECONNREFUSED') return 'nothing listens there.'
  if (code === 'ENOENT') return 'there is no such socket.'
  if (code === '28P01' || code === '28000') return 'it refuses the user name or password.'
  if (code === '3D000') return 'it has no database of that name.'
  if (code === 'ENOTFOUND') return 'the host name does not resolve.'
  if (code === '57P03') return 'it is starting up.'
  if (message === 'timeout expired' || code === 'ETIMEDOUT') return 'it does not answer.'
  if (message === 'The server does not support SSL connections')
    return 'it has no TLS. Turn TLS on there, or write sslmode=disable.'
  const certificate = CERTIFICATE[code]
  if (certificate) return `its certificate ${certificate}.`
  return `${message || code || String(cause)}.`
}

const CERTIFICATE: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another host. Write the host that it names into the URL',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'is signed by nobody known. Name its authority with sslrootcert=/path/of/ca.pem',
  SELF_SIGNED_CERT_IN_CHAIN:
    'is from an unknown authority. Name it with sslrootcert=/path/of/ca.pem',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'is from an unknown authority. Name it with sslrootcert=/path/of/ca.pem',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'is from an unknown authority. Name it with sslrootcert=/path/of/ca.pem',
  CERT_SIGNATURE_FAILURE: 'is not from the authority of sslrootcert',
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet. Look at the clocks',
}
