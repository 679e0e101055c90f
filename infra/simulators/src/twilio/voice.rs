//! A customer's call through Twilio: requests TwiML from Ringback, executes it, reports the result.
//!
//! No time passes: ringing and talking times are stated in the callbacks, without waiting.

use std::time::Duration;

use futures::future::join_all;
use url::Url;

use super::date;
use super::recordings::Recording;
use super::twiml::{self, Verb};
use super::webhooks::{Form, form, pairs, push};
use crate::config::{Config, Tenant, TwilioAccount};
use crate::control::{Call, CallEvent};
use crate::delivery::{Outcome, Webhook};
use crate::phones::country;
use crate::random::Random;
use crate::world::Sims;

/// Twilio's number for a withheld caller: ANONYMOUS on a keypad.
const ANONYMOUS: &str = "+266696687";

/// Maximum number of documents per call, so that circular flows end.
const DOCUMENTS: usize = 20;

/// A call in progress.
struct Line<'a> {
    world: &'a Sims,
    config: &'a Config,
    tenant: &'a Tenant,
    account: &'a TwilioAccount,
    call: &'a Call,
    seconds: u32,
    events: Vec<CallEvent>,
    /// Callbacks whose answers have no effect. Delivered at the end, so that they can be shuffled.
    pile: Vec<Webhook>,
}

enum Next {
    /// Continue with the answer of this request.
    Ask(Webhook),
    End,
}

pub(crate) async fn place(
    world: &Sims,
    config: &Config,
    tenant: &Tenant,
    account: &TwilioAccount,
    call: &Call,
) -> Vec<CallEvent> {
    let mut line = Line {
        world,
        config,
        tenant,
        account,
        call,
        seconds: 0,
        events: Vec::new(),
        pile: Vec::new(),
    };
    let final_status = if call.own_flow {
        line.own_flow()
    } else {
        line.follow().await
    };
    line.push_status(final_status);
    line.deliver_pile().await;
    line.events
}

