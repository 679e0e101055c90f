//! Models of requests and responses. Incoming secrets cannot be printed; outgoing ones have no `Debug`.

use std::borrow::Cow;
use std::net::IpAddr;

use api::{KnownPassword, NewPassword, Patchable, SecretText};
use domain::accounts::{Account, InterfacePreferences, Member, PersonName, Role, SecurityEventKind, Session};
use domain::tenants::Tenant;
use domain::terms::{Email, Fault, Language, MAX_NAME_LENGTH, OneLine, SessionId, Slug, TenantId, UserId, Zone};
use jiff::Timestamp;
use kit::Problem;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use store::accounts::Noted;

fn english() -> Language {
    Language::from_stored("en")
}

/// A code of an authenticator app.
#[derive(Debug, Clone)]
pub(crate) struct SixDigits(pub(crate) SecretString);

impl<'de> Deserialize<'de> for SixDigits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = SecretString::deserialize(deserializer)?;
        let text = code.expose_secret();
        if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(code))
        } else {
            let detail = "must be the six digits that the authenticator app shows";
            Err(Fault::format("code", "492039", detail).refuse())
        }
    }
}

impl JsonSchema for SixDigits {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SixDigits".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]{6}$", "examples": ["492039"]})
    }
}

/// A recovery code as it is typed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "", example = "k3vd-7tqp-mn2a-x5sz")]
pub(crate) struct RecoveryCode(pub(crate) SecretText<40>);

/// Value of `token` in a link.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "", example = &"qmqJ3cTz2m1XbM8V0i2dWJm3o0wP0c8y5k7u9n1r3t4")]
pub(crate) struct Token(pub(crate) SecretText<100>);

/// Sign-up of a business with its first administrator.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignUpIn {
    /// Name of the business, as its customers know it.
    #[schemars(example = "Saffron Bakery")]
    pub(crate) business: OneLine<1, MAX_NAME_LENGTH>,
    /// Unique name in URLs: 3 to 40 lower-case letters a to z, digits and single hyphens.
    pub(crate) slug: Slug,
    /// E-mail address. The business is created only after the link in a mail to this address is opened.
    pub(crate) email: Email,
    /// Display name of the person.
    #[schemars(example = "Maya Haddad")]
    pub(crate) name: PersonName,
    /// Password of 10 to 128 characters that is hard to guess, such as a few unrelated words.
    pub(crate) password: NewPassword,
    /// Time zone of the business, from the IANA database.
    pub(crate) time_zone: Zone,
    /// Language of the person's mail (BCP 47).
    #[serde(default = "english")]
    pub(crate) language: Language,
}

/// Acknowledgement that a mail is on its way, if it can be sent.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MailedOut {
    /// The next step for the person.
    #[schemars(example = "Open the link in the mail that we sent you.")]
    pub(crate) detail: &'static str,
}

/// Delivery of the refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Handover {
    /// In the response body, for apps that can store it safely.
    #[default]
    Body,
    /// In a cookie that scripts cannot read, for browsers.
    Cookie,
}

/// Confirmation of a sign-up. The link proves the mailbox, the password proves who signed up.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyEmailIn {
    /// Value of `token` in the link.
    pub(crate) token: Token,
    /// Password of the sign-up. Required because somebody else may have signed up with this address.
    pub(crate) password: KnownPassword,
    /// Delivery of the refresh token.
    #[serde(default)]
    pub(crate) session: Handover,
}

/// Credentials of a log-in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogInIn {
    /// E-mail address of the account.
    pub(crate) email: Email,
    /// Password of the account.
    pub(crate) password: KnownPassword,
    /// Current code of the authenticator app, if a second factor is on.
    pub(crate) code: Option<SixDigits>,
    /// A recovery code instead of the app's code. Each works once.
    pub(crate) recovery_code: Option<RecoveryCode>,
    /// Delivery of the refresh token.
    #[serde(default)]
    pub(crate) session: Handover,
}

/// The session to refresh or to end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshIn {
    /// Latest refresh token. Omit it if the cookie holds it.
    pub(crate) refresh_token: Option<SecretText<300>>,
}

/// Change of the password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePasswordIn {
    /// Current password.
    pub(crate) current_password: KnownPassword,
    /// New password of 10 to 128 characters that is hard to guess.
    #[schemars(example = "nine loud umbrellas")]
    pub(crate) password: NewPassword,
    /// Delivery of the refresh token of the new session.
    #[serde(default)]
    pub(crate) session: Handover,
}

/// Request for a password reset.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForgotPasswordIn {
    /// E-mail address of the account.
    pub(crate) email: Email,
}

