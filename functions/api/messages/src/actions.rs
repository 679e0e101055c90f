//! Actions on a message: cancelling it, and sending a failed one again.

use std::sync::Arc;

use api::{Api, ExpectedCost, Listed, Paging, Path, Query, RACES, Setback, require_found};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use domain::Timestamp;
use domain::messages::{Asked, Ended, Message, MessageState, intent_to_repeat};
use domain::money::{Money, day_of};
use domain::people::Person;
use domain::reports::{MessageFilter, foreseen_cost, price_entry};
use domain::tenants::TenantConfig;
use domain::terms::{CancelEvent, Day, Facts, MessageId, Reason, Refusal};
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::contacts::ContactWrite;
use store::reports::{Exchanged, KnownMessage};
use store::table::effects::Effects;
use store::{Along, Page};
use tokio::sync::OnceCell;
use ulid::Ulid;

use crate::send::{
    Composition, Placed, Reached, Sending, Sends, answer, needs, problem_of_refusal, recipient_removed, review_message,
};
use crate::visibility::{ChangedMessage, reason_for};

/// The scope of a cancellation.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Prevented {
    /// The whole message: nothing of it was sent.
    All,
    /// Further channels: something was sent, or may have been.
    FurtherChannels,
}

impl Prevented {
    fn of(message: &Message) -> Self {
        if message.nothing_went_out() {
            Self::All
        } else {
            Self::FurtherChannels
        }
    }
}

/// A message that was cancelled.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CancelledMessage {
    /// Scope of the cancellation: `all`, or `further_channels` if something was sent, or may have been.
    cancelled: Prevented,
    /// The message.
    #[serde(flatten)]
    message: ChangedMessage,
}

/// A message of the business with its contact.
async fn outbound(
    api: &Api,
    who: &Sends,
    id: MessageId,
    otherwise: impl FnOnce() -> Problem,
) -> Result<(Message, Person), Setback> {
    let read = api.store().known_message(who.scope(), id, who.now());
    let KnownMessage { message, contact } = require_found(read).await?;
    match message {
        Exchanged::Sent(message) => Ok((*message, contact)),
        Exchanged::Received(_) => Err(otherwise().into()),
    }
}

/// The answer to a cancellation that changes nothing.
fn not_cancellable(message: &Message) -> Problem {
    let state = message.state().as_str();
    let detail = format!("Nothing of the message is left to cancel: it is {state}.");
    Problem::conflict("not_cancellable", detail).because(Reason::NothingLeft, Facts::of("state", state))
}

/// The answer to a request to send a message again that is not sent again.
fn not_retryable(reason: Refusal) -> Problem {
    let detail = format!("The message is not sent again: {}.", reason.sentence);
    Problem::conflict("not_retryable", detail).because(reason.reason, reason.facts)
}

pub(crate) async fn cancel_message(
    who: Sends,
    State(api): State<Api>,
    Path(message_id): Path<MessageId>,
) -> Result<Json<CancelledMessage>, Problem> {
    let (api, who) = (&api, &who);
    let cancelled = RACES.until_won(|| async move {
        let inbound = || Problem::conflict("not_cancellable", "The customer wrote this message.");
        let (mut message, mut person) = Box::pin(outbound(api, who, message_id, inbound)).await?;
        if let Some(Ended::Cancelled(_)) = message.ended {
            return Ok((message, person));
        }
        let prevented = match Prevented::of(&message) {
            Prevented::All => "not sent",
            Prevented::FurtherChannels => "no further channel",
        };
        let sentence = format!("{prevented}: cancelled by {}", who.actor().in_words());
        let tried = !message.attempts.is_empty();
        if !message.cancel(Refusal::since(CancelEvent::Author, sentence).and("tried", tried)) {
            return Err(not_cancellable(&message).into());
        }
        let before = person.contact.clone();
        person.contact.close(&message);
        let changed = person.contact != before;
        let effects = Effects {
            people: changed
                .then(|| ContactWrite::from(person.contact.clone()))
                .into_iter()
                .collect(),
            ended: vec![message.clone()],
            ..Effects::default()
        };
        Box::pin(api.store().commit(who.scope(), effects, who.now())).await?;
        Ok((message, person))
    });
    let (cancelled, showing) = tokio::try_join!(Box::pin(cancelled), Box::pin(api.showing(who)))?;
    let (message, contact) = cancelled;
    let cancelled = Prevented::of(&message);
    let known = KnownMessage {
        message: Exchanged::Sent(Box::new(message)),
        contact,
    };
    let message = ChangedMessage::of(who, known, &showing.with_whole_texts());
    Ok(Json(CancelledMessage { cancelled, message }))
}

