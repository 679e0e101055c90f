//! Deciding: which message follows a call. Each decision has its reasons in one sentence, which the business reads on the
//! call.

use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;

use crate::calls::{Circumstances, Grounds, Unreached};
use crate::destinations::Applies;
use crate::messages::{
    CallView, Carrier, Cause, Composed, Intent, IntentReview, Material, Needs, Says, Subject, Words, World,
    compose_message, content_obstacles, is_later, is_own_number, line_carrier, recent_failure, review_intent, time_ago,
    usual_carriers,
};
use crate::people::{Contact, Unreachable, check_wishes};
use crate::telephony::{CallFacts, Direction, Outcome, Party};
use crate::tenants::{
    CallSeconds, Caller, ConnectionSummary, Consent, Hours, Line, Rule, TenantConfig, called_line, is_business_open,
    rules_in_order,
};
use crate::terms::{
    CallId, CampaignId, Channel, ContactId, Fact, Facts, LineId, Narrowing, Phone, Purpose, Reason, Recipient, Refusal,
};

/// The decision about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The facts that it is based on.
    pub grounds: Grounds,
    /// The message, or the reason why there is none.
    pub follow_up: Result<Composed, Refusal>,
    /// The drip into which the caller enters, if a message follows.
    pub enroll: Option<CampaignId>,
}

impl Decision {
    /// The reason for people, in one sentence.
    pub fn sentence(&self) -> &str {
        match &self.follow_up {
            Ok(composed) => &composed.sentence,
            Err(refusal) => &refusal.sentence,
        }
    }

    /// The reason for machines.
    pub fn reason(&self) -> Reason {
        match &self.follow_up {
            Ok(_) => Reason::FollowUp,
            Err(refusal) => refusal.reason,
        }
    }

    /// The facts of the sentence.
    pub fn facts(&self) -> &Facts {
        match &self.follow_up {
            Ok(composed) => &composed.facts,
            Err(refusal) => &refusal.facts,
        }
    }
}

/// Everything that was found out about a call: what a dry run shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered<'a> {
    /// The rules in the order of trying them, each with the first condition that the call does not fulfil. The first
    /// one without decides, unless nobody may be messaged after such a call.
    pub rules: Vec<(&'a Rule, Option<Refusal>)>,
    /// Findings about the message of that rule, also if nobody may be messaged. `None`: no rule matches, the caller has
    /// no telephone number, or no message after a call has the rule's category.
    pub review: Option<IntentReview>,
    pub decision: Decision,
}

/// Findings about a call that its decision rests on. The methods get the same world, with material and open messages
/// once they were read.
#[derive(Debug, Clone)]
pub struct Findings<'a> {
    call: CallView<'a>,
    /// Grounds of the call, with the rule that decides, unless nobody may be messaged.
    grounds: Grounds,
    /// Whether anybody may be messaged after such a call, whatever the rules say.
    allowed: Result<(), Refusal>,
    /// The first rule that matches, with its message.
    wanted: Result<(&'a Rule, Intent<'a>), Refusal>,
}

impl<'a> Findings<'a> {
    /// Findings about a call that is decided now. The contact is the caller as known before this call: `calls` does not
    /// include it yet. The same call with the same data gives the same decision.
    pub fn of(call: &CallView<'a>, world: &World<'a>) -> Self {
        Self::on(call, world, grounds(call, world), require_permitted_call(call, world))
    }

    /// Findings about a call with these grounds, whatever rule they name.
    pub(crate) fn on(
        call: &CallView<'a>,
        world: &World<'a>,
        mut grounds: Grounds,
        allowed: Result<(), Refusal>,
    ) -> Self {
        let wanted = first_rule_with_intent(call, world, &grounds);
        let rule = allowed.as_ref().ok().and(wanted.as_ref().ok()).map(|(rule, _)| *rule);
        grounds.rule = rule.map(|rule| rule.id);
        grounds.rule_version = rule.map(|rule| rule.version);
        grounds.cooldown_seconds = rule.map(|rule| rule.then.cooldown_seconds.get());
        Self {
            call: *call,
            grounds,
            allowed,
            wanted,
        }
    }

    /// The data that deciding reads besides the configuration.
    pub fn needs(&self, world: &World<'_>) -> Needs {
        match (&self.allowed, &self.wanted) {
            (Ok(()), Ok((_, intent))) => Needs::of(intent, world),
            _ => Needs::default(),
        }
    }

    /// Data that [`Findings::consider`] needs, which also shows a message that is refused.
    pub fn needs_to_consider(&self, world: &World<'_>) -> Needs {
        let wanted = self.wanted.as_ref().ok();
        wanted
            .map(|(_, intent)| Needs::of_any_intent(intent, world))
            .unwrap_or_default()
    }

