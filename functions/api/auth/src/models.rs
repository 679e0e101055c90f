//! Models of requests and responses. Incoming secrets cannot be printed; outgoing ones have no `Debug`.

use std::net::IpAddr;

use domain::{
    account::{Account, Email, Member, Session, Slug},
    ids::{SessionId, TenantId, UserId},
    permission::Role,
    security::SecurityEventKind,
    tenant::Tenant,
    zone::Zone,
};
use garde::Validate;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use store::security::Noted;
use utoipa::ToSchema;

/// A display name: readable text on one line.
fn readable(text: &str, _: &()) -> garde::Result {
    if text.chars().count() > 100 {
        return Err(garde::Error::new("must have at most 100 characters"));
    }
    api::one_line(text, &())
}

/// Limits a secret to this many characters. None of ours is longer.
fn at_most(most: usize) -> impl Fn(&SecretString, &()) -> garde::Result {
    move |secret, _| {
        if secret.expose_secret().chars().count() <= most {
            Ok(())
        } else {
            Err(garde::Error::new(format!("must have at most {most} characters")))
        }
    }
}

fn six_digits(code: &SecretString, _: &()) -> garde::Result {
    let code = code.expose_secret();
    if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(garde::Error::new(
            "must be the six digits that the authenticator app shows",
        ))
    }
}

/// The same check for an optional field.
fn if_given(
    check: impl Fn(&SecretString, &()) -> garde::Result,
) -> impl Fn(&Option<SecretString>, &()) -> garde::Result {
    move |secret, context| secret.as_ref().map_or(Ok(()), |secret| check(secret, context))
}

fn english() -> String {
    "en".to_owned()
}

/// Sign-up of a business with its first administrator.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignUpIn {
    /// Name of the business, as its customers know it.
    #[garde(custom(readable))]
    #[schema(min_length = 1, max_length = 100, example = "Saffron Bakery")]
    pub(crate) business: String,
    /// Unique name in URLs: 3 to 40 lower-case letters a to z, digits and single hyphens.
    #[garde(skip)]
    #[schema(value_type = String, min_length = 3, max_length = 40, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "saffron-bakery")]
    pub(crate) slug: Slug,
    /// E-mail address. The business is created only after the link in a mail to this address is opened.
    #[garde(skip)]
    #[schema(value_type = String, format = "email", max_length = 254, example = "maya@saffron.example")]
    pub(crate) email: Email,
    /// Display name of the person.
    #[garde(custom(readable))]
    #[schema(min_length = 1, max_length = 100, example = "Maya Haddad")]
    pub(crate) name: String,
    /// Password of 10 to 128 characters that is hard to guess, such as a few unrelated words.
    #[garde(skip)]
    #[schema(value_type = String, format = "password", min_length = 10, max_length = 128, example = "seven quiet lanterns")]
    pub(crate) password: SecretString,
    /// Time zone of the business, from the IANA database.
    #[garde(skip)]
    #[schema(value_type = String, max_length = 64, example = "Asia/Dubai")]
    pub(crate) time_zone: Zone,
    /// Language of the person's mail (BCP 47).
    #[garde(custom(api::language))]
    #[serde(default = "english")]
    #[schema(default = "en", max_length = 35, example = "en")]
    pub(crate) language: String,
}

/// Acknowledgement that a mail is on its way, if it can be sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MailedOut {
    /// The next step for the person.
    #[schema(example = "Open the link in the mail that we sent you.")]
    pub(crate) detail: &'static str,
}

/// Way in which the refresh token is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Handover {
    /// In the response body, for apps that can store it safely.
    #[default]
    Body,
    /// In a cookie that scripts cannot read, for browsers.
    Cookie,
}

/// Confirmation of a sign-up. The link proves the mailbox, the password proves who signed up.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyEmailIn {
    /// Value of `token` in the link.
    #[garde(custom(at_most(100)))]
    #[schema(value_type = String, max_length = 100, example = "qmqJ3cTz2m1XbM8V0i2dWJm3o0wP0c8y5k7u9n1r3t4")]
    pub(crate) token: SecretString,
    /// Password of the sign-up. Required because somebody else may have signed up with this address.
    #[garde(custom(at_most(1000)))]
    #[schema(value_type = String, format = "password", max_length = 1000, example = "seven quiet lanterns")]
    pub(crate) password: SecretString,
    /// Way in which the refresh token is delivered.
    #[garde(skip)]
    #[serde(default)]
    #[schema(default = "body")]
    pub(crate) session: Handover,
}