/// A new password in place of a forgotten one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetPasswordIn {
    /// Value of `token` in the link.
    pub(crate) token: Token,
    /// New password of 10 to 128 characters that is hard to guess.
    #[schemars(example = "nine loud umbrellas")]
    pub(crate) password: NewPassword,
}

/// Current password, required again for sensitive actions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordIn {
    /// Password of the account.
    pub(crate) password: KnownPassword,
}

/// A code of the authenticator app.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeIn {
    /// Current code.
    pub(crate) code: SixDigits,
}

/// The password and a code, which together prove both factors.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordAndCodeIn {
    /// Password of the account.
    pub(crate) password: KnownPassword,
    /// Current code of the authenticator app. Either this or a recovery code is required.
    pub(crate) code: Option<SixDigits>,
    /// A recovery code instead of the app's code.
    pub(crate) recovery_code: Option<RecoveryCode>,
}

/// Account of a person.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccountOut")]
pub(crate) struct UserOut {
    /// Id of the user.
    pub(crate) id: UserId,
    /// E-mail address.
    pub(crate) email: Email,
    /// Display name.
    #[schemars(example = "Maya Haddad")]
    pub(crate) name: String,
    /// Language of mails (BCP 47).
    #[schemars(example = &"en")]
    pub(crate) language: String,
    /// True if log-in requires a second factor.
    #[schemars(example = false)]
    pub(crate) second_factor: bool,
    /// Time of creation.
    #[schemars(example = "2026-11-20T12:00:00Z")]
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
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PlaceOut {
    /// Id of the tenant, for `X-Tenant-ID`.
    pub(crate) id: TenantId,
    /// Name of the business.
    #[schemars(example = "Saffron Bakery")]
    pub(crate) name: String,
    /// Name of the tenant in URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slug: Option<Slug>,
    /// Role of the person in the tenant.
    pub(crate) role: Role,
}

impl PlaceOut {
    pub(crate) fn of(tenant: &Tenant, member: &Member) -> Self {
        Self {
            id: tenant.id,
            name: tenant.name.clone(),
            slug: tenant.slug.clone(),
            role: member.role,
        }
    }
}

/// A logged-in person with their tokens.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LoggedInOut {
    /// Access token for `Authorization: Bearer …`.
    pub(crate) access_token: String,
    /// Always `Bearer`.
    #[schemars(example = &"Bearer")]
    pub(crate) token_type: &'static str,
    /// Seconds until the access token expires.
    #[schemars(example = 900)]
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
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MeOut {
    /// Account of the person.
    #[serde(flatten)]
    pub(crate) user: UserOut,
    /// Tenants of the person.
    pub(crate) tenants: Vec<PlaceOut>,
    /// Number of unused recovery codes, if a second factor is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = 10)]
    pub(crate) recovery_codes_left: Option<usize>,
    /// True if the person administers the platform, which also requires a session with a second factor.
    #[schemars(example = false)]
    pub(crate) platform: bool,
    /// Preferences for user interfaces.
    pub(crate) preferences: InterfacePreferences,
}

/// Changes to the caller's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeIn {
    /// Display name.
    #[schemars(example = "Maya Haddad")]
    pub(crate) name: PersonName,
    /// Language of mails (BCP 47).
    pub(crate) language: Language,
    /// Preferences for user interfaces.
    #[serde(default)]
    pub(crate) preferences: InterfacePreferences,
}

impl Patchable for MeIn {
    type Of = Account;

    fn of(account: &Account) -> Self {
        Self {
            name: PersonName::from_stored(&account.name),
            language: Language::from_stored(&account.language),
            preferences: account.preferences.clone(),
        }
    }

    fn onto(self, before: &Account) -> Result<Account, Problem> {
        Ok(Account {
            name: self.name.into(),
            language: self.language.into(),
            preferences: self.preferences,
            ..before.clone()
        })
    }
}

/// A session on one device.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SessionOut {
    /// Id of the session.
    pub(crate) id: SessionId,
    /// Browser or app, from its `User-Agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")]
    pub(crate) device: Option<String>,
    /// Time of log-in.
    #[schemars(example = "2026-11-20T12:00:00Z")]
    pub(crate) created_at: Timestamp,
    /// Time of the last refresh.
    #[schemars(example = "2026-11-20T12:15:00Z")]
    pub(crate) refreshed_at: Timestamp,
    /// Expiry of the session unless it is refreshed.
    #[schemars(example = "2026-12-20T12:00:00Z")]
    pub(crate) expires_at: Timestamp,
    /// End of the session, however often it is refreshed.
    #[schemars(example = "2026-12-20T12:00:00Z")]
    pub(crate) ends_at: Timestamp,
    /// True if it began with a second factor.
    #[schemars(example = false)]
    pub(crate) second_factor: bool,
    /// True for the session of this request.
    #[schemars(example = true)]
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

