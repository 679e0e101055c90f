//! Attempts to deliver, several at the same time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Timestamp;
use domain::webhooks::{Attempt, AttemptOutcome, Delivery, EndpointHealth};
use futures::{StreamExt as _, stream};
use jiff::SignedDuration;
use kit::{JobError, line};
use providers::standard_webhooks::SigningSecret;
use providers::webhooks::{EventRequest, OwnHeader, send_event};
use store::webhooks::EventContents;
use tokio::time::Instant;

use crate::body::event_body;
use crate::callbacks::Callbacks;
use crate::endpoint::Endpoint;

/// Attempts that are made at the same time.
const AT_ONCE: usize = 10;

/// The result of an attempt for its endpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tried {
    pub(crate) outcome: AttemptOutcome,
    /// Time for which the receiver wants no further request.
    pub(crate) pause: Option<SignedDuration>,
    /// Time of its end.
    pub(crate) at: Timestamp,
}

/// Deliveries after a round of attempts.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// The tried ones, as they are now.
    pub(crate) tried: Vec<Delivery>,
    /// The others, since the endpoint went down, wants a pause or is gone, or the time was up.
    pub(crate) untried: Vec<Delivery>,
    /// Results of the attempts, in the order of their ends.
    pub(crate) outcomes: Vec<Tried>,
}

/// The common part of a job's requests.
struct Requests {
    secrets: Vec<SigningSecret>,
    header: Option<OwnHeader>,
    /// If the endpoint gets content.
    contents: Option<EventContents>,
    callbacks: Callbacks,
}

/// The state of a round, by which its later attempts are made or not.
struct State {
    health: EndpointHealth,
    outcomes: Vec<Tried>,
}

impl Round {
    /// The time of the attempt by which the receiver said that it wants no more events.
    pub(crate) fn gone_at(&self) -> Option<Timestamp> {
        let gone = |tried: &&Tried| tried.outcome == AttemptOutcome::Gone;
        self.outcomes.iter().find(gone).map(|tried| tried.at)
    }
}

impl Endpoint<'_> {
    /// The health after these attempts.
    pub(crate) fn after_attempts(&self, health: &EndpointHealth, outcomes: &[Tried]) -> EndpointHealth {
        let after = |health: EndpointHealth, tried: &Tried| {
            health.after_attempt(self.row.id, tried.outcome, tried.pause, tried.at)
        };
        outcomes.iter().fold(health.clone(), after)
    }

    /// Tries deliveries, as long as the endpoint takes them and there is time.
    pub(crate) async fn try_all(&self, deliveries: Vec<Delivery>, health: &EndpointHealth) -> Result<Round, JobError> {
        if deliveries.is_empty() {
            return Ok(Round::default());
        }
        let requests = self.prepare(&deliveries).await?;
        let state = Mutex::new(State {
            health: health.clone(),
            outcomes: Vec::new(),
        });
        let one = |delivery: Delivery| {
            let (requests, state) = (&requests, &state);
            async move {
                if !self.goes_on(&lock(state)) {
                    return Err(delivery);
                }
                let (delivery, tried) = self.send(&delivery, requests).await;
                let mut state = lock(state);
                state.health = self.after_attempts(&state.health, &[tried]);
                state.outcomes.push(tried);
                Ok(delivery)
            }
        };
        let ended: Vec<Result<Delivery, Delivery>> = stream::iter(deliveries)
            .map(one)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut round = Round::default();
        for delivery in ended {
            match delivery {
                Ok(tried) => round.tried.push(tried),
                Err(untried) => round.untried.push(untried),
            }
        }
        round.outcomes = state.into_inner().unwrap_or_else(PoisonError::into_inner).outcomes;
        count(&round);
        Ok(round)
    }

    /// Tries one delivery, whatever the health of the endpoint is.
    pub(crate) async fn try_one(&self, delivery: Delivery) -> Result<Round, JobError> {
        let requests = self.prepare(std::slice::from_ref(&delivery)).await?;
        let (delivery, tried) = self.send(&delivery, &requests).await;
        let round = Round {
            tried: vec![delivery],
            untried: Vec::new(),
            outcomes: vec![tried],
        };
        count(&round);
        Ok(round)
    }

    fn goes_on(&self, state: &State) -> bool {
        let is_gone = state.outcomes.iter().any(|tried| tried.outcome == AttemptOutcome::Gone);
        !is_gone && !self.limit.is_up() && state.health.may_send(self.ctx.clock.now())
    }

    async fn prepare(&self, deliveries: &[Delivery]) -> Result<Requests, JobError> {
        let now = self.ctx.clock.now();
        let opened = self.ctx.keyring.open(self.scope, self.row, now).await?;
        let keys = opened.keys.iter().cloned().map(SigningSecret::from_stored);
        let header = self.row.header.as_ref().zip(opened.header.as_deref());
        let header = header.and_then(|(header, value)| {
            Some(OwnHeader {
                name: header.name.clone(),
                value: value.parse().ok()?,
            })
        });
        let contents = if self.row.content {
            let events: Vec<_> = deliveries.iter().map(|delivery| &delivery.event.data).collect();
            Some(self.ctx.store.read_event_contents(self.scope, &events, now).await?)
        } else {
            None
        };
        Ok(Requests {
            secrets: keys.collect(),
            header,
            contents,
            callbacks: self.begin_runs(deliveries, now).await?,
        })
    }

    async fn send(&self, delivery: &Delivery, requests: &Requests) -> (Delivery, Tried) {
        let (begun, clock) = (Instant::now(), &self.ctx.clock);
        let at = clock.now();
        let request = EventRequest {
            url: &self.row.url,
            id: delivery.event.id,
            at,
            body: event_body(
                &delivery.event,
                requests.contents.as_ref(),
                requests.callbacks.get(&delivery.event.id),
            ),
            secrets: &requests.secrets,
            header: requests.header.as_ref(),
        };
        let end = send_event(&self.ctx.client, request).await;
        let attempt = Attempt {
            at,
            outcome: end.outcome,
            status: end.status,
            ms: u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX),
            hint: end.hint,
            // It may repeat what the event said, and the token that came with it.
            answer: end.answer.filter(|_| !self.row.content && self.row.callback.is_none()),
        };
        let tried = Tried {
            outcome: end.outcome,
            pause: end.pause,
            at: clock.now(),
        };
        (delivery.after_attempt(attempt, end.pause), tried)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(round: &Round) {
    let delivered = round
        .outcomes
        .iter()
        .filter(|tried| tried.outcome == AttemptOutcome::Delivered);
    let delivered = u64::try_from(delivered.count()).unwrap_or_default();
    let all = u64::try_from(round.outcomes.len()).unwrap_or_default();
    line::count("delivered", delivered);
    line::count("undelivered", all - delivered);
}