/// Credentials of a log-in.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogInIn {
    /// E-mail address of the account.
    #[garde(skip)]
    #[schema(value_type = String, format = "email", max_length = 254, example = "maya@saffron.example")]
    pub(crate) email: Email,
    /// Password of the account.
    #[garde(custom(at_most(1000)))]
    #[schema(value_type = String, format = "password", max_length = 1000, example = "seven quiet lanterns")]
    pub(crate) password: SecretString,
    /// Current code of the authenticator app, if a second factor is on.
    #[garde(custom(if_given(six_digits)))]
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{6}$", example = "492039")]
    pub(crate) code: Option<SecretString>,
    /// A recovery code instead of the app's code. Each works once.
    #[garde(custom(if_given(at_most(40))))]
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 40, example = "k3vd-7tqp-mn2a-x5sz")]
    pub(crate) recovery_code: Option<SecretString>,
    /// Way in which the refresh token is delivered.
    #[garde(skip)]
    #[serde(default)]
    #[schema(default = "body")]
    pub(crate) session: Handover,
}

/// The session to refresh or to end.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshIn {
    /// Latest refresh token. Omit it if the cookie holds it.
    #[garde(custom(if_given(at_most(300))))]
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 300)]
    pub(crate) refresh_token: Option<SecretString>,
}

/// Change of the password.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePasswordIn {
    /// Current password.
    #[garde(custom(at_most(1000)))]
    #[schema(value_type = String, format = "password", max_length = 1000, example = "seven quiet lanterns")]
    pub(crate) current_password: SecretString,
    /// New password of 10 to 128 characters that is hard to guess.
    #[garde(skip)]
    #[schema(value_type = String, format = "password", min_length = 10, max_length = 128, example = "nine loud umbrellas")]
    pub(crate) password: SecretString,
    /// Way in which the refresh token of the new session is delivered.
    #[garde(skip)]
    #[serde(default)]
    #[schema(default = "body")]
    pub(crate) session: Handover,
}

/// Request for a password reset.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForgotPasswordIn {
    /// E-mail address of the account.
    #[garde(skip)]
    #[schema(value_type = String, format = "email", max_length = 254, example = "maya@saffron.example")]
    pub(crate) email: Email,
}

/// A new password in place of a forgotten one.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetPasswordIn {
    /// Value of `token` in the link.
    #[garde(custom(at_most(100)))]
    #[schema(value_type = String, max_length = 100, example = "qmqJ3cTz2m1XbM8V0i2dWJm3o0wP0c8y5k7u9n1r3t4")]
    pub(crate) token: SecretString,
    /// New password of 10 to 128 characters that is hard to guess.
    #[garde(skip)]
    #[schema(value_type = String, format = "password", min_length = 10, max_length = 128, example = "nine loud umbrellas")]
    pub(crate) password: SecretString,
}

/// The password again, for actions that an unlocked screen must not be enough for.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordIn {
    /// Password of the account.
    #[garde(custom(at_most(1000)))]
    #[schema(value_type = String, format = "password", max_length = 1000, example = "seven quiet lanterns")]
    pub(crate) password: SecretString,
}

/// A code of the authenticator app.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeIn {
    /// Current code.
    #[garde(custom(six_digits))]
    #[schema(value_type = String, pattern = "^[0-9]{6}$", example = "492039")]
    pub(crate) code: SecretString,
}

/// The password and a code, which prove both factors.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordAndCodeIn {
    /// Password of the account.
    #[garde(custom(at_most(1000)))]
    #[schema(value_type = String, format = "password", max_length = 1000, example = "seven quiet lanterns")]
    pub(crate) password: SecretString,
    /// Current code of the authenticator app. Either this or a recovery code is required.
    #[garde(custom(if_given(six_digits)))]
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{6}$", example = "492039")]
    pub(crate) code: Option<SecretString>,
    /// A recovery code instead of the app's code.
    #[garde(custom(if_given(at_most(40))))]
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 40, example = "k3vd-7tqp-mn2a-x5sz")]
    pub(crate) recovery_code: Option<SecretString>,
}

/// Account of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountOut)]
pub(crate) struct UserOut {
    /// Id of the user.
    #[schema(value_type = String, example = "usr_01jcs8q3v4w5x6y7z8a9b0c1d2")]
    pub(crate) id: UserId,
    /// E-mail address.
    #[schema(value_type = String, format = "email", example = "maya@saffron.example")]
    pub(crate) email: Email,
    /// Display name.
    #[schema(example = "Maya Haddad")]
    pub(crate) name: String,
    /// Language of mails (BCP 47).
    #[schema(example = "en")]
    pub(crate) language: String,
    /// True if log-in requires a second factor.
    #[schema(example = false)]
    pub(crate) second_factor: bool,
    /// Time of creation.
    #[schema(value_type = String, format = "date-time", example = "2026-11-20T12:00:00Z")]
    pub(crate) created_at: Timestamp,
}

