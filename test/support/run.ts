/** Environment variables by which global setup tells the test processes about this run. */
export const RUN_DIR = 'GATE_RUN_DIR'
/** The PostgreSQL of this run, with the right to create databases. */
export const ADMIN_URL = 'GATE_ADMIN_URL'
/** Name of the migrated database that all others are copied from. */
export const TEMPLATE = 'GATE_TEMPLATE'
