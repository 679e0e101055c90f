//! What the API takes and gives. Secrets that come in cannot be printed; those that go out have no `Debug`.

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

/// A name that people gave: something to read, on one line.
fn readable(text: &str, _: &()) -> garde::Result {
    if text.chars().count() > 100 {
        return Err(garde::Error::new("must have at most 100 characters"));
    }
    api::one_line(text, &())
}

/// A secret of at most so many characters: nothing of ours is longer.
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

/// The same of what may be left out.
fn if_given(
    check: impl Fn(&SecretString, &()) -> garde::Result,
) -> impl Fn(&Option<SecretString>, &()) -> garde::Result {
    move |secret, context| secret.as_ref().map_or(Ok(()), |secret| check(secret, context))
}

fn english() -> String {
    "en".to_owned()
}

/// A business that begins, with its first administrator.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignUpIn {
    /// The business's name, as its customers know it.
    #[garde(custom(readable))]
    #[schema(min_length = 1, max_length = 100, example = "Saffron Bakery")]
    pub(crate) business: String,
    /// Its name in URLs: 3 to 40 lower-case letters a to z, digits and single hyphens. Nobody else can have it.
    #[garde(skip)]
    #[schema(value_type = String, min_length = 3, max_length = 40, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "saffron-bakery")]
    pub(crate) slug: Slug,
    /// The person's address. A link that is sent there must be followed before anything exists.
    #[garde(skip)]
    #[schema(value_type = String, format = "email", max_length = 254, example = "maya@saffron.example")]
    pub(crate) email: Email,
    /// The person's name, as colleagues call them.
    #[garde(custom(readable))]
    #[schema(min_length = 1, max_length = 100, example = "Maya Haddad")]
    pub(crate) name: String,
    /// 10 to 128 characters, none that is guessed soon; a few unrelated words are good.
    #[garde(skip)]
    #[schema(value_type = String, format = "password", min_length = 10, max_length = 128, example = "seven quiet lanterns")]
    pub(crate) password: SecretString,
    /// Where the business is: a time zone of the IANA database.
    #[garde(skip)]
    #[schema(value_type = String, max_length = 64, example = "Asia/Dubai")]
    pub(crate) time_zone: Zone,
    /// BCP 47 language of the person's mail.
    #[garde(custom(api::language))]
    #[serde(default = "english")]
    #[schema(default = "en", max_length = 35, example = "en")]
    pub(crate) language: String,
}

/// What was asked for is on its way by e-mail, if it can be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MailedOut {
    /// What to do next.
    #[schema(example = "Look into your mail and follow the link.")]
    pub(crate) detail: &'static str,
}

/// How the refresh token is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Handover {
    /// In the answer's body: for apps, which keep it safe themselves.
    #[default]
    Body,
    /// In a cookie that scripts cannot read: for browsers.
    Cookie,
}

/// A sign-up that is confirmed by who asked for it: they have the mailbox and know the password.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyEmailIn {
    /// The link's `token`.
    #[garde(custom(at_most(100)))]
    #[schema(value_type = String, max_length = 100, example = "qmqJ3cTz2m1XbM8V0i2dWJm3o0wP0c8y5k7u9n1r3t4")]
    pub(crate) token: SecretString,
    /// The password of the sign-up. A link alone opens no business: perhaps somebody else asked for it.
    #[garde(custom(at_most(1000)))]
    #[schema(value_type = String, format = "password", max_length = 1000, example = "seven quiet lanterns")]
    pub(crate) password: SecretString,
    /// How the refresh token is handed over.
    #[garde(skip)]
    #[serde(default)]
    #[schema(default = "body")]
    pub(crate) session: Handover,
}

/// Who logs in.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogInIn {
    /// The account's address.
    #[garde(skip)]
    #[schema(value_type = String, format = "email", max_length = 254, example = "maya@saffron.example")]
    pub(crate) email: Email,
    /// Its password.
    #[garde(custom(at_most(1000)))]
    #[schema(value_type = String, format = "password", max_length = 1000, example = "seven quiet lanterns")]
    pub(crate) password: SecretString,
    /// The authenticator app's code now, where a second factor is on.
    #[garde(custom(if_given(six_digits)))]
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{6}$", example = "492039")]
    pub(crate) code: Option<SecretString>,
    /// One of the recovery codes instead of the app's; each works once.
    #[garde(custom(if_given(at_most(40))))]
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 40, example = "k3vd-7tqp-mn2a-x5sz")]
    pub(crate) recovery_code: Option<SecretString>,
    /// How the refresh token is handed over.
    #[garde(skip)]
    #[serde(default)]
    #[schema(default = "body")]
    pub(crate) session: Handover,
}

