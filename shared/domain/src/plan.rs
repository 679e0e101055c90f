//! Decisions: which message follows a call, and whether a planned message may go out now. Each comes with its reasons in one
//! sentence, because that sentence is what a business reads on the call.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::{
    call::{CallFacts, Direction, Outcome, Party},
    connection::{Connection, Health},
    contact::{Contact, Identity},
    hours,
    ids::{CallId, ConnectionId, ContactId, MessageId, RuleId},
    line::{self, LineType, LineTypes},
    message::{Category, Cause, Channel, Content, Leg, Message, Recipient, WhenUnknown, most_spread},
    phone::Phone,
    rule::{Caller, Consent, Hours, LONGEST_FALLBACK_SECONDS, Rule, SmsText},
    send::Timers,
    template::{self, LONGEST_SMS, Misfit, Values},
    tenant::{ConnectionSummary, QuietAction, QuietHours, TenantConfig},
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
    /// When the message is deleted.
    pub keep_until: Timestamp,
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
    /// It was heard of too long after the call.
    Late,
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
            Self::Late => "late",
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
            waiting: None,
            ended: None,
            remarks: Vec::new(),
            created_at: now,
            keep_until: Some(self.keep_until),
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
    let fallback_after_seconds = then.fallback_after_seconds.min(LONGEST_FALLBACK_SECONDS);
    for leg in &legs[1..] {
        let name = leg.channel.name();
        if fallback_after_seconds == 0 {
            sentence.push_str(&format!(", {name} if that fails"));
        } else {
            let wait = SignedDuration::from_secs(fallback_after_seconds.into());
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
        fallback_after_seconds,
        when_unknown: rule.when_unknown(),
        not_before,
        keep_until: config.tenant.retention.unwrap_or_default().message_until(now, now),
        sentence,
    })
}

