/**
 * What PostgreSQL takes for an id; anything else would be a fault of the query instead of a row
 * that is not there.
 */
export const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
