//! Meaning of unsuccessful answers of SES. Their texts are never stored, because they quote addresses.

use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;

/// Treatment of a mail that was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailClass {
    /// The mail may succeed a little later.
    Again,
    /// SES refuses all mails until somebody changes the account, the identity or the role.
    Setup,
    /// The mail can never be sent to this address.
    Never,
}

/// A mail that was not sent, or whose outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SES did not take a mail: {code}")]
pub struct MailError {
    pub class: MailClass,
    /// SES's error code, or ours if no answer came.
    pub code: String,
}

/// SES's errors of `SendEmail` and the errors common to all of AWS. Sources: API reference of SES v2, "SendEmail" and "Common
/// errors". Two codes with several meanings are handled below.
const TABLE: &[(&str, MailClass)] = &[
    ("TooManyRequestsException", MailClass::Again),
    ("ThrottlingException", MailClass::Again),
    ("Throttling", MailClass::Again),
    ("RequestLimitExceeded", MailClass::Again),
    ("LimitExceededException", MailClass::Again),
    ("InternalServiceErrorException", MailClass::Again),
    ("InternalFailure", MailClass::Again),
    ("ServiceUnavailable", MailClass::Again),
    ("RequestExpired", MailClass::Again),
    ("MailFromDomainNotVerifiedException", MailClass::Setup),
    ("SendingPausedException", MailClass::Setup),
    ("AccountSuspendedException", MailClass::Setup),
    ("NotFoundException", MailClass::Setup),
    ("AccessDeniedException", MailClass::Setup),
];

impl MailError {
    pub(super) fn of(error: &SdkError<SendEmailError>) -> Self {
        match error {
            SdkError::ServiceError(answered) => {
                let refusal = answered.err();
                Self::of_refusal(
                    answered.raw().status().as_u16(),
                    refusal.code().unwrap_or_default(),
                    refusal.message().unwrap_or_default(),
                )
            }
            SdkError::ConstructionFailure(_) => Self::not_built(),
            SdkError::TimeoutError(_) => Self::here(MailClass::Again, "no answer in time"),
            SdkError::DispatchFailure(_) => Self::here(MailClass::Again, "not reached"),
            SdkError::ResponseError(_) => Self::here(MailClass::Again, "an answer that cannot be read"),
            _ => Self::here(MailClass::Again, "unknown"),
        }
    }

    pub(super) fn not_built() -> Self {
        Self::here(MailClass::Setup, "the request cannot be built")
    }

    fn here(class: MailClass, code: &str) -> Self {
        Self {
            class,
            code: code.to_owned(),
        }
    }

    fn of_refusal(status: u16, code: &str, words: &str) -> Self {
        let named = match code {
            // Content that SES refuses or, with these texts, an unverified sender or (in SES's sandbox) an unverified
            // recipient.
            "MessageRejected" if words.contains("not verified") => Some(("NotVerified", MailClass::Setup)),
            "MessageRejected" => Some((code, MailClass::Never)),
            // Our own sender's address is checked at deployment, so an invalid address is the recipient's.
            "BadRequestException" if about_an_address(words) => Some(("BadAddress", MailClass::Never)),
            _ => TABLE.iter().find(|(known, _)| *known == code).copied(),
        };
        let (code, class) = named.unwrap_or(match status {
            429 | 500.. => (code, MailClass::Again),
            // Not certain to concern only this mail, so it is kept and nothing is lost.
            _ => (code, MailClass::Setup),
        });
        Self {
            class,
            // AWS's codes are one word; anything else is not stored.
            code: if code.is_empty() || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                format!("HTTP {status}")
            } else {
                code.to_owned()
            },
        }
    }
}

/// "Illegal address", "Invalid email address …", "Missing final '@domain'", "Domain contains illegal character", "Local
/// address contains control or whitespace", "Missing local name", "User name is missing".
fn about_an_address(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    ["address", "domain", "local name", "user name"]
        .iter()
        .any(|sign| words.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_ses_are_classified() {
        use MailClass::{Again, Never, Setup};
        let unverified =
            "Email address is not verified. The following identities failed the check in region EU-WEST-1: a@b.example";
        let cases = [
            (429, "TooManyRequestsException", "Maximum sending rate exceeded.", Again),
            (400, "LimitExceededException", "Daily message quota exceeded.", Again),
            (503, "", "", Again),
            (500, "SomethingNew", "", Again),
            (400, "MailFromDomainNotVerifiedException", "", Setup),
            (400, "SendingPausedException", "", Setup),
            (400, "AccountSuspendedException", "", Setup),
            (403, "AccessDeniedException", "User … is not authorized", Setup),
            (403, "InvalidClientTokenId", "", Setup),
            (400, "MessageRejected", unverified, Setup),
            (400, "MessageRejected", "Email contains a virus", Never),
            (400, "BadRequestException", "Missing final '@domain'", Never),
            (400, "BadRequestException", "Invalid email address a@b.", Never),
            (400, "BadRequestException", "Illegal address", Never),
            (400, "BadRequestException", "1 validation error detected", Setup),
        ];
        for (status, code, words, class) in cases {
            let error = MailError::of_refusal(status, code, words);
            assert_eq!(error.class, class, "{status} {code} {words}");
            assert!(!error.to_string().contains('@'), "{error}");
        }
        for code in ["", "maya@salon.example", "two words"] {
            assert_eq!(MailError::of_refusal(502, code, "").code, "HTTP 502");
        }
    }
}
