//! Every kind of problem. The contract and its pages are written from here.

/// A kind of problem.
#[derive(Debug, Clone, Copy)]
pub struct ProblemKind {
    /// The end of its `type`.
    pub word: &'static str,
    /// The HTTP status it comes with.
    pub status: u16,
    /// What it means.
    pub means: &'static str,
    /// What its reader does.
    pub advice: &'static str,
}

const fn kind(word: &'static str, status: u16, means: &'static str, advice: &'static str) -> ProblemKind {
    ProblemKind {
        word,
        status,
        means,
        advice,
    }
}

/// What any operation may answer, by what it takes.
pub const COMMON: &[ProblemKind] = &[
    kind(
        "bad_request",
        400,
        "The body is not JSON, or a header or the cursor is malformed",
        "Correct the request",
    ),
    kind(
        "ambiguous_credentials",
        400,
        "An access token and an API key came together",
        "Send one of them",
    ),
    kind(
        "no_tenant",
        400,
        "The caller belongs to several tenants and names none",
        "Name one in `X-Tenant-ID`",
    ),
    kind(
        "unauthorized",
        401,
        "No access token, key or signature that is valid now",
        "Refresh the token or log in again; check the key",
    ),
    kind(
        "forbidden",
        403,
        "The caller's role or scopes do not have the permission, or they are no member",
        "Ask an administrator",
    ),
    kind(
        "tenant_suspended",
        403,
        "The tenant is suspended or being deleted",
        "Ask the platform's support",
    ),
    kind(
        "second_factor_needed",
        403,
        "The platform's administrator has no second factor, or logged in without it",
        "Switch one on under `/api/v1/me/second-factor`, then log in with its code",
    ),
    kind(
        "not_found",
        404,
        "There is no such thing, or it is another tenant's",
        "Check the URL",
    ),
    kind(
        "method_not_allowed",
        405,
        "The path does not take this method",
        "Use one that `Allow` names",
    ),
    kind(
        "conflict",
        409,
        "Somebody else changed it at the same moment",
        "Read it again, then decide",
    ),
    kind(
        "still_running",
        409,
        "The first request with this `Idempotency-Key` still runs",
        "Ask again after `Retry-After` seconds",
    ),
    kind(
        "already_done",
        409,
        "The first request with this `Idempotency-Key` was answered with a secret that is shown once",
        "Look at what `Location` names, where it is there",
    ),
    kind(
        "stale",
        412,
        "It has changed since the version that `If-Match` names",
        "Read it again, apply the change to that",
    ),
    kind("too_large", 413, "The body is too large", "Send less"),
    kind(
        "wrong_content_type",
        415,
        "The body is of another type than the operation takes",
        "Set `Content-Type` to a type that the operation names",
    ),
    kind(
        "invalid",
        422,
        "Fields or parameters are wrong, unknown or missing",
        "Correct what `errors` names",
    ),
    kind(
        "idempotency_key_reused",
        422,
        "This `Idempotency-Key` was used for another request",
        "Use a new key for each request",
    ),
    kind(
        "too_many_requests",
        429,
        "A limit is reached",
        "Wait for `Retry-After` seconds",
    ),
    kind(
        "internal",
        500,
        "Something is wrong on our side",
        "Try again; if it stays, report the `X-Correlation-Id`",
    ),
    kind("unavailable", 503, "It could not be done just now", "Send it again"),
];

/// What single operations answer, or webhooks.
pub const SPECIAL: &[ProblemKind] = &[
    kind(
        "wrong_credentials",
        401,
        "The e-mail address or the password is wrong",
        "Ask for them again",
    ),
    kind(
        "second_factor_required",
        401,
        "The password is right and a second factor is on",
        "Log in again with `code` or `recovery_code`",
    ),
    kind(
        "wrong_code",
        401,
        "The second factor's code is wrong, too old or was used",
        "Take the app's next one",
    ),
    kind("session_over", 401, "The session is over", "Log in again"),
    kind(
        "refreshed_elsewhere",
        409,
        "Another request has just refreshed this session",
        "Go on with the tokens that it got",
    ),
    kind(
        "link_not_valid",
        404,
        "The link was used, withdrawn or is too old",
        "Ask for a new one",
    ),
    kind(
        "account_exists",
        409,
        "The address has an account by now",
        "Log in instead",
    ),
    kind(
        "slug_taken",
        409,
        "Another business has this name in URLs",
        "Choose another",
    ),
    kind(
        "second_factor_on",
        409,
        "A second factor is on already",
        "Remove it first",
    ),
    kind(
        "no_pending_factor",
        409,
        "No second factor waits to be confirmed",
        "Begin again",
    ),
    kind("second_factor_off", 404, "No second factor is on", "Set it up first"),
    kind(
        "last_admin",
        409,
        "The tenant would have no active administrator",
        "Make somebody else one first",
    ),
    kind(
        "already_member",
        409,
        "The person belongs to the tenant already",
        "Activate them, if they are deactivated",
    ),
    kind(
        "already_invited",
        409,
        "The address is invited already",
        "Send that invitation again, or withdraw it first",
    ),
    kind(
        "too_many_invitations",
        409,
        "As many invitations are open as can be",
        "Withdraw some, or wait",
    ),
    kind(
        "too_many_users",
        409,
        "The tenant has as many people as it can",
        "Let somebody go first",
    ),
    kind(
        "too_many_tenants",
        409,
        "The account belongs to as many tenants as it can",
        "Use another address",
    ),
    kind(
        "too_many_api_keys",
        409,
        "The tenant has as many keys as it can",
        "Delete one first",
    ),
    kind("expired", 409, "The key's time is over", "Give it a later end first"),
    kind(
        "still_rotating",
        409,
        "The key has as many working secrets as it can",
        "Wait until the first one ends, or end all with `overlap_hours` 0",
    ),
    kind(
        "too_many_connections",
        409,
        "The tenant has as many connections as it can",
        "Delete one first",
    ),
    kind(
        "number_taken",
        409,
        "The WhatsApp number is connected to another business",
        "Disconnect it there first",
    ),
    kind(
        "number_connected",
        409,
        "Another connection of the tenant has this WhatsApp number",
        "Use that one",
    ),
    kind(
        "secret_is_made_here",
        409,
        "The connection's secret is made here, not at the provider",
        "Rotate it to get a new one",
    ),
    kind(
        "nothing_to_rotate",
        409,
        "The platform's own Meta app verifies the connection's webhooks",
        "Set credentials with an app secret to bring an app of your own",
    ),
    kind(
        "too_many_secrets",
        409,
        "As many secrets are valid at once as can be",
        "Finish the rotation first",
    ),
    kind("not_rotating", 409, "No rotation has begun", "Nothing is left to do"),
    kind("tenant_leaving", 409, "The tenant is leaving", "Resume it to keep it"),
    kind(
        "tenant_gone",
        409,
        "The grace period is over: the tenant's data is being deleted",
        "Found a new tenant",
    ),
    kind(
        "unprocessable",
        422,
        "A signed event of the generic telephone webhook cannot be read",
        "Correct what `detail` names",
    ),
];

/// All of them.
pub fn all() -> impl Iterator<Item = &'static ProblemKind> {
    COMMON.iter().chain(SPECIAL)
}
