//! Twilio's Messages API: sends messages, and searches for a message with an unknown outcome. Nothing is retried here. Source:
//! twilio.com/docs/messaging/api/message-resource; it has no idempotency key.

use std::error::Error;

use domain::Timestamp;
use domain::messages::{AttemptState, Content, Location, SendOutcome, StatusReport};
use domain::templates::FilledTemplate;
use domain::tenants::twilio::OVERRIDES;
use domain::terms::{Api, Channel, ErrorClass, Phone, Recipient, SendKey};
use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::{error, message};
use crate::http::{Answer, Failure, Http, Query};
use crate::outcome::{self, Unsendable};
use crate::outgoing::Outgoing;
use crate::times::rfc2822;

/// A client of Twilio's REST API.
#[derive(Debug, Clone)]
pub struct TwilioClient {
    pub(super) http: Http,
    /// Base URL without a trailing slash.
    pub(super) base: String,
}

/// Sender of a message.
#[derive(Debug, Clone, Copy)]
pub enum Sender<'a> {
    /// A number, by SMS.
    Number(&'a Phone),
    /// A name in letters, for SMS.
    Letters(&'a str),
    /// A Messaging Service (`MG…`), by SMS.
    MessagingService(&'a str),
    /// A number, by WhatsApp.
    WhatsApp(&'a Phone),
}

impl Sender<'_> {
    const fn channel(&self) -> Channel {
        match self {
            Self::Number(_) | Self::Letters(_) | Self::MessagingService(_) => Channel::Sms,
            Self::WhatsApp(_) => Channel::WhatsApp,
        }
    }
}

/// An API key of an account. Not the auth token, which would also sign webhooks.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// Id of the key: `SK…`.
    pub api_key_sid: &'a str,
    pub api_key_secret: &'a str,
    /// Id of the account: `AC…`.
    pub account_sid: &'a str,
}

/// Validity of an SMS: after four hours it is too late to follow a call.
const VALIDITY_SECONDS: &str = "14400";

impl TwilioClient {
    /// A client of `base_url`, such as `https://api.twilio.com`.
    pub fn new(http: Http, base_url: &str) -> Self {
        Self {
            http,
            base: base_url.trim_end_matches('/').to_owned(),
        }
    }

    fn messages_url(&self, account_sid: &str) -> String {
        format!("{}/2010-04-01/Accounts/{account_sid}/Messages.json", self.base)
    }

    /// Sends a message once. `status_callback` is the address for its statuses, completed by the key; without one,
    /// no status will come.
    pub async fn send(
        &self,
        credentials: Credentials<'_>,
        sender: Sender<'_>,
        to: &Recipient,
        outgoing: impl Into<Outgoing<'_>>,
        key: SendKey,
        status_callback: Option<&str>,
    ) -> SendOutcome {
        let form = match form(sender, to, outgoing.into(), key, status_callback) {
            Ok(form) => form,
            Err((class, meaning)) => return outcome::refused_here(class, meaning),
        };
        if !is_sid(credentials.account_sid) {
            return outcome::refused_here(ErrorClass::TenantMustAct, "the account SID is not one of Twilio's");
        }
        let url = self.messages_url(credentials.account_sid);
        let answer = self
            .http
            .send(|client| {
                client
                    .post(url)
                    .basic_auth(credentials.api_key_sid, Some(credentials.api_key_secret))
                    .form(&form)
            })
            .await;
        match answer {
            Ok(answer) if answer.is_success() => outcome_of_success(&answer, sender.channel()),
            Ok(answer) => error::outcome(&answer),
            Err(failure) => outcome::of_failure(Api::Twilio, &failure),
        }
    }

    /// Searches for a message that may have been sent, to settle an unknown outcome. `of_others` names those of the given SIDs
    /// that belong to other messages. The whole search takes no longer than one request may.
    ///
    /// # Errors
    /// When the list cannot be retrieved or parsed, is too long to be searched, or `of_others` fails.
    pub async fn find<E: Into<Box<dyn Error + Send + Sync>>>(
        &self,
        credentials: Credentials<'_>,
        wanted: &Wanted<'_>,
        of_others: impl AsyncFn(Vec<String>) -> Result<Vec<String>, E>,
    ) -> Result<Search, FindError> {
        let search = self.search(credentials, wanted, of_others);
        let within = tokio::time::timeout(self.http.timeout(), search).await;
        within.unwrap_or(Err(FindError::TooSlow))
    }

    async fn search<E: Into<Box<dyn Error + Send + Sync>>>(
        &self,
        credentials: Credentials<'_>,
        wanted: &Wanted<'_>,
        of_others: impl AsyncFn(Vec<String>) -> Result<Vec<String>, E>,
    ) -> Result<Search, FindError> {
        let Some(to) = to_address(wanted.sender.channel(), wanted.to) else {
            return Ok(Search::Unclear);
        };
        if !is_sid(credentials.account_sid) {
            return Err(FindError::BadAccount);
        }
        let mut url = self.messages_url(credentials.account_sid);
        // Filtered by recipient only: `DateSent` is empty while a message waits in Twilio's queue, so a filter on it would hide
        // the message that is searched for.
        let mut query = vec![("To", to.as_str()), ("PageSize", PAGE)];
        let mut found: Option<StatusReport> = None;
        let (mut unclear, mut past_it) = (false, false);
        for _ in 0..MAX_PAGES {
            let page = self.page(credentials, &url, &query).await?;
            let messages = page["messages"].as_array().ok_or(FindError::NoList)?;
            let possible: Vec<&Value> = messages.iter().filter(|message| wanted.could_be(message)).collect();
            let sids: Vec<String> = possible.iter().filter_map(|message| sid(message)).collect();
            let others = match sids.is_empty() {
                true => Vec::new(),
                false => of_others(sids).await.map_err(|why| FindError::NotTold(why.into()))?,
            };
            let possible = possible
                .into_iter()
                .filter(|message| sid(message).is_none_or(|sid| !others.contains(&sid)));
            for message in possible {
                unclear = true;
                // The first message after the request belongs to the request.
                found = found
                    .into_iter()
                    .chain(wanted.report(message))
                    .min_by_key(|report| report.at);
            }
            let oldest = messages.last().and_then(created_at);
            past_it |= oldest.is_some_and(|oldest| oldest < wanted.since - CLOCK_DIFFERENCE);
            let next = page["next_page_uri"].as_str().filter(|next| !next.is_empty());
            if past_it && found.is_some() {
                break;
            }
            let Some(next) = next else {
                // The whole list was seen, whatever its order.
                return Ok(match found {
                    Some(report) => Search::Found(Box::new(report)),
                    None if unclear => Search::Unclear,
                    None => Search::NotTaken,
                });
            };
            // A path on the same host, as documented; credentials are sent nowhere else.
            if !next.starts_with("/2010-04-01/Accounts/") {
                return Err(FindError::NoList);
            }
            url = format!("{}{next}", self.base);
            query.clear();
        }
        match found {
            Some(report) => Ok(Search::Found(Box::new(report))),
            // Newest first: it would be among these, unless the list is sorted differently than documented.
            None if past_it => Ok(Search::Unclear),
            None => Err(FindError::TooMany),
        }
    }

    async fn page(&self, credentials: Credentials<'_>, url: &str, query: &Query<'_>) -> Result<Value, FindError> {
        let ask = self.http.send(|client| {
            client
                .get(url)
                .basic_auth(credentials.api_key_sid, Some(credentials.api_key_secret))
                .query(query)
        });
        let answer = ask.await?;
        if !answer.is_success() {
            return Err(FindError::Refused {
                status: answer.status,
                code: error::code(&answer.body),
            });
        }
        serde_json::from_slice(&answer.body).map_err(FindError::Unreadable)
    }
}

/// Result of a search for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// Twilio accepted it; this is its status.
    Found(Box<StatusReport>),
    /// Twilio's complete list for the recipient has no message sent since then that can be the one. This is proof once the list
    /// no longer lags behind the sending.
    NotTaken,
    /// The result is inconclusive.
    Unclear,
}

