import { defineEntity, p } from '@mikro-orm/core'

/**
 * Storage of oidc-provider's models. Ids are SHA-256 digests; the payload holds no usable
 * credential (TK-13).
 */
const OidcArtifactSchema = defineEntity({
  name: 'OidcArtifact',
  tableName: 'oidc_artifact',
  indexes: [
    {
      name: 'oidc_artifact_grant_id',
      expression:
        'create index "oidc_artifact_grant_id" on "oidc_artifact" ("grant_id") where "grant_id" is not null',
    },
    {
      name: 'oidc_artifact_account_id',
      expression:
        'create index "oidc_artifact_account_id" on "oidc_artifact" ("account_id") where "account_id" is not null',
    },
    {
      name: 'oidc_artifact_session_uid',
      expression:
        'create index "oidc_artifact_session_uid" on "oidc_artifact" ("session_uid") where "session_uid" is not null',
    },
    {
      name: 'oidc_artifact_lookup',
      expression:
        'create unique index "oidc_artifact_lookup" on "oidc_artifact" ("model", "lookup_digest") where "lookup_digest" is not null',
    },
  ],
  properties: {
    model: p.string().length(40).primary(),
    idDigest: p.blob().primary(),
    payload: p.json<Record<string, unknown>>(),
    grantId: p.string().length(64).nullable(),
    accountId: p.string().length(64).nullable(),
    clientId: p.string().length(512).nullable(),
    sessionUid: p.string().length(64).nullable(),
    /** SHA-256 of the second key: a Session's `uid`, a DeviceCode's `userCode`. */
    lookupDigest: p.blob().nullable(),
    consumedAt: p.datetime().nullable(),
    expiresAt: p.datetime().nullable().index(),
  },
})

export class OidcArtifact extends OidcArtifactSchema.class {}
OidcArtifactSchema.setClass(OidcArtifact)