impl From<&Account> for UserOut {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id,
            email: account.email.clone(),
            name: account.name.clone(),
            language: account.language.clone(),
            second_factor: account.second_factor.is_some(),
            created_at: account.created_at,
        }
    }
}

/// Membership of a person in a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlaceOut {
    /// Id of the tenant, for `X-Tenant-ID`.
    #[schema(value_type = String, example = "tnt_01jcs8q3v4w5x6y7z8a9b0c1d2")]
    pub(crate) id: TenantId,
    /// Name of the business.
    #[schema(example = "Saffron Bakery")]
    pub(crate) name: String,
    /// Name of the tenant in URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "saffron-bakery")]
    pub(crate) slug: Option<Slug>,
    /// Role of the person in the tenant.
    #[schema(value_type = String, example = "admin")]
    pub(crate) role: Role,
}

impl From<&(Tenant, Member)> for PlaceOut {
    fn from((tenant, member): &(Tenant, Member)) -> Self {
        Self {
            id: tenant.id,
            name: tenant.name.clone(),
            slug: tenant.slug.clone(),
            role: member.role,
        }
    }
}

/// A logged-in person with their tokens.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedInOut {
    /// Access token for `Authorization: Bearer …`.
    pub(crate) access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub(crate) token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 900)]
    pub(crate) expires_in: i64,
    /// Refresh token for the next refresh. Omitted if it was set as a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    /// Account of the person.
    pub(crate) user: UserOut,
    /// Tenants of the person. The access token acts in the first one unless `X-Tenant-ID` names another.
    pub(crate) tenants: Vec<PlaceOut>,
}

/// The caller's account with their tenants.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeOut {
    /// Account of the person.
    #[serde(flatten)]
    pub(crate) user: UserOut,
    /// Tenants of the person.
    pub(crate) tenants: Vec<PlaceOut>,
    /// Number of unused recovery codes, if a second factor is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 10)]
    pub(crate) recovery_codes_left: Option<usize>,
}

/// Changes to the caller's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeIn {
    /// Display name.
    #[garde(custom(readable))]
    #[schema(min_length = 1, max_length = 100, example = "Maya Haddad")]
    pub(crate) name: String,
    /// Language of mails (BCP 47).
    #[garde(custom(api::language))]
    #[schema(max_length = 35, example = "en")]
    pub(crate) language: String,
}

/// A session on one device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionOut {
    /// Id of the session.
    #[schema(value_type = String, example = "ses_01jcs8q3v4w5x6y7z8a9b0c1d2")]
    pub(crate) id: SessionId,
    /// Browser or app, from its `User-Agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")]
    pub(crate) device: Option<String>,
    /// Time of log-in.
    #[schema(value_type = String, format = "date-time", example = "2026-11-20T12:00:00Z")]
    pub(crate) created_at: Timestamp,
    /// Time of the last refresh.
    #[schema(value_type = String, format = "date-time", example = "2026-11-20T12:15:00Z")]
    pub(crate) refreshed_at: Timestamp,
    /// Time at which the session expires unless it is refreshed.
    #[schema(value_type = String, format = "date-time", example = "2026-12-20T12:00:00Z")]
    pub(crate) expires_at: Timestamp,
    /// Time at which the session ends, however often it is refreshed.
    #[schema(value_type = String, format = "date-time", example = "2026-12-20T12:00:00Z")]
    pub(crate) ends_at: Timestamp,
    /// True if it began with a second factor.
    #[schema(example = false)]
    pub(crate) second_factor: bool,
    /// True for the session of this request.
    #[schema(example = true)]
    pub(crate) current: bool,
}

impl SessionOut {
    /// The session as its own person sees it.
    pub(crate) fn of(session: Session, ends_at: Timestamp, asking: SessionId) -> Self {
        Self {
            current: session.id == asking,
            id: session.id,
            device: session.device,
            created_at: session.created_at,
            refreshed_at: session.rotated_at,
            expires_at: session.expires_at,
            ends_at,
            second_factor: session.second_factor,
        }
    }
}

