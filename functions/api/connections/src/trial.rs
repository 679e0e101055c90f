//! Testing a connection: asks the provider and records its answer on the connection.

use domain::{
    checkup::{CheckResult, Checkup},
    connection::{Account, Connection, Health, SendSecrets},
    phone::Phone,
    send::{Classified, Effect, ErrorClass},
};
use jiff::{SignedDuration, Timestamp};
use providers::{
    aircall::AircallClient,
    check::CheckError,
    exotel::ExotelClient,
    plivo::PlivoClient,
    twilio::{
        check::AccountState,
        client::{Credentials, TwilioClient},
    },
    vonage::VonageClient,
    whatsapp::{check::NumberState, client::GraphClient},
};
use store::{
    connections::{Proof, Tested},
    usage,
};

/// The providers that can be asked.
pub(crate) struct Providers {
    pub(crate) graph: GraphClient,
    pub(crate) twilio: TwilioClient,
    pub(crate) aircall: AircallClient,
    pub(crate) vonage: VonageClient,
    pub(crate) exotel: ExotelClient,
    pub(crate) plivo: PlivoClient,
}

/// Answer of a provider.
pub(crate) struct Trial {
    checkup: Checkup,
    /// Consequence of a refusal for the connection.
    refusal: Option<(Classified, Option<SignedDuration>)>,
    /// Proof that the account is the tenant's: whoever gave the credentials can see it.
    pub(crate) proof: Proof,
}

const SUSPENDED: Classified = Classified {
    class: ErrorClass::TenantMustAct,
    effect: Effect::ConnectionUnhealthy,
    first_wait: 0,
    meaning: "the Twilio account is not active",
};

impl Providers {
    /// Tests a connection. Never fails: an unknown result is reported as such.
    pub(crate) async fn ask(&self, connection: &Connection, send: Option<&SendSecrets>, now: Timestamp) -> Trial {
        if connection.awaits_secret {
            let message = "The connection has no credentials for webhooks, so no event is accepted. Set the \
                credentials that the provider issued for its webhook.";
            return Trial::said(CheckResult::Failed, message, now);
        }
        match (&connection.account, send) {
            (
                Account::WhatsApp {
                    waba_id,
                    phone_number_id,
                    display_number,
                },
                Some(SendSecrets::WhatsApp { access_token }),
            ) => {
                usage::provider("whatsapp.check");
                let asked = self.graph.check(access_token, waba_id, phone_number_id).await;
                asked.map_or_else(
                    |error| Trial::of(error, now),
                    |state| of_number(state, display_number, now),
                )
            }
            (
                Account::Twilio {
                    account_sid,
                    numbers,
                    messaging_service_sid,
                    ..
                },
                Some(SendSecrets::Twilio {
                    api_key_sid,
                    api_key_secret,
                }),
            ) => {
                usage::provider("twilio.check");
                let credentials = Credentials {
                    api_key_sid,
                    api_key_secret,
                    account_sid,
                };
                let asked = self.twilio.check(credentials).await;
                let judge = |state| of_account(&state, numbers, messaging_service_sid.is_some(), now);
                asked.map_or_else(|error| Trial::of(error, now), judge)
            }
            (Account::WhatsApp { .. } | Account::Twilio { .. }, _) => Trial::said(
                CheckResult::Failed,
                "The connection has no credentials to send with. Set them.",
                now,
            ),
            (Account::Aircall { lines }, Some(SendSecrets::Aircall { api_id, api_token })) => {
                usage::provider("aircall.check");
                let asked = self.aircall.check(api_id, api_token, !lines.is_empty()).await;
                asked.map_or_else(
                    |error| Trial::of(error, now),
                    |numbers| of_lines(numbers.as_deref(), lines, now),
                )
            }
            (Account::Vonage { api_key, .. }, Some(SendSecrets::Vonage { api_secret })) => {
                usage::provider("vonage.check");
                of_credentials("Vonage", self.vonage.check(api_key, api_secret).await, now)
            }
            (
                Account::Exotel {
                    account_sid, cluster, ..
                },
                Some(SendSecrets::Exotel { api_key, api_token }),
            ) => {
                usage::provider("exotel.check");
                let asked = self.exotel.check(*cluster, account_sid, api_key, api_token).await;
                of_credentials("Exotel", asked, now)
            }
            (Account::Plivo { auth_id, .. }, Some(SendSecrets::Plivo { auth_token })) => {
                usage::provider("plivo.check");
                of_credentials("Plivo", self.plivo.check(auth_id, auth_token).await, now)
            }
            (
                Account::Aircall { .. } | Account::Vonage { .. } | Account::Exotel { .. } | Account::Plivo { .. },
                None,
            ) if connection.send.is_none() => Trial::said(
                CheckResult::Waiting,
                "The first reported call will show whether the connection works. To test it before, add credentials \
                    for the provider's API.",
                now,
            ),
            // With the last four, only what verifies is at hand: it was just set.
            (
                Account::Telephony { .. }
                | Account::Aircall { .. }
                | Account::Vonage { .. }
                | Account::Exotel { .. }
                | Account::Plivo { .. },
                _,
            ) => Trial::said(
                CheckResult::Waiting,
                "No API can check this secret. The first reported call will show whether it works.",
                now,
            ),
        }
    }
}

impl Trial {
    fn said(result: CheckResult, message: impl Into<String>, now: Timestamp) -> Self {
        Self {
            checkup: Checkup::new(result, message, now),
            refusal: None,
            proof: Proof::Unclear,
        }
    }

