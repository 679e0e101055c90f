//! Decisions: which message follows a call, and whether a planned message may go out now. Each comes with its reasons in one
//! sentence, because that sentence is what a business reads on the call.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    call::{self, CallFacts, Direction, Outcome, Party},
    connection::{Connection, Health},
    contact::Contact,
    hours,
    ids::{CallId, ConnectionId, MessageId, RuleId},
    line::{self, LineType, LineTypes},
    message::{Category, Cause, Channel, Content, Leg, Message, Recipient, WhenUnknown},
    phone::Phone,
    rule::{Caller, Consent, Hours, Rule, SmsText},
    send::Timers,
    template::{self, LONGEST_SMS, Misfit, Values},
    tenant::{QuietAction, QuietHours, TenantConfig, TenantStatus},
};

/// What a decision is made from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The tenant with its rules.
    pub config: &'a TenantConfig,
    /// The call.
    pub call: CallView<'a>,
    /// The caller, as known before this call: `calls` does not count it yet.
    pub contact: &'a Contact,
    /// Now.
    pub now: Timestamp,
    /// How line types are found out.
    pub line_type: LineTypes<'a>,
}

/// A call whose outcome is known.
#[derive(Debug, Clone, Copy)]
pub struct CallView<'a> {
    /// The call.
    pub id: CallId,
    /// The connection that reported it: it is preferred for sending, where it can.
    pub connection: ConnectionId,
    /// What was reported.
    pub facts: &'a CallFacts,
    /// How it ended.
    pub outcome: Outcome,
    /// When it began, or when it was first heard of.
    pub started_at: Timestamp,
}

/// What follows a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This message.
    Follow(Plan),
    /// No message.
    Nothing(Nothing),
}

/// A message to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The rule.
    pub rule: RuleId,
    /// Its category.
    pub category: Category,
    /// Needs an opt-in beyond having called.
    pub needs_opt_in: bool,
    /// To whom.
    pub to: Recipient,
    /// The channels, in order; never empty.
    pub legs: Vec<Leg>,
    /// Seconds after acceptance without `delivered` until the next channel is tried. 0: only when the channel fails.
    pub fallback_after_seconds: u32,
    /// What to do when nobody can tell whether it was sent.
    pub when_unknown: WhenUnknown,
    /// Not to be sent before.
    pub not_before: Timestamp,
    /// Why, in one sentence.
    pub sentence: String,
}

/// No message, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nothing {
    /// For machines.
    pub reason: Reason,
    /// The rule that matched, if one did.
    pub rule: Option<RuleId>,
    /// For people, in one sentence.
    pub sentence: String,
}

/// A decision's reason, for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A rule matched: there is a message.
    FollowUp,
    /// The tenant is suspended.
    Suspended,
    /// The business called.
    Outbound,
    /// The caller hid the number.
    Withheld,
    /// The caller has no telephone number.
    Sip,
    /// Nobody knows how the call ended.
    UnknownOutcome,
    /// The person wants no messages, or none of this kind.
    OptedOut,
    /// No rule is for this call.
    NoRule,
    /// The rule needs an opt-in.
    NoConsent,
    /// The person was texted a short time ago.
    Cooldown,
    /// The rule skips quiet hours.
    QuietHours,
    /// The template or its values do not fit.
    Template,
    /// No channel reaches the person.
    NoChannel,
}

impl Reason {
    /// The word for machines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FollowUp => "follow_up",
            Self::Suspended => "suspended",
            Self::Outbound => "outbound",
            Self::Withheld => "withheld",
            Self::Sip => "sip",
            Self::UnknownOutcome => "unknown_outcome",
            Self::OptedOut => "opted_out",
            Self::NoRule => "no_rule",
            Self::NoConsent => "no_consent",
            Self::Cooldown => "cooldown",
            Self::QuietHours => "quiet_hours",
            Self::Template => "template",
            Self::NoChannel => "no_channel",
        }
    }
}

impl Decision {
    /// For people, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> &str {
        match self {
            Self::Follow(plan) => &plan.sentence,
            Self::Nothing(nothing) => &nothing.sentence,
        }
    }

    /// For machines.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Follow(_) => Reason::FollowUp,
            Self::Nothing(nothing) => nothing.reason,
        }
    }
}