    /// Everything that is found out on the way to the decision. Nothing but [`Findings::needs_to_consider`] must be read for it.
    pub fn consider(self, world: &World<'a>) -> Considered<'a> {
        let wanted = self.wanted.as_ref().ok();
        Considered {
            rules: rules_with_unmet_condition(world.config, &self.call, &self.grounds).collect(),
            review: wanted.and_then(|(_, intent)| review_intent(intent, world).ok()),
            decision: self.decide(world),
        }
    }

    /// The decision about what follows the call.
    pub fn decide(self, world: &World<'_>) -> Decision {
        let wanted = self.allowed.and(self.wanted);
        let rule = wanted.as_ref().ok().map(|(rule, _)| *rule);
        let mut follow_up = wanted.and_then(|(_, intent)| compose_message(&intent, world));
        let enroll = rule.and_then(|rule| rule.enroll).filter(|_| follow_up.is_ok());
        let rule = rule.map(|rule| rule.name.as_str());
        match &mut follow_up {
            Ok(composed) => {
                let facts = facts_of_call(&self.call).and_if("rule", rule);
                composed.facts = facts.with(std::mem::take(&mut composed.facts));
                composed.called_at = Some(self.call.facts.started_at.unwrap_or(world.now));
            }
            Err(refusal) => {
                refusal.sentence.insert_str(0, NO_MESSAGE);
                if refusal.reason.facts().contains(&"rule") {
                    let facts = Facts::NONE.and_if("rule", rule);
                    refusal.facts = facts.with(std::mem::take(&mut refusal.facts));
                }
            }
        }
        Decision {
            grounds: self.grounds,
            follow_up,
            enroll,
        }
    }
}

/// The beginning of each decision against a message.
pub(crate) const NO_MESSAGE: &str = "no message: ";

/// The facts of [`CallView::describe`].
fn facts_of_call(call: &CallView<'_>) -> Facts {
    let called = call.facts.business_number().and_then(Party::phone);
    Facts::of("outcome", call.outcome.as_str()).and_if("called_number", called.map(Phone::as_str))
}

fn grounds(call: &CallView<'_>, world: &World<'_>) -> Grounds {
    let World { config, contact, .. } = *world;
    let line = call.facts.business_number().and_then(Party::phone);
    let line = line.and_then(|number| called_line(&config.lines, number));
    let since = |at: Option<Timestamp>| at.filter(|at| is_later(*at, call.last_heard()));
    Grounds {
        rule: None,
        rule_version: None,
        cooldown_seconds: None,
        line: line.map(|line| line.id),
        config_version: config.tenant.config_version,
        new_caller: is_new(contact),
        open: is_business_open(&config.tenant, line.and_then(Line::hours), call.started_at),
        opted_in: contact.opted_in_at().is_some(),
        opted_out: contact.opted_out().is_some(),
        marketing_opted_out: contact.marketing_opted_out().is_some(),
        last_follow_up_at: contact.last_follow_up_at,
        last_inbound_at: since(contact.last_inbound_at),
        last_answered_at: since(contact.last_answered_at),
        last_by_phone_at: contact.last_by_phone_at.filter(|at| is_later(*at, call.started_at)),
        circumstances: Some(circumstances(call, world)),
    }
}

fn circumstances(call: &CallView<'_>, world: &World<'_>) -> Circumstances {
    let World {
        contact, profile, now, ..
    } = *world;
    let phone = call.facts.customer().phone();
    let failed = |channel| {
        let Unreachable { at, reason, .. } = recent_failure(contact, phone, channel, now)?.clone();
        Some(Unreached { channel, at, reason })
    };
    let counted = contact.frequency_from();
    Circumstances {
        ring_seconds: call.facts.rang_seconds(),
        talk_seconds: call.facts.talk_seconds,
        language: contact.language.clone(),
        named: profile.name.is_some(),
        consent: contact.consent.clone(),
        unreached: [Channel::WhatsApp, Channel::Sms]
            .into_iter()
            .filter_map(failed)
            .collect(),
        counted_at: counted.filter(|at| Some(*at) > contact.last_follow_up_at),
    }
}

/// The rules in the order of trying them, each with the first condition that the call does not fulfil.
fn rules_with_unmet_condition<'a>(
    config: &'a TenantConfig,
    call: &CallView<'_>,
    grounds: &Grounds,
) -> impl Iterator<Item = (&'a Rule, Option<Refusal>)> {
    let rules = rules_in_order(&config.rules).into_iter();
    rules.map(move |rule| (rule, unmet_condition(rule, call, grounds)))
}

/// The first rule that matches: the one that decides.
pub(crate) fn first_match<'a>(config: &'a TenantConfig, call: &CallView<'_>, grounds: &Grounds) -> Option<&'a Rule> {
    let mut tried = rules_with_unmet_condition(config, call, grounds);
    tried.find(|(_, unmet)| unmet.is_none()).map(|(rule, _)| rule)
}

/// The first rule that matches, with its intent.
fn first_rule_with_intent<'a>(
    call: &CallView<'a>,
    world: &World<'a>,
    grounds: &Grounds,
) -> Result<(&'a Rule, Intent<'a>), Refusal> {
    let phone = phone_of_customer(call)?;
    let rule = first_match(world.config, call, grounds).ok_or_else(|| no_rule_matches(call, grounds))?;
    Ok((rule, intent(rule, call, phone, world, grounds.line)))
}

pub(crate) fn no_rule_matches(call: &CallView<'_>, grounds: &Grounds) -> Refusal {
    let open = if grounds.open { "open" } else { "closed" };
    let caller = if grounds.new_caller { "new" } else { "known" };
    let sentence = format!("no rule matches: {}, {caller} caller, business {open}", call.describe());
    let mut refusal = Refusal::new(Reason::NoRule, sentence);
    refusal.facts = facts_of_call(call);
    let refusal = refusal.and("new_caller", grounds.new_caller);
    refusal.and("open", grounds.open)
}

/// The message of one rule after a call that was decided on these grounds, whichever rule decided it.
pub(crate) fn plan_follow_up(
    rule: &Rule,
    call: &CallView<'_>,
    world: &World<'_>,
    recorded: &Grounds,
) -> Result<Composed, Refusal> {
    let phone = phone_of_customer(call)?;
    compose_message(&intent(rule, call, phone, world, recorded.line), world)
}

/// The intent of a rule.
fn intent<'a>(
    rule: &'a Rule,
    call: &CallView<'a>,
    phone: &Phone,
    world: &World<'_>,
    line: Option<LineId>,
) -> Intent<'a> {
    let World { contact, now, .. } = *world;
    let then = &rule.then;
    let to = Recipient {
        phone: Some(phone.clone()),
        bsuid: contact.bsuid().map(str::to_owned),
    };
    let by = format!("rule {:?}", rule.name.as_str());
    Intent {
        narrowing: Narrowing {
            opt_in: then.consent == Consent::OptInOnly,
            quiet: then.quiet_hours,
            fallback_after_seconds: then.fallback_after_seconds.get(),
            when_unknown: then.when_unknown,
            ..Narrowing::default()
        },
        cooldown: SignedDuration::from_secs(then.cooldown_seconds.get().into()),
        line,
        prefers: Some(call.connection),
        says: then.channels.iter().map(|channel| says(rule, *channel)).collect(),
        subject: Subject::Call(*call),
        since: call.last_heard(),
        not_before: now + SignedDuration::from_secs(then.delay_seconds.get().into()),
        ..Intent::new(Cause::Call(call.id), Purpose::FollowUp, then.category, to, &by, now)
    }
}

/// The content of a rule for a channel.
fn says(rule: &Rule, channel: Channel) -> Says<'_> {
    let then = &rule.then;
    let words = match channel {
        Channel::WhatsApp => then
            .template
            .as_ref()
            .map_or(Words::None("the rule names no template"), Words::Template),
        Channel::Sms => then
            .sms_text
            .as_ref()
            .map_or(Words::None("the rule has no sms_text"), Words::Text),
    };
    Says { channel, words }
}