    fn of(error: CheckError, now: Timestamp) -> Self {
        match error {
            CheckError::Refused {
                classified,
                reason,
                retry_after,
                denies,
            } => Self {
                refusal: classified.map(|classified| (classified, retry_after)),
                // A number that is throttled or must be paid for is nobody else's for that.
                proof: if denies { Proof::Denied } else { Proof::Unclear },
                ..Self::said(CheckResult::Failed, reason, now)
            },
            CheckError::Unclear { reason } => Self::said(CheckResult::Unclear, reason, now),
        }
    }

    /// The same result if the number is connected elsewhere.
    pub(crate) fn taken(self) -> Self {
        let message = "This WhatsApp number is already connected to another business.";
        Self::said(CheckResult::Failed, message, self.checkup.at)
    }

    /// The result of the test for the connection as it is now.
    pub(crate) fn judge(&self, connection: &Connection) -> Tested {
        let as_it_is = || (connection.health.clone(), connection.paused_until);
        let (health, paused_until) = match (&self.refusal, self.checkup.result) {
            (Some((classified, retry_after)), _) => connection
                .after_error(classified, *retry_after, self.checkup.at)
                .unwrap_or_else(as_it_is),
            (None, CheckResult::Passed) => (Health::Healthy, connection.paused_until),
            (None, _) => as_it_is(),
        };
        Tested {
            checkup: self.checkup.clone(),
            health,
            paused_until,
        }
    }
}

fn of_number(state: NumberState, display_number: &Phone, now: Timestamp) -> Trial {
    let other = state.number.as_ref().filter(|number| *number != display_number);
    let (result, message) = if state.of_account.is_none() {
        let message = "WhatsApp lists only part of the account's numbers at once, and this one is not among them.";
        (CheckResult::Unclear, message.to_owned())
    } else if state.of_account == Some(false) {
        let message = "The number belongs to another WhatsApp account than `waba_id`. Check both ids.";
        (CheckResult::Failed, message.to_owned())
    } else if let Some(number) = other {
        let message = format!("WhatsApp knows this id as the number {number}. Check `phone_number_id` and the number.");
        (CheckResult::Failed, message)
    } else if !state.subscribed {
        let message = "No app receives the account's events. Subscribe yours: POST /{waba_id}/subscribed_apps.";
        (CheckResult::Failed, message.to_owned())
    } else {
        let name = state.verified_name.as_deref().unwrap_or("the business");
        (CheckResult::Passed, format!("WhatsApp knows the number as {name}."))
    };
    let mut trial = Trial::said(result, message, now);
    trial.proof = match state.of_account {
        Some(true) => Proof::Given,
        Some(false) => Proof::Denied,
        None => Proof::Unclear,
    };
    trial.checkup.quality = state.quality;
    trial.checkup.verified_name = state.verified_name;
    trial.checkup.messages_per_second = state.messages_per_second;
    trial.checkup.customers_per_day = state.customers_per_day;
    trial
}

/// Result of asking a telephone system's API. It proves the credentials, but not the webhooks.
fn of_credentials(provider: &str, asked: Result<(), CheckError>, now: Timestamp) -> Trial {
    match asked {
        Ok(()) => taken(provider, "", now),
        Err(error) => Trial::of(error, now),
    }
}

fn taken(provider: &str, lines: &str, now: Timestamp) -> Trial {
    let message = format!(
        "{provider} accepts the credentials{lines}. The first reported call will show whether its webhook works."
    );
    Trial::said(CheckResult::Passed, message, now)
}

/// `None`: Aircall's numbers are not known.
fn of_lines(numbers: Option<&[Phone]>, lines: &[Phone], now: Timestamp) -> Trial {
    let Some(numbers) = numbers else {
        return taken("Aircall", "", now);
    };
    match lines.iter().find(|line| !numbers.contains(line)) {
        Some(missing) => {
            let message = format!("The Aircall account does not have the number {missing}. Check `lines`.");
            Trial::said(CheckResult::Failed, message, now)
        }
        None => taken("Aircall", " and has the numbers", now),
    }
}

fn of_account(state: &AccountState, numbers: &[Phone], service: bool, now: Timestamp) -> Trial {
    if let Some(status) = state.status.as_deref().filter(|status| *status != "active") {
        let status: String = status.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
        let message = format!("Twilio reports the account as {status}. Check it in Twilio's console.");
        return Trial {
            refusal: Some((SUSPENDED, None)),
            ..Trial::said(CheckResult::Failed, message, now)
        };
    }
    let find = |wanted: &Phone| state.numbers.iter().find(|known| known.number == *wanted);
    if let Some(missing) = numbers.iter().find(|number| find(number).is_none()) {
        let message =
            format!("The Twilio account does not have the number {missing}. Check `numbers` and `account_sid`.");
        return Trial::said(CheckResult::Failed, message, now);
    }
    if let Some(deaf) = numbers
        .iter()
        .find(|number| find(number).is_some_and(|known| !known.voice))
    {
        let message = format!("{deaf} cannot receive calls at Twilio. Check the number in Twilio's console.");
        return Trial::said(CheckResult::Failed, message, now);
    }
    let sender = numbers.first().filter(|_| !service);
    if let Some(mute) = sender.filter(|number| find(number).is_some_and(|known| !known.sms)) {
        let message = format!(
            "{mute} cannot send SMS at Twilio. Put a number that can in first place, or give a Messaging Service."
        );
        return Trial::said(CheckResult::Failed, message, now);
    }
    let message = match numbers.len() {
        0 => "Twilio knows the account.".to_owned(),
        1 => "Twilio knows the account and its number.".to_owned(),
        several => format!("Twilio knows the account and its {several} numbers."),
    };
    let mut trial = Trial::said(CheckResult::Passed, message, now);
    trial.proof = Proof::Given;
    trial
}