/// A session to go on with, or to end.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshIn {
    /// The newest refresh token; left out where the cookie has it.
    #[garde(custom(if_given(at_most(300))))]
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 300)]
    pub(crate) refresh_token: Option<SecretString>,
}

/// A new password in place of the old one.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePasswordIn {
    /// The password until now.
    #[garde(custom(at_most(1000)))]
    #[schema(value_type = String, format = "password", max_length = 1000, example = "seven quiet lanterns")]
    pub(crate) current_password: SecretString,
    /// The new one: 10 to 128 characters, none that is guessed soon.
    #[garde(skip)]
    #[schema(value_type = String, format = "password", min_length = 10, max_length = 128, example = "nine loud umbrellas")]
    pub(crate) password: SecretString,
    /// How the refresh token of the new session is handed over.
    #[garde(skip)]
    #[serde(default)]
    #[schema(default = "body")]
    pub(crate) session: Handover,
}

/// Who forgot the password.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForgotPasswordIn {
    /// The account's address.
    #[garde(skip)]
    #[schema(value_type = String, format = "email", max_length = 254, example = "maya@saffron.example")]
    pub(crate) email: Email,
}

/// A new password for a forgotten one.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetPasswordIn {
    /// The link's `token`.
    #[garde(custom(at_most(100)))]
    #[schema(value_type = String, max_length = 100, example = "qmqJ3cTz2m1XbM8V0i2dWJm3o0wP0c8y5k7u9n1r3t4")]
    pub(crate) token: SecretString,
    /// The new password: 10 to 128 characters, none that is guessed soon.
    #[garde(skip)]
    #[schema(value_type = String, format = "password", min_length = 10, max_length = 128, example = "nine loud umbrellas")]
    pub(crate) password: SecretString,
}

/// The password again, for what somebody at an unlocked screen must not do.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordIn {
    /// The password.
    #[garde(custom(at_most(1000)))]
    #[schema(value_type = String, format = "password", max_length = 1000, example = "seven quiet lanterns")]
    pub(crate) password: SecretString,
}

/// A code of the authenticator app.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeIn {
    /// The code now.
    #[garde(custom(six_digits))]
    #[schema(value_type = String, pattern = "^[0-9]{6}$", example = "492039")]
    pub(crate) code: SecretString,
}

/// The password and a code: what both factors prove.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordAndCodeIn {
    /// The password.
    #[garde(custom(at_most(1000)))]
    #[schema(value_type = String, format = "password", max_length = 1000, example = "seven quiet lanterns")]
    pub(crate) password: SecretString,
    /// The authenticator app's code now. Either this or a recovery code is needed.
    #[garde(custom(if_given(six_digits)))]
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{6}$", example = "492039")]
    pub(crate) code: Option<SecretString>,
    /// One of the recovery codes instead of the app's.
    #[garde(custom(if_given(at_most(40))))]
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 40, example = "k3vd-7tqp-mn2a-x5sz")]
    pub(crate) recovery_code: Option<SecretString>,
}

/// A person's account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountOut)]
pub(crate) struct UserOut {
    /// The person.
    #[schema(value_type = String, example = "usr_01jcs8q3v4w5x6y7z8a9b0c1d2")]
    pub(crate) id: UserId,
    /// Their address.
    #[schema(value_type = String, format = "email", example = "maya@saffron.example")]
    pub(crate) email: Email,
    /// Their name, as colleagues call them.
    #[schema(example = "Maya Haddad")]
    pub(crate) name: String,
    /// BCP 47 language of their mail.
    #[schema(example = "en")]
    pub(crate) language: String,
    /// Whether log-in asks for a second factor.
    #[schema(example = false)]
    pub(crate) second_factor: bool,
    /// Since when.
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

/// What a person is to a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlaceOut {
    /// The tenant, for `X-Tenant-ID`.
    #[schema(value_type = String, example = "tnt_01jcs8q3v4w5x6y7z8a9b0c1d2")]
    pub(crate) id: TenantId,
    /// Its name.
    #[schema(example = "Saffron Bakery")]
    pub(crate) name: String,
    /// Its name in URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "saffron-bakery")]
    pub(crate) slug: Option<Slug>,
    /// What the person may do there.
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

/// Somebody who is logged in, and what they prove it with.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedInOut {
    /// For `Authorization: Bearer …`.
    pub(crate) access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub(crate) token_type: &'static str,
    /// Seconds until the access token is over.
    #[schema(example = 900)]
    pub(crate) expires_in: i64,
    /// For the next refresh, once. Left out where it was set as a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    /// The person.
    pub(crate) user: UserOut,
    /// Where they belong. The token means the first one where `X-Tenant-ID` names none.
    pub(crate) tenants: Vec<PlaceOut>,
}

