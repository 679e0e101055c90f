//! Testing a connection: asks the provider and records its answer on the connection.

use domain::tenants::{
    Account, CheckResult, Checkup, Connection, Health, SendSecrets, aircall, exotel, plivo, twilio, vonage, whatsapp,
};
use domain::terms::{Classified, Effect, ErrorClass, Fault, FaultCode, Phone};
use jiff::{SignedDuration, Timestamp};
use kit::Problem;
use providers::aircall::AircallClient;
use providers::check::CheckError;
use providers::exotel::ExotelClient;
use providers::plivo::PlivoClient;
use providers::twilio::check::AccountState;
use providers::twilio::client::{Credentials, TwilioClient};
use providers::vonage::VonageClient;
use providers::whatsapp::check::NumberState;
use providers::whatsapp::client::GraphClient;
use store::table::usage;
use store::tenants::{Proof, Tested};

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
    /// Proof that the account is the tenant's: the credentials give access to it.
    pub(crate) proof: Proof,
    /// Code of the fault if the provider refuses the credentials, or cannot be asked now.
    unaccepted: Option<FaultCode>,
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
            let message = match connection.account {
                Account::WhatsApp(_) => {
                    "The connection has no app secret, so no event is accepted: customers' replies and STOP are refused. Set its \
                     credentials with the secret that your Meta app has under App settings > Basic."
                }
                _ => {
                    "The connection has no credentials for webhooks, so no event is accepted. Set the credentials that the provider \
                     issued for its webhook."
                }
            };
            return Trial::of_result(CheckResult::Failed, message, now);
        }
        match (&connection.account, send) {
            (Account::WhatsApp(account), Some(SendSecrets::WhatsApp(send))) => self.whatsapp(account, send, now).await,
            (Account::Twilio(account), Some(SendSecrets::Twilio(send))) => self.twilio(account, send, now).await,
            (Account::Aircall(account), Some(SendSecrets::Aircall(send))) => self.aircall(account, send, now).await,
            (Account::Vonage(account), Some(SendSecrets::Vonage(send))) => self.vonage(account, send, now).await,
            (Account::Exotel(account), Some(SendSecrets::Exotel(send))) => self.exotel(account, send, now).await,
            (Account::Plivo(account), Some(SendSecrets::Plivo(send))) => self.plivo(account, send, now).await,
            (Account::Shopify(_) | Account::WooCommerce(_), _) => Trial::of_result(
                CheckResult::Waiting,
                "The first reported order will show whether the connection works. Make sure that the shop has a webhook for each event \
                    of the guide.",
                now,
            ),
            (account, _) if account.api().is_some() => Trial::of_result(
                CheckResult::Failed,
                "The connection has no credentials to send with. Set them.",
                now,
            ),
            (account, None) if connection.send.is_none() && account.provider().takes_credentials() => Trial::of_result(
                CheckResult::Waiting,
                "The first reported call will show whether the connection works. To test it before, add credentials \
                    for the provider's API.",
                now,
            ),
            // Of the others, only what verifies is at hand: it was just set.
            _ => Trial::of_result(
                CheckResult::Waiting,
                "No API can check this secret. The first reported call will show whether it works.",
                now,
            ),
        }
    }

    async fn whatsapp(&self, account: &whatsapp::Account, send: &whatsapp::Send, now: Timestamp) -> Trial {
        usage::provider("whatsapp.check");
        let checking = self
            .graph
            .check(&send.access_token, &account.waba_id, &account.phone_number_id);
        match checking.await {
            Ok(state) => of_number(state, &account.display_number, now),
            Err(error) => Trial::of(error, now),
        }
    }

    async fn twilio(&self, account: &twilio::Account, send: &twilio::Send, now: Timestamp) -> Trial {
        usage::provider("twilio.check");
        let credentials = Credentials {
            api_key_sid: &send.api_key_sid,
            api_key_secret: &send.api_key_secret,
            account_sid: &account.account_sid,
        };
        match self.twilio.check(credentials).await {
            Ok(state) => {
                let by_service = account.messaging_service_sid.is_some();
                of_account(&state, &account.numbers, by_service, now)
            }
            Err(error) => Trial::of(error, now),
        }
    }

    async fn aircall(&self, account: &aircall::Account, send: &aircall::Send, now: Timestamp) -> Trial {
        usage::provider("aircall.check");
        let listed = &account.numbers;
        let checking = self.aircall.check(&send.api_id, &send.api_token, !listed.is_empty());
        match checking.await {
            Ok(numbers) => of_numbers(numbers.as_deref(), listed, now),
            Err(error) => Trial::of(error, now),
        }
    }

    async fn vonage(&self, account: &vonage::Account, send: &vonage::Send, now: Timestamp) -> Trial {
        usage::provider("vonage.check");
        let asked = self.vonage.check(&account.api_key, &send.api_secret).await;
        of_credentials("Vonage", asked, now)
    }

    async fn exotel(&self, account: &exotel::Account, send: &exotel::Send, now: Timestamp) -> Trial {
        usage::provider("exotel.check");
        let checking = self
            .exotel
            .check(account.cluster, &account.account_sid, &send.api_key, &send.api_token);
        of_credentials("Exotel", checking.await, now)
    }

    async fn plivo(&self, account: &plivo::Account, send: &plivo::Send, now: Timestamp) -> Trial {
        usage::provider("plivo.check");
        let asked = self.plivo.check(&account.auth_id, &send.auth_token).await;
        of_credentials("Plivo", asked, now)
    }
}

