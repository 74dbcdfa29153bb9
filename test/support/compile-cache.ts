import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Part of the environment of commands that tests run: each is a cold process, and would compile the
 * whole product anew.
 */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(tmpdir(), 'gatehouse-test-compile-cache') }
