//! Secrets of connections: generated, rotated and shown once.

use access::token;
use api::Api;
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::connection::VerifySecrets;
use kit::Problem;

/// Maximum number of valid secrets of a connection, with unfinished rotations.
const MOST_AT_ONCE: usize = 4;

/// Generated secrets of a connection, shown when they are new.
#[derive(Default)]
pub(crate) struct Shown {
    /// Token of Meta's handshake.
    pub(crate) verify_token: Option<String>,
    /// Secret that signs events or ends addresses.
    pub(crate) secret: Option<String>,
}

impl Shown {
    /// The newest secrets, which come first.
    pub(crate) fn of(secrets: &VerifySecrets) -> Self {
        match secrets {
            VerifySecrets::WhatsApp { verify_token, .. } => Self {
                verify_token: Some(verify_token.clone()),
                secret: None,
            },
            VerifySecrets::Telephony { secrets } | VerifySecrets::Exotel { url_secrets: secrets } => Self {
                verify_token: None,
                secret: secrets.first().cloned(),
            },
            VerifySecrets::Twilio { .. }
            | VerifySecrets::Aircall { .. }
            | VerifySecrets::Vonage { .. }
            | VerifySecrets::Plivo { .. } => Self::default(),
        }
    }

    pub(crate) const fn is_any(&self) -> bool {
        self.verify_token.is_some() || self.secret.is_some()
    }
}

/// A random word of letters, digits, `-` and `_`, suitable for a handshake and the end of an address.
pub(crate) fn word(api: &Api) -> Result<String, Problem> {
    Ok(token::link_token(api.secret()?))
}

/// A new secret for Standard Webhooks.
pub(crate) fn standard_webhooks(api: &Api) -> Result<String, Problem> {
    Ok(format!("whsec_{}", STANDARD.encode(api.secret()?)))
}

/// The list of secrets, newest first.
fn list(secrets: &mut VerifySecrets) -> &mut Vec<String> {
    match secrets {
        VerifySecrets::Twilio { auth_tokens: list, .. }
        | VerifySecrets::WhatsApp { app_secrets: list, .. }
        | VerifySecrets::Telephony { secrets: list }
        | VerifySecrets::Aircall { tokens: list }
        | VerifySecrets::Vonage {
            signature_secrets: list,
        }
        | VerifySecrets::Exotel { url_secrets: list }
        | VerifySecrets::Plivo { auth_tokens: list } => list,
    }
}

/// Adds a secret before the others: the provider's new one, or a generated one. For WhatsApp without a given secret, the verify
/// token is replaced instead, because only a handshake uses it. Returns what is to be shown.
pub(crate) fn rotate(api: &Api, secrets: &mut VerifySecrets, given: Option<String>) -> Result<Shown, Problem> {
    if let (VerifySecrets::WhatsApp { verify_token, .. }, None) = (&mut *secrets, &given) {
        *verify_token = word(api)?;
        return Ok(Shown::of(secrets));
    }
    let ours = match secrets {
        VerifySecrets::Telephony { .. } => Some(standard_webhooks(api)?),
        VerifySecrets::Exotel { .. } => Some(word(api)?),
        VerifySecrets::WhatsApp { app_secrets, .. } if app_secrets.is_empty() => {
            let detail = "The platform's own Meta app verifies these webhooks, so there is no secret to rotate. To \
                use an app of your own, set its credentials.";
            return Err(Problem::conflict("nothing_to_rotate", detail));
        }
        _ => None,
    };
    let new = match (ours, given) {
        (Some(_), Some(_)) => {
            return Err(Problem::field(
                "secret",
                "Omit this field. The secret of this kind is generated here.",
            ));
        }
        (Some(ours), None) => ours,
        (None, Some(given)) => given,
        (None, None) => {
            return Err(Problem::field(
                "secret",
                "This field is required: send the provider's new secret.",
            ));
        }
    };
    let list = list(secrets);
    if list.contains(&new) {
        return Err(Problem::field("secret", "This secret is already valid."));
    }
    if list.len() >= MOST_AT_ONCE {
        let detail = format!("{MOST_AT_ONCE} secrets are already valid. Finish the rotation first.");
        return Err(Problem::conflict("too_many_secrets", detail));
    }
    list.insert(0, new);
    Ok(Shown {
        verify_token: None,
        ..Shown::of(secrets)
    })
}

/// Keeps only the newest secret.
pub(crate) fn finish(secrets: &mut VerifySecrets) {
    list(secrets).truncate(1);
}