impl Line<'_> {
    fn own_flow(&mut self) -> &'static str {
        if self.call.outcome == "voicemail" {
            let url = self.tenant.twilio_url(self.config, self.account, "recording");
            self.record(None, Some(&url), &url);
            return "completed";
        }
        self.seconds = self.call.talk_seconds.unwrap_or(0);
        match self.call.outcome.as_str() {
            "missed" | "after_hours" => "no-answer",
            "busy" => "busy",
            "failed" => "failed",
            "abandoned" => "canceled",
            _ => "completed",
        }
    }

    /// Requests TwiML and executes it until the call ends. Returns the final status of the call.
    async fn follow(&mut self) -> &'static str {
        let url = self.tenant.twilio_url(self.config, self.account, "voice");
        let mut ask = self.webhook("voice", &url, self.fields("ringing"));
        for _ in 0..DOCUMENTS {
            let answer = self.ask(&ask).await;
            if !answer.was_delivered() {
                return "failed";
            }
            let Ok(verbs) = twiml::parse(&answer.body) else {
                // Twilio says "an application error has occurred" and hangs up.
                self.events.push(CallEvent {
                    what: "unreadable TwiML".to_owned(),
                    status: answer.status,
                });
                return "completed";
            };
            if let Some(Verb::Reject { busy }) = verbs.first() {
                return if *busy { "busy" } else { "no-answer" };
            }
            match self.obey(&verbs, &ask.url) {
                Next::Ask(next) => ask = next,
                Next::End => break,
            }
        }
        "completed"
    }

    fn obey(&mut self, verbs: &[Verb], document: &str) -> Next {
        let outcome = self.call.outcome.as_str();
        let will_dial = verbs.iter().any(|verb| matches!(verb, Verb::Dial { .. }));
        for verb in verbs {
            match verb {
                Verb::Listen(seconds) => {
                    self.seconds += seconds;
                    if outcome == "abandoned" && !will_dial {
                        return Next::End;
                    }
                }
                Verb::Dial { timeout, action } => {
                    if let Some(next) = self.dial(*timeout, action.as_deref(), document) {
                        return next;
                    }
                }
                Verb::Record {
                    action,
                    status_callback,
                } => {
                    if outcome == "voicemail" {
                        self.record(action.as_deref(), status_callback.as_deref(), document);
                    }
                    // The caller hangs up: after the message, or rather than leave one.
                    return Next::End;
                }
                Verb::Reject { .. } | Verb::Hangup => return Next::End,
            }
        }
        Next::End
    }

    /// `None`: the call continues with the next verb.
    fn dial(&mut self, timeout: u32, action: Option<&str>, document: &str) -> Option<Next> {
        let (dial_status, ringing) = match self.call.outcome.as_str() {
            "answered" => ("completed", 5),
            "busy" => ("busy", 1),
            "failed" => ("failed", 1),
            "abandoned" => ("canceled", 5),
            _ => ("no-answer", timeout),
        };
        self.seconds += self.call.ring_seconds.unwrap_or(ringing).min(timeout);
        let talked = self.call.talk_seconds.unwrap_or(60);
        if dial_status == "completed" {
            self.seconds += talked;
        }
        let caller_is_gone = dial_status == "canceled";
        let Some(action) = action else {
            return (caller_is_gone || dial_status == "completed").then_some(Next::End);
        };
        let mut fields = self.fields(if caller_is_gone { "completed" } else { "in-progress" });
        push(&mut fields, "DialCallStatus", dial_status);
        push(&mut fields, "DialCallSid", &format!("CA{}", self.world.hex_id()));
        if dial_status == "completed" {
            push(&mut fields, "DialCallDuration", &talked.to_string());
            push(&mut fields, "DialBridged", "true");
        }
        let ask = self.target("dial-result", action, document, fields);
        // If nothing can follow, or callbacks are to be shuffled, the answer is ignored. A voicemail needs it.
        if caller_is_gone || (self.call.shuffle && self.call.outcome != "voicemail") {
            self.pile.push(ask);
            return Some(Next::End);
        }
        Some(Next::Ask(ask))
    }

    fn record(&mut self, action: Option<&str>, status_callback: Option<&str>, document: &str) {
        let seconds = self.call.talk_seconds.unwrap_or(14);
        self.seconds += seconds;
        let sid = format!("RE{}", self.world.hex_id());
        let account = &self.account.account_sid;
        let recording_url = format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/{sid}");
        let length = seconds.to_string();
        let recording = Recording {
            account_sid: account.clone(),
            call_sid: self.call.id.clone(),
            seconds,
            at: self.world.now(),
            deleted: false,
        };
        self.world.state().recordings.insert(sid.clone(), recording);
        if let Some(action) = action {
            let mut fields = self.fields("completed");
            push(&mut fields, "RecordingUrl", &recording_url);
            push(&mut fields, "RecordingSid", &sid);
            push(&mut fields, "RecordingDuration", &length);
            push(&mut fields, "Digits", "hangup");
            let ask = self.target("record action", action, document, fields);
            self.pile.push(ask);
        }
        if let Some(callback) = status_callback {
            let fields = pairs([
                ("AccountSid", account),
                ("CallSid", &self.call.id),
                ("RecordingSid", &sid),
                ("RecordingUrl", &recording_url),
                ("RecordingStatus", "completed"),
                ("RecordingDuration", &length),
                ("RecordingChannels", "1"),
                ("RecordingSource", "RecordVerb"),
                ("RecordingStartTime", &date(self.world.now())),
            ]);
            let ask = self.target("recording", callback, document, fields);
            self.pile.push(ask);
        }
    }

    /// The callback at the call's end (`fixtures/twilio/voice/status_*`).
    fn push_status(&mut self, status: &str) {
        let unanswered = matches!(status, "busy" | "no-answer" | "failed" | "canceled");
        let seconds = if unanswered { 0 } else { self.seconds.max(1) };
        let mut fields = self.fields(status);
        push(&mut fields, "CallDuration", &seconds.to_string());
        // Minutes, rounded up.
        push(&mut fields, "Duration", &seconds.div_ceil(60).to_string());
        push(&mut fields, "Timestamp", &date(self.world.now()));
        push(&mut fields, "CallbackSource", "call-progress-events");
        push(&mut fields, "SequenceNumber", "0");
        if let Some(code) = match status {
            "busy" => Some("486"),
            "failed" => Some("404"),
            _ => None,
        } {
            push(&mut fields, "SipResponseCode", code);
        }
        let url = self.tenant.twilio_url(self.config, self.account, "status");
        let webhook = self.webhook(&format!("status {status}"), &url, fields);
        self.pile.push(webhook);
    }

    async fn ask(&mut self, webhook: &Webhook) -> Outcome {
        let outcome = self.world.deliver(webhook).await;
        self.events.push(CallEvent {
            what: webhook.what.clone(),
            status: outcome.status,
        });
        for _ in 1..self.call.repeat {
            self.pile.push(webhook.clone());
        }
        outcome
    }

    async fn deliver_pile(&mut self) {
        let asked = self.events.len();
        let mut pile = std::mem::take(&mut self.pile);
        // Requests already sent were repeated then; only the remaining ones are repeated here.
        if self.call.repeat > 1 {
            let (again, fresh): (Vec<_>, Vec<_>) = pile
                .into_iter()
                .partition(|webhook| self.events[..asked].iter().any(|event| event.what == webhook.what));
            pile = again;
            for webhook in fresh {
                pile.extend(std::iter::repeat_n(webhook, self.call.repeat as usize));
            }
        }
        if self.call.shuffle {
            let from = self.call.from.as_ref();
            let calls = from.map(|from| (from, self.world.state().phone(from).notes.len()));
            Random::of(self.config.seed, calls).shuffle(&mut pile);
        }
        let world = self.world;
        // Started in order, a little apart; a slow one does not delay the next, as with the provider.
        let deliveries = pile.into_iter().enumerate().map(|(place, webhook)| async move {
            tokio::time::sleep(Duration::from_millis(10) * u32::try_from(place).unwrap_or(u32::MAX)).await;
            let outcome = world.deliver(&webhook).await;
            CallEvent {
                what: webhook.what,
                status: outcome.status,
            }
        });
        let delivered = join_all(deliveries).await;
        self.events.extend(delivered);
    }

    fn fields(&self, status: &str) -> Vec<(String, String)> {
        let from = self.call.from.as_deref().unwrap_or(ANONYMOUS);
        let to = &self.call.to;
        pairs([
            ("AccountSid", &self.account.account_sid),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", &self.call.id),
            ("From", from),
            ("To", to),
            ("Caller", from),
            ("Called", to),
            ("Direction", "inbound"),
            ("CallerCountry", country(from)),
            ("FromCountry", country(from)),
            ("CalledCountry", country(to)),
            ("ToCountry", country(to)),
            ("CallStatus", status),
        ])
    }

    fn webhook(&self, what: &str, url: &str, fields: Form) -> Webhook {
        form(self.world, self.tenant, self.account, what, url.to_owned(), fields)
    }

    fn target(&self, what: &str, target: &str, document: &str, fields: Form) -> Webhook {
        self.webhook(what, &resolve(document, target), fields)
    }
}

/// An absolute URL is kept byte for byte, because it is signed.
fn resolve(document: &str, url: &str) -> String {
    if Url::parse(url).is_ok() {
        return url.to_owned();
    }
    Url::parse(document)
        .and_then(|base| base.join(url))
        .map_or_else(|_| url.to_owned(), String::from)
}
