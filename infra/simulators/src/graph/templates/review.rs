//! Changes of templates at Meta: reviews, pauses, other categories and the like, each with its webhook. The control API orders
//! them, or the clock brings them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{DELETION, Record};
use crate::config::{Tenant, WhatsAppAccount};
use crate::delivery::Webhook;
use crate::faults::{Api, Event};
use crate::graph::account_webhook;
use crate::world::Sims;

/// A first pause for low quality.
const PAUSE: SignedDuration = SignedDuration::from_hours(3);

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum What {
    Approve,
    Reject,
    Pause,
    Reinstate,
    Disable,
    PendingDeletion,
    Delete,
    /// Meta changes the category.
    Category,
    Quality,
}

/// An event of a template, as the control API takes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    event: What,
    /// Of a rejection: `ABUSIVE_CONTENT`, `INCORRECT_CATEGORY`, `INVALID_FORMAT`, `PROMOTIONAL`, `SCAM`, `TAG_CONTENT_MISMATCH`.
    reason: Option<String>,
    /// Of a rejection for its format: `reason` and `recommendation`.
    rejection_info: Option<Value>,
    category: Option<String>,
    /// The new quality: `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    score: Option<String>,
}

impl Change {
    pub(crate) fn of(event: What) -> Self {
        Self {
            event,
            reason: None,
            rejection_info: None,
            category: None,
            score: None,
        }
    }

    /// Its effect on the template. Returns the field and the value of its webhook.
    fn apply(&self, record: &mut Record, at: Timestamp) -> Result<(&'static str, Value), String> {
        record.last_event = Some(at);
        match self.event {
            What::Approve => Ok(record.become_status("APPROVED", "APPROVED")),
            What::Reinstate => Ok(record.become_status("APPROVED", "REINSTATED")),
            What::Disable => Ok(record.disable(at)),
            What::Pause => Ok(record.pause(at)),
            What::Reject => Ok(self.reject(record)),
            What::Delete => Ok(record.become_status("DELETED", "DELETED")),
            What::PendingDeletion => {
                let told = record.become_status("PENDING_DELETION", "PENDING_DELETION");
                record.due = Some((at + DELETION, Self::of(What::Delete)));
                Ok(told)
            }
            What::Category => {
                let category = self.category()?;
                let mut value = record.named_value();
                value["previous_category"] = json!(record.category);
                value["new_category"] = json!(category);
                record.previous_category = Some(std::mem::replace(&mut record.category, category));
                Ok(("template_category_update", value))
            }
            What::Quality => {
                let score = self.score.clone().ok_or("quality needs a score")?.to_uppercase();
                if !matches!(score.as_str(), "GREEN" | "YELLOW" | "RED" | "UNKNOWN") {
                    return Err(format!("{score} is not a quality"));
                }
                let mut value = record.named_value();
                value["previous_quality_score"] = json!(record.quality);
                value["new_quality_score"] = json!(score);
                record.quality = score;
                record.quality_at = at;
                Ok(("message_template_quality_update", value))
            }
        }
    }

    fn category(&self) -> Result<String, String> {
        let category = self
            .category
            .clone()
            .ok_or("this event needs a category")?
            .to_uppercase();
        super::rules::category(&category).map_err(|_| format!("{category} is not a category"))?;
        Ok(category)
    }

    fn reject(&self, record: &mut Record) -> (&'static str, Value) {
        let reason = self.reason.clone().unwrap_or_else(|| "INVALID_FORMAT".to_owned());
        let (field, mut value) = record.become_status("REJECTED", "REJECTED");
        value["reason"] = json!(reason);
        if reason == "INVALID_FORMAT" {
            value["rejection_info"] = self.rejection_info.clone().unwrap_or_else(|| {
                json!({
                    "reason": "The template's format is invalid.",
                    "recommendation": "Check the variables and their samples.",
                })
            });
        }
        record.rejected_reason = Some(reason);
        (field, value)
    }
}

impl Record {
    /// The fields that name the template in every webhook.
    fn named_value(&self) -> Value {
        json!({
            "message_template_id": self.id.parse::<u64>().unwrap_or_default(),
            "message_template_name": self.name,
            "message_template_language": self.language,
        })
    }

