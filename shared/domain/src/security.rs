//! What happened to somebody's log-in, for themselves to see.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::SessionId;

shown_as!(SecurityEventKind, {"type": "string", "examples": ["log_in_refused"]});

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityEventKind {
    /// The person logged in.
    LoggedIn,
    /// The password was right, and a code of the second factor was asked for.
    SecondFactorAsked,
    /// The password or the code was wrong.
    LogInRefused,
    /// A password or a code was wrong that somebody who is logged in had to give again.
    ProofRefused,
    /// There were as many tries as there may be: further ones are refused for a while.
    LogInLimited,
    /// The session was ended.
    LoggedOut,
    /// All sessions were ended.
    LoggedOutEverywhere,
    /// An old refresh token came again: somebody copied it. Its session was ended.
    TokenReused,
    /// A link to choose a new password was asked for.
    ResetAsked,
    /// A new password was chosen by such a link.
    PasswordReset,
    /// The password was changed.
    PasswordChanged,
    /// The second factor was switched on.
    SecondFactorOn,
    /// The second factor was switched off.
    SecondFactorOff,
    /// New recovery codes were made.
    RecoveryCodesReplaced,
    /// A recovery code was used instead of the app's.
    RecoveryCodeUsed,
    /// The right to administer the platform was given.
    PlatformRightGiven,
    /// The right to administer the platform was taken.
    PlatformRightTaken,
}

impl SecurityEventKind {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LoggedIn => "logged_in",
            Self::SecondFactorAsked => "second_factor_asked",
            Self::LogInRefused => "log_in_refused",
            Self::ProofRefused => "proof_refused",
            Self::LogInLimited => "log_in_limited",
            Self::LoggedOut => "logged_out",
            Self::LoggedOutEverywhere => "logged_out_everywhere",
            Self::TokenReused => "token_reused",
            Self::ResetAsked => "reset_asked",
            Self::PasswordReset => "password_reset",
            Self::PasswordChanged => "password_changed",
            Self::SecondFactorOn => "second_factor_on",
            Self::SecondFactorOff => "second_factor_off",
            Self::RecoveryCodesReplaced => "recovery_codes_replaced",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::PlatformRightGiven => "platform_right_given",
            Self::PlatformRightTaken => "platform_right_taken",
        }
    }

    /// Whether strangers, or who has taken a session over, can cause as many as they like: those of an hour are one entry, so that nobody fills the table.
    #[must_use]
    pub const fn is_tallied(self) -> bool {
        matches!(
            self,
            Self::LogInRefused | Self::ProofRefused | Self::LogInLimited | Self::ResetAsked | Self::SecondFactorAsked
        )
    }
}

/// An entry of a person's security trail.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityEvent {
    /// What happened.
    pub what: SecurityEventKind,
    /// When; of several, the last time.
    pub at: Timestamp,
    /// From which address; of several, the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The browser or app, as its `User-Agent` says, shortened; the last one if it happened more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The session it belongs to, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_as_it_is_named() {
        for kind in [
            SecurityEventKind::LoggedIn,
            SecurityEventKind::LogInRefused,
            SecurityEventKind::ProofRefused,
            SecurityEventKind::LoggedOutEverywhere,
            SecurityEventKind::PlatformRightTaken,
        ] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
