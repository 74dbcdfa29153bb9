import { z } from 'zod'
import { parsePrivateNetwork } from '../../private-networks.ts'
import { flag, list, made } from '../setting-types.ts'

/** What of the operator's own networks the server may speak to. */
export const OUTGOING_SETTINGS = {
  OUTGOING_PRIVATE_NETWORKS: list
    .pipe(z.array(made(parsePrivateNetwork)))
    .optional()
    .describe(
      'Private networks whose apps may be told of a sign-out, as CIDR, separated by commas: `192.168.1.0/24,fd12::/16`. Only of clients that you registered yourself. Default: none.',
    ),
  OUTGOING_LOOPBACK_FOR_TESTS: flag
    .default(false)
    .describe(
      'Loopback counts as such a network: for test suites whose receivers run on this machine. Refused in production.',
    ),
}