impl Plan {
    /// The message, to be written together with its cause.
    #[must_use]
    pub fn message(
        self,
        id: MessageId,
        cause: Cause,
        correlation_id: String,
        now: Timestamp,
        timers: &Timers,
    ) -> Message {
        let mut message = Message {
            id,
            cause,
            rule: self.rule,
            category: self.category,
            needs_opt_in: self.needs_opt_in,
            to: self.to,
            plan: self.legs,
            fallback_after_seconds: self.fallback_after_seconds,
            when_unknown: self.when_unknown,
            attempts: Vec::new(),
            not_before: self.not_before,
            due: None,
            dispatches: 0,
            ended: None,
            remarks: Vec::new(),
            created_at: now,
            correlation_id,
            version: 0,
        };
        message.look_again(now, timers);
        message
    }
}

/// Decides what follows a call. The same input gives the same decision.
#[must_use]
pub fn decide(input: &Input<'_>) -> Decision {
    match plan(input) {
        Ok(plan) => Decision::Follow(plan),
        Err(mut nothing) => {
            nothing.sentence.insert_str(0, "no message: ");
            Decision::Nothing(nothing)
        }
    }
}

fn nothing(reason: Reason, rule: Option<&Rule>, sentence: impl Into<String>) -> Nothing {
    Nothing {
        reason,
        rule: rule.map(|rule| rule.id),
        sentence: sentence.into(),
    }
}

fn plan(input: &Input<'_>) -> Result<Plan, Nothing> {
    let Input {
        config,
        call,
        contact,
        now,
        ..
    } = *input;
    let phone = recipient(input)?;

    let mut rules: Vec<&Rule> = config.rules.iter().filter(|rule| rule.enabled).collect();
    rules.sort_by_key(|rule| (rule.priority, rule.id));
    let Some(rule) = rules.into_iter().find(|rule| matches(rule, input)) else {
        let open = if hours::is_open(&config.tenant, call.started_at) {
            "open"
        } else {
            "closed"
        };
        let caller = if is_new(contact) { "new" } else { "known" };
        return Err(nothing(
            Reason::NoRule,
            None,
            format!(
                "no rule is for this: {}, {caller} caller, business {open}",
                describe(&call)
            ),
        ));
    };
    let then = &rule.then;
    let no = |reason, sentence: String| nothing(reason, Some(rule), sentence);

    if let Some(refused) = refusal(contact, then.category) {
        return Err(no(Reason::OptedOut, refused));
    }
    let needs_opt_in = then.consent == Consent::OptInOnly;
    if needs_opt_in && contact.opted_in_at.is_none() {
        return Err(no(
            Reason::NoConsent,
            format!("rule {:?} needs an opt-in, and this person gave none", rule.name),
        ));
    }
    let cooldown = SignedDuration::from_secs(then.cooldown_seconds.into());
    if let Some(last) = contact.last_follow_up_at.filter(|last| now < *last + cooldown) {
        return Err(no(
            Reason::Cooldown,
            format!("texted {}, cooldown {}", ago(last, now), length(cooldown)),
        ));
    }

    let planned = now + SignedDuration::from_secs(then.delay_seconds.min(crate::rule::LONGEST_DELAY_SECONDS).into());
    let zone = hours::recipient_zone(&config.tenant, Some(phone));
    let mut not_before = planned;
    if let Some(quiet) = quiet_hours(config, Some(rule), then.category)
        && hours::is_quiet(planned, zone.rules(), &quiet)
    {
        match quiet.action {
            QuietAction::Send => {}
            QuietAction::Defer => not_before = hours::next_allowed(planned, zone.rules(), &quiet),
            QuietAction::Skip => {
                return Err(no(
                    Reason::QuietHours,
                    format!(
                        "{} lies in the quiet hours {} and the rule skips those",
                        local(planned, zone.rules()),
                        span(&quiet)
                    ),
                ));
            }
        }
    }

    let (legs, left_out) = legs(input, rule, phone);
    if legs.is_empty() {
        let reason = if left_out.iter().any(|left| left.misfit) {
            Reason::Template
        } else {
            Reason::NoChannel
        };
        let why = if left_out.is_empty() {
            "it has no channels".to_owned()
        } else {
            join(&left_out, ": ")
        };
        return Err(no(reason, format!("rule {:?} matched, but {why}", rule.name)));
    }

    let when = if not_before > planned {
        format!("after quiet hours, at {}", local(not_before, zone.rules()))
    } else if then.delay_seconds > 0 {
        format!("after {}", length(planned.duration_since(now)))
    } else {
        "at once".to_owned()
    };
    let mut sentence = format!("{} {when}", legs[0].channel.name());
    for leg in &legs[1..] {
        let name = leg.channel.name();
        if then.fallback_after_seconds == 0 {
            sentence.push_str(&format!(", {name} if that fails"));
        } else {
            let wait = SignedDuration::from_secs(then.fallback_after_seconds.into());
            sentence.push_str(&format!(", {name} if not delivered within {}", length(wait)));
        }
    }
    sentence.push_str(&format!(": {}, rule {:?}", describe(&call), rule.name));
    if !left_out.is_empty() {
        sentence.push_str(&format!("; without {}", join(&left_out, ": ")));
    }

    Ok(Plan {
        rule: rule.id,
        category: then.category,
        needs_opt_in,
        to: Recipient {
            phone: Some(phone.clone()),
            bsuid: contact.bsuid.clone(),
        },
        legs,
        fallback_after_seconds: then.fallback_after_seconds,
        when_unknown: rule.when_unknown(),
        not_before,
        sentence,
    })
}