/// The number of the customer, if the call was one of theirs and has one.
fn phone_of_customer<'a>(call: &CallView<'a>) -> Result<&'a Phone, Refusal> {
    let no = |reason, sentence: &str| Err(Refusal::new(reason, sentence));
    if call.facts.direction == Some(Direction::Outbound) {
        return no(Reason::Outbound, "the business made this call");
    }
    match call.facts.customer() {
        Party::Withheld => no(Reason::Withheld, "the caller hid the number"),
        Party::Sip(_) => no(Reason::Sip, "the caller has a SIP address, not a telephone number"),
        Party::Phone(phone) => Ok(phone),
    }
}

/// Whether anybody may be messaged after such a call, whatever the rules say.
fn require_permitted_call(call: &CallView<'_>, world: &World<'_>) -> Result<(), Refusal> {
    let World {
        config, contact, now, ..
    } = *world;
    let no = |reason, sentence: &str| Err(Refusal::new(reason, sentence));
    let phone = phone_of_customer(call)?;
    // Such as a branch that calls another: its lines answer what they receive.
    if is_own_number(config, phone) {
        return no(Reason::OwnNumber, "the call came from a number of the business itself");
    }
    if call.outcome == Outcome::Unknown {
        let sentence = "the telephone system did not say how the call ended";
        return no(Reason::UnknownOutcome, sentence);
    }
    // A backlog or a repeated report. A time in the future comes from a wrong clock and counts as now.
    let last_heard = call.last_heard();
    if now.duration_since(last_heard) >= Purpose::FollowUp.row().validity {
        let sentence = format!("too late: the call was {}", time_ago(last_heard, now));
        return Err(Refusal::new(Reason::Late, sentence).and("call_at", last_heard));
    }
    config.tenant.may_send()?;
    refusal_of_person(contact).map_or(Ok(()), Err)
}

/// The refusal of the person, if it rules out follow-ups of every category.
fn refusal_of_person(contact: &Contact) -> Option<Refusal> {
    let purpose = Purpose::FollowUp;
    let kinds = purpose.row().kinds.iter();
    let allowed = kinds.map(|kind| check_wishes(contact, None, kind.category, purpose).err());
    let refusals = allowed.map(|refusal| refusal.filter(|refusal| refusal.reason == Reason::OptedOut));
    let refusals: Option<Vec<Refusal>> = refusals.collect();
    refusals?.into_iter().next()
}

fn is_new(contact: &Contact) -> bool {
    contact.calls == 0 && contact.last_inbound_at.is_none()
}

/// The first condition of a rule that a call does not fulfil, by the facts of a decision about it. `None`: the rule matches. The rule may
/// match and still not decide, because another one is tried before ([`rules_in_order`]), or nobody may be messaged after such a call.
pub fn unmet_condition(rule: &Rule, call: &CallView<'_>, grounds: &Grounds) -> Option<Refusal> {
    let when = &rule.when;
    if rule.archived_at.is_some() {
        return Some(Refusal::new(Reason::RuleArchived, "the rule is archived"));
    }
    if !rule.enabled {
        return Some(Refusal::new(Reason::RuleInactive, "the rule is turned off"));
    }
    if !when.outcomes.contains(&call.outcome) {
        let expected: Vec<&str> = when.outcomes.iter().map(|outcome| outcome.as_str()).collect();
        let outcome = call.outcome.as_str();
        let sentence = format!("the rule is not for calls with the outcome {outcome}");
        let refusal = Refusal::new(Reason::OtherOutcome, sentence).and("outcome", outcome);
        return Some(refusal.and("expected", expected.iter().collect::<Fact>()));
    }
    if when.direction != Direction::Inbound {
        let sentence = "the rule is for outbound calls, which never get a message";
        return Some(Refusal::new(Reason::OtherDirection, sentence));
    }
    if !when.lines.is_empty() && !grounds.line.is_some_and(|line| when.lines.contains(&line)) {
        let refusal = Refusal::new(Reason::OtherLine, "the call was to none of the rule's lines");
        return Some(refusal.and_if("id", grounds.line.map(|line| line.to_string())));
    }
    let hours = match when.hours {
        Hours::Any => true,
        Hours::Open => grounds.open,
        Hours::Closed => !grounds.open,
    };
    if !hours {
        let state = if grounds.open { "open" } else { "closed" };
        let refusal = Refusal::new(Reason::OtherHours, format!("the business was {state}"));
        return Some(refusal.and("open", grounds.open));
    }
    let caller = match when.caller {
        Caller::Any => true,
        Caller::New => grounds.new_caller,
        Caller::Known => !grounds.new_caller,
    };
    if !caller {
        let state = if grounds.new_caller { "new" } else { "known" };
        let refusal = Refusal::new(Reason::OtherCaller, format!("the caller is {state}"));
        return Some(refusal.and("new_caller", grounds.new_caller));
    }
    let (rang, talked) = grounds.seconds(call.facts);
    let (least, most) = (when.min_ring_seconds, when.max_ring_seconds);
    outside(rang, least, most, Reason::OtherRingTime, "it rang for").or_else(|| {
        let (least, most) = (when.min_talk_seconds, when.max_talk_seconds);
        let talked = Some(talked.unwrap_or(0));
        outside(talked, least, most, Reason::OtherTalkTime, "people talked for")
    })
}

/// The reason if these seconds are outside the bounds. An unknown time is within them.
fn outside(
    seconds: Option<u32>,
    least: Option<CallSeconds>,
    most: Option<CallSeconds>,
    reason: Reason,
    words: &str,
) -> Option<Refusal> {
    let (seconds, least, most) = (seconds?, least.map(CallSeconds::get), most.map(CallSeconds::get));
    let within = least.is_none_or(|least| seconds >= least) && most.is_none_or(|most| seconds <= most);
    (!within).then(|| {
        let refusal = Refusal::new(reason, format!("{words} {seconds} s")).and("seconds", seconds);
        refusal.and_if("minimum", least).and_if("maximum", most)
    })
}

