//! Secrets of connections: generated, rotated and shown once.

use access::token;
use api::Api;
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::connection::{VerifySecrets, kind::Generated};
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
        let (generates, generated) = secrets.generated();
        let newest = generated.first().cloned();
        match generates {
            Some(Generated::Token) => Self {
                verify_token: newest,
                secret: None,
            },
            Some(Generated::Word | Generated::StandardWebhooks) => Self {
                verify_token: None,
                secret: newest,
            },
            None => Self::default(),
        }
    }

    pub(crate) const fn is_any(&self) -> bool {
        self.verify_token.is_some() || self.secret.is_some()
    }
}

/// A new secret.
pub(crate) fn generate(api: &Api, what: Generated) -> Result<String, Problem> {
    let secret = api.secret()?;
    Ok(match what {
        Generated::Token | Generated::Word => token::link_token(secret),
        Generated::StandardWebhooks => format!("whsec_{}", STANDARD.encode(secret)),
    })
}

/// Adds a secret before the others: the provider's new one, or a generated one. For WhatsApp without a given secret, the verify
/// token is replaced instead, because only a handshake uses it. Returns what is to be shown.
pub(crate) fn rotate(api: &Api, secrets: &mut VerifySecrets, given: Option<String>) -> Result<Shown, Problem> {
    let (generates, _) = secrets.generated();
    if let (Some(token), None) = (secrets.token(), &given) {
        *token = generate(api, Generated::Token)?;
        return Ok(Shown::of(secrets));
    }
    let list = secrets.secrets();
    let new = match (generates, given) {
        (Some(Generated::Token), _) if list.is_empty() => {
            let detail = "The platform's own Meta app verifies these webhooks, so there is no secret to rotate. To \
                use an app of your own, set its credentials.";
            return Err(Problem::conflict("nothing_to_rotate", detail));
        }
        (Some(Generated::Word | Generated::StandardWebhooks), Some(_)) => {
            return Err(Problem::field(
                "secret",
                "Omit this field. The secret of this kind is generated here.",
            ));
        }
        (Some(what), None) => generate(api, what)?,
        (_, Some(given)) => given,
        (None, None) => {
            return Err(Problem::field(
                "secret",
                "This field is required: send the provider's new secret.",
            ));
        }
    };
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
    secrets.secrets().truncate(1);
}
