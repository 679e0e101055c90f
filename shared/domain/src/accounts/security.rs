//! Security events: what happened to a person's log-in, for that person to see.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::terms::SessionId;

shown_as!(SecurityEventKind, {"type": "string", "examples": ["log_in_refused"]});

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityEventKind {
    /// The person logged in.
    LoggedIn,
    /// The password was correct, and a code of the second factor was requested.
    SecondFactorAsked,
    /// The password or the code was wrong.
    LogInRefused,
    /// A logged-in person repeated their password or a code incorrectly.
    ProofRefused,
    /// The limit of attempts was reached: further ones are refused for a while.
    LogInLimited,
    /// The session was ended.
    LoggedOut,
    /// All sessions were ended.
    LoggedOutEverywhere,
    /// An old refresh token was reused, so somebody copied it. Its session was ended.
    TokenReused,
    /// A link to choose a new password was requested.
    ResetAsked,
    /// A new password was chosen through such a link.
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
    /// The right to administer the platform was granted.
    PlatformRightGiven,
    /// The right to administer the platform was revoked.
    PlatformRightTaken,
}

impl SecurityEventKind {
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

    /// Whether strangers, or somebody who took over a session, can cause any number of these events. Such events of one
    /// hour are a single entry, so that nobody can fill the table.
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
    pub what: SecurityEventKind,
    /// Time; of several events, the last one.
    pub at: Timestamp,
    /// Address; of several events, the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The browser or app by its `User-Agent`, shortened; of several events, the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The session, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_is_stored_under_its_name() {
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