/// Result of sending a blocked message again.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UnblockedMessage {
    /// The blocked message.
    id: MessageId,
    /// The new message. `null`: the blocked one is not sent again or, without a `code`, would be in a dry run.
    retried_as: Option<MessageId>,
    /// Expected cost by its first channel, in a dry run. `null` if it would not be sent, and if no list has its price.
    cost: Option<ExpectedCost>,
    /// Reason why not.
    #[schemars(with = "Option<String>", example = &"cap_reached")]
    code: Option<Reason>,
    /// The reason as a sentence.
    #[schemars(example = &"The message is not sent: the cap of 500 messages by the API per hour is reached.")]
    detail: Option<String>,
}

/// The messages that are sent again.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlockedQuery {
    /// First day, in the tenant's time zone. Default: six days before the last.
    #[schemars(example = "2026-11-14")]
    from: Option<Day>,
    /// Last day, in the tenant's time zone. Default: today.
    #[schemars(example = "2026-11-20")]
    to: Option<Day>,
    /// Whether to say only what would become of each message. Nothing is sent or written.
    dry_run: Option<bool>,
}

/// Whether a message was blocked by a cap, is still valid, and was not sent again.
fn is_worth_retrying(message: &Message, now: Timestamp) -> bool {
    message.is_blocked_by_cap() && message.retried_as.is_none() && now < message.valid_until()
}

impl Sending {
    async fn retry(
        &self,
        api: &Api,
        who: &Sends,
        config: &TenantConfig,
        id: MessageId,
    ) -> Result<KnownMessage, Problem> {
        let request = who.ulid();
        let counted = &OnceCell::new();
        let placed = RACES.until_won(|| async move {
            let (store, scope, now) = (api.store(), who.scope(), who.now());
            let inbound = || Problem::conflict("not_retryable", "The customer wrote this message.");
            let (message, person) = Box::pin(outbound(api, who, id, inbound)).await?;
            if let Some(second) = message.retried_as {
                let gone = || {
                    let sentence = "it was sent again, and that message is deleted since";
                    not_retryable(Refusal::new(Reason::NotFailed, sentence))
                };
                let second = Box::pin(store.known_message(scope, second, now)).await?;
                let second = second.ok_or_else(gone)?;
                if let Exchanged::Sent(message) = &second.message {
                    self.queue_again(who, message).await;
                }
                return Ok(second);
            }
            let again = self.compose_again(api, who, config, request, &message, &person);
            let composition = Box::pin(again).await?;
            let category = composition.composed.policy.category();
            let count = || Box::pin(self.count(api, who, &config.tenant, category));
            Box::pin(counted.get_or_try_init(count)).await?;
            let to = Reached::from(person);
            Box::pin(self.place(api, who, to, config, composition, Some(message))).await
        });
        placed.await
    }