/// Who would be messaged, unless nobody may be, whatever the rules say.
fn recipient<'a>(input: &Input<'a>) -> Result<&'a Phone, Nothing> {
    let Input {
        config, call, contact, ..
    } = *input;
    if call.facts.direction == Some(Direction::Outbound) {
        return Err(nothing(Reason::Outbound, None, "the business made this call"));
    }
    let phone = match call.facts.customer() {
        Party::Withheld => return Err(nothing(Reason::Withheld, None, "the caller hid the number")),
        Party::Phone(phone) if call::spells_withheld(phone) => {
            return Err(nothing(Reason::Withheld, None, "the caller hid the number"));
        }
        Party::Sip(_) => {
            return Err(nothing(
                Reason::Sip,
                None,
                "the caller has a SIP address, not a telephone number",
            ));
        }
        Party::Phone(phone) => phone,
    };
    if call.outcome == Outcome::Unknown {
        return Err(nothing(
            Reason::UnknownOutcome,
            None,
            "the telephone system did not say how the call ended",
        ));
    }
    if config.tenant.status == TenantStatus::Suspended {
        return Err(nothing(Reason::Suspended, None, "the account is suspended"));
    }
    if let Some(refused) = &contact.opted_out {
        return Err(nothing(Reason::OptedOut, None, opted_out(refused)));
    }
    Ok(phone)
}

fn is_new(contact: &Contact) -> bool {
    contact.calls == 0 && contact.last_inbound_at.is_none()
}

fn matches(rule: &Rule, input: &Input<'_>) -> bool {
    let when = &rule.when;
    let CallView {
        facts,
        outcome,
        started_at,
        ..
    } = input.call;
    let line = facts.line().and_then(Party::phone);
    let open = || hours::is_open(&input.config.tenant, started_at);
    let ring = facts.rang_seconds();
    let talk = facts.talk_seconds.unwrap_or(0);

    when.outcomes.contains(&outcome)
        && when.direction == Direction::Inbound
        && (when.lines.is_empty() || line.is_some_and(|line| when.lines.contains(line)))
        && match when.hours {
            Hours::Any => true,
            Hours::Open => open(),
            Hours::Closed => !open(),
        }
        && match when.caller {
            Caller::Any => true,
            Caller::New => is_new(input.contact),
            Caller::Known => !is_new(input.contact),
        }
        && within(ring, when.min_ring_seconds, when.max_ring_seconds)
        && within(Some(talk), when.min_talk_seconds, when.max_talk_seconds)
}

fn within(seconds: Option<u32>, least: Option<u32>, most: Option<u32>) -> bool {
    seconds.is_none_or(|seconds| least.is_none_or(|least| seconds >= least) && most.is_none_or(|most| seconds <= most))
}

/// A channel that a rule names and a message cannot use.
struct LeftOut {
    channel: Channel,
    why: String,
    misfit: bool,
}

fn join(left_out: &[LeftOut], between: &str) -> String {
    let parts: Vec<_> = left_out
        .iter()
        .map(|left| format!("{}{between}{}", left.channel.name(), left.why))
        .collect();
    parts.join("; ")
}

