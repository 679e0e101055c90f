//! All kinds of problems. The contract and its pages are generated from this table.

/// A kind of problem.
#[derive(Debug, Clone, Copy)]
pub struct ProblemKind {
    /// Last part of its `type`.
    pub word: &'static str,
    pub status: u16,
    pub means: &'static str,
    /// Advice to the caller.
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

/// Problems that any operation can answer.
pub const COMMON: &[ProblemKind] = &[
    kind(
        "bad_request",
        400,
        "The request is malformed: the body is not JSON, or a header or the cursor is invalid",
        "Correct the request",
    ),
    kind(
        "ambiguous_credentials",
        400,
        "The request has both an access token and an API key",
        "Send one of them",
    ),
    kind(
        "no_tenant",
        400,
        "The caller belongs to several tenants and the request names none",
        "Name one in `X-Tenant-ID`",
    ),
    kind(
        "unauthorized",
        401,
        "The request has no valid access token, key or signature",
        "Refresh the token, log in again, or check the key",
    ),
    kind(
        "forbidden",
        403,
        "The caller lacks the permission, is not a member of the tenant, or calls back about something else than its event",
        "Do what `detail` says, or ask an administrator",
    ),
    kind(
        "tenant_suspended",
        403,
        "The tenant is suspended or being deleted",
        "Contact the platform's support",
    ),
    kind(
        "second_factor_needed",
        403,
        "The platform administrator has no second factor, or logged in without it",
        "Set one up under `/api/v1/me/second-factor`, then log in with its code",
    ),
    kind(
        "not_found",
        404,
        "The resource does not exist in the caller's tenant",
        "Check the URL",
    ),
    kind(
        "method_not_allowed",
        405,
        "The path does not support this method",
        "Use a method that `Allow` names",
    ),
    kind(
        "conflict",
        409,
        "Somebody else changed the resource at the same time",
        "Read it again and repeat the change if it still applies",
    ),
    kind(
        "limit_reached",
        409,
        "The tenant has the maximum number of such resources",
        "Delete one first",
    ),
    kind(
        "taken",
        409,
        "Another resource of the tenant has a value that must be unique",
        "Choose another value for the field that `detail` names",
    ),
    kind(
        "still_running",
        409,
        "The first request with this `Idempotency-Key` is still running",
        "Try again after `Retry-After` seconds",
    ),
    kind(
        "already_done",
        409,
        "The first request with this `Idempotency-Key` returned a secret, which is shown only once, or what the caller may not see any more",
        "Read the resource that `Location` names, if there is one",
    ),
    kind(
        "stale",
        412,
        "The resource has changed since the version in `If-Match`",
        "Read it again and repeat the change if it still applies",
    ),
    kind("too_large", 413, "The body is too large", "Send less"),
    kind(
        "wrong_content_type",
        415,
        "The body has a content type that the operation does not accept",
        "Set `Content-Type` to a type that the operation names",
    ),
    kind(
        "invalid",
        422,
        "Fields or parameters are invalid, unknown or missing",
        "Correct the fields in `errors`",
    ),
    kind(
        "idempotency_key_reused",
        422,
        "This `Idempotency-Key` was used for a different request",
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
        "Something went wrong on our side",
        "Try again. If the problem persists, report the `X-Correlation-Id`",
    ),
    kind(
        "unavailable",
        503,
        "The service is temporarily unavailable",
        "Send the request again",
    ),
];

/// Problems of single operations or of webhooks.
pub const SPECIAL: &[ProblemKind] = &[
    kind(
        "wrong_credentials",
        401,
        "The e-mail address or the password is wrong",
        "Ask the person for them again",
    ),
    kind(
        "second_factor_required",
        401,
        "The password is correct, but a second factor is on",
        "Log in again with `code` or `recovery_code`",
    ),
    kind(
        "wrong_code",
        401,
        "The code of the second factor is wrong, expired or already used",
        "Use the app's next code",
    ),
    kind(
        "second_factor_locked",
        403,
        "Too many wrong codes of the second factor were entered by somebody who knows the password",
        "Reset the password by mail, then log in with a code",
    ),
    kind(
        "sign_up_closed",
        403,
        "New businesses cannot sign up by themselves",
        "Ask whoever operates the service to invite you",
    ),
    kind("session_over", 401, "The session has ended", "Log in again"),
    kind(
        "refreshed_elsewhere",
        409,
        "Another request has just refreshed this session",
        "Continue with the tokens of that request",
    ),
    kind(
        "link_not_valid",
        404,
        "The link was used, withdrawn or has expired",
        "Request a new link",
    ),
    kind(
        "account_exists",
        409,
        "The address already has an account",
        "Log in instead",
    ),
    kind(
        "slug_taken",
        409,
        "Another business has this name in URLs",
        "Choose another name",
    ),
    kind(
        "list_changed",
        409,
        "The list is no longer the one that was put in order",
        "Read it again and name everything in it, each once",
    ),
    kind(
        "second_factor_on",
        409,
        "A second factor is already on",
        "Turn it off first",
    ),
    kind(
        "no_pending_factor",
        409,
        "No second factor is waiting to be confirmed",
        "Set one up first",
    ),
    kind("second_factor_off", 404, "The second factor is off", "Set it up first"),
    kind(
        "merged",
        404,
        "The contact was merged into another one",
        "Use the contact that `Location` and `detail` name",
    ),
    kind(
        "is_contact",
        409,
        "The address belongs to a contact",
        "Record the refusal at the contact that `detail` names",
    ),
    kind(
        "last_admin",
        409,
        "The tenant would have no active administrator",
        "Make another user administrator first",
    ),
    kind(
        "already_member",
        409,
        "The person already belongs to the tenant",
        "Activate them if they are deactivated",
    ),
    kind(
        "already_invited",
        409,
        "The address already has an invitation",
        "Resend or withdraw the invitation",
    ),
    kind(
        "too_many_invitations",
        409,
        "The tenant has the maximum number of open invitations",
        "Withdraw one, or wait until one expires",
    ),
    kind(
        "too_many_users",
        409,
        "The tenant has the maximum number of users",
        "Deactivate a user first",
    ),
    kind(
        "too_many_tenants",
        409,
        "The account belongs to the maximum number of tenants",
        "Use another address",
    ),
    kind(
        "expired",
        409,
        "The API key has expired",
        "Give it a later expiry first",
    ),
    kind(
        "still_rotating",
        409,
        "The API key or the webhook endpoint has the maximum number of valid secrets",
        "Wait until one ends, or end all of a key with `overlap_hours` 0",
    ),
    kind(
        "endpoint_disabled",
        409,
        "The webhook endpoint is disabled",
        "Enable it first",
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
        "Use that connection",
    ),
    kind(
        "secret_is_generated",
        409,
        "The secret of this kind of connection is generated by Ringback, not by the provider",
        "Rotate it to get a new one",
    ),
    kind(
        "nothing_to_rotate",
        409,
        "The platform's own Meta app verifies the webhooks of this connection",
        "Set credentials with an app secret to use an app of your own",
    ),
    kind(
        "too_many_secrets",
        409,
        "The connection has the maximum number of valid secrets",
        "Finish the rotation first",
    ),
    kind("not_rotating", 409, "No rotation has begun", "Nothing needs to be done"),
    kind(
        "segment_unusable",
        409,
        "The segment refers to a tag, stage or field that was deleted or changed",
        "Change the `filter` of the segment",
    ),
    kind(
        "conversation_continued",
        409,
        "The contact of the conversation was merged into another one, in whose conversation it goes on",
        "Use the conversation that `Location` and `detail` name",
    ),
    kind(
        "conversation_moved",
        409,
        "Somebody else of the team has replied since the conversation was shown",
        "Read the conversation, and repeat the reply with its `seq` as `seen` if it still fits",
    ),
    kind(
        "window_closed",
        409,
        "Free text by WhatsApp is possible within 24 hours of the person's last message by WhatsApp only",
        "Send a template, or text by SMS",
    ),
    kind(
        "cap_reached",
        409,
        "As many messages were sent as a cap of the tenant allows in this hour, day or month: `facts` has the maximum and `resets_at`",
        "Send it after `resets_at`, or ask a manager to raise the cap",
    ),
    kind(
        "message_refused",
        409,
        "The message would not be sent: `code` and `facts` say why, such as a refusal by the person or a landline",
        "Do what `detail` says, or do not send the message",
    ),
    kind(
        "not_cancellable",
        409,
        "Nothing of the message is left to cancel: it was sent, or has failed",
        "Nothing can be done",
    ),
    kind(
        "not_retryable",
        409,
        "The message neither failed nor was blocked, or it is unknown whether it was sent",
        "Send a new message if it is still needed",
    ),
    kind(
        "tenant_leaving",
        409,
        "The tenant is being deleted",
        "Resume it to keep it",
    ),
    kind(
        "tenant_gone",
        409,
        "The grace period is over and the tenant's data is being deleted",
        "Create a new tenant",
    ),
    kind(
        "not_uploaded",
        409,
        "The file of the import, asset or attachment is not uploaded, or has been deleted after a day",
        "Upload it, or create a new import, asset or attachment",
    ),
    kind(
        "import_running",
        409,
        "An operation works through the import",
        "Wait until it ends, or cancel it",
    ),
    kind(
        "import_done",
        409,
        "The import is done",
        "Create a new import to import the file again",
    ),
    kind(
        "too_many_imports",
        409,
        "The tenant has the maximum number of running imports",
        "Wait until one of them ends, or cancel it",
    ),
    kind(
        "too_many_operations",
        409,
        "The tenant has the maximum number of operations that run or wait to run",
        "Wait until one of them ends, or cancel it",
    ),
    kind(
        "retention_running",
        409,
        "An operation applies the retention policy",
        "Wait until it ends, or cancel it",
    ),
    kind(
        "recording_not_ready",
        409,
        "The telephone system is still making or processing the recording, or stores it elsewhere",
        "Try again after `Retry-After` seconds. If it stays so, listen to it in the telephone system",
    ),
    kind(
        "recording_elsewhere",
        409,
        "The recording cannot be fetched: its telephone system keeps it, the connection has no credentials, or it is too long",
        "Do what `detail` says, or listen to it in the telephone system",
    ),
    kind(
        "recording_gone",
        410,
        "The recording does not exist any more: it was deleted in the telephone system, or was silent",
        "Nothing can be done",
    ),
    kind(
        "media_not_ready",
        409,
        "The file of the message is being fetched from the provider, or waits for the scanner",
        "Try again after `Retry-After` seconds",
    ),
    kind(
        "cursor_expired",
        410,
        "Events after the cursor are not kept any more, or were not kept because nobody followed them",
        "Begin anew without `after`, and read everything that you show",
    ),
    kind(
        "media_gone",
        410,
        "The file of the message is refused because of what it is, or is not to be had: `detail` says why",
        "Ask the customer to send it again",
    ),
    kind(
        "asset_refused",
        409,
        "The uploaded file is not what was stated, or is harmful: `detail` says why",
        "Create a new asset or attachment",
    ),
    kind(
        "no_whatsapp",
        409,
        "No connection sends WhatsApp, or the connection has no credentials for its provider's API",
        "Connect WhatsApp, or set the connection's credentials",
    ),
    kind(
        "template_in_use",
        409,
        "Automations use the template",
        "Change the automations that `GET …/uses` lists first, or send `even_if_used`",
    ),
    kind(
        "campaign_started",
        409,
        "The campaign is no draft any more",
        "Create another campaign",
    ),
    kind(
        "campaign_type",
        409,
        "The campaign is of another type",
        "Only a broadcast has recipients and a pre-flight; only a drip has steps and enrolments",
    ),
    kind(
        "already_enrolled",
        409,
        "The contact is in the drip, or has been through it",
        "Wait until the contact has left it, or allow `reentry`",
    ),
    kind(
        "campaign_state",
        409,
        "The campaign is in another state",
        "Read the campaign; only a running one can be paused, only a paused one resumed, and contacts enter only one that has begun",
    ),
    kind(
        "template_submitting",
        409,
        "The template is being submitted",
        "Wait two minutes, then read it again",
    ),
    kind(
        "template_not_editable",
        409,
        "The provider allows no change of the template now, or never",
        "Do what `detail` says, or create another template",
    ),
    kind(
        "template_refused",
        409,
        "The provider refuses the template: `detail` has its words",
        "Correct the draft, then submit it again",
    ),
    kind(
        "provider_refused",
        502,
        "The provider or telephone system refuses the connection's credentials",
        "Test the connection, and set its credentials again",
    ),
    kind(
        "provider_failed",
        502,
        "The provider or telephone system did not answer in time, or with something else than expected",
        "Try again later",
    ),
    kind(
        "unprocessable",
        422,
        "A signed event of the generic telephone webhook cannot be read",
        "Correct what `detail` names",
    ),
];

pub fn all() -> impl Iterator<Item = &'static ProblemKind> {
    COMMON.iter().chain(SPECIAL)
}