impl Trial {
    fn of_result(result: CheckResult, message: impl Into<String>, now: Timestamp) -> Self {
        Self {
            checkup: Checkup::new(result, message, now),
            refusal: None,
            proof: Proof::Unclear,
            unaccepted: None,
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
                unaccepted: Some(match classified.map(|classified| classified.class) {
                    Some(ErrorClass::RetryAfter | ErrorClass::WaitForStatus) => FaultCode::Invalid,
                    _ => FaultCode::WrongSecret,
                }),
                refusal: classified.map(|classified| (classified, retry_after)),
                // A number that is throttled or must be paid for is nobody else's for that.
                proof: if denies { Proof::Denied } else { Proof::Unclear },
                ..Self::of_result(CheckResult::Failed, reason, now)
            },
            CheckError::Unclear { reason } => Self {
                unaccepted: Some(FaultCode::Invalid),
                ..Self::of_result(CheckResult::Unclear, reason, now)
            },
        }
    }

    /// Requires that the provider accepts the credentials, or cannot check them at all.
    pub(crate) fn require_accepted(&self) -> Result<(), Problem> {
        self.unaccepted.map_or(Ok(()), |code| {
            let fault = Fault::new(code, self.checkup.message.clone());
            Err(Problem::field("credentials", fault))
        })
    }

    /// The result if the number is connected elsewhere.
    pub(crate) fn with_number_taken(self) -> Self {
        let message = "This WhatsApp number is already connected to another business.";
        Self::of_result(CheckResult::Failed, message, self.checkup.at)
    }

    /// The result of the test for the connection as it is now.
    pub(crate) fn judge(&self, connection: &Connection) -> Tested {
        let as_it_is = || (connection.health.clone(), connection.paused_until);
        let (health, paused_until) = match (&self.refusal, self.checkup.result) {
            (Some((classified, retry_after)), _) => connection
                .after_error(classified, *retry_after, self.checkup.at, self.checkup.at)
                .map_or_else(as_it_is, |after| (after.health, after.paused_until)),
            (None, CheckResult::Passed) => (Health::Healthy, connection.paused_until),
            (None, _) => as_it_is(),
        };
        let known = connection.checkup.as_ref().and_then(|known| known.marketing_terms);
        Tested {
            checkup: Checkup {
                // If they were not told this time, the last answer holds.
                marketing_terms: self.checkup.marketing_terms.or(known),
                ..self.checkup.clone()
            },
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
    } else if state.apps.is_empty() {
        let message = "No app receives the account's events. Subscribe yours: POST /{waba_id}/subscribed_apps.";
        (CheckResult::Failed, message.to_owned())
    } else {
        let name = state.verified_name.as_deref().unwrap_or("the business");
        let apps = state.apps.join(", ");
        let message = format!(
            "WhatsApp knows the number as {name}, and its events go to the app {apps}. The first one will show whether they arrive."
        );
        (CheckResult::Passed, message)
    };
    let mut trial = Trial::of_result(result, message, now);
    trial.proof = match state.of_account {
        Some(true) => Proof::Given,
        Some(false) => Proof::Denied,
        None => Proof::Unclear,
    };
    trial.checkup.quality = state.quality;
    trial.checkup.verified_name = state.verified_name;
    trial.checkup.messages_per_second = state.messages_per_second;
    trial.checkup.customers_per_day = state.customers_per_day;
    trial.checkup.marketing_terms = state.marketing_terms;
    trial
}