fn legs(input: &Input<'_>, rule: &Rule, phone: &Phone) -> (Vec<Leg>, Vec<LeftOut>) {
    let mut legs: Vec<Leg> = Vec::new();
    let mut left_out: Vec<LeftOut> = Vec::new();
    for &channel in &rule.then.channels {
        let seen = legs.iter().any(|leg| leg.channel == channel) || left_out.iter().any(|left| left.channel == channel);
        if seen {
            continue;
        }
        match leg(input, rule, phone, channel) {
            Ok(leg) => legs.push(leg),
            Err((why, misfit)) => left_out.push(LeftOut { channel, why, misfit }),
        }
    }
    (legs, left_out)
}

fn leg(input: &Input<'_>, rule: &Rule, phone: &Phone, channel: Channel) -> Result<Leg, (String, bool)> {
    let Input {
        config,
        call,
        contact,
        now,
        line_type,
    } = *input;
    let fact = |why: String| (why, false);
    let misfit = |why: Misfit| (why.to_string(), true);
    let carries = || {
        let carrying = |connection: &&crate::tenant::ConnectionSummary| connection.carries.contains(&channel);
        config
            .connections
            .iter()
            .filter(carrying)
            .find(|connection| connection.id == call.connection)
            .or_else(|| config.connections.iter().find(carrying))
    };
    let connection = carries().ok_or_else(|| fact("no connection carries it".to_owned()))?;
    if let Some(why) = cannot_reach(contact, Some(phone), channel, rule.then.category, now, line_type) {
        return Err(fact(why));
    }
    let values = Values {
        config,
        contact,
        facts: call.facts,
        outcome: call.outcome,
        started_at: call.started_at,
    };
    let content = match channel {
        Channel::WhatsApp => {
            let wanted = rule
                .then
                .template
                .as_ref()
                .ok_or_else(|| ("the rule names no template".to_owned(), true))?;
            let found = template::find(config, wanted, contact.language.as_deref()).map_err(misfit)?;
            found.sendable(connection.needs_content_sid).map_err(misfit)?;
            if found.category != rule.then.category {
                return Err(misfit(Misfit::Category {
                    name: found.name.clone(),
                    actual: found.category,
                    wanted: rule.then.category,
                }));
            }
            Content::Template(found.fill(wanted, &values).map_err(misfit)?)
        }
        Channel::Sms => {
            let text = sms_text(rule, config, contact).ok_or_else(|| ("the rule has no sms_text".to_owned(), true))?;
            Content::Text(values.sms(text).map_err(misfit)?)
        }
    };
    Ok(Leg {
        channel,
        connection: connection.id,
        content,
    })
}

fn sms_text<'a>(rule: &'a Rule, config: &TenantConfig, contact: &Contact) -> Option<&'a str> {
    match rule.then.sms_text.as_ref()? {
        SmsText::One(text) => Some(text),
        SmsText::ByLanguage(texts) => {
            let wanted = contact.language.iter().chain(&config.tenant.languages);
            wanted
                .map(|language| template::primary(language))
                .find_map(|language| texts.iter().find(|(known, _)| template::primary(known) == language))
                .or_else(|| texts.first_key_value())
                .map(|(_, text)| text.as_str())
        }
    }
}

/// What is learnt about a channel is tried again after this long: people change telephones.
pub const UNREACHABLE_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Why a channel does not reach this person, as far as anybody knows.
fn cannot_reach(
    contact: &Contact,
    phone: Option<&Phone>,
    channel: Channel,
    category: Category,
    now: Timestamp,
    line_type: LineTypes<'_>,
) -> Option<String> {
    let known = contact
        .unreachable
        .iter()
        .filter(|known| known.channel == channel && now < known.at + UNREACHABLE_FOR)
        // Who has written by WhatsApp since can be reached there.
        .filter(|known| channel != Channel::WhatsApp || contact.last_whatsapp_at.is_none_or(|at| at <= known.at))
        .max_by_key(|known| known.at);
    if let Some(known) = known {
        return Some(format!(
            "did not reach this person {}: {}",
            ago(known.at, now),
            known.reason
        ));
    }
    match channel {
        Channel::WhatsApp => (category == Category::Marketing && phone.is_some_and(line::in_the_united_states))
            .then(|| "it delivers no marketing to the United States".to_owned()),
        Channel::Sms => match phone {
            None => Some("no telephone number is known".to_owned()),
            Some(phone) => (line_type(phone) == LineType::FixedLine).then(|| "the number is a landline".to_owned()),
        },
    }
}