const PAGE: &str = "50";
const MAX_PAGES: usize = 4;
/// Tolerance for the difference between Twilio's clock and ours; its times are whole seconds.
const CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_secs(30);

/// Known facts about a message with an unknown outcome.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub sender: Sender<'a>,
    pub to: &'a Recipient,
    pub content: &'a Content,
    /// Time of the claim; the message was sent after it.
    pub since: Timestamp,
    /// Latest possible end of the attempt's request; the message was sent before it.
    pub until: Timestamp,
    /// Ids of messages that belong to other attempts.
    pub known: &'a [String],
}

impl Wanted<'_> {
    fn report(&self, message: &Value) -> Option<StatusReport> {
        let provider_ref = message["sid"].as_str()?.parse().ok()?;
        let created = created_at(message)?;
        let window = self.since - CLOCK_DIFFERENCE..=self.until + CLOCK_DIFFERENCE;
        let fits = window.contains(&created)
            && message["direction"]
                .as_str()
                .is_some_and(|direction| direction.starts_with("outbound"))
            && self.is_sender(message)
            && self.is_content(message);
        if !fits {
            return None;
        }
        let state = message["status"]
            .as_str()
            .and_then(message::state)
            .unwrap_or(AttemptState::Accepted);
        let cost = message["num_segments"]
            .as_str()
            .and_then(|count| message::cost(self.sender.channel(), count));
        Some(StatusReport {
            state,
            at: created,
            provider_ref,
            error: (state == AttemptState::Failed)
                .then(|| outcome::given_up(Api::Twilio, message["error_code"].as_i64())),
            cost,
        })
    }

    /// True if it may be the message, even with another sender, text or time: any message to the recipient since then that does
    /// not belong to another attempt.
    fn could_be(&self, message: &Value) -> bool {
        let known = message["sid"]
            .as_str()
            .is_some_and(|sid| self.known.iter().any(|known| known == sid));
        let before = created_at(message).is_some_and(|created| created < self.since - CLOCK_DIFFERENCE);
        let inbound = message["direction"] == "inbound";
        !known && !before && !inbound
    }

    /// A Messaging Service chooses the number only when it sends.
    fn is_sender(&self, message: &Value) -> bool {
        match self.sender {
            Sender::Number(phone) => message["from"] == phone.as_str(),
            Sender::Letters(letters) => message["from"] == letters,
            Sender::MessagingService(sid) => message["messaging_service_sid"] == sid,
            Sender::WhatsApp(phone) => message["from"] == format!("whatsapp:{phone}").as_str(),
        }
    }

    /// Compares letters and digits from the end, because Twilio replaces typographic characters and prefixes the texts of trial
    /// accounts. The text of a template is filled in by Twilio, so it is not compared. Of a file, the list tells only that there is one.
    fn is_content(&self, message: &Value) -> bool {
        let label;
        let wanted = match self.content {
            Content::Template(_) => return true,
            Content::Text(text) => text.as_str(),
            Content::Media(media) => {
                if message["num_media"].as_str().is_none_or(|count| count == "0") {
                    return false;
                }
                match &media.caption {
                    Some(caption) => caption.as_str(),
                    None => return true,
                }
            }
            Content::Location(place) => {
                label = place_label(place);
                label.as_str()
            }
            // Twilio never gets them.
            Content::Interactive(_) | Content::Contacts(_) | Content::Reaction(_) => return false,
        };
        let letters = |text: &str| -> String { text.chars().filter(|character| character.is_alphanumeric()).collect() };
        let Some(body) = message["body"].as_str() else {
            return false;
        };
        match letters(wanted) {
            none if none.is_empty() => body.ends_with(wanted),
            wanted => letters(body).ends_with(&wanted),
        }
    }
}