/// The connections that may send a rule's content by a channel in the business's own country: the connections of its
/// lines, or of all calls if it names none.
fn senders<'a>(config: &'a TenantConfig, rule: &Rule, channel: Channel) -> Vec<Carrier<'a>> {
    let country = config.tenant.country();
    let named = &rule.when.lines;
    let lines = config
        .lines
        .iter()
        .filter(|line| named.is_empty() || named.contains(&line.id));
    let mut found = Vec::new();
    let mut usual = named.is_empty();
    for line in lines {
        match line_carrier(config, line, channel, country) {
            Some(connection) => found.push((connection, line.sender(channel))),
            None => usual = true,
        }
    }
    if usual {
        found.extend(usual_carriers(config, channel, country).map(|connection| (connection, None)));
    }
    found
}

/// Obstacles that keep a rule from writing on this channel to a person with a known number and nothing else, whichever
/// connection reports the call and whatever their language: the reasons that such calls would get. Empty: none. Whether
/// a connection carries the channel at all is not checked here. Each has its effect on messages.
pub fn channel_obstacles(
    config: &TenantConfig,
    material: &Material,
    rule: &Rule,
    channel: Channel,
) -> Vec<(Refusal, Applies)> {
    let caller = Phone::nobodys();
    let facts = CallFacts {
        direction: Some(Direction::Inbound),
        from: Some(Party::Phone(caller.clone())),
        to: Some(Party::Phone(caller)),
        ..CallFacts::default()
    };
    let subject = |connection: &ConnectionSummary| {
        Subject::Call(CallView {
            id: CallId::new(ContactId::new(Ulid::nil()), Ulid::nil()),
            connection: connection.id,
            facts: &facts,
            outcome: Outcome::Missed,
            started_at: Timestamp::UNIX_EPOCH,
        })
    };
    let (says, senders) = (says(rule, channel).words, senders(config, rule, channel));
    content_obstacles(says, rule.then.category, config, material, &senders, subject)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::messages::{Content, Message, OptFlag, SendOutcome};
    use crate::samples::{Case, NOON, at, message_of, timers};
    use crate::tenants::{Retention, SmsSender, TenantStatus};
    use crate::terms::{Category, FREQUENCY_SPAN, Limit, LineType, OneLine, QuietAction, SmsText, WhenUnknown, Whole};

    fn case(change: impl FnOnce(&mut Case)) -> Case {
        let mut case = Case::new();
        change(&mut case);
        case
    }

    fn opt_in(case: &mut Case, since: &str) {
        case.contact.wish(OptFlag::Start, "", at(since));
    }

    fn line(id: u8, number: &str) -> Line {
        let text = format!(r#"{{"id": "line_{id:026}", "name": "Line {id}", "number": "{number}"}}"#);
        serde_json::from_str(&text).unwrap()
    }

    /// A rule whose line was deleted matches no call. It must not become a rule for all calls.
    #[test]
    fn rule_of_a_deleted_line_matches_no_call() {
        let mut case = case(|case| {
            case.config.lines = vec![line(1, "+97143330000")];
            case.config.rules[0].when.lines = vec![case.config.lines[0].id].into();
        });
        let decision = case.decide();
        assert_eq!(decision.grounds.line, Some(case.config.lines[0].id));
        assert_eq!(case.plan().line, decision.grounds.line);
        case.config.lines.clear();
        assert_eq!(case.reason_for_nothing().0, Reason::NoRule);
        assert_eq!(case.decide().grounds.line, None);
    }

    #[test]
    fn hours_of_the_line_decide() {
        // Marina Dental is closed at noon on Fridays; its pharmacy is open then.
        let mut case = case(|case| {
            case.config.rules[0].when.hours = Hours::Open;
            case.config.lines = vec![line(1, "+97143330000"), line(2, "+97143330001")];
            let hours = r#"{"friday": [{"from": "11:00", "to": "13:00"}]}"#;
            case.config.lines[1].business_hours = Some(serde_json::from_str(hours).unwrap());
        });
        assert_eq!(
            (case.reason_for_nothing().0, case.decide().grounds.open),
            (Reason::NoRule, false)
        );
        case.facts.to = Some(Party::Phone("+97143330001".parse().unwrap()));
        assert!(case.decide().follow_up.is_ok() && case.decide().grounds.open);
        // A number without a line has the tenant's hours.
        case.facts.to = Some(Party::Phone("+97143330002".parse().unwrap()));
        assert!(!case.decide().grounds.open);
    }

    #[test]
    fn connections_of_the_line_send() {
        let mut case = Case::new();
        let mut branch = case.config.connections.clone();
        for (place, connection) in branch.iter_mut().enumerate() {
            connection.id = format!("conn_{:026}", 10 + place).parse().unwrap();
        }
        case.config.connections.extend(branch.clone());
        let connections = |case: &Case| -> Vec<_> {
            let sender = |leg: &crate::messages::Leg| (leg.connection, leg.sender.as_ref().map(ToString::to_string));
            case.plan().legs.iter().map(sender).collect()
        };
        let usual = connections(&case);
        let mut own = line(1, "+97143330000");
        own.whatsapp = Some(branch[1].id);
        own.sms = Some(SmsSender {
            connection: branch[0].id,
            number: Some("+97143330009".parse().unwrap()),
        });
        case.config.lines = vec![own];
        let sender = Some("+97143330009".to_owned());
        assert_eq!(connections(&case), [(branch[1].id, None), (branch[0].id, sender)]);
        assert_eq!(case.plan().line, Some(case.config.lines[0].id));
        // If the line names no connection, or one that was deleted, messages are sent as without lines.
        case.config.lines[0].sms = None;
        assert_eq!(connections(&case), [(branch[1].id, None), usual[1].clone()]);
        case.config
            .connections
            .retain(|connection| connection.id != branch[1].id);
        assert_eq!(connections(&case), usual);
    }

    #[test]
    fn follow_up_is_retained_from_its_last_possible_send() {
        // A follow-up may be sent for up to three days.
        let days = |days: i64| SignedDuration::from_hours(24 * (3 + days));
        assert_eq!(Case::new().plan().keep_until, at(NOON) + days(730));
        let plan = case(|case| {
            case.config.tenant.retention = Some(Retention {
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
            Content::Text(
                "Sorry we missed you, there. Marina Dental, open until nine. For no more messages, text 7726."
                    .to_owned()
            )
        );
        assert_eq!(plan.not_before, at(NOON));
        assert_eq!(plan.policy.when_unknown(), WhenUnknown::NextChannel);
    }

    /// Wishes are recorded even if they refuse the message: the contact may have changed its mind by the time somebody asks why.
    #[test]
    fn grounds_record_the_callers_wishes() {
        fn recorded_wishes(change: impl FnOnce(&mut Case)) -> [bool; 3] {
            let grounds = case(change).decide().grounds;
            [grounds.opted_in, grounds.opted_out, grounds.marketing_opted_out]
        }
        let (source, refused_at) = ("wrote STOP by SMS", at("2026-03-03T10:00:00Z"));
        assert_eq!(recorded_wishes(|_| ()), [false, false, false]);
        let opted_in = recorded_wishes(|case| opt_in(case, "2026-03-01T10:00:00Z"));
        assert_eq!(opted_in, [true, false, false]);
        let stopped = recorded_wishes(|case| drop(case.contact.wish(OptFlag::Stop, source, refused_at)));
        assert_eq!(stopped, [false, true, false]);
        let no_marketing = recorded_wishes(|case| drop(case.contact.wish_marketing(false, source, refused_at)));
        assert_eq!(no_marketing, [false, false, true]);
    }

    #[test]
    fn nobody_is_messaged_against_the_rules_of_sending() {
        let (source, refused_at) = ("wrote STOP by SMS", at("2026-03-03T10:00:00Z"));
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
                case(|case| drop(case.contact.wish(OptFlag::Stop, source, refused_at))),
                Reason::OptedOut,
                "no message: opted out on 3 March 2026 (wrote STOP by SMS)",
            ),
            (
                case(|case| {
                    case.contact.wish_marketing(false, source, refused_at);
                    opt_in(case, "2026-03-01T10:00:00Z");
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
                "no message: no rule matches: answered call to +97143330000, new caller, business closed",
            ),
        ];
        for (case, reason, sentence) in cases {
            assert_eq!(case.reason_for_nothing(), (reason, sentence.to_owned()));
        }
    }

    #[test]
    fn late_reported_call_gets_no_follow_up() {
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
            assert_eq!(ended(begun, end).reason_for_nothing(), late, "{begun:?} {end:?}");
        }
        for (begun, end) in [
            (None, None),
            (None, Some(noon - long_ago + second)),
            (Some(noon - long_ago + second), None),
            // A long call that has just ended, also one whose beginning or end comes from a wrong clock.
            (Some(noon - long_ago - second), Some(noon)),
            (Some(noon), Some(noon - long_ago)),
            (Some(noon + long_ago), Some(noon + long_ago)),
            (Some(Timestamp::MAX), None),
        ] {
            let mut expected = Case::new().decide().follow_up;
            if let Ok(composed) = &mut expected {
                composed.called_at = begun.or(Some(noon));
            }
            assert_eq!(ended(begun, end).decide().follow_up, expected, "{begun:?} {end:?}");
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
            case.reason_for_nothing(),
            (
                Reason::QuietHours,
                "no message: 22:40 (Asia/Dubai) is within quiet hours 21:00–08:00, in which this message is skipped"
                    .to_owned()
            )
        );
        // The rule's own hours replace the tenant's.
        let mut own = case.config.tenant.quiet_hours.unwrap();
        own.action = QuietAction::Send;
        case.config.rules[0].then.quiet_hours = Some(own);
        assert_eq!(case.plan().not_before, case.now);
        // 18:40 in London.
        case.config.rules[0].then.quiet_hours = None;
        case.facts.from = Some(Party::Phone("+447700900123".parse().unwrap()));
        assert_eq!(case.plan().not_before, case.now);
    }

    #[test]
    fn a_delay_that_ends_in_quiet_hours_waits_for_their_end() {
        let case = case(|case| {
            case.now = at("2026-11-20T20:50:00+04");
            case.config.rules[0].then.delay_seconds = Whole::nearest(900);
        });
        assert_eq!(case.plan().not_before, at("2026-11-21T08:00:00+04"));
    }

    #[test]
    fn unreachable_channels_are_left_out() {
        let landline = case(|case| case.line = LineType::FixedLine);
        assert_eq!(landline.channels(), [Channel::WhatsApp]);
        assert_eq!(
            landline.plan().sentence,
            "WhatsApp at once: missed call to +97143330000, rule \"Missed calls\"; without SMS: the number is a landline"
        );

        let mut unreachable = case(|case| {
            case.contact.unreachable.push(Unreachable {
                channel: Channel::WhatsApp,
                number: case.contact.phone().cloned(),
                at: at("2026-11-15T12:00:00+04"),
                reason: "not a WhatsApp number".to_owned(),
            });
        });
        assert_eq!(unreachable.channels(), [Channel::Sms]);
        unreachable.line = LineType::FixedLine;
        assert_eq!(
            unreachable.reason_for_nothing(),
            (
                Reason::NoChannel,
                "no message: rule \"Missed calls\" has no usable channel: WhatsApp: did not reach this person 5 days \
                 ago: not a WhatsApp number; SMS: the number is a landline"
                    .to_owned()
            )
        );
        // Tried again after a month, or once the person has written.
        let number = "+97143330000".parse().unwrap();
        unreachable
            .contact
            .open_window(&number, &unreachable.contact.recipient(), at("2026-11-16T12:00:00+04"));
        assert_eq!(unreachable.channels(), [Channel::WhatsApp]);
        unreachable.contact.windows.clear();
        unreachable.now = at("2026-12-16T12:00:00+04");
        assert_eq!(unreachable.channels(), [Channel::WhatsApp]);

        let nobody_carries = case(|case| case.config.connections.clear());
        assert_eq!(nobody_carries.reason_for_nothing().0, Reason::NoChannel);
    }

    /// A person who cannot be reached at the landline is reached at the mobile.
    #[test]
    fn channel_is_left_out_only_for_the_number_it_does_not_reach() {
        let mut case = case(|case| {
            for channel in [Channel::WhatsApp, Channel::Sms] {
                case.contact.unreachable.push(Unreachable {
                    channel,
                    number: Some("+97143210000".parse().unwrap()),
                    at: at("2026-11-15T12:00:00+04"),
                    reason: "a landline".to_owned(),
                });
            }
        });
        assert_eq!(case.channels(), [Channel::WhatsApp, Channel::Sms]);
        case.facts.from = Some(Party::Phone("+97143210000".parse().unwrap()));
        assert_eq!(case.reason_for_nothing().0, Reason::NoChannel);
    }

    /// Facts for software say what the sentence says, the same for a message and for none, with the channels that are left out.
    #[test]
    fn decision_has_the_facts_of_its_sentence() {
        let facts = |case: &Case| serde_json::to_value(case.decide().facts()).unwrap();
        let mut case = Case::new();
        let both = json!({
            "outcome": "missed", "called_number": "+97143330000", "rule": "Missed calls", "channel": "whatsapp",
            "next_channel": "sms", "fallback_after_seconds": 120,
        });
        assert_eq!(facts(&case), both);
        case.material.templates[0].status.0 = "PAUSED".to_owned();
        let sms = json!({
            "outcome": "missed", "called_number": "+97143330000", "rule": "Missed calls", "channel": "sms",
            "whatsapp_problem": "template_not_approved", "whatsapp_template": "missed_call_followup",
            "whatsapp_language": "en_GB", "whatsapp_status": "PAUSED",
        });
        assert_eq!(facts(&case), sms);
        case.line = LineType::FixedLine;
        let none = json!({
            "rule": "Missed calls", "whatsapp_problem": "template_not_approved", "whatsapp_template": "missed_call_followup",
            "whatsapp_language": "en_GB", "whatsapp_status": "PAUSED", "sms_problem": "landline",
        });
        assert_eq!((case.reason_for_nothing().0, facts(&case)), (Reason::Template, none));

        let mut again = Case::new();
        again.contact.last_follow_up_at = Some(again.now - SignedDuration::from_hours(2));
        let cooldown = json!({"rule": "Missed calls", "last_at": "2026-11-20T06:00:00Z", "cooldown_seconds": 86_400});
        assert_eq!(
            (again.reason_for_nothing().0, facts(&again)),
            (Reason::Cooldown, cooldown)
        );
        let mut unmatched = Case::new();
        unmatched.config.rules.clear();
        let no_rule = json!({"outcome": "missed", "called_number": "+97143330000", "new_caller": true, "open": false});
        assert_eq!(
            (unmatched.reason_for_nothing().0, facts(&unmatched)),
            (Reason::NoRule, no_rule)
        );
    }

    #[test]
    fn template_that_does_not_fit_skips_its_channel() {
        let paused = case(|case| case.material.templates[0].status.0 = "PAUSED".to_owned());
        assert_eq!(paused.channels(), [Channel::Sms]);
        assert!(
            paused
                .plan()
                .sentence
                .ends_with("; without WhatsApp: template missed_call_followup in en_GB is PAUSED, not APPROVED")
        );
        let mut only_whatsapp = paused;
        only_whatsapp.config.rules[0].then.channels = vec![Channel::WhatsApp].into();
        assert_eq!(only_whatsapp.reason_for_nothing().0, Reason::Template);

        only_whatsapp.material.templates[0].status.0 = "APPROVED".to_owned();
        only_whatsapp.material.templates[0].body.push_str(" {{3}}");
        assert_eq!(
            only_whatsapp.reason_for_nothing(),
            (
                Reason::Template,
                "no message: rule \"Missed calls\" has no usable channel: WhatsApp: template missed_call_followup needs a \
                 value for {{3}}"
                    .to_owned()
            )
        );
        only_whatsapp.material.templates.clear();
        assert_eq!(only_whatsapp.reason_for_nothing().0, Reason::Template);

        // Twilio knows templates only by its own id.
        let through_twilio = case(|case| {
            case.config.connections[0].carries.push(Channel::WhatsApp);
        });
        assert!(through_twilio.plan().sentence.contains("has no content_sid"));
    }

    #[test]
    fn no_whatsapp_marketing_to_the_united_states() {
        let mut case = case(|case| {
            case.facts.from = Some(Party::Phone("+12125550100".parse().unwrap()));
            case.config.rules[0].then.category = Category::Marketing;
            case.material.templates[0].category = Category::Marketing;
            opt_in(case, "2026-11-01T12:00:00+04");
            case.config.connections[0].sms_numbers = vec!["+97143330000".parse().unwrap()];
            // 12:00 in Dubai is the middle of the night in America.
            case.config.tenant.quiet_hours = None;
        });
        assert_eq!(case.channels(), [Channel::Sms]);
        case.facts.from = Some(Party::Phone("+14165550100".parse().unwrap()));
        assert_eq!(case.channels(), [Channel::WhatsApp, Channel::Sms]);
        assert_eq!(case.plan().policy.when_unknown(), WhenUnknown::Stop);
    }

    /// It has letters for the Emirates and nothing else, and the other connection has a number.
    #[test]
    fn next_connection_sends_where_letters_do_not() {
        let mut case = case(|case| {
            let mut other = case.config.connections[0].clone();
            other.id = "conn_00000000000000000000000009".parse().unwrap();
            other.kind = "twilio".to_owned();
            other.letters.clear();
            other.sms_numbers = vec!["+97143330009".parse().unwrap()];
            case.config.connections.push(other);
        });
        let sender = |case: &Case| {
            let plan = case.plan();
            let mut legs = plan.legs.iter().filter(|leg| leg.channel == Channel::Sms);
            legs.next().map(|leg| leg.connection)
        };
        let [letters, _, number] = [0, 1, 2].map(|place: usize| Some(case.config.connections[place].id));
        assert_eq!(sender(&case), letters);
        case.facts.from = Some(Party::Phone("+447700900111".parse().unwrap()));
        assert_eq!(sender(&case), number);
        case.config.connections.pop();
        assert_eq!(sender(&case), None);
    }

    #[test]
    fn marketing_needs_an_opt_in_whatever_the_rule_says() {
        let mut case = case(|case| {
            case.config.rules[0].then.category = Category::Marketing;
            case.config.rules[0].then.when_unknown = Some(WhenUnknown::NextChannel);
            case.material.templates[0].category = Category::Marketing;
        });
        assert_eq!(case.reason_for_nothing().0, Reason::NoConsent);
        opt_in(&mut case, "2026-11-01T12:00:00+04");
        assert_eq!(case.plan().policy.when_unknown(), WhenUnknown::Stop);
        // A call does not justify a one-time code.
        case.config.rules[0].then.category = Category::Authentication;
        assert_eq!(case.reason_for_nothing().0, Reason::Template);
    }

    /// Whatever the rule's cooldown is.
    #[test]
    fn marketing_is_sent_at_most_once_a_day() {
        let second = SignedDuration::from_secs(1);
        let mut case = case(|case| {
            case.config.rules[0].then.category = Category::Marketing;
            case.config.rules[0].then.cooldown_seconds = Whole::nearest(0);
            case.material.templates[0].category = Category::Marketing;
            opt_in(case, "2026-11-01T12:00:00+04");
            case.contact.last_follow_up_at = Some(at("2026-11-20T10:00:00+04"));
        });
        let refused = "no message: texted 2 h ago, marketing at most every 24 h".to_owned();
        assert_eq!(case.reason_for_nothing(), (Reason::Frequency, refused));
        case.contact.last_follow_up_at = Some(at(NOON) - FREQUENCY_SPAN + second);
        assert_eq!(case.reason_for_nothing().0, Reason::Frequency);
        case.contact.last_follow_up_at = Some(at(NOON) - FREQUENCY_SPAN);
        assert_eq!(case.plan().policy.category(), Category::Marketing);
        // Other messages are exempt, but count.
        case.contact.last_follow_up_at = Some(at("2026-11-20T10:00:00+04"));
        case.config.rules[0].then.category = Category::Utility;
        case.material.templates[0].category = Category::Utility;
        let message = message_of(case.plan(), case.now);
        case.contact.opens(&message, vec![]);
        case.config.rules[0].then.category = Category::Marketing;
        assert_eq!(case.reason_for_nothing().0, Reason::Frequency);
    }

    /// A case of a rule for marketing by WhatsApp without a cooldown, and the message that follows its first call.
    fn marketing_planned_at(planned: &str) -> (Case, Message) {
        let mut case = case(|case| {
            let then = &mut case.config.rules[0].then;
            (then.category, then.cooldown_seconds) = (Category::Marketing, Whole::nearest(0));
            then.channels = vec![Channel::WhatsApp].into();
            case.material.templates[0].category = Category::Marketing;
            opt_in(case, "2026-11-01T12:00:00+04");
            case.now = at(planned);
        });
        let message = message_of(case.plan(), case.now);
        case.contact.opens(&message, vec![]);
        (case, message)
    }

    /// For example while the token of the connection is broken: they would all go out once it is renewed.
    #[test]
    fn marketing_is_refused_while_another_may_be_sent() {
        let hour = SignedDuration::from_hours(1);
        let (mut case, mut message) = marketing_planned_at(NOON);
        case.now += hour * 25;
        let needed = case.needs().open;
        assert_eq!(needed, [message.id]);
        case.open = vec![message.clone()];
        let waits = "no message: another marketing message to this person may still be sent".to_owned();
        assert_eq!(case.reason_for_nothing(), (Reason::Frequency, waits));
        // It counts from its sending.
        message.claim(0, "claim".to_owned(), case.now, &timers());
        let accepted = SendOutcome::Accepted {
            provider_ref: "wamid.1".parse().unwrap(),
            segments: None,
        };
        message.record(1, accepted, case.now, &timers());
        case.open = vec![message.clone()];
        case.now += hour * 10;
        let sent = "no message: texted 10 h ago, marketing at most every 24 h".to_owned();
        assert_eq!(case.reason_for_nothing(), (Reason::Frequency, sent));
        case.now += hour * 14;
        assert_eq!(case.plan().policy.category(), Category::Marketing);
        // A message that was never sent and is no longer valid does not count.
        let (mut case, message) = marketing_planned_at(NOON);
        case.open = vec![message];
        case.now += hour * 72;
        assert_eq!(case.plan().policy.category(), Category::Marketing);
    }

    #[test]
    fn deferred_marketing_counts_from_its_time() {
        // It waits for the end of quiet hours at 08:00.
        let (mut case, message) = marketing_planned_at("2026-11-20T21:30:00+04");
        let refused = |case: &Case| {
            let (reason, sentence) = case.reason_for_nothing();
            assert_eq!(reason, Reason::Frequency);
            sentence
        };
        case.now = at("2026-11-20T22:00:00+04");
        let waits = "no message: will be texted in 10 h, marketing at most every 24 h";
        assert_eq!(refused(&case), waits);
        case.now = at("2026-11-21T20:00:00+04");
        assert_eq!(
            refused(&case),
            "no message: texted 12 h ago, marketing at most every 24 h"
        );
        let needed = case.needs();
        assert_eq!((needed.open, needed.templates), (vec![message.id], vec![]));
        // Other follow-ups are not held up by it.
        case.now = at("2026-11-20T22:00:00+04");
        case.config.rules[0].then.category = Category::Utility;
        case.material.templates[0].category = Category::Utility;
        assert_eq!(case.plan().policy.category(), Category::Utility);
        assert_eq!(case.needs().open, []);
    }

    /// In whatever order the calls are decided.
    #[test]
    fn event_after_the_call_makes_its_follow_up_unnecessary() {
        let second = SignedDuration::from_secs(1);
        let after = |wrote: Option<Timestamp>, answered: Option<Timestamp>| {
            case(|case| {
                case.facts.ended_at = Some(at(NOON) - second * 75);
                (case.contact.last_inbound_at, case.contact.last_answered_at) = (wrote, answered);
            })
        };
        let ended = at(NOON) - second * 75;
        // An earlier message or call says nothing about this one, nor does the call itself.
        let earlier = after(Some(ended), Some(ended));
        assert!(earlier.decide().follow_up.is_ok());
        let grounds = earlier.decide().grounds;
        assert_eq!((grounds.last_inbound_at, grounds.last_answered_at), (None, None));
        let later = Some(at(NOON) - second * 45);
        let no = |why: &str| (Reason::Unnecessary, format!("no message: no longer needed: {why}"));
        let wrote = after(later, None);
        assert_eq!(wrote.reason_for_nothing(), no("this person wrote 45 s ago"));
        assert_eq!(wrote.decide().grounds.last_inbound_at, later);
        let answered = after(None, later);
        assert_eq!(answered.reason_for_nothing(), no("a later call was answered 45 s ago"));
        assert_eq!(answered.decide().grounds.last_answered_at, later);
    }

    /// The owner may write while the other telephone rings; what was written before says nothing about the call.
    #[test]
    fn owner_who_wrote_by_phone_has_answered_the_call() {
        let began = at(NOON) - SignedDuration::from_secs(90);
        let by_phone = |written: Timestamp| {
            case(|case| {
                case.facts.started_at = Some(began);
                case.facts.ended_at = Some(began + SignedDuration::from_secs(30));
                case.contact.last_by_phone_at = Some(written);
            })
        };
        let before = by_phone(began).decide();
        assert!(before.follow_up.is_ok());
        assert_eq!(before.grounds.last_by_phone_at, None);
        let rings = began + SignedDuration::from_secs(15);
        let sentence = "no message: no longer needed: somebody wrote on the business's own phone 75 s ago";
        assert_eq!(
            by_phone(rings).reason_for_nothing(),
            (Reason::Unnecessary, sentence.to_owned())
        );
        assert_eq!(by_phone(rings).decide().grounds.last_by_phone_at, Some(rings));
    }

    /// The limit needs a time on the contact: all purposes that calls cause have the one of the cooldown.
    #[test]
    fn follow_ups_that_count_towards_the_frequency_start_a_cooldown() {
        for kind in Purpose::FollowUp.row().kinds {
            assert!(kind.counts.contains(&Limit::Frequency) && kind.counts.contains(&Limit::Cooldown));
        }
    }

    #[test]
    fn contacts_language_selects_the_template() {
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
    fn grounds_name_the_rule_with_its_version_and_cooldown() {
        let mut case = case(|case| {
            case.config.rules[0].version = 7;
            case.config.rules[0].then.cooldown_seconds = Whole::nearest(3600);
            case.contact.last_follow_up_at = Some(at("2026-11-20T11:30:00+04"));
        });
        let named = |case: &Case| {
            let grounds = case.decide().grounds;
            (grounds.rule, grounds.rule_version, grounds.cooldown_seconds)
        };
        let rule = case.config.rules[0].id;
        assert_eq!(case.reason_for_nothing().0, Reason::Cooldown);
        assert_eq!(named(&case), (Some(rule), Some(7), Some(3600)));
        case.outcome = Outcome::Answered;
        assert_eq!(case.reason_for_nothing().0, Reason::NoRule);
        assert_eq!(named(&case), (None, None, None));
    }

    #[test]
    fn first_matching_rule_decides() {
        let mut case = Case::new();
        let mut other = case.config.rules[0].clone();
        other.id = "rule_00000000000000000000000002".parse().unwrap();
        other.name = OneLine::from_stored("New callers");
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
    fn all_conditions_of_a_rule_must_hold() {
        let matched = |change: &dyn Fn(&mut Case)| case(change).decide().follow_up.is_ok();
        // Marina Dental is closed at noon on Fridays.
        assert!(matched(&|case| case.config.rules[0].when.hours = Hours::Closed));
        assert!(!matched(&|case| case.config.rules[0].when.hours = Hours::Open));
        let of_line = |number: &'static str, named: u8| {
            move |case: &mut Case| {
                case.config.lines = vec![line(1, number)];
                case.config.rules[0].when.lines = vec![line(named, number).id].into();
            }
        };
        assert!(matched(&of_line("+97143330000", 1)));
        assert!(
            !matched(&of_line("+97143330001", 1)),
            "the call was to a number of no line"
        );
        assert!(!matched(&of_line("+97143330000", 2)), "there is no such line");
        // The ringing time is unknown, which must not count against the caller.
        assert!(matched(
            &|case| case.config.rules[0].when.min_ring_seconds = Some(Whole::nearest(5))
        ));
        assert!(!matched(&|case| {
            case.config.rules[0].when.min_ring_seconds = Some(Whole::nearest(5));
            case.facts.ring_seconds = Some(4);
        }));
        assert!(!matched(&|case| {
            case.config.rules[0].when.min_talk_seconds = Some(Whole::nearest(1));
        }));
        assert!(matched(&|case| {
            case.config.rules[0].when.outcomes = vec![Outcome::Answered].into();
            case.config.rules[0].when.min_talk_seconds = Some(Whole::nearest(30));
            case.outcome = Outcome::Answered;
            case.facts.talk_seconds = Some(31);
        }));
        assert!(!matched(
            &|case| case.config.rules[0].when.direction = Direction::Outbound
        ));
        assert!(!matched(&|case| case.config.rules[0].archived_at = Some(at(NOON))));
    }

    /// The code and facts are those of the first unmet condition.
    #[test]
    fn unmet_condition_has_a_code_and_facts() {
        let told = |change: &dyn Fn(&mut Case)| {
            let found = case(change)
                .with_world(|call, world| unmet_condition(&world.config.rules[0], call, &grounds(call, world)));
            found.map(|refusal| (refusal.reason, serde_json::to_value(refusal.facts).unwrap()))
        };
        assert_eq!(told(&|_| ()), None);
        let of_no_line = line(1, "+97143330001");
        let usual = json!(["missed", "busy", "abandoned", "voicemail", "after_hours"]);
        type Change<'a> = &'a dyn Fn(&mut Case);
        let cases: [(Change<'_>, Reason, serde_json::Value); 9] = [
            (
                &|case| case.config.rules[0].archived_at = Some(at(NOON)),
                Reason::RuleArchived,
                json!({}),
            ),
            (
                &|case| case.config.rules[0].enabled = false,
                Reason::RuleInactive,
                json!({}),
            ),
            (
                &|case| case.outcome = Outcome::Answered,
                Reason::OtherOutcome,
                json!({"outcome": "answered", "expected": usual}),
            ),
            (
                &|case| case.config.rules[0].when.direction = Direction::Outbound,
                Reason::OtherDirection,
                json!({}),
            ),
            (
                &|case| case.config.rules[0].when.lines = vec![of_no_line.id].into(),
                Reason::OtherLine,
                json!({}),
            ),
            (
                &|case| case.config.rules[0].when.hours = Hours::Open,
                Reason::OtherHours,
                json!({"open": false}),
            ),
            (
                &|case| case.config.rules[0].when.caller = Caller::Known,
                Reason::OtherCaller,
                json!({"new_caller": true}),
            ),
            (
                &|case| {
                    case.config.rules[0].when.max_ring_seconds = Some(Whole::nearest(3));
                    case.facts.ring_seconds = Some(4);
                },
                Reason::OtherRingTime,
                json!({"seconds": 4, "maximum": 3}),
            ),
            (
                &|case| case.config.rules[0].when.min_talk_seconds = Some(Whole::nearest(1)),
                Reason::OtherTalkTime,
                json!({"seconds": 0, "minimum": 1}),
            ),
        ];
        for (change, reason, facts) in cases {
            assert_eq!(told(change), Some((reason, facts)));
        }
    }
}