/// Result of asking a telephone system's API. It proves the credentials, but not the webhooks.
fn of_credentials(provider: &str, asked: Result<(), CheckError>, now: Timestamp) -> Trial {
    match asked {
        Ok(()) => passed_trial(provider, "", now),
        Err(error) => Trial::of(error, now),
    }
}

fn passed_trial(provider: &str, also: &str, now: Timestamp) -> Trial {
    let message = format!(
        "{provider} accepts the credentials{also}. The first reported call will show whether its webhook works."
    );
    Trial::of_result(CheckResult::Passed, message, now)
}

/// `None`: Aircall's numbers are not known.
fn of_numbers(numbers: Option<&[Phone]>, listed: &[Phone], now: Timestamp) -> Trial {
    let Some(numbers) = numbers else {
        return passed_trial("Aircall", "", now);
    };
    match listed.iter().find(|number| !numbers.contains(number)) {
        Some(missing) => {
            let message = format!("The Aircall account does not have the number {missing}. Check `numbers`.");
            Trial::of_result(CheckResult::Failed, message, now)
        }
        None => passed_trial("Aircall", " and has the numbers", now),
    }
}

/// The verdict on an account. `by_service`: a Messaging Service sends SMS where no letters do, instead of its first number.
fn of_account(state: &AccountState, numbers: &[Phone], by_service: bool, now: Timestamp) -> Trial {
    if let Some(status) = state.status.as_deref().filter(|status| *status != "active") {
        let status: String = status.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
        let message = format!("Twilio reports the account as {status}. Check it in Twilio's console.");
        return Trial {
            refusal: Some((SUSPENDED, None)),
            ..Trial::of_result(CheckResult::Failed, message, now)
        };
    }
    let find = |wanted: &Phone| state.numbers.iter().find(|known| known.number == *wanted);
    if let Some(missing) = numbers.iter().find(|number| find(number).is_none()) {
        let message =
            format!("The Twilio account does not have the number {missing}. Check `numbers` and `account_sid`.");
        return Trial::of_result(CheckResult::Failed, message, now);
    }
    if let Some(deaf) = numbers
        .iter()
        .find(|number| find(number).is_some_and(|known| !known.voice))
    {
        let message = format!("{deaf} cannot receive calls at Twilio. Check the number in Twilio's console.");
        return Trial::of_result(CheckResult::Failed, message, now);
    }
    let sender = numbers.first().filter(|_| !by_service);
    if let Some(mute) = sender.filter(|number| find(number).is_some_and(|known| !known.sms)) {
        let message = format!(
            "{mute} cannot send SMS at Twilio. Put a number that can in first place, or give a Messaging Service."
        );
        return Trial::of_result(CheckResult::Failed, message, now);
    }
    let message = match numbers.len() {
        0 => "Twilio knows the account.".to_owned(),
        1 => "Twilio knows the account and its number.".to_owned(),
        several => format!("Twilio knows the account and its {several} numbers."),
    };
    let mut trial = Trial::of_result(CheckResult::Passed, message, now);
    trial.proof = Proof::Given;
    trial
}