fn sid(message: &Value) -> Option<String> {
    message["sid"].as_str().map(str::to_owned)
}

fn created_at(message: &Value) -> Option<Timestamp> {
    rfc2822(message["date_created"].as_str()?)
}

/// The search could not settle an unknown outcome.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The account's SID cannot be one of Twilio's.
    #[error("looking for a message: the account SID is not one of Twilio's")]
    BadAccount,
    #[error("looking for a message: Twilio did not answer")]
    NoAnswer(#[from] Failure),
    #[error("looking for a message: Twilio refused with HTTP {status}, code {code:?}")]
    Refused { status: u16, code: Option<i64> },
    /// The answer is not JSON.
    #[error("looking for a message: Twilio's answer is not readable")]
    Unreadable(#[source] serde_json::Error),
    /// The answer has no list.
    #[error("looking for a message: Twilio's answer contains no list")]
    NoList,
    /// The recipient's list is too long.
    #[error("looking for a message: the recipient's list has too many pages")]
    TooMany,
    /// The pages took too long.
    #[error("looking for a message: the recipient's list took too long")]
    TooSlow,
    /// The owner of a message on the list could not be determined.
    #[error("looking for a message: the owners of the listed messages could not be read")]
    NotTold(#[source] Box<dyn Error + Send + Sync>),
}

/// True for a valid SID. SIDs are part of the URL, and anything else could lead elsewhere.
pub(super) fn is_sid(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn to_address(channel: Channel, to: &Recipient) -> Option<String> {
    match (channel, &to.phone, &to.bsuid) {
        (Channel::Sms, Some(phone), _) => Some(phone.to_string()),
        (Channel::WhatsApp, Some(phone), _) => Some(format!("whatsapp:{phone}")),
        (Channel::WhatsApp, None, Some(bsuid)) => Some(format!("whatsapp:{bsuid}")),
        (Channel::Sms, None, _) | (Channel::WhatsApp, None, None) => None,
    }
}

type Form = Vec<(&'static str, String)>;

/// Twilio wants a text beside a place.
fn place_label(place: &Location) -> String {
    match place.label() {
        Some(label) => label.to_owned(),
        None => format!("{}, {}", place.latitude.get(), place.longitude.get()),
    }
}

fn form(
    sender: Sender<'_>,
    to: &Recipient,
    outgoing: Outgoing<'_>,
    key: SendKey,
    status_callback: Option<&str>,
) -> Result<Form, Unsendable> {
    let channel = sender.channel();
    let to = to_address(channel, to).ok_or((ErrorClass::FallBack, "the recipient has no address on this channel"))?;
    let mut form = vec![("To", to)];
    form.push(match sender {
        Sender::Number(phone) => ("From", phone.to_string()),
        Sender::Letters(letters) => ("From", letters.to_owned()),
        Sender::MessagingService(sid) => ("MessagingServiceSid", sid.to_owned()),
        Sender::WhatsApp(phone) => ("From", format!("whatsapp:{phone}")),
    });
    if channel == Channel::WhatsApp && outgoing.reply_to.is_some() {
        return Err((ErrorClass::FallBack, "Twilio cannot answer a certain message"));
    }
    match (channel, outgoing.content) {
        (_, Content::Text(text)) => form.push(("Body", text.clone())),
        (Channel::WhatsApp, Content::Template(filled)) => {
            if filled.header_media.is_some() {
                return Err((ErrorClass::FallBack, "Twilio's templates hold their files themselves"));
            }
            let sid = filled.content_sid.clone();
            form.push((
                "ContentSid",
                sid.ok_or((ErrorClass::Bug, "the template has no content SID of Twilio's"))?,
            ));
            let variables = content_variables(filled);
            if !variables.is_empty() {
                form.push(("ContentVariables", Value::Object(variables).to_string()));
            }
        }
        (Channel::WhatsApp, Content::Media(media)) => {
            form.extend(media.caption.clone().map(|caption| ("Body", caption)));
            form.push(("MediaUrl", outgoing.file()?.to_owned()));
        }
        (Channel::WhatsApp, Content::Location(place)) => {
            let (latitude, longitude) = (place.latitude.get(), place.longitude.get());
            form.push(("Body", place_label(place)));
            let address = place.address.as_ref().map(|address| format!("|{}", address.as_str()));
            let place = format!("geo:{latitude},{longitude}{}", address.unwrap_or_default());
            form.push(("PersistentAction", place));
        }
        (Channel::WhatsApp, Content::Interactive(_) | Content::Contacts(_) | Content::Reaction(_)) => {
            return Err((ErrorClass::FallBack, "Twilio carries it only as an approved template"));
        }
        (Channel::Sms, _) => return Err((ErrorClass::Bug, "only text can be sent by SMS")),
    }
    if let Some(base) = status_callback {
        let joint = if base.contains('?') { '&' } else { '?' };
        form.push(("StatusCallback", format!("{base}{joint}key={key}{OVERRIDES}")));
    }
    if channel == Channel::Sms {
        form.push(("ValidityPeriod", VALIDITY_SECONDS.to_owned()));
        // Typographic quotes in a template would more than double the segments.
        form.push(("SmartEncoded", "true".to_owned()));
    }
    Ok(form)
}

/// Variables by name, or counted from 1 in reading order: header, body, buttons.
fn content_variables(filled: &FilledTemplate) -> Map<String, Value> {
    let values = filled
        .header
        .iter()
        .chain(&filled.body)
        .map(|value| (value.name.as_deref(), value.text.as_str()));
    let buttons = filled.buttons.iter().map(|(_, text)| (None, text.as_str()));
    (1..)
        .zip(values.chain(buttons))
        .map(|(count, (name, text))| {
            let name = name.map_or_else(|| count.to_string(), ToOwned::to_owned);
            (name, Value::from(text))
        })
        .collect()
}

/// Only a SID proves that the message was accepted.
fn outcome_of_success(answer: &Answer, channel: Channel) -> SendOutcome {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let Some(provider_ref) = body["sid"].as_str().and_then(|sid| sid.parse().ok()) else {
        return outcome::of_unreadable_success(Api::Twilio);
    };
    let failed = body["status"].as_str().and_then(message::state) == Some(AttemptState::Failed);
    if failed {
        // The first status has no callback, so this is its only report.
        return error::outcome_of_code(answer, body["error_code"].as_i64());
    }
    let cost = body["num_segments"]
        .as_str()
        .and_then(|count| message::cost(channel, count));
    SendOutcome::Accepted {
        provider_ref,
        segments: cost.map(|cost| cost.units),
    }
}