fn refusal(contact: &Contact, category: Category) -> Option<String> {
    if let Some(refused) = &contact.opted_out {
        return Some(opted_out(refused));
    }
    if category == Category::Marketing
        && let Some(refused) = &contact.marketing_opted_out
    {
        return Some(format!(
            "no marketing wanted since {} ({})",
            day(refused.at),
            refused.source
        ));
    }
    None
}

fn opted_out(refused: &crate::contact::OptOut) -> String {
    format!("opted out on {} ({})", day(refused.at), refused.source)
}

/// The quiet hours that count. A one-time code answers somebody who is awake.
fn quiet_hours(config: &TenantConfig, rule: Option<&Rule>, category: Category) -> Option<QuietHours> {
    if category == Category::Authentication {
        return None;
    }
    rule.and_then(|rule| rule.then.quiet_hours)
        .or(config.tenant.quiet_hours)
}

/// What the check before a send is made from.
#[derive(Clone, Copy)]
pub struct CheckInput<'a> {
    /// The tenant with its rules.
    pub config: &'a TenantConfig,
    /// The message.
    pub message: &'a Message,
    /// The leg about to be sent.
    pub leg: u8,
    /// To whom.
    pub contact: &'a Contact,
    /// The leg's connection.
    pub connection: &'a Connection,
    /// Now.
    pub now: Timestamp,
    /// For how long an unhealthy connection is left alone.
    pub timers: &'a Timers,
    /// How line types are found out.
    pub line_type: LineTypes<'a>,
}

/// Whether a leg may be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It may.
    Go,
    /// It may, as the one message that finds out whether an unhealthy connection works again: first write the connection with
    /// `tried_at` = now under its condition; if somebody else did, this is `Later`.
    Probe,
    /// Not now.
    Later {
        /// Not before.
        until: Timestamp,
        /// Why, for people.
        why: String,
    },
    /// Not on this channel.
    SkipLeg {
        /// Why, for people.
        why: String,
    },
    /// Not ever, on no channel.
    Never {
        /// Why, for people.
        why: String,
    },
}

/// A message that could not be sent for this long (planned delay and quiet hours included) answers nothing any more.
pub const STALE_AFTER: SignedDuration = SignedDuration::from_hours(72);

/// Checks what may have changed since the message was planned: the last thing before the claim.
#[must_use]
pub fn check(input: &CheckInput<'_>) -> Check {
    let CheckInput {
        config,
        message,
        contact,
        connection,
        now,
        timers,
        ..
    } = *input;
    let never = |why: String| Check::Never { why };

    if config.tenant.status == TenantStatus::Suspended {
        return never("the account is suspended".to_owned());
    }
    if let Some(why) = refusal(contact, message.category) {
        return never(why);
    }
    if message.needs_opt_in && contact.opted_in_at.is_none() {
        return never("it needs an opt-in, and this person gave none".to_owned());
    }
    if now >= message.created_at + STALE_AFTER {
        return never(format!("too late: planned {}", ago(message.created_at, now)));
    }

    let Some(leg) = message.plan.get(usize::from(input.leg)) else {
        return never("it has no such channel".to_owned());
    };
    if let Err(why) = leg_fits(input, leg) {
        return Check::SkipLeg { why };
    }

    let rule = config.rules.iter().find(|rule| rule.id == message.rule);
    let zone = hours::recipient_zone(&config.tenant, message.to.phone.as_ref());
    if let Some(quiet) = quiet_hours(config, rule, message.category)
        && hours::is_quiet(now, zone.rules(), &quiet)
    {
        let during = format!("quiet hours {} ({zone})", span(&quiet));
        match quiet.action {
            QuietAction::Send => {}
            QuietAction::Skip => return never(format!("{during}, which the rule skips")),
            QuietAction::Defer => {
                return Check::Later {
                    until: hours::next_allowed(now, zone.rules(), &quiet),
                    why: format!("waits for the end of {during}"),
                };
            }
        }
    }

    if let Some(until) = connection.paused_until.filter(|until| now < *until) {
        let why = "the number is paused: it was too fast or is restricted".to_owned();
        let patience = SignedDuration::from_secs(message.fallback_after_seconds.into());
        let another = message.plan.len() > usize::from(input.leg) + 1;
        // The next channel would be tried after the same time if this one had taken the message and not delivered it.
        if another && !patience.is_zero() && until.duration_since(now) > patience {
            return Check::SkipLeg { why };
        }
        return Check::Later { until, why };
    }
    match &connection.health {
        Health::Healthy => Check::Go,
        Health::Unhealthy { tried_at, reason, .. } => {
            let until = *tried_at + timers.recheck;
            if now < until {
                Check::Later {
                    until,
                    why: format!("the connection {:?} does not work: {reason}", connection.name),
                }
            } else {
                Check::Probe
            }
        }
    }
}

