//! The channels: WhatsApp through Meta's Cloud API, WhatsApp and SMS through Twilio.

use std::time::Duration;

use access::{Kms, Secrets, SendCredentials};
use domain::Timestamp;
use domain::media::{Asset, FileName};
use domain::messages::{Attempt, AttemptState, Leg, Message, SendOutcome, Stage, classify_error};
use domain::templates::TemplateDefinition;
use domain::tenants::{Account, Connection, SendSecrets, sending_letters, twilio};
use domain::terms::{Category, Channel, ErrorClass, Reason, Recipient, Refusal, SendKey, Timers};
use kit::files::{FileError, FileKey, Files};
use kit::{ConfigError, Env};
use providers::http::Http;
use providers::outgoing::Outgoing;
use providers::twilio::client::{Credentials, Search, Sender, TwilioClient, Wanted};
use providers::whatsapp::client::GraphClient;
use store::table::usage;
use store::{Store, TenantScope};

use crate::evidence::Found;

/// Validity of a link to a file: Twilio fetches it when it takes the message.
const LINK_LIFE: Duration = Duration::from_secs(3_600);

/// The clients of all providers, created once.
pub(crate) struct Channels {
    graph: GraphClient,
    twilio: TwilioClient,
    pub(crate) credentials: SendCredentials,
    files: Files,
    /// Base URL for Twilio's statuses. Without one, no status arrives.
    public_base_url: Option<String>,
    /// Duration of a claim. The request must end before it does.
    claim: jiff::SignedDuration,
}

/// A leg with everything that its request needs.
#[derive(Clone, Copy)]
pub(crate) struct Sending<'a> {
    pub(crate) leg: &'a Leg,
    pub(crate) to: &'a Recipient,
    pub(crate) category: Category,
    /// The template as it is now.
    pub(crate) template: Option<&'a TemplateDefinition>,
    /// Place where the provider finds the leg's file.
    pub(crate) file: Option<&'a str>,
}

/// An attempt with an unknown outcome.
#[derive(Clone, Copy)]
pub(crate) struct Doubted<'a> {
    pub(crate) message: &'a Message,
    pub(crate) leg: &'a Leg,
    pub(crate) attempt: &'a Attempt,
}

impl Channels {
    pub(crate) fn new(env: &Env, timers: &Timers) -> Result<Self, ConfigError> {
        let config = env.config();
        let timeout = Duration::try_from(timers.provider_call)
            .map_err(|_| ConfigError::new("PROVIDER_TIMEOUT", "must be above zero"))?;
        let http = Http::new(env.user_agent(), timeout);
        let public_base_url = config.optional_url("PUBLIC_BASE_URL")?.map(str::to_owned);
        if public_base_url.is_none() {
            tracing::warn!("PUBLIC_BASE_URL is empty: Twilio cannot report the statuses of its messages");
        }
        let keys = Kms::new(env.kms(), None, Some(config.text("KMS_SEND_KEY_ID")?.to_owned()));
        Ok(Self {
            graph: GraphClient::new(
                http.clone(),
                config.url("GRAPH_API_URL")?,
                config.text("GRAPH_API_VERSION")?,
            ),
            twilio: TwilioClient::new(http, config.url("TWILIO_API_URL")?),
            credentials: SendCredentials::new(Secrets::new(keys)),
            files: Files::new(env)?,
            public_base_url,
            claim: timers.claim,
        })
    }

    /// Where the provider of a connection finds the file of a leg: WhatsApp by its id there, Twilio by a link, whose answer names the file
    /// as the recipient is to see it.
    pub(crate) async fn file(
        &self,
        scope: &TenantScope,
        connection: &Connection,
        leg: &Leg,
        asset: &Asset,
        now: Timestamp,
    ) -> Result<Option<String>, FileError> {
        if !matches!(connection.account, Account::Twilio(_)) {
            return Ok(asset.handle(connection.id, now).map(ToString::to_string));
        }
        let (key, name) = (FileKey::asset(scope, asset.id), asset.saved_as());
        let chosen = leg.content.asset().and_then(|used| used.file_name.as_ref());
        let chosen = chosen.map(FileName::as_str);
        let link = self
            .files
            .named_link(&key, name.as_str(), chosen, &asset.content_type, LINK_LIFE);
        Ok(Some(link.await?.url))
    }

    /// Sends a leg. Once, without retries: only the message's own state decides about another attempt.
    pub(crate) async fn send(
        &self,
        scope: &TenantScope,
        connection: &Connection,
        credentials: Option<&SendSecrets>,
        sending: Sending<'_>,
        key: SendKey,
    ) -> SendOutcome {
        let Sending {
            leg,
            to,
            category,
            template,
            file,
        } = sending;
        let outgoing = Outgoing {
            content: &leg.content,
            reply_to: leg.reply_to.as_ref(),
            file,
            as_marketing: template.is_some_and(|template| connection.sends_as_marketing(template.category)),
        };
        match (&connection.account, credentials) {
            (Account::WhatsApp(account), Some(SendSecrets::WhatsApp(own))) => {
                usage::provider("whatsapp.send");
                self.graph
                    .send(&own.access_token, &account.phone_number_id, to, outgoing, key)
                    .await
            }
            (Account::Twilio(account), Some(SendSecrets::Twilio(own))) => {
                let Some(sender) = twilio_sender(account, leg, to, category) else {
                    return unusable(leg.channel);
                };
                usage::provider("twilio.send");
                let callback = self.public_base_url.as_ref().map(|base| {
                    format!(
                        "{base}/webhooks/twilio/{}/{}/message-status",
                        scope.tenant(),
                        connection.id
                    )
                });
                self.twilio
                    .send(
                        twilio_credentials(account, own),
                        sender,
                        to,
                        outgoing,
                        key,
                        callback.as_deref(),
                    )
                    .await
            }
            _ => unusable(leg.channel),
        }
    }

