//! Meta's `GET` when a webhook URL is saved: it contains a token that we issued, and expects its challenge in the answer.

use subtle::ConstantTimeEq;

use crate::form;

/// Reason why a handshake is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not a handshake: mode, challenge or token is missing.
    #[error("this is not a webhook handshake: hub.mode, hub.challenge and hub.verify_token must be given")]
    Incomplete,
    /// The token or the mode is wrong.
    #[error("the verify token or the mode is wrong")]
    Wrong,
}

impl Refused {
    /// The HTTP status to answer with.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Incomplete => 400,
            Self::Wrong => 403,
        }
    }
}

/// Returns the challenge, to be sent as the whole body and as `text/plain`, because the caller chooses its text.
/// `query` is the raw query string, without `?`.
///
/// # Errors
/// When it is not a handshake, or has another token.
pub fn answer(query: &str, verify_token: &str) -> Result<String, Refused> {
    let query = form::parse(query.as_bytes());
    let (Some(mode), Some(challenge), Some(token)) = (
        query.get("hub.mode"),
        query.get("hub.challenge"),
        query.get("hub.verify_token"),
    ) else {
        return Err(Refused::Incomplete);
    };
    let right = !verify_token.is_empty() & bool::from(token.as_bytes().ct_eq(verify_token.as_bytes()));
    if right && mode == "subscribe" {
        Ok(challenge.into_owned())
    } else {
        Err(Refused::Wrong)
    }
}