    fn become_status(&mut self, status: &str, event: &str) -> (&'static str, Value) {
        self.status = status.to_owned();
        self.due = None;
        self.rejected_reason = None;
        self.was_approved |= status == "APPROVED";
        let mut value = self.named_value();
        value["event"] = json!(event);
        value["message_template_category"] = json!(self.category);
        value["reason"] = json!("NONE");
        ("message_template_status_update", value)
    }

    fn disable(&mut self, at: Timestamp) -> (&'static str, Value) {
        let (field, mut value) = self.become_status("DISABLED", "DISABLED");
        value["disable_info"] = json!({"disable_date": at.as_second()});
        (field, value)
    }

    fn pause(&mut self, at: Timestamp) -> (&'static str, Value) {
        let (field, mut value) = self.become_status("PAUSED", "PAUSED");
        value["other_info"] = json!({"title": "FIRST_PAUSE", "description": "Paused for low quality."});
        self.due = Some((at + PAUSE, Change::of(What::Reinstate)));
        (field, value)
    }
}

/// The end of a review that begins now.
pub(super) fn due_at(account: &WhatsAppAccount, now: Timestamp) -> Option<(Timestamp, Change)> {
    let seconds = account.template_review_seconds?;
    let time = SignedDuration::from_millis((seconds.max(0.0) * 1000.0) as i64);
    Some((now + time, Change::of(What::Approve)))
}

/// Lets events happen to a template, in this order. Returns the webhook of each.
pub(crate) fn act(
    world: &Sims,
    tenant: &Tenant,
    account: &WhatsAppAccount,
    id: &str,
    changes: &[Change],
) -> Result<Vec<Webhook>, String> {
    let config = world.config();
    let now = world.now();
    let mut state = world.state();
    let mut webhooks = Vec::new();
    for change in changes {
        let record = state.templates.find_mut(&account.waba_id, id);
        let record = record.ok_or_else(|| format!("there is no template {id}"))?;
        let later = record.last_event.map(|last| last + SignedDuration::from_secs(1));
        let at = later.map_or(now, |later| later.max(now));
        let (field, value) = change.apply(record, at)?;
        webhooks.push(account_webhook(&config, tenant, account, field, &value, at));
        if change.event == What::Delete {
            state.templates.remove(&account.waba_id, id);
        }
    }
    drop(state);
    world.timers_changed();
    Ok(webhooks)
}

/// Lets an event happen, whose webhook is delivered in the background.
pub(super) fn apply_and_tell(world: &Sims, account: &WhatsAppAccount, id: &str, change: &Change) {
    let config = world.config();
    let owner = config.tenants.iter().find_map(|tenant| {
        let own = tenant.whatsapp.as_ref().filter(|own| own.waba_id == account.waba_id)?;
        Some((tenant, own))
    });
    let Some((tenant, own)) = owner else {
        return;
    };
    // It may be gone already.
    let Ok(webhooks) = act(world, tenant, own, id, std::slice::from_ref(change)) else {
        return;
    };
    let copies = world.state().copies(Event::new(Api::Graph, &tenant.id, None));
    for webhook in &webhooks {
        world.deliver_later(webhook, Duration::ZERO, copies);
    }
}

/// Lets everything happen whose time has come. Returns the time until the next.
pub(crate) fn run_due(world: &Sims) -> Option<Duration> {
    let config = world.config();
    let now = world.now();
    let (mut due, mut next) = (Vec::new(), None::<Timestamp>);
    let mut state = world.state();
    for (waba, records) in &mut state.templates.by_waba {
        for record in records {
            match record.due.take() {
                Some((at, change)) if at <= now => due.push((waba.clone(), record.id.clone(), change)),
                Some((at, change)) => {
                    next = Some(next.map_or(at, |next| next.min(at)));
                    record.due = Some((at, change));
                }
                None => {}
            }
        }
    }
    drop(state);
    for (waba, id, change) in due {
        let mut accounts = config.tenants.iter().filter_map(|tenant| tenant.whatsapp.as_ref());
        if let Some(account) = accounts.find(|account| account.waba_id == waba) {
            apply_and_tell(world, account, &id, &change);
        }
    }
    next.map(|next| next.duration_since(now).unsigned_abs() + Duration::from_millis(1))
}

/// Runs until the simulators stop.
pub(crate) async fn keep_time(world: Sims) {
    let (mut timers, mut stop) = (world.timers(), world.watch_stop());
    loop {
        let wait = run_due(&world).unwrap_or(Duration::from_secs(3600));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = timers.changed() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}
