/** Why a field of a client or an API is refused, and how the command line says it, as half a sentence. */
export const SENTENCES = {
  // Of any field. The first ones are what the account API says, too.
  required: 'is needed',
  unknown_field: 'is not known',
  invalid_type: 'must be {expected}',
  invalid_format: 'is not valid',
  too_short: 'must be at least {min}',
  too_long: 'must be at most {max}',
  not_one_of: 'must be one of {values}',
  unshowable: 'contains characters that cannot be shown',
  not_public_https: 'must be an https URL with a public host name and a port of the web',
  private_logout:
    'names a private network; OUTGOING_PRIVATE_NETWORKS lists those whose apps are told of a sign-out',
  plain_logout: 'is plain http, which --backchannel-http permits in a private network',
  plain_unused: 'is for an http address of --backchannel-logout',
  repeated: 'must not repeat {what}',
  bad_scope_name: 'is not a scope name',

  // Of ids
  id_characters:
    'must be letters, digits, ".", "_", "~" and "-", and begin with a letter or a digit',
  id_reserved: 'must not begin with "gatehouse-", which are the names of the server itself',
  id_taken: 'is taken by another client',
  id_fixed: 'is the name of the client, which stays; create another client instead',
  built_in: 'is built in: each start in development makes it anew; it can only be disabled',

  // Of clients
  service_redirect: 'a service has no person to send back',
  redirect_needed: 'at least one is needed',
  service_account: 'a service has no person whose account it could manage',
  service_sign_in: 'a service signs nobody in',
  bad_native_app:
    'is no app: TEAMID.bundle.id, or a package and the SHA-256 fingerprints of its certificates',
  foreign_native_app: "is for the operator's own apps alone (first party)",
  service_grants: 'a service uses client_credentials only',
  code_needed: 'must include authorization_code',
  secretless_service_grant: 'client_credentials needs a client that can keep a secret',
  must_authenticate: 'a {type} client must authenticate',
  cannot_authenticate: 'must be none: what a {type} app holds, anyone can read',
  keys_needed: 'private_key_jwt needs either jwks or jwksUri',
  keys_unused: 'is for private_key_jwt only',
  pkce_of_public:
    'must be required for a client that does not authenticate: nothing else ties a code to it',
  pkce_without_https:
    'must be required without an https redirect URI: at any other one a code_challenge is always demanded',
  fragment_without_pkce:
    'must not include fragment together with --pkce optional: every script of a page reads a code there, and nothing would protect it',
  leeway_of_public:
    'at most {max} for a client that does not authenticate: anyone who has its token may repeat a refresh as long',
  rotation_of_public:
    'must be always for a client that does not authenticate: only rotation tells that its token was stolen',
  private_of_public: 'needs a client that authenticates: anybody on the way reads plain http',
  scheme_beside_https:
    'has schemes of an app beside others than https; a client that authenticates has them beside https only',
  scheme_and_private:
    'has schemes of an app and plain http in a private network; register a client for each',
  unproven_first_party:
    'needs a client that authenticates or an https redirect URI: anyone can pose as this one',
  unknown_groups: 'there is no group {names}; "group list" has them all',
  is_account_api: '{identifier} is the account API: --account-api',
  unknown_apis: 'not registered: {identifiers}',
  foreign_scopes: 'of none of its APIs: {scopes}',
  default_by_name: 'must not include {scope}, which an app asks for by name',
  foreign_defaults: 'not among its scopes: {scopes}',
  bad_picture: '{why}',
  no_secret: 'this client has no secret',
  bad_label: 'is empty, longer than 100 characters or cannot be shown',
  bad_days: 'must be a number of days above 0, at most {max}',
  too_many_secrets:
    'has {max} secrets, the most there can be; remove one first: client secret list, client secret remove',
  unknown_secret: 'is none of its secrets; "client secret list" has them',
  last_secret:
    'is the last one that is good; add another first, or shut the app out: client disable',
  built_in_secret: 'a built-in client has no secret',

  // Of redirect URIs
  empty: 'is empty',
  uri_too_long: 'is longer than {max} characters',
  control_character: 'contains a control character',
  white_space: 'contains white space',
  not_ascii:
    'contains characters outside ASCII; write the host in punycode and the rest percent-encoded',
  backslash: 'contains a backslash',
  fragment: 'contains a fragment',
  wildcard: 'contains a wildcard',
  bad_percent: 'contains a percent sign that encodes nothing',
  encoded_control: 'contains an encoded control character or backslash',
  dot_segment: 'contains a dot segment (".." or ".")',
  not_absolute: 'is not an absolute URI',
  bad_scheme: 'uses the scheme {scheme}:',
  taken_scheme: 'uses the scheme {scheme}:, which is not a scheme of its own',
  own_scheme: 'uses the scheme {scheme}:; an app in the browser has none of its own',
  malformed_scheme:
    'uses the scheme {scheme}:; a scheme of an app is a reversed domain name, such as com.example.app, or a word',
  credentials: 'contains a user name or password',
  no_host: 'has no host',
  not_url: 'is not a valid URL',
  final_dot: 'has a host that ends in a dot',
  bad_port: 'uses port {port}, where no web server may be expected',
  plain_http: 'is plain http; only localhost, 127.0.0.1 and [::1] may be',
  private_http:
    'is plain http in a private network, which --allow-private-redirect permits to an app that authenticates',
  loopback_https: 'is https on loopback, which native apps cannot claim; use http',
  not_canonical: 'is not written in its canonical form, {href}',
  reserved_parameter: 'has a query parameter "{name}", which the answer uses itself',

  // Of keys
  jwks_too_large: 'is larger than {kilobytes} kB',
  jwks_shape: 'must be an object with the member "keys"',
  jwks_too_many: 'has more than {max} keys',
  jwks_no_signatures: 'has no key for signatures',
  jwks_kids: 'must give each key a "kid" of its own',
  key_shape: 'key {key} is not an object',
  key_private: 'key {key} is not public: it has the member "{member}"',
  key_not_text: 'key {key} has a member that is not text',
  key_use: 'key {key} is not for signatures',
  key_type: 'key {key} is none of RSA, P-256 and Ed25519',
  key_alg: 'key {key} has an "alg" other than {algs}',
  key_invalid: 'key {key} is not a valid key',
  key_bits: 'key {key} is RSA of fewer than {bits} bits',
  key_exponent: 'key {key} is RSA with an exponent other than 65537',

  // Of APIs
  bad_identifier: 'must be an absolute URI without query, fragment or user name',
  scope_of_person: 'is a scope of OpenID Connect',
  undescribable: 'describes {name}, which is not among the scopes',
  bad_description: 'its description is empty, longer than 100 characters or cannot be shown',
  api_in_use:
    'is named by the clients {ids}; take it from them first: client update <id> --resource …',
  scopes_in_use:
    '{scopes}: listed by the clients {ids}; take it from them first: client update <id> --scope …',
  identifier_taken: 'is registered already',
  identifier_of_server: 'is a name of the server itself',
  identifier_of_client: 'is the id of a client',
  unknown_client: 'is no client',
  serving_unproven: 'is a client that does not authenticate: anyone could ask in its name',

  // Of providers
  bad_provider_id: 'must be lower-case letters, digits and "-", at most 40 of them',
  provider_taken: 'is taken by another provider',
  issuer_fixed: 'is always the same for {kind}',
  openid_needed: 'must include openid',
  domains_needed: 'at least one is needed for that',
  domain_enforced: '{domains}: already enforced for the provider {id}',
  bad_issuer: 'must be an https URL in its canonical form, without query, fragment and final slash',
  private_issuer:
    'names a private network; OUTGOING_PRIVATE_NETWORKS lists those whose providers are asked',
  bad_provider_key: 'must be a private key for ES256 (P-256) as PEM, such as the .p8 file of Apple',

  // Of groups
  group_taken: 'is taken by another group; upper and lower case are no difference',
  group_in_use:
    'the clients {ids} may see it; take it from them first: client update <id> --groups …',
  too_many_groups: 'the account is in {max} groups, the most there can be',
} as const