/// The person who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeOut {
    /// Their account.
    #[serde(flatten)]
    pub(crate) user: UserOut,
    /// Where they belong.
    pub(crate) tenants: Vec<PlaceOut>,
    /// How many recovery codes are left, where a second factor is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 10)]
    pub(crate) recovery_codes_left: Option<usize>,
}

/// What a person changes of their account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeIn {
    /// Their name, as colleagues call them.
    #[garde(custom(readable))]
    #[schema(min_length = 1, max_length = 100, example = "Maya Haddad")]
    pub(crate) name: String,
    /// BCP 47 language of their mail.
    #[garde(custom(api::language))]
    #[schema(max_length = 35, example = "en")]
    pub(crate) language: String,
}

/// A session on one device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionOut {
    /// The session.
    #[schema(value_type = String, example = "ses_01jcs8q3v4w5x6y7z8a9b0c1d2")]
    pub(crate) id: SessionId,
    /// The browser or app, as its `User-Agent` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")]
    pub(crate) device: Option<String>,
    /// When the person logged in.
    #[schema(value_type = String, format = "date-time", example = "2026-11-20T12:00:00Z")]
    pub(crate) created_at: Timestamp,
    /// When it was refreshed last.
    #[schema(value_type = String, format = "date-time", example = "2026-11-20T12:15:00Z")]
    pub(crate) refreshed_at: Timestamp,
    /// When it is over, unless it is refreshed before.
    #[schema(value_type = String, format = "date-time", example = "2026-12-20T12:00:00Z")]
    pub(crate) expires_at: Timestamp,
    /// When it is over, however often it is refreshed.
    #[schema(value_type = String, format = "date-time", example = "2026-12-20T12:00:00Z")]
    pub(crate) ends_at: Timestamp,
    /// Whether it began with a second factor.
    #[schema(example = false)]
    pub(crate) second_factor: bool,
    /// Whether it is the one that asks.
    #[schema(example = true)]
    pub(crate) current: bool,
}

impl SessionOut {
    /// As the person of this session sees it.
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

/// Something that happened to the person's log-in.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecurityEventOut {
    /// What: `logged_in`, `second_factor_asked`, `log_in_refused`, `log_in_limited`, `logged_out`, `logged_out_everywhere`,
    /// `token_reused`, `reset_asked`, `password_reset`, `password_changed`, `second_factor_on`, `second_factor_off`,
    /// `recovery_codes_replaced`, `recovery_code_used`, `platform_right_given`, `platform_right_taken`, `proof_refused` (a
    /// password or a code, by who is logged in). More may come.
    #[schema(value_type = String, example = "log_in_refused")]
    pub(crate) what: SecurityEventKind,
    /// When; of several, the last time.
    #[schema(value_type = String, format = "date-time", example = "2026-11-20T12:15:00Z")]
    pub(crate) at: Timestamp,
    /// When for the first time, where it happened several times within an hour.
    #[schema(value_type = String, format = "date-time", example = "2026-11-20T12:02:00Z")]
    pub(crate) since: Timestamp,
    /// How many times it happened.
    #[schema(minimum = 1, example = 3)]
    pub(crate) times: u64,
    /// The IP address it came from; the last one if it happened more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "203.0.113.7")]
    pub(crate) address: Option<IpAddr>,
    /// The browser or app, as its `User-Agent` says; the last one if it happened more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")]
    pub(crate) device: Option<String>,
    /// The session it belongs to, if there is one.
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
    /// The secret in base32, to be typed into an authenticator app: TOTP, SHA-1, six digits, 30 seconds.
    #[schema(example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    pub(crate) secret: String,
    /// The same as a URI, to be shown as a QR code.
    #[schema(
        example = "otpauth://totp/Ringback:maya%40saffron.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Ringback"
    )]
    pub(crate) uri: String,
}

/// Recovery codes. Shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodesOut {
    /// Each works once, in place of the app's code. The ones before no longer work.
    #[schema(example = json!(["k3vd-7tqp-mn2a-x5sz"]))]
    pub(crate) recovery_codes: Vec<String>,
}

/// A public key that access tokens are verified with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyOut {
    /// Always `EC`.
    #[schema(example = "EC")]
    pub(crate) kty: &'static str,
    /// Always `P-256`.
    #[schema(example = "P-256")]
    pub(crate) crv: &'static str,
    /// Always `sig`.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub(crate) usage: &'static str,
    /// Always `ES256`.
    #[schema(example = "ES256")]
    pub(crate) alg: &'static str,
    /// The key's id, as in a token's header.
    pub(crate) kid: String,
    /// The point's coordinates, base64url.
    pub(crate) x: String,
    /// The other.
    pub(crate) y: String,
}

/// The public keys (RFC 7517).
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
    fn what_people_send_prints_none_of_their_secrets() {
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