/// Who would be messaged, unless nobody may be, whatever the rules say.
fn recipient<'a>(input: &Input<'a>) -> Result<&'a Phone, Nothing> {
    let Input {
        config,
        call,
        contact,
        now,
        ..
    } = *input;
    if call.facts.direction == Some(Direction::Outbound) {
        return Err(nothing(Reason::Outbound, None, "the business made this call"));
    }
    let phone = match call.facts.customer() {
        Party::Withheld => return Err(nothing(Reason::Withheld, None, "the caller hid the number")),
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
    // Out of a backlog, or repeated by somebody. A time in the future is of a clock that is wrong, and counts as now.
    let last_heard = call
        .facts
        .ended_at
        .max(call.facts.started_at)
        .unwrap_or(call.started_at);
    if now.duration_since(last_heard) >= STALE_AFTER {
        let sentence = format!("too late: the call was {}", ago(last_heard, now));
        return Err(nothing(Reason::Late, None, sentence));
    }
    if !config.tenant.status.is_active() {
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
    let reported_by = carriers(config, channel).find(|connection| connection.id == call.connection);
    let connection = reported_by
        .or_else(|| carriers(config, channel).next())
        .ok_or_else(|| fact("no connection carries it".to_owned()))?;
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
    let content = content(&values, rule, channel, connection).map_err(|why| (why, true))?;
    Ok(Leg {
        channel,
        connection: connection.id,
        content,
    })
}

/// The connections that may send by this channel. A call's own is preferred, so that besides the first only those count that
/// report calls.
pub fn carriers(config: &TenantConfig, channel: Channel) -> impl Iterator<Item = &ConnectionSummary> {
    let carrying = config
        .connections
        .iter()
        .filter(move |connection| connection.carries.contains(&channel));
    carrying
        .enumerate()
        .filter(|(place, connection)| *place == 0 || connection.reports_calls())
        .map(|(_, connection)| connection)
}

/// What a message says by this channel, if it can be said; else why not.
fn content(
    values: &Values<'_>,
    rule: &Rule,
    channel: Channel,
    connection: &ConnectionSummary,
) -> Result<Content, String> {
    let Values { config, contact, .. } = *values;
    let misfit = |why: Misfit| why.to_string();
    match channel {
        Channel::WhatsApp => {
            let wanted = rule
                .then
                .template
                .as_ref()
                .ok_or_else(|| "the rule names no template".to_owned())?;
            let found = template::find(config, wanted, contact.language.as_deref()).map_err(misfit)?;
            found.sendable(connection.needs_content_sid).map_err(misfit)?;
            if found.category != rule.then.category {
                return Err(misfit(Misfit::Category {
                    name: found.name.clone(),
                    actual: found.category,
                    wanted: rule.then.category,
                }));
            }
            Ok(Content::Template(found.fill(wanted, values).map_err(misfit)?))
        }
        Channel::Sms => {
            let text = sms_text(rule, config, contact).ok_or_else(|| "the rule has no sms_text".to_owned())?;
            Ok(Content::Text(values.sms(text).map_err(misfit)?))
        }
    }
}

/// What keeps a rule from writing by this channel to somebody of whom only the number is known, whichever connection reports
/// the call and whatever language they speak: the reasons that such calls would get. Empty: nothing. That some connection
/// carries the channel is another question.
#[must_use]
pub fn obstacles(config: &TenantConfig, rule: &Rule, channel: Channel) -> Vec<String> {
    let caller = Phone::nobodys();
    let at = Timestamp::UNIX_EPOCH;
    let id = ContactId::new(Ulid::nil());
    let mut contact = Contact::first_seen(id, &Identity::Phone(caller.clone()), at);
    let facts = CallFacts {
        direction: Some(Direction::Inbound),
        from: Some(Party::Phone(caller.clone())),
        to: Some(Party::Phone(caller)),
        ..CallFacts::default()
    };
    let mut languages = vec![None];
    if let (Channel::WhatsApp, Some(wanted)) = (channel, &rule.then.template) {
        let named = config.templates.iter().filter(|template| template.name == wanted.name);
        languages.extend(named.map(|template| Some(template.language.clone())));
    }
    if let (Channel::Sms, Some(SmsText::ByLanguage(texts))) = (channel, &rule.then.sms_text) {
        languages.extend(texts.keys().cloned().map(Some));
    }
    let mut found = Vec::new();
    for language in languages {
        contact.language = language;
        let values = Values {
            config,
            contact: &contact,
            facts: &facts,
            outcome: Outcome::Missed,
            started_at: at,
        };
        for connection in carriers(config, channel) {
            if let Err(why) = content(&values, rule, channel, connection)
                && !found.contains(&why)
            {
                found.push(why);
            }
        }
    }
    found
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
    /// Not now, for the connection's sake; no other channel is sooner.
    Wait {
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

/// A call of so long ago is not answered any more, nor is a message sent that could not be for this long (planned delay and quiet
/// hours included).
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

    if !config.tenant.status.is_active() {
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

    let wait = |until: Timestamp, why: String| {
        let woken = until + most_spread(until.duration_since(now));
        if message.outwaits(input.leg, woken, now) {
            Check::SkipLeg { why }
        } else {
            Check::Wait { until, why }
        }
    };
    if let Some(until) = connection.paused_until.filter(|until| now < *until) {
        return wait(
            until,
            "the number is paused: it was too fast or is restricted".to_owned(),
        );
    }
    let Health::Unhealthy { tried_at, reason, .. } = &connection.health else {
        return Check::Go;
    };
    let why = format!("the connection {:?} does not work: {reason}", connection.name);
    match *tried_at + timers.recheck {
        until if now < until => wait(until, why),
        _ if message.outwaits(input.leg, now, now) => Check::SkipLeg { why },
        _ => Check::Probe,
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
            let summary = ConnectionSummary::from(connection);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::TenantStatus;
    use crate::{
        contact::{OptOut, Unreachable},
        message::Waiting,
        samples::{config, contact, message_of, timers},
    };

    /// A Friday noon in Dubai.
    const NOON: &str = "2026-11-20T12:00:00+04";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A missed call, decided by the sample configuration; each test changes what it is about.
    struct Case {
        config: TenantConfig,
        contact: Contact,
        facts: CallFacts,
        outcome: Outcome,
        now: Timestamp,
        line: LineType,
    }

    impl Case {
        fn new() -> Self {
            Self {
                config: config(),
                contact: contact(),
                facts: CallFacts {
                    direction: Some(Direction::Inbound),
                    from: Some(Party::Phone("+971501234567".parse().unwrap())),
                    to: Some(Party::Phone("+97143330000".parse().unwrap())),
                    ..CallFacts::default()
                },
                outcome: Outcome::Missed,
                now: at(NOON),
                line: LineType::Other,
            }
        }

        fn decide(&self) -> Decision {
            let line = self.line;
            decide(&Input {
                config: &self.config,
                call: CallView {
                    id: CallId::new(self.contact.id, Ulid::from_parts(1, 1)),
                    connection: "conn_00000000000000000000000001".parse().unwrap(),
                    facts: &self.facts,
                    outcome: self.outcome,
                    started_at: self.now,
                },
                contact: &self.contact,
                now: self.now,
                line_type: &move |_: &Phone| line,
            })
        }

        fn plan(&self) -> Plan {
            match self.decide() {
                Decision::Follow(plan) => plan,
                Decision::Nothing(nothing) => panic!("{}", nothing.sentence),
            }
        }

        fn nothing(&self) -> (Reason, String) {
            match self.decide() {
                Decision::Follow(plan) => panic!("{}", plan.sentence),
                Decision::Nothing(nothing) => (nothing.reason, nothing.sentence),
            }
        }

        fn channels(&self) -> Vec<Channel> {
            self.plan().legs.iter().map(|leg| leg.channel).collect()
        }
    }

    fn case(change: impl FnOnce(&mut Case)) -> Case {
        let mut case = Case::new();
        change(&mut case);
        case
    }

    #[test]
    fn a_message_is_kept_as_long_as_the_tenant_says_when_it_is_planned() {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        assert_eq!(Case::new().plan().keep_until, at(NOON) + days(730));
        let plan = case(|case| {
            case.config.tenant.retention = Some(crate::settings::Retention {
                calls_days: 30,
                messages_days: 90,
            });
        })
        .plan();
        let message = message_of(plan, at(NOON));
        assert_eq!(message.keep_until, Some(message.created_at + days(90)));
    }

    #[test]
    fn a_missed_call_is_followed_by_whatsapp_then_sms() {
        let plan = Case::new().plan();
        assert_eq!(
            plan.sentence,
            "WhatsApp at once, SMS if not delivered within 2 min: missed call to +97143330000, rule \"Missed calls\""
        );
        assert_eq!(
            plan.legs[1].content,
            Content::Text("Sorry we missed you, there. Marina Dental, +97143330000. Reply STOP to opt out.".to_owned())
        );
        assert_eq!(plan.not_before, at(NOON));
        assert_eq!(plan.when_unknown, WhenUnknown::NextChannel);
    }

    #[test]
    fn whoever_must_not_be_messaged_is_not() {
        let opt_out = || OptOut {
            at: at("2026-03-03T10:00:00Z"),
            source: "wrote STOP by SMS".to_owned(),
        };
        let cases: [(Case, Reason, &str); 10] = [
            (
                case(|case| case.facts.direction = Some(Direction::Outbound)),
                Reason::Outbound,
                "no message: the business made this call",
            ),
            (
                case(|case| case.facts.from = Some(Party::Withheld)),
                Reason::Withheld,
                "no message: the caller hid the number",
            ),
            (
                case(|case| case.facts.from = Some(Party::Sip("sip:a@b".to_owned()))),
                Reason::Sip,
                "no message: the caller has a SIP address, not a telephone number",
            ),
            (
                case(|case| case.outcome = Outcome::Unknown),
                Reason::UnknownOutcome,
                "no message: the telephone system did not say how the call ended",
            ),
            (
                case(|case| case.config.tenant.status = TenantStatus::Suspended),
                Reason::Suspended,
                "no message: the account is suspended",
            ),
            (
                case(|case| case.contact.opted_out = Some(opt_out())),
                Reason::OptedOut,
                "no message: opted out on 3 March 2026 (wrote STOP by SMS)",
            ),
            (
                case(|case| {
                    case.contact.marketing_opted_out = Some(opt_out());
                    case.config.rules[0].then.category = Category::Marketing;
                }),
                Reason::OptedOut,
                "no message: no marketing wanted since 3 March 2026 (wrote STOP by SMS)",
            ),
            (
                case(|case| case.config.rules[0].then.consent = Consent::OptInOnly),
                Reason::NoConsent,
                "no message: rule \"Missed calls\" needs an opt-in, and this person gave none",
            ),
            (
                case(|case| case.contact.last_follow_up_at = Some(at("2026-11-20T10:00:00+04"))),
                Reason::Cooldown,
                "no message: texted 2 h ago, cooldown 24 h",
            ),
            (
                case(|case| case.outcome = Outcome::Answered),
                Reason::NoRule,
                "no message: no rule is for this: answered call to +97143330000, new caller, business closed",
            ),
        ];
        for (case, reason, sentence) in cases {
            assert_eq!(case.nothing(), (reason, sentence.to_owned()));
        }
    }

    #[test]
    fn a_call_of_long_ago_is_not_followed_however_late_it_is_reported() {
        let long_ago = SignedDuration::from_hours(72);
        let second = SignedDuration::from_secs(1);
        let noon = at(NOON);
        let ended = |begun: Option<Timestamp>, ended: Option<Timestamp>| {
            case(|case| (case.facts.started_at, case.facts.ended_at) = (begun, ended))
        };
        let late = (Reason::Late, "no message: too late: the call was 3 days ago".to_owned());
        for (begun, end) in [
            (None, Some(noon - long_ago)),
            (Some(noon - long_ago), None),
            (Some(noon - long_ago - second), Some(noon - long_ago)),
        ] {
            assert_eq!(ended(begun, end).nothing(), late, "{begun:?} {end:?}");
        }
        for (begun, end) in [
            (None, None),
            (None, Some(noon - long_ago + second)),
            (Some(noon - long_ago + second), None),
            // A long call has ended just now; so has one whose beginning or end the provider takes from a wrong clock.
            (Some(noon - long_ago - second), Some(noon)),
            (Some(noon), Some(noon - long_ago)),
            (Some(noon + long_ago), Some(noon + long_ago)),
            (Some(Timestamp::MAX), None),
        ] {
            assert_eq!(ended(begun, end).decide(), Case::new().decide(), "{begun:?} {end:?}");
        }
    }

    #[test]
    fn quiet_hours_defer_skip_or_do_not_count() {
        // 22:40 in Dubai.
        let mut case = case(|case| case.now = at("2026-11-20T22:40:00+04"));
        let plan = case.plan();
        assert_eq!(plan.not_before, at("2026-11-21T08:00:00+04"));
        assert!(
            plan.sentence
                .starts_with("WhatsApp after quiet hours, at 08:00 (Asia/Dubai), SMS if not delivered"),
            "{}",
            plan.sentence
        );
        case.config.tenant.quiet_hours.as_mut().unwrap().action = QuietAction::Skip;
        assert_eq!(
            case.nothing(),
            (
                Reason::QuietHours,
                "no message: 22:40 (Asia/Dubai) lies in the quiet hours 21:00–08:00 and the rule skips those"
                    .to_owned()
            )
        );
        // The rule's own hours count instead of the tenant's.
        let mut own = case.config.tenant.quiet_hours.unwrap();
        own.action = QuietAction::Send;
        case.config.rules[0].then.quiet_hours = Some(own);
        assert_eq!(case.plan().not_before, case.now);
        // In London it is 18:40.
        case.config.rules[0].then.quiet_hours = None;
        case.facts.from = Some(Party::Phone("+447700900123".parse().unwrap()));
        assert_eq!(case.plan().not_before, case.now);
    }

    #[test]
    fn a_delay_that_ends_in_quiet_hours_waits_for_their_end() {
        let case = case(|case| {
            case.now = at("2026-11-20T20:50:00+04");
            case.config.rules[0].then.delay_seconds = 900;
        });
        assert_eq!(case.plan().not_before, at("2026-11-21T08:00:00+04"));
    }

    #[test]
    fn channels_that_do_not_reach_are_left_out() {
        let landline = case(|case| case.line = LineType::FixedLine);
        assert_eq!(landline.channels(), [Channel::WhatsApp]);
        assert_eq!(
            landline.plan().sentence,
            "WhatsApp at once: missed call to +97143330000, rule \"Missed calls\"; without SMS: the number is a landline"
        );

        let mut unreachable = case(|case| {
            case.contact.unreachable.push(Unreachable {
                channel: Channel::WhatsApp,
                at: at("2026-11-15T12:00:00+04"),
                reason: "not a WhatsApp number".to_owned(),
            });
        });
        assert_eq!(unreachable.channels(), [Channel::Sms]);
        unreachable.line = LineType::FixedLine;
        assert_eq!(
            unreachable.nothing(),
            (
                Reason::NoChannel,
                "no message: rule \"Missed calls\" matched, but WhatsApp: did not reach this person 5 days ago: not a \
                 WhatsApp number; SMS: the number is a landline"
                    .to_owned()
            )
        );
        // Tried again after a month, or once the person has written.
        unreachable.contact.last_whatsapp_at = Some(at("2026-11-16T12:00:00+04"));
        assert_eq!(unreachable.channels(), [Channel::WhatsApp]);
        unreachable.contact.last_whatsapp_at = None;
        unreachable.now = at("2026-12-16T12:00:00+04");
        assert_eq!(unreachable.channels(), [Channel::WhatsApp]);

        let nobody_carries = case(|case| case.config.connections.clear());
        assert_eq!(nobody_carries.nothing().0, Reason::NoChannel);
    }

    #[test]
    fn a_template_that_does_not_fit_leaves_its_channel_out() {
        let paused = case(|case| case.config.templates[0].status.0 = "PAUSED".to_owned());
        assert_eq!(paused.channels(), [Channel::Sms]);
        assert!(
            paused
                .plan()
                .sentence
                .ends_with("; without WhatsApp: template missed_call_followup in en_GB is PAUSED, not APPROVED")
        );
        let mut only_whatsapp = paused;
        only_whatsapp.config.rules[0].then.channels = vec![Channel::WhatsApp];
        assert_eq!(only_whatsapp.nothing().0, Reason::Template);

        only_whatsapp.config.templates[0].status.0 = "APPROVED".to_owned();
        only_whatsapp.config.templates[0].body.push_str(" {{3}}");
        assert_eq!(
            only_whatsapp.nothing(),
            (
                Reason::Template,
                "no message: rule \"Missed calls\" matched, but WhatsApp: template missed_call_followup needs a value \
                 for {{3}}"
                    .to_owned()
            )
        );
        only_whatsapp.config.templates.clear();
        assert_eq!(only_whatsapp.nothing().0, Reason::Template);

        // Twilio knows templates by its own id only.
        let through_twilio = case(|case| {
            case.config.connections[0].carries.push(Channel::WhatsApp);
        });
        assert!(through_twilio.plan().sentence.contains("has no content_sid"));
    }

    #[test]
    fn marketing_reaches_nobody_in_the_united_states_by_whatsapp() {
        let mut case = case(|case| {
            case.facts.from = Some(Party::Phone("+12125550100".parse().unwrap()));
            case.config.rules[0].then.category = Category::Marketing;
            case.config.templates[0].category = Category::Marketing;
            // 12:00 in Dubai is the middle of the night in America.
            case.config.tenant.quiet_hours = None;
        });
        assert_eq!(case.channels(), [Channel::Sms]);
        case.facts.from = Some(Party::Phone("+14165550100".parse().unwrap()));
        assert_eq!(case.channels(), [Channel::WhatsApp, Channel::Sms]);
        assert_eq!(case.plan().when_unknown, WhenUnknown::Stop);
    }

    #[test]
    fn the_contacts_language_picks_the_template() {
        let arabic = case(|case| case.contact.language = Some("ar-AE".to_owned()));
        let Content::Template(filled) = &arabic.plan().legs[0].content else {
            panic!("WhatsApp carries templates")
        };
        assert_eq!(filled.language, "ar");
        let mut texts = std::collections::BTreeMap::new();
        texts.insert("ar".to_owned(), "نعتذر".to_owned());
        texts.insert("en-GB".to_owned(), "Sorry".to_owned());
        let mut arabic = arabic;
        arabic.config.rules[0].then.sms_text = Some(SmsText::ByLanguage(texts));
        assert_eq!(arabic.plan().legs[1].content, Content::Text("نعتذر".to_owned()));
        arabic.contact.language = Some("fr".to_owned());
        assert_eq!(arabic.plan().legs[1].content, Content::Text("Sorry".to_owned()));
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let mut case = Case::new();
        let mut other = case.config.rules[0].clone();
        other.id = "rule_00000000000000000000000002".parse().unwrap();
        other.name = "New callers".to_owned();
        other.priority = 5;
        other.when.caller = Caller::New;
        case.config.rules.push(other);
        assert!(case.plan().sentence.contains("\"New callers\""));
        case.contact.calls = 1;
        assert!(case.plan().sentence.contains("\"Missed calls\""));
        case.contact.calls = 0;
        case.config.rules[1].enabled = false;
        assert!(case.plan().sentence.contains("\"Missed calls\""));
    }

    #[test]
    fn conditions_of_a_rule_hold_together() {
        let matched = |change: &dyn Fn(&mut Case)| {
            let mut case = Case::new();
            change(&mut case);
            matches!(case.decide(), Decision::Follow(_))
        };
        // Marina Dental is closed on Friday noon.
        assert!(matched(&|case| case.config.rules[0].when.hours = Hours::Closed));
        assert!(!matched(&|case| case.config.rules[0].when.hours = Hours::Open));
        let lines = |line: &str| vec![line.parse::<Phone>().unwrap()];
        assert!(matched(&|case| case.config.rules[0].when.lines = lines("+97143330000")));
        assert!(!matched(&|case| case.config.rules[0].when.lines = lines("+97143330001")));
        // Nobody knows how long it rang: the caller is not made to suffer for that.
        assert!(matched(&|case| case.config.rules[0].when.min_ring_seconds = Some(5)));
        assert!(!matched(&|case| {
            case.config.rules[0].when.min_ring_seconds = Some(5);
            case.facts.ring_seconds = Some(4);
        }));
        assert!(!matched(&|case| {
            case.config.rules[0].when.min_talk_seconds = Some(1);
        }));
        assert!(matched(&|case| {
            case.config.rules[0].when.outcomes = vec![Outcome::Answered];
            case.config.rules[0].when.min_talk_seconds = Some(30);
            case.outcome = Outcome::Answered;
            case.facts.talk_seconds = Some(31);
        }));
        assert!(!matched(
            &|case| case.config.rules[0].when.direction = Direction::Outbound
        ));
    }

    /// A planned message about to be sent; each test changes what it is about.
    struct Sending {
        config: TenantConfig,
        contact: Contact,
        message: Message,
        connections: Vec<Connection>,
        leg: u8,
        now: Timestamp,
        line: LineType,
    }

    impl Sending {
        fn new() -> Self {
            let case = Case::new();
            Self {
                message: message_of(case.plan(), case.now),
                connections: crate::samples::connections(),
                config: case.config,
                contact: case.contact,
                leg: 0,
                now: case.now,
                line: LineType::Other,
            }
        }

        fn check(&self) -> Check {
            let line = self.line;
            let wanted = self.message.plan[usize::from(self.leg)].connection;
            check(&CheckInput {
                config: &self.config,
                message: &self.message,
                leg: self.leg,
                contact: &self.contact,
                connection: self.connections.iter().find(|known| known.id == wanted).unwrap(),
                now: self.now,
                timers: &timers(),
                line_type: &move |_: &Phone| line,
            })
        }
    }

    fn sending(change: impl FnOnce(&mut Sending)) -> Check {
        let mut sending = Sending::new();
        change(&mut sending);
        sending.check()
    }

    #[test]
    fn what_changed_since_the_plan_is_found_before_the_send() {
        assert_eq!(sending(|_| ()), Check::Go);
        assert_eq!(sending(|sending| sending.leg = 1), Check::Go);
        let never = |why: &str| Check::Never { why: why.to_owned() };
        assert_eq!(
            sending(|sending| sending.config.tenant.status = TenantStatus::Suspended),
            never("the account is suspended")
        );
        assert_eq!(
            sending(|sending| {
                sending.contact.opted_out = Some(OptOut {
                    at: at("2026-11-20T11:59:00+04"),
                    source: "wrote STOP".to_owned(),
                });
            }),
            never("opted out on 20 November 2026 (wrote STOP)")
        );
        assert_eq!(
            sending(|sending| sending.message.needs_opt_in = true),
            never("it needs an opt-in, and this person gave none")
        );
        assert_eq!(
            sending(|sending| sending.now = at("2026-11-24T12:00:00+04")),
            never("too late: planned 4 days ago")
        );

        let skip = |why: &str| Check::SkipLeg { why: why.to_owned() };
        assert_eq!(
            sending(|sending| {
                sending.leg = 1;
                sending.line = LineType::FixedLine;
            }),
            skip("the number is a landline")
        );
        assert_eq!(
            sending(|sending| sending.config.templates[0].status.0 = "DISABLED".to_owned()),
            skip("template missed_call_followup in en_GB is DISABLED, not APPROVED")
        );
        assert_eq!(
            sending(|sending| sending.config.templates[0].category = Category::Marketing),
            skip("template missed_call_followup is marketing, the rule says utility")
        );
        assert_eq!(
            sending(|sending| sending.message.plan[0].content = Content::Text("Hello".to_owned())),
            skip("the person has not written by WhatsApp in the last 24 hours")
        );
        assert_eq!(
            sending(|sending| {
                sending.message.plan[0].content = Content::Text("Hello".to_owned());
                sending.contact.last_whatsapp_at = Some(at("2026-11-19T12:00:01+04"));
            }),
            Check::Go
        );
    }

    #[test]
    fn a_number_or_connection_that_cannot_send_now_is_waited_for() {
        let paused = |seconds: i64| {
            move |sending: &mut Sending| {
                let until = sending.now + SignedDuration::from_secs(seconds);
                for connection in &mut sending.connections {
                    connection.paused_until = Some(until);
                }
            }
        };
        assert!(matches!(sending(paused(60)), Check::Wait { .. }));
        assert_eq!(sending(paused(0)), Check::Go);
        // Longer than the fallback's deadline: the next channel is quicker.
        assert!(matches!(sending(paused(600)), Check::SkipLeg { .. }));
        assert!(matches!(
            sending(|sending| {
                paused(600)(sending);
                sending.leg = 1;
            }),
            Check::Wait { .. }
        ));
        // All of the wait counts.
        let paused_again = |waited: i64| {
            sending(|sending| {
                paused(60)(sending);
                let since = sending.now - SignedDuration::from_secs(waited);
                sending.message.waiting = Some(Waiting { leg: 0, since });
            })
        };
        assert!(matches!(paused_again(40), Check::Wait { .. }));
        assert!(matches!(paused_again(70), Check::SkipLeg { .. }));

        let unhealthy = |tried_ago: i64| {
            move |sending: &mut Sending| {
                let tried_at = sending.now - SignedDuration::from_secs(tried_ago);
                for connection in &mut sending.connections {
                    connection.health = Health::Unhealthy {
                        since: tried_at,
                        reason: "the access token is not valid".to_owned(),
                        tried_at,
                    };
                }
            }
        };
        let broken = |name: &str| format!("the connection {name:?} does not work: the access token is not valid");
        assert_eq!(
            sending(unhealthy(100)),
            Check::SkipLeg {
                why: broken("WhatsApp")
            }
        );
        assert_eq!(
            sending(unhealthy(250)),
            Check::Wait {
                until: at(NOON) + SignedDuration::from_secs(50),
                why: broken("WhatsApp")
            }
        );
        assert_eq!(sending(unhealthy(300)), Check::Probe);
        // The last channel waits as long as it takes.
        assert_eq!(
            sending(|sending| {
                unhealthy(100)(sending);
                sending.leg = 1;
            }),
            Check::Wait {
                until: at(NOON) + SignedDuration::from_secs(200),
                why: broken("Twilio")
            }
        );
        // Who has waited for as long as the rule allows does not try it once more.
        let tried_again = |waited: i64| {
            sending(|sending| {
                unhealthy(300)(sending);
                let since = sending.now - SignedDuration::from_secs(waited);
                sending.message.waiting = Some(Waiting { leg: 0, since });
            })
        };
        assert_eq!(tried_again(120), Check::Probe);
        assert!(matches!(tried_again(121), Check::SkipLeg { .. }));
        // A rule without a deadline of its own.
        let without_deadline = |tried_ago: i64, waited: i64| {
            sending(|sending| {
                unhealthy(tried_ago)(sending);
                sending.message.fallback_after_seconds = 0;
                let since = sending.now - SignedDuration::from_secs(waited);
                sending.message.waiting = Some(Waiting { leg: 0, since });
            })
        };
        assert!(matches!(without_deadline(100, 500), Check::Wait { .. }));
        assert!(matches!(without_deadline(100, 800), Check::SkipLeg { .. }));
    }

    #[test]
    fn quiet_hours_count_at_the_send_as_well() {
        let evening = |sending: &mut Sending| sending.now = at("2026-11-20T21:01:00+04");
        assert_eq!(
            sending(evening),
            Check::Later {
                until: at("2026-11-21T08:00:00+04"),
                why: "waits for the end of quiet hours 21:00–08:00 (Asia/Dubai)".to_owned()
            }
        );
        assert!(matches!(
            sending(|sending| {
                evening(sending);
                sending.config.tenant.quiet_hours.as_mut().unwrap().action = QuietAction::Skip;
            }),
            Check::Never { .. }
        ));
        assert_eq!(
            sending(|sending| {
                evening(sending);
                sending.message.category = Category::Authentication;
                sending.config.templates[0].category = Category::Authentication;
            }),
            Check::Go
        );
    }

    #[test]
    fn lengths_are_said_as_people_say_them() {
        for (seconds, said) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (90, "90 s"),
            (120, "2 min"),
            (3600, "1 h"),
            (5400, "90 min"),
            (7200, "2 h"),
            (86_400, "24 h"),
            (172_800, "2 days"),
            (604_800, "7 days"),
        ] {
            assert_eq!(length(SignedDuration::from_secs(seconds)), said);
        }
    }
}