    /// Asks the provider about a message with an unknown outcome. Meta cannot be asked.
    pub(crate) async fn find(
        &self,
        scope: &TenantScope,
        store: &Store,
        connection: &Connection,
        credentials: Option<&SendSecrets>,
        doubted: Doubted<'_>,
        now: Timestamp,
    ) -> Found {
        let Doubted { message, leg, attempt } = doubted;
        let (Account::Twilio(account), Some(SendSecrets::Twilio(own))) = (&connection.account, credentials) else {
            return Found::CannotTell;
        };
        let Some(sender) = twilio_sender(account, leg, &message.to, message.policy.category()) else {
            return Found::CannotTell;
        };
        let credentials = twilio_credentials(account, own);
        let known: Vec<String> = message
            .attempts
            .iter()
            .filter_map(|other| other.provider_ref.as_deref().map(str::to_owned))
            .collect();
        let api = connection.account.kind();
        // Two messages to one person may have the same text, so those of other messages are excluded.
        let of_others = |sids| store.refs_of_others(scope, api, sids, message.id, attempt.number, now);
        // The list of another account would show nothing of it.
        let same_account = attempt.credentials == Some(connection.credentials_version);
        usage::provider("twilio.find");
        let to = message.recipient_of(attempt);
        let wanted = Wanted {
            sender,
            to: &to,
            content: &leg.content,
            since: attempt.claimed_at,
            until: attempt.claimed_at + self.claim,
            known: &known,
        };
        match self.twilio.find(credentials, &wanted, of_others).await {
            Ok(Search::Found(report)) => Found::Accepted(report),
            // Proof needs both: the list, and statuses, which could not be reported without our address.
            Ok(Search::NotTaken) if same_account && self.public_base_url.is_some() => Found::Nothing,
            Ok(Search::NotTaken | Search::Unclear) => Found::CannotTell,
            Err(error) => {
                tracing::warn!(error = %error, "could not ask the provider about a message");
                Found::CannotTell
            }
        }
    }
}

/// The provider's refusal in a recorded attempt. `None` if there was none.
pub(crate) fn refusal(attempt: &Attempt, connection: &Connection) -> Option<SendOutcome> {
    let error = attempt
        .error
        .as_ref()
        .filter(|_| attempt.state == AttemptState::Refused)?;
    // A refusal without a code is our own, except for responses without a body, which the next message gets as well.
    let code = error.code?;
    Some(SendOutcome::Refused {
        code: Some(code),
        classified: classify_error(connection.account.api()?, Stage::Answer, None, Some(code)),
        reason: error.reason.clone(),
        because: error.because.clone(),
        retry_after: None,
    })
}

/// The sender of a leg: the letters that send it, or the number that its line names if the connection has it, otherwise the
/// connection's usual one.
fn twilio_sender<'a>(
    account: &'a twilio::Account,
    leg: &Leg,
    to: &Recipient,
    category: Category,
) -> Option<Sender<'a>> {
    let numbers = &account.numbers;
    let others = !numbers.is_empty() || account.messaging_service_sid.is_some();
    let letters = sending_letters(&account.letters, others, to.country(), category);
    let named = numbers.iter().find(|number| leg.sender.as_ref() == Some(*number));
    match leg.channel {
        Channel::WhatsApp => account.whatsapp_sender.as_ref().map(Sender::WhatsApp),
        Channel::Sms if letters.is_some() => letters.map(|letters| Sender::Letters(letters.of(category))),
        Channel::Sms => match (named, &account.messaging_service_sid, numbers.first()) {
            (None, Some(service), _) => Some(Sender::MessagingService(service)),
            (named, _, first) => named.or(first).map(Sender::Number),
        },
    }
}

fn twilio_credentials<'a>(account: &'a twilio::Account, own: &'a twilio::Send) -> Credentials<'a> {
    Credentials {
        api_key_sid: &own.api_key_sid,
        api_key_secret: &own.api_key_secret,
        account_sid: &account.account_sid,
    }
}

/// The connection lacks something that this channel needs: somebody has to complete it, and another channel may be used
/// meanwhile.
fn unusable(channel: Channel) -> SendOutcome {
    let meaning = match channel {
        Channel::WhatsApp => "the connection has no credentials or sender for WhatsApp",
        Channel::Sms => "the connection has no credentials or sender for SMS",
    };
    let why = Refusal::new(Reason::NotCarried, meaning).and("channel", channel.as_str());
    crate::refused_outcome(ErrorClass::FallBack, why)
}