    /// Composes a message anew as it would be sent again now.
    async fn compose_again(
        &self,
        api: &Api,
        who: &Sends,
        config: &TenantConfig,
        request: Ulid,
        message: &Message,
        person: &Person,
    ) -> Result<Composition, Setback> {
        let (scope, now) = (who.scope(), who.now());
        let may_be = message.may_be_retried();
        may_be.map_err(|refusal| not_retryable(reason_for(who, refusal)))?;
        if !api.store().is_recipient(scope, &person.contact, &message.to).await? {
            return Err(recipient_removed().into());
        }
        let asked = request_to_recipient(who, request, message, person);
        let intent = intent_to_repeat(message, &asked);
        let needs = needs(config, person, &intent, now);
        // What it says has its values already, also a link.
        let no_link = || Err(Problem::internal());
        let gathered = Box::pin(self.gather(scope, &needs, no_link, &Along::default(), now)).await?;
        let composed = review_message(config, person, &intent, &gathered, now).and_then(|review| review.into_outcome());
        let mut composed = composed.map_err(|refusal| problem_of_refusal(reason_for(who, refusal)))?;
        // A call that it follows is followed up by this one now.
        composed.called_at = message.called_at;
        Box::pin(self.within_caps(api, who, config, &composed)).await?;
        Ok(Composition { composed, gathered })
    }

    /// The expected cost of sending a message again now. Nothing is written.
    async fn foresee(
        &self,
        api: &Api,
        who: &Sends,
        config: &TenantConfig,
        message: &Message,
        person: &Person,
    ) -> Result<Option<Money>, Problem> {
        let request = who.ulid();
        let again = RACES.until_won(|| Box::pin(self.compose_again(api, who, config, request, message, person)));
        let Composition { composed, .. } = again.await?;
        let Some(leg) = composed.legs.first() else {
            return Ok(None);
        };
        let book = api.store().price_book(self.prices(), who.now()).await?;
        let (listed, units) = price_entry(config, composed.policy.category(), &composed.to, leg);
        Ok(foreseen_cost(listed, units, &book, day_of(who.now())))
    }
}

/// The request for a message to the recipient of this one.
fn request_to_recipient(who: &Sends, request: Ulid, message: &Message, person: &Person) -> Asked {
    Asked {
        by: who.actor(),
        request,
        contact: person.contact.id,
        to: message.to.clone(),
        refers: None,
        now: who.now(),
    }
}

pub(crate) async fn retry_message(
    who: Sends,
    State(api): State<Api>,
    Extension(sending): Extension<Arc<Sending>>,
    Path(message_id): Path<MessageId>,
) -> Result<Placed, Problem> {
    let config = sending.config(&api, &who).await?;
    let placed = Box::pin(sending.retry(&api, &who, &config, message_id)).await?;
    Ok(answer(&who, placed, &config))
}

pub(crate) async fn retry_blocked_messages(
    who: Sends,
    State(api): State<Api>,
    Extension(sending): Extension<Arc<Sending>>,
    Query(query): Query<BlockedQuery>,
    paging: Paging,
) -> Result<Listed<UnblockedMessage>, Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let filter = MessageFilter {
        state: Some(MessageState::Blocked),
        ..MessageFilter::default()
    };
    let wanted = Box::pin(api.wanted_page(&who, query.from, query.to, &paging)).await?;
    let config = sending.config(&api, &who).await?;
    let page = Box::pin(store.messages_of_period(scope, &filter, &wanted)).await?;
    let mut items = Vec::new();
    for known in page.items {
        let Exchanged::Sent(message) = known.message else {
            continue;
        };
        if !is_worth_retrying(&message, now) {
            continue;
        }
        let became = if query.dry_run.unwrap_or_default() {
            let cost = Box::pin(sending.foresee(&api, &who, &config, &message, &known.contact)).await;
            cost.map(|cost| (None, cost))
        } else {
            let placed = Box::pin(sending.retry(&api, &who, &config, message.id)).await;
            placed.map(|placed| (Some(placed.message.id()), None))
        };
        let ((retried_as, cost), (detail, code)) = match became {
            Ok(became) => (became, (None, None)),
            Err(problem) if [StatusCode::CONFLICT, StatusCode::NOT_FOUND].contains(&problem.status()) => {
                let (detail, code) = problem.into_reason();
                ((None, None), (Some(detail), code))
            }
            // Those that were sent again are not, if the request is repeated.
            Err(problem) => return Err(problem),
        };
        items.push(UnblockedMessage {
            id: message.id,
            retried_as,
            cost: cost.map(ExpectedCost::from),
            code,
            detail,
        });
    }
    let next = page.next;
    Ok(Listed::of(Page { items, next }, |item| item))
}