/// An entry of an account's security trail.
#[derive(Serialize, JsonSchema)]
pub(crate) struct SecurityEventOut {
    /// Kind of event: `logged_in`, `second_factor_asked`, `log_in_refused`, `log_in_limited`, `logged_out`,
    /// `logged_out_everywhere`, `token_reused`, `reset_asked`, `password_reset`, `password_changed`, `second_factor_on`,
    /// `second_factor_off`, `recovery_codes_replaced`, `recovery_code_used`, `platform_right_given`, `platform_right_taken`, or
    /// `proof_refused` (a wrong password or code of a logged-in person). More kinds may be added.
    pub(crate) what: SecurityEventKind,
    /// Time of the event, or of its last occurrence.
    #[schemars(example = "2026-11-20T12:15:00Z")]
    pub(crate) at: Timestamp,
    /// Time of the first occurrence, if it occurred several times within an hour.
    #[schemars(example = "2026-11-20T12:02:00Z")]
    pub(crate) since: Timestamp,
    /// Number of occurrences.
    #[schemars(range(min = 1), example = 3)]
    pub(crate) times: u64,
    /// IP address of the request, or of the last one if there were several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "203.0.113.7")]
    pub(crate) address: Option<IpAddr>,
    /// Browser or app, from the `User-Agent` of the same request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")]
    pub(crate) device: Option<String>,
    /// Id of the session, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
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
#[derive(Serialize, JsonSchema)]
pub(crate) struct PendingFactorOut {
    /// Secret in base32, to type into an authenticator app: TOTP, SHA-1, six digits, 30 seconds.
    #[schemars(example = &"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    pub(crate) secret: String,
    /// The secret as a URI, to show as a QR code.
    #[schemars(
        example = "otpauth://totp/Ringback:maya%40saffron.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Ringback"
    )]
    pub(crate) uri: String,
}

/// Recovery codes. Shown once.
#[derive(Serialize, JsonSchema)]
pub(crate) struct RecoveryCodesOut {
    /// New recovery codes. Each works once instead of the app's code. Previous codes stop working.
    #[schemars(example = ["k3vd-7tqp-mn2a-x5sz"])]
    pub(crate) recovery_codes: Vec<String>,
}

/// A public key that verifies access tokens.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct KeyOut {
    /// Key type, always `EC`.
    #[schemars(example = &"EC")]
    pub(crate) kty: &'static str,
    /// Curve, always `P-256`.
    #[schemars(example = "P-256")]
    pub(crate) crv: &'static str,
    /// Use, always `sig`.
    #[serde(rename = "use")]
    #[schemars(example = &"sig")]
    pub(crate) usage: &'static str,
    /// Algorithm, always `ES256`.
    #[schemars(example = &"ES256")]
    pub(crate) alg: &'static str,
    /// Id of the key, as in a token's header.
    pub(crate) kid: String,
    /// X coordinate of the point, in base64url.
    pub(crate) x: String,
    /// Y coordinate of the point, in base64url.
    pub(crate) y: String,
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, Serialize, JsonSchema)]
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
            "password": "canary", "current_password": "canary", "code": "904731", "recovery_code": "canary",
            "token": "canary", "refresh_token": "canary",
        });
        fn debug_output<T: serde::de::DeserializeOwned + std::fmt::Debug>(
            all: &serde_json::Value,
            fields: &[&str],
        ) -> String {
            let sent = fields.iter().map(|field| ((*field).to_owned(), all[*field].clone()));
            let input: T = serde_json::from_value(sent.collect::<serde_json::Map<_, _>>().into()).unwrap();
            format!("{input:?}")
        }
        let sign_up = ["business", "slug", "email", "name", "time_zone", "password"];
        for text in [
            debug_output::<SignUpIn>(&all, &sign_up),
            debug_output::<VerifyEmailIn>(&all, &["token", "password"]),
            debug_output::<LogInIn>(&all, &["email", "password", "code", "recovery_code"]),
            debug_output::<RefreshIn>(&all, &["refresh_token"]),
            debug_output::<ChangePasswordIn>(&all, &["current_password", "password"]),
            debug_output::<ForgotPasswordIn>(&all, &["email"]),
            debug_output::<ResetPasswordIn>(&all, &["token", "password"]),
            debug_output::<PasswordIn>(&all, &["password"]),
            debug_output::<CodeIn>(&all, &["code"]),
            debug_output::<PasswordAndCodeIn>(&all, &["password", "code", "recovery_code"]),
        ] {
            assert!(!text.contains("canary") && !text.contains("904731"), "{text}");
        }
    }
}
