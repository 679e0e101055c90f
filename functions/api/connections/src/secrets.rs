//! Secrets of connections: made, exchanged, and shown once.

use access::token;
use api::Api;
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::connection::VerifySecrets;
use kit::Problem;

/// So many secrets of a connection are valid at once, at most: rotations that were begun and not finished.
const MOST_AT_ONCE: usize = 4;

/// What is shown of a connection's secrets when they are new: those that were made here.
#[derive(Default)]
pub(crate) struct Shown {
    /// Meta's handshake must bring it.
    pub(crate) verify_token: Option<String>,
    /// What signs events, or ends addresses.
    pub(crate) secret: Option<String>,
}

impl Shown {
    /// The newest stand first.
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

/// A new word of letters, digits, `-` and `_`: fit for a handshake and for the end of an address.
pub(crate) fn word(api: &Api) -> Result<String, Problem> {
    Ok(token::link_token(api.secret()?))
}

/// A new secret of Standard Webhooks.
pub(crate) fn standard_webhooks(api: &Api) -> Result<String, Problem> {
    Ok(format!("whsec_{}", STANDARD.encode(api.secret()?)))
}

/// The list whose first secret is the newest.
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

/// Adds a secret before the others: the provider's new one, or for who has ours, one that is made now. For WhatsApp, a verify
/// token is made where no secret is given: it comes instead of the old one, since only a handshake brings it. Returns what is
/// to be shown.
pub(crate) fn rotate(api: &Api, secrets: &mut VerifySecrets, given: Option<String>) -> Result<Shown, Problem> {
    if let (VerifySecrets::WhatsApp { verify_token, .. }, None) = (&mut *secrets, &given) {
        *verify_token = word(api)?;
        return Ok(Shown::of(secrets));
    }
    let ours = match secrets {
        VerifySecrets::Telephony { .. } => Some(standard_webhooks(api)?),
        VerifySecrets::Exotel { .. } => Some(word(api)?),
        VerifySecrets::WhatsApp { app_secrets, .. } if app_secrets.is_empty() => {
            let detail = "The platform's own Meta app verifies its webhooks: there is no secret to rotate. To bring an app of \
                          your own, set its credentials.";
            return Err(Problem::conflict("nothing_to_rotate", detail));
        }
        _ => None,
    };
    let new = match (ours, given) {
        (Some(_), Some(_)) => {
            return Err(Problem::field(
                "secret",
                "Leave it out: the secret of this kind is made here.",
            ));
        }
        (Some(ours), None) => ours,
        (None, Some(given)) => given,
        (None, None) => return Err(Problem::field("secret", "Expected the provider's new secret.")),
    };
    let list = list(secrets);
    if list.contains(&new) {
        return Err(Problem::field("secret", "This secret is valid already."));
    }
    if list.len() >= MOST_AT_ONCE {
        let detail = format!("{MOST_AT_ONCE} secrets are valid already. Finish the rotation first.");
        return Err(Problem::conflict("too_many_secrets", detail));
    }
    list.insert(0, new);
    Ok(Shown {
        verify_token: None,
        ..Shown::of(secrets)
    })
}

/// Leaves the newest secret alone.
pub(crate) fn finish(secrets: &mut VerifySecrets) {
    list(secrets).truncate(1);
}