/// An event of the person's log-in.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecurityEventOut {
    /// Kind of event: `logged_in`, `second_factor_asked`, `log_in_refused`, `log_in_limited`, `logged_out`,
    /// `logged_out_everywhere`, `token_reused`, `reset_asked`, `password_reset`, `password_changed`, `second_factor_on`,
    /// `second_factor_off`, `recovery_codes_replaced`, `recovery_code_used`, `platform_right_given`, `platform_right_taken`, or
    /// `proof_refused` (a wrong password or code of a logged-in person). More kinds may be added.
    #[schema(value_type = String, example = "log_in_refused")]
    pub(crate) what: SecurityEventKind,
    /// Time of the event, or of its last occurrence.
    #[schema(value_type = String, format = "date-time", example = "2026-11-20T12:15:00Z")]
    pub(crate) at: Timestamp,
    /// Time of the first occurrence, if it occurred several times within an hour.
    #[schema(value_type = String, format = "date-time", example = "2026-11-20T12:02:00Z")]
    pub(crate) since: Timestamp,
    /// Number of occurrences.
    #[schema(minimum = 1, example = 3)]
    pub(crate) times: u64,
    /// IP address of the request. Of several occurrences, the last one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "203.0.113.7")]
    pub(crate) address: Option<IpAddr>,
    /// Browser or app, from its `User-Agent`. Of several occurrences, the last one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")]
    pub(crate) device: Option<String>,
    /// Id of the session, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "ses_01jcs8q3v4w5x6y7z8a9b0c1d2")]
    pub(crate) session: Option<SessionId>,
}

impl From<Noted> for SecurityEventOut {
    fn from(noted: Noted) -> Self {
        let Noted { event, times, since } = noted;
        Self {
            what: event.what,
            at: event.at,
            since,
            times,
            address: event.address,
            device: event.device,
            session: event.session,
        }
    }
}

/// A second factor that waits for its first code. Shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct PendingFactorOut {
    /// Secret in base32, to type into an authenticator app: TOTP, SHA-1, six digits, 30 seconds.
    #[schema(example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    pub(crate) secret: String,
    /// The secret as a URI, to show as a QR code.
    #[schema(
        example = "otpauth://totp/Ringback:maya%40saffron.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Ringback"
    )]
    pub(crate) uri: String,
}

/// Recovery codes. Shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodesOut {
    /// New recovery codes. Each works once instead of the app's code. Previous codes stop working.
    #[schema(example = json!(["k3vd-7tqp-mn2a-x5sz"]))]
    pub(crate) recovery_codes: Vec<String>,
}

/// A public key that verifies access tokens.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyOut {
    /// Key type, always `EC`.
    #[schema(example = "EC")]
    pub(crate) kty: &'static str,
    /// Curve, always `P-256`.
    #[schema(example = "P-256")]
    pub(crate) crv: &'static str,
    /// Use, always `sig`.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub(crate) usage: &'static str,
    /// Algorithm, always `ES256`.
    #[schema(example = "ES256")]
    pub(crate) alg: &'static str,
    /// Id of the key, as in a token's header.
    pub(crate) kid: String,
    /// X coordinate of the point, in base64url.
    pub(crate) x: String,
    /// Y coordinate of the point, in base64url.
    pub(crate) y: String,
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeysOut {
    /// The keys.
    pub(crate) keys: Vec<KeyOut>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn request_models_never_print_secrets() {
        let all = json!({
            "business": "b", "slug": "saffron", "email": "canary@example.com", "name": "n", "time_zone": "Asia/Dubai",
            "password": "canary", "current_password": "canary", "code": "canary", "recovery_code": "canary",
            "token": "canary", "refresh_token": "canary",
        });
        fn printed<T: serde::de::DeserializeOwned + std::fmt::Debug>(
            all: &serde_json::Value,
            fields: &[&str],
        ) -> String {
            let sent = fields.iter().map(|field| ((*field).to_owned(), all[*field].clone()));
            let input: T = serde_json::from_value(sent.collect::<serde_json::Map<_, _>>().into()).unwrap();
            format!("{input:?}")
        }
        let sign_up = ["business", "slug", "email", "name", "time_zone", "password"];
        for text in [
            printed::<SignUpIn>(&all, &sign_up),
            printed::<VerifyEmailIn>(&all, &["token", "password"]),
            printed::<LogInIn>(&all, &["email", "password", "code", "recovery_code"]),
            printed::<RefreshIn>(&all, &["refresh_token"]),
            printed::<ChangePasswordIn>(&all, &["current_password", "password"]),
            printed::<ForgotPasswordIn>(&all, &["email"]),
            printed::<ResetPasswordIn>(&all, &["token", "password"]),
            printed::<PasswordIn>(&all, &["password"]),
            printed::<CodeIn>(&all, &["code"]),
            printed::<PasswordAndCodeIn>(&all, &["password", "code", "recovery_code"]),
        ] {
            assert!(!text.contains("canary"), "{text}");
        }
    }
}