fn leg_fits(input: &CheckInput<'_>, leg: &Leg) -> Result<(), String> {
    let CheckInput {
        config,
        message,
        contact,
        connection,
        now,
        line_type,
        ..
    } = *input;
    if connection.id != leg.connection || !connection.carries(leg.channel) {
        return Err(format!("the connection {:?} does not carry it", connection.name));
    }
    let phone = message.to.phone.as_ref();
    if let Some(why) = cannot_reach(contact, phone, leg.channel, message.category, now, line_type) {
        return Err(why);
    }
    if phone.is_none() && message.to.bsuid.is_none() {
        return Err("nobody to send it to".to_owned());
    }
    match (leg.channel, &leg.content) {
        (Channel::WhatsApp, Content::Template(filled)) => {
            let misfit = |misfit: Misfit| misfit.to_string();
            let definition = config
                .templates
                .iter()
                .find(|known| known.name == filled.name && known.language == filled.language)
                .ok_or_else(|| Misfit::NoTemplate {
                    name: filled.name.clone(),
                    language: filled.language.clone(),
                })
                .map_err(misfit)?;
            let summary = crate::tenant::ConnectionSummary::from(connection);
            definition.sendable(summary.needs_content_sid).map_err(misfit)?;
            // Meta moves templates between categories: what was planned as utility may be marketing by now.
            if definition.category != message.category {
                return Err(misfit(Misfit::Category {
                    name: definition.name.clone(),
                    actual: definition.category,
                    wanted: message.category,
                }));
            }
            definition.check(filled).map_err(misfit)
        }
        (Channel::WhatsApp, Content::Text(_)) => {
            if contact.window_open(now) {
                Ok(())
            } else {
                Err("the person has not written by WhatsApp in the last 24 hours".to_owned())
            }
        }
        (Channel::Sms, Content::Text(text)) => {
            if text.trim().is_empty() {
                Err("the text is empty".to_owned())
            } else if text.chars().count() > LONGEST_SMS {
                Err(format!("the text is longer than {LONGEST_SMS} characters"))
            } else {
                Ok(())
            }
        }
        (Channel::Sms, Content::Template(_)) => Err("SMS carries no templates".to_owned()),
    }
}

fn describe(call: &CallView<'_>) -> String {
    let what = match call.outcome {
        Outcome::Answered => "answered call",
        Outcome::Missed => "missed call",
        Outcome::Busy => "call while busy",
        Outcome::Abandoned => "abandoned call",
        Outcome::Voicemail => "voicemail",
        Outcome::AfterHours => "call after hours",
        Outcome::Failed => "failed call",
        Outcome::Unknown => "call",
    };
    match call.facts.line().and_then(Party::phone) {
        Some(line) => format!("{what} to {line}"),
        None => what.to_owned(),
    }
}

/// Such as "2 h ago".
#[must_use]
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let since = now.duration_since(then);
    if since < SignedDuration::from_secs(1) {
        "just now".to_owned()
    } else {
        format!("{} ago", length(since))
    }
}

/// Such as "24 h", "2 min", "90 s": the largest unit that tells enough.
#[must_use]
pub fn length(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let rounded = |unit: i64| (seconds + unit / 2) / unit;
    match seconds {
        ..60 => format!("{seconds} s"),
        60..120 if seconds % 60 != 0 => format!("{seconds} s"),
        60..7_200 if seconds % 3600 != 0 => format!("{} min", rounded(60)),
        60..172_800 => format!("{} h", rounded(3600)),
        _ => format!("{} days", rounded(86_400)),
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%-d %B %Y").to_string()
}

fn local(at: Timestamp, zone: &TimeZone) -> String {
    let name = zone.iana_name().unwrap_or("UTC").to_owned();
    format!("{} ({name})", at.to_zoned(zone.clone()).strftime("%H:%M"))
}

fn span(quiet: &QuietHours) -> String {
    format!("{}–{}", quiet.from.strftime("%H:%M"), quiet.to.strftime("%H:%M"))
}
