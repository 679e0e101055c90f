//! Composing: an intent becomes a message with its channels, or a refusal with its sentence. A pure function, so that a dry
//! run, a preview and the real send agree.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::destinations::refused_destination;
use crate::messages::{
    Behind, Cause, Content, FREE_TEXT, Intent, Leg, Material, Message, Says, Values, Words, cannot_reach,
    check_asset_fits, check_carried, check_in_charge, check_in_window, duration_in_words, find_asset,
    local_time_in_words, quiet_hours_in_words, text_in_language, time_ago,
};
use crate::people::{Contact, Profile, check_policy_wishes, check_welcome};
use crate::templates::{FilledTemplate, MAX_SMS_LENGTH, Misfit, TemplateDefinition};
use crate::tenants::{ConnectionSummary, Line, TenantConfig, line_by_id, recipient_zones};
use crate::terms::{
    CancelEvent, Category, Channel, Country, FREQUENCY_SPAN, Facts, FileId, Limit, LineId, LineTypes, Phone, Policy,
    Quiet, QuietAction, Reason, Recipient, Refusal, TemplateUse, Timers, Zone, line_type_by_plan, primary_language,
};

/// Maximum replies of a conversation that wait one behind the other.
pub const MAX_WAITING: u8 = 50;

/// Everything that deciding and composing read.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The tenant with its configuration.
    pub config: &'a TenantConfig,
    /// The templates and products that the message names: see [`crate::messages::Needs`].
    pub material: &'a Material,
    pub contact: &'a Contact,
    /// Further data of the recipient.
    pub profile: &'a Profile,
    /// Other messages to the recipient that the frequency limit may count, or that leave no room: see [`crate::messages::Needs`].
    pub open: &'a [Message],
    pub now: Timestamp,
    /// Source of line types.
    pub line_type: LineTypes<'a>,
}

impl<'a> World<'a> {
    /// The world of a contact, with the rows that a message to them needs. Line types come from the numbering plans.
    pub fn of(
        config: &'a TenantConfig,
        contact: &'a Contact,
        profile: &'a Profile,
        material: &'a Material,
        open: &'a [Message],
        now: Timestamp,
    ) -> Self {
        Self {
            config,
            material,
            contact,
            profile,
            open,
            now,
            line_type: &line_type_by_plan,
        }
    }
}

/// A message to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    pub cause: Cause,
    pub policy: Policy,
    pub to: Recipient,
    /// The line it is sent from.
    pub line: Option<LineId>,
    /// Reason for sending it, in the sender's words.
    pub basis: Option<String>,
    /// The earlier reply that is sent first.
    pub behind: Option<Behind>,
    /// The channels, in order; never empty.
    pub legs: Vec<Leg>,
    /// The SMS that is left out beside another channel, since the recipient's country refuses it.
    pub refused_sms: Option<Leg>,
    /// Earliest time to send.
    pub not_before: Timestamp,
    /// Time of the call that it follows.
    pub called_at: Option<Timestamp>,
    /// Time when the message is deleted.
    pub keep_until: Timestamp,
    /// The reason, in one sentence.
    pub sentence: String,
    /// The facts of the sentence.
    pub facts: Facts,
}

impl Composed {
    /// Whether one of its legs carries this file.
    pub fn carries(&self, file: FileId) -> bool {
        let mut used = self.legs.iter().filter_map(|leg| leg.content.asset());
        used.any(|used| used.asset_id == file)
    }

    /// The message, to be written together with its cause.
    pub fn message(self, correlation_id: String, now: Timestamp, timers: &Timers) -> Message {
        let mut message = Message {
            id: self.cause.message_id(),
            cause: self.cause,
            policy: self.policy,
            to: self.to,
            line: self.line,
            basis: self.basis,
            plan: self.legs,
            attempts: Vec::new(),
            not_before: self.not_before,
            due: None,
            dispatches: 0,
            waiting: None,
            upload_asked: None,
            ended: None,
            because: None,
            took: Vec::new(),
            expected: Vec::new(),
            remarks: Vec::new(),
            behind: self.behind,
            retried_as: None,
            clicked_at: None,
            called_at: self.called_at,
            created_at: now,
            keep_until: Some(self.keep_until),
            correlation_id,
            version: 0,
        };
        message.look_again(now, timers);
        message
    }
}

/// A check of a message as a whole, whatever its channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MessageAspect"))]
#[serde(rename_all = "snake_case")]
pub enum PlanCheck {
    /// The account is active.
    Account,
    /// The number is of a kind and country that may be written to.
    Destination,
    /// The person wants such messages, and the basis that the purpose requires exists.
    Consent,
    /// Nothing has happened that makes it unnecessary.
    Need,
    /// The pause since the last message of the kind is over.
    Cooldown,
    /// Messages of this kind are not sent more often.
    Frequency,
    /// Fewer messages to the person wait than can, or it takes the place of one.
    Room,
    /// Quiet hours do not forbid it.
    QuietHours,
    /// It is still valid when it can be sent, with the time that its purpose leaves for sending it.
    Validity,
}

/// Everything that was found out about an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentReview {
    /// The checks of its purpose, in order: the first refusal is the reason.
    pub checks: Vec<(PlanCheck, Result<(), Refusal>)>,
    /// Its channels, in order: each as it would be sent, or the reason why it is left out.
    pub channels: Vec<(Channel, Result<Leg, Refusal>)>,
    /// Earliest time to send.
    pub not_before: Timestamp,
    /// Deadline for sending it.
    pub valid_until: Timestamp,
    /// The message if all checks are passed, or the reason why no channel is left.
    pub planned: Result<Composed, Refusal>,
}

impl IntentReview {
    fn refusal(&self) -> Option<&Refusal> {
        self.checks.iter().find_map(|(_, verdict)| verdict.as_ref().err())
    }

    /// The message, or the reason why there is none.
    ///
    /// # Errors
    /// That reason: the first check that is not passed, or else that no channel is left.
    pub fn outcome(&self) -> Result<&Composed, &Refusal> {
        match self.refusal() {
            Some(refusal) => Err(refusal),
            None => self.planned.as_ref(),
        }
    }

    /// The decision: a sentence, its word and its facts.
    pub fn decision(&self) -> (String, Reason, Facts) {
        match self.outcome() {
            Ok(composed) => (composed.sentence.clone(), Reason::Planned, composed.facts.clone()),
            Err(refusal) => (refusal.sentence.clone(), refusal.reason, refusal.facts.clone()),
        }
    }

    /// The composed message, or the refusal, without the rest of the review.
    pub fn into_outcome(self) -> Result<Composed, Refusal> {
        match self.refusal() {
            Some(refusal) => Err(refusal.clone()),
            None => self.planned,
        }
    }
}

/// Composes a message. An intent with unchanged data always gives an equal message.
pub fn compose_message(intent: &Intent<'_>, world: &World<'_>) -> Result<Composed, Refusal> {
    review_intent(intent, world)?.into_outcome()
}

/// Composes a message, and tells everything that was found out on the way.
///
/// # Errors
/// If its purpose has no messages of its category.
pub fn review_intent(intent: &Intent<'_>, world: &World<'_>) -> Result<IntentReview, Refusal> {
    let World {
        config,
        contact,
        open,
        now,
        ..
    } = *world;
    let by = &intent.by;
    let policy = Policy::for_purpose(intent.purpose, intent.category, &intent.narrowing)
        .map_err(|error| Refusal::new(Reason::Template, format!("{by}: {error}")))?;
    let zones = recipient_zones(&config.tenant, intent.to.phone.as_ref());
    let planned = intent.not_before;
    let (not_before, quiet) = awake(quiet_hours(intent, &policy, config), planned, &zones);
    let zone = zones.first().unwrap_or(&config.tenant.time_zone);
    let unless = |refusal: Option<Refusal>| refusal.map_or(Ok(()), Err);
    let (phone, country) = (intent.to.phone.as_ref(), intent.to.country());
    let destination = refused_destination(phone, country, &config.tenant.allowed_countries, world.line_type);
    let mut checks = vec![
        (PlanCheck::Account, config.tenant.may_send()),
        (PlanCheck::Destination, unless(destination)),
        (PlanCheck::Consent, check_welcome(&policy, contact, by, now)),
        (
            PlanCheck::Need,
            unless(unnecessary(&policy, contact, intent.began(), intent.since, now)),
        ),
    ];
    if policy.obeys(Limit::Cooldown) {
        checks.push((PlanCheck::Cooldown, unless(too_soon(intent.cooldown, contact, now))));
    }
    if policy.obeys(Limit::Frequency) {
        let leaves_at = not_before.max(now);
        checks.push((
            PlanCheck::Frequency,
            unless(too_frequent(&policy, contact, open, now, leaves_at)),
        ));
    }
    let behind = Message::ahead_of(intent.after, open);
    let room = if intent.purpose.waits_in_the_contact() {
        contact.no_room(intent.purpose, open, now)
    } else {
        behind.and_then(too_long_a_queue)
    };
    checks.push((PlanCheck::Room, unless(room)));

    checks.push((PlanCheck::QuietHours, quiet));
    // The last moment to send it.
    let last = now + policy.validity();
    let left = intent.purpose.left_to_send();
    let late = (not_before >= last - left).then(|| {
        let earliest = local_time_in_words(not_before, zone.rules());
        let mut sentence = format!(
            "too late: not before {earliest}, but valid for {} only",
            duration_in_words(policy.validity())
        );
        if left.is_positive() {
            sentence.push_str(&format!(
                ", of which the last {} is left for sending",
                duration_in_words(left)
            ));
        }
        let refusal = Refusal::new(Reason::Late, sentence).and("send_at", not_before);
        let refusal = refusal.and("valid_seconds", policy.validity().as_secs());
        refusal.and("time_zone", zone.to_string())
    });
    checks.push((PlanCheck::Validity, unless(late)));

    let tried = legs(intent, &policy, not_before, world);
    let channels = tried.iter().map(|leg| match leg {
        Ok(leg) => (leg.channel, Ok(leg.clone())),
        Err(left) => (left.channel, Err(left.refusal.clone())),
    });
    let channels = channels.collect();
    let (mut legs, mut left_out) = split_legs(tried);
    // Another channel must not give up waiting for an SMS that would be refused. Alone, it is refused when it is sent.
    let refused = |leg: &Leg| config.sms_refused(leg, &intent.to, policy.category());
    let of_sms = (0..legs.len()).find_map(|place| Some((place, refused(&legs[place])?)));
    let mut refused_sms = None;
    if let Some((place, refusal)) = of_sms.filter(|_| legs.len() > 1) {
        left_out.push(LeftOut {
            channel: Channel::Sms,
            reason: Reason::CountryRule,
            refusal,
        });
        refused_sms = Some(legs.remove(place));
    }
    // The remaining legs may wait for other hours than the whole did.
    let only_sms = legs.iter().all(|leg| leg.channel == Channel::Sms);
    let by_sms = only_sms.then(|| awake(sms_hours(intent, &policy, config), not_before, &zones).0);
    let not_before = by_sms.filter(|at| *at < last - left).unwrap_or(not_before);
    let planned = match legs.first() {
        None => Err(no_channel(by, &left_out)),
        Some(first) => {
            let (when, when_facts) = timing(planned, not_before, now, zone);
            let facts = Facts::of("channel", first.channel.as_str()).with(when_facts);
            let (sentence, facts) = describe_legs(intent, &policy, &legs, &left_out, &when, facts);
            Ok(Composed {
                cause: intent.cause,
                policy,
                to: intent.to.clone(),
                line: intent.line,
                basis: intent.basis.map(str::to_owned),
                behind,
                legs,
                refused_sms,
                not_before,
                called_at: None,
                keep_until: config.tenant.retention.unwrap_or_default().message_until(last, last),
                sentence,
                facts,
            })
        }
    };
    Ok(IntentReview {
        checks,
        channels,
        not_before,
        valid_until: last,
        planned,
    })
}

/// The reason why no further reply can wait in a conversation.
fn too_long_a_queue(behind: Behind) -> Option<Refusal> {
    (behind.place >= MAX_WAITING).then(|| {
        let sentence = format!("{MAX_WAITING} replies of this conversation wait to be sent");
        Refusal::new(Reason::TooManyOpen, sentence).and("maximum", u64::from(MAX_WAITING))
    })
}

/// The quiet hours of a message. Its recipient's country has hours for SMS only, so a message with another channel does not wait for them
/// until it comes to SMS.
fn quiet_hours(intent: &Intent<'_>, policy: &Policy, config: &TenantConfig) -> Quiet {
    let by_sms = !intent.says.is_empty() && intent.says.iter().all(|says| says.channel == Channel::Sms);
    if by_sms {
        return sms_hours(intent, policy, config);
    }
    policy.quiet_hours(config.tenant.quiet_hours).and_of_country(None)
}

/// The quiet hours of a message by SMS only, including the recipient's country's.
fn sms_hours(intent: &Intent<'_>, policy: &Policy, config: &TenantConfig) -> Quiet {
    let sender = carrier(config, intent, Channel::Sms);
    let of_country = sender.and_then(|(connection, _)| connection.sms_hours(&intent.to, policy.category()));
    policy.quiet_hours(config.tenant.quiet_hours).and_of_country(of_country)
}

/// The earliest time to send a message that is planned for this one, and whether quiet hours forbid it.
fn awake(quiet: Quiet, planned: Timestamp, zones: &[Zone]) -> (Timestamp, Result<(), Refusal>) {
    let Some((hours, zone)) = quiet.at(planned, zones) else {
        return (planned, Ok(()));
    };
    match hours.action {
        QuietAction::Send => (planned, Ok(())),
        QuietAction::Defer => (quiet.next_allowed(planned, zones), Ok(())),
        QuietAction::Skip => {
            let sentence = format!(
                "{} is within quiet hours {}, in which this message is skipped",
                local_time_in_words(planned, zone.rules()),
                quiet_hours_in_words(&hours)
            );
            let refusal = Refusal::new(Reason::QuietHours, sentence).and("planned_at", planned);
            (planned, Err(refusal.within(&hours).and("time_zone", zone.to_string())))
        }
    }
}

/// When a message is sent, in words and as facts.
fn timing(planned: Timestamp, not_before: Timestamp, now: Timestamp, zone: &Zone) -> (String, Facts) {
    if not_before > planned {
        let facts = Facts::of("send_at", not_before).and("time_zone", zone.to_string());
        let text = format!(
            "after quiet hours, at {}",
            local_time_in_words(not_before, zone.rules())
        );
        (text, facts)
    } else if planned > now {
        let delay = planned.duration_since(now);
        let facts = Facts::of("delay_seconds", delay.as_secs());
        (format!("after {}", duration_in_words(delay)), facts)
    } else {
        ("at once".to_owned(), Facts::NONE)
    }
}

/// Describes the legs of a message in a sentence, with the facts. `legs` are not empty.
fn describe_legs(
    intent: &Intent<'_>,
    policy: &Policy,
    legs: &[Leg],
    left_out: &[LeftOut],
    when: &str,
    mut facts: Facts,
) -> (String, Facts) {
    let mut sentence = format!("{} {when}", legs[0].channel.name());
    for leg in &legs[1..] {
        let name = leg.channel.name();
        facts = facts.and("next_channel", leg.channel.as_str());
        if policy.fallback_after_seconds() == 0 {
            sentence.push_str(&format!(", {name} if that fails"));
        } else {
            facts = facts.and("fallback_after_seconds", policy.fallback_after_seconds());
            let wait = SignedDuration::from_secs(policy.fallback_after_seconds().into());
            sentence.push_str(&format!(", {name} if not delivered within {}", duration_in_words(wait)));
        }
    }
    if let Some(subject) = intent.subject.describe() {
        sentence.push_str(&format!(": {subject}, {}", intent.by));
    }
    if !left_out.is_empty() {
        sentence.push_str(&format!("; without {}", join(left_out, ": ")));
    }
    (sentence, facts.with(problems(left_out)))
}

/// The reason why no channel is left.
fn no_channel(by: &str, left_out: &[LeftOut]) -> Refusal {
    let reason = reason_of(left_out);
    let facts = match left_out.first() {
        // One wish that rules out all of them.
        Some(first) if !matches!(reason, Reason::Template | Reason::Content | Reason::NoChannel) => {
            first.refusal.facts.clone()
        }
        _ => problems(left_out),
    };
    let sentence = if left_out.is_empty() {
        format!("{by} names no channel")
    } else {
        format!("{by} has no usable channel: {}", join(left_out, ": "))
    };
    Refusal {
        reason,
        facts,
        sentence,
    }
}

/// Whether something happened after this moment. Providers report whole seconds, so within one nothing is later.
pub(crate) fn is_later(at: Timestamp, since: Timestamp) -> bool {
    at.as_second() > since.as_second()
}

/// The reason why the pause since the last message of the kind is not over.
fn too_soon(cooldown: SignedDuration, contact: &Contact, now: Timestamp) -> Option<Refusal> {
    let last = contact.last_follow_up_at.filter(|last| now < *last + cooldown)?;
    let sentence = format!(
        "texted {}, cooldown {}",
        time_ago(last, now),
        duration_in_words(cooldown)
    );
    let refusal = Refusal::new(Reason::Cooldown, sentence).and("last_at", last);
    Some(refusal.and("cooldown_seconds", cooldown.as_secs()))
}

/// The event since its cause that makes a message unnecessary, if its purpose names that event: it would have cancelled the
/// message if it had been planned by then. The cause has a beginning and a last known moment.
fn unnecessary(
    policy: &Policy,
    contact: &Contact,
    began: Timestamp,
    since: Timestamp,
    now: Timestamp,
) -> Option<Refusal> {
    let events = [
        (
            contact.last_inbound_at,
            since,
            CancelEvent::Inbound,
            "this person wrote",
        ),
        (
            contact.last_answered_at,
            since,
            CancelEvent::AnsweredCall,
            "a later call was answered",
        ),
        (
            contact.last_by_phone_at,
            began,
            CancelEvent::ByPhone,
            "somebody wrote on the business's own phone",
        ),
    ];
    events.into_iter().find_map(|(at, since, event, what)| {
        let at = at.filter(|at| is_later(*at, since) && policy.is_cancelled_by(event))?;
        let sentence = format!("no longer needed: {what} {}", time_ago(at, now));
        Some(Refusal::since(event, sentence).and("event_at", at))
    })
}

/// The reason why a message would be sent too soon after another one. A planned message counts from its time, a sent one from its sending,
/// which may be days later; this one from its earliest time to leave.
fn too_frequent(
    policy: &Policy,
    contact: &Contact,
    open: &[Message],
    now: Timestamp,
    leaves_at: Timestamp,
) -> Option<Refusal> {
    let refusal = |category: Category, sentence: String| {
        let refusal = Refusal::new(Reason::Frequency, sentence).and("category", category.as_str());
        refusal.and("every_seconds", FREQUENCY_SPAN.as_secs())
    };
    let others = || open.iter().filter(|other| other.policy.counts_from_sending());
    if let Some(other) = others().find(|other| other.may_be_sent(now)) {
        let kind = other.policy.category().as_str();
        let sentence = format!("another {kind} message to this person may still be sent");
        return Some(refusal(other.policy.category(), sentence));
    }
    let sent = others().filter_map(Message::last_sent_at).max();
    let last = contact.frequency_from().max(sent)?;
    if last + FREQUENCY_SPAN <= leaves_at {
        return None;
    }
    let (kind, every) = (policy.category().as_str(), duration_in_words(FREQUENCY_SPAN));
    if now < last {
        let wait = duration_in_words(last.duration_since(now));
        let sentence = format!("will be texted in {wait}, {kind} at most every {every}");
        return Some(refusal(policy.category(), sentence).and("next_at", last));
    }
    let sentence = format!("texted {}, {kind} at most every {every}", time_ago(last, now));
    Some(refusal(policy.category(), sentence).and("last_at", last))
}

/// A channel that an intent names and the message cannot use.
struct LeftOut {
    channel: Channel,
    /// The reason of the whole message, if it is the only one.
    reason: Reason,
    refusal: Refusal,
}

/// The facts of channels that are left out.
fn problems(left_out: &[LeftOut]) -> Facts {
    let each = left_out.iter();
    each.fold(Facts::NONE, |facts, left| {
        facts.with(left.refusal.of_channel(left.channel.as_str()))
    })
}

/// The reason why no channel is left. Templates and other content may be repaired; a wish is the reason only if it rules out all channels.
fn reason_of(left_out: &[LeftOut]) -> Reason {
    let mut reasons = left_out.iter().map(|left| left.reason);
    for repairable in [Reason::Template, Reason::Content] {
        if reasons.clone().any(|reason| reason == repairable) {
            return repairable;
        }
    }
    let first = reasons.next().unwrap_or(Reason::NoChannel);
    if reasons.all(|reason| reason == first) {
        first
    } else {
        Reason::NoChannel
    }
}

fn join(left_out: &[LeftOut], between: &str) -> String {
    let parts: Vec<_> = left_out
        .iter()
        .map(|left| format!("{}{between}{}", left.channel.name(), left.refusal.sentence))
        .collect();
    parts.join("; ")
}

/// Each channel that an intent names, once.
fn legs(intent: &Intent<'_>, policy: &Policy, not_before: Timestamp, world: &World<'_>) -> Vec<Result<Leg, LeftOut>> {
    let mut seen: Vec<Channel> = Vec::new();
    let mut legs = Vec::new();
    for says in &intent.says {
        if seen.contains(&says.channel) {
            continue;
        }
        seen.push(says.channel);
        legs.push(leg(intent, *says, policy, not_before, world));
    }
    legs
}

/// The channels that can be used, and those that cannot.
fn split_legs(tried: Vec<Result<Leg, LeftOut>>) -> (Vec<Leg>, Vec<LeftOut>) {
    let (mut legs, mut left_out) = (Vec::new(), Vec::new());
    for leg in tried {
        match leg {
            Ok(leg) => legs.push(leg),
            Err(left) => left_out.push(left),
        }
    }
    (legs, left_out)
}

fn leg(
    intent: &Intent<'_>,
    says: Says<'_>,
    policy: &Policy,
    not_before: Timestamp,
    world: &World<'_>,
) -> Result<Leg, LeftOut> {
    let World {
        config,
        material,
        contact,
        profile,
        now,
        line_type,
        ..
    } = *world;
    let channel = says.channel;
    let left_out = |reason: Reason, refusal: Refusal| LeftOut {
        channel,
        reason,
        refusal,
    };
    let (connection, sender) = carrier(config, intent, channel).ok_or_else(|| {
        let refusal = Refusal::new(Reason::NoConnection, "no connection carries it");
        left_out(Reason::NoChannel, refusal)
    })?;
    check_policy_wishes(policy, contact, Some(channel), "it").map_err(|refusal| left_out(refusal.reason, refusal))?;
    let phone = intent.to.phone.as_ref();
    if let Some(refusal) = cannot_reach(contact, phone, channel, policy.category(), now, line_type) {
        return Err(left_out(Reason::NoChannel, refusal));
    }
    if phone.is_none() && intent.to.bsuid.is_none() {
        let refusal = Refusal::new(
            Reason::NoRecipient,
            "neither a telephone number nor a WhatsApp id is known",
        );
        return Err(left_out(Reason::NoChannel, refusal));
    }
    if channel == Channel::WhatsApp {
        let number = connection.whatsapp_number.as_ref();
        check_in_charge(policy.purpose(), contact, number, &intent.to, not_before)
            .map_err(|refusal| left_out(refusal.reason, refusal))?;
    }
    if channel == Channel::WhatsApp && says.words.needs_window() {
        check_in_window(contact, connection.whatsapp_number.as_ref(), &intent.to, not_before)
            .map_err(|refusal| left_out(refusal.reason, refusal))?;
    }
    let values = Values {
        config,
        material,
        contact,
        profile,
        subject: intent.subject,
    };
    // Only WhatsApp knows the message that it refers to.
    let refers = intent.refers.as_ref().filter(|_| channel == Channel::WhatsApp);
    let content = fill_content(&values, says.words, policy.category(), connection).and_then(|content| {
        refers.map_or(Ok(()), |refers| refers.known_to(connection))?;
        Ok(content)
    });
    let content = content.map_err(|refusal| left_out(says.words.reason(), refusal))?;
    // A reaction names the message itself.
    let answers = refers.filter(|_| !matches!(content, Content::Reaction(_)));
    Ok(Leg {
        channel,
        connection: connection.id,
        sender: sender.cloned(),
        reply_to: answers.map(|refers| refers.provider_ref.clone()),
        content,
    })
}

/// A connection that sends, and which of its numbers if a line names one.
pub(crate) type Carrier<'a> = (&'a ConnectionSummary, Option<&'a Phone>);

/// The connection that sends a message by this channel, and which of its numbers if the line names one.
pub(crate) fn carrier<'a>(config: &'a TenantConfig, intent: &Intent<'_>, channel: Channel) -> Option<Carrier<'a>> {
    let country = intent.to.country();
    if let Some(through) = intent.through {
        let connection = carrying(config, channel, country).find(|connection| connection.id == through.connection)?;
        let wanted = through.number.filter(|_| channel == Channel::Sms);
        let number = connection.sms_numbers.iter().find(|number| Some(*number) == wanted);
        // From another number, it would not be part of the conversation.
        let can_send = number.is_some() || wanted.is_none() || connection.messaging_service;
        return can_send.then_some((connection, number));
    }
    let line = intent.line.and_then(|id| line_by_id(&config.lines, id));
    let of_line = line.and_then(|line| Some((line_carrier(config, line, channel, country)?, line.sender(channel))));
    of_line.or_else(|| {
        // Only this one knows the message, whatever else it sends.
        let refers = intent.refers.as_ref().filter(|_| channel == Channel::WhatsApp);
        let referred =
            refers.and_then(|refers| carrying(config, channel, country).find(|known| known.id == refers.connection));
        let mut usual = usual_carriers(config, channel, country);
        let preferred = || usual_carriers(config, channel, country).find(|known| Some(known.id) == intent.prefers);
        let connection = referred.or_else(preferred);
        let connection = connection.or_else(|| usual.next());
        connection.map(|connection| (connection, None))
    })
}

/// The connection that a line names for this channel, if it can send to this country.
pub(crate) fn line_carrier<'a>(
    config: &'a TenantConfig,
    line: &Line,
    channel: Channel,
    country: Option<Country>,
) -> Option<&'a ConnectionSummary> {
    let named = line.connection(channel)?;
    carrying(config, channel, country).find(|connection| connection.id == named)
}

/// The connections that can send by this channel to this country.
fn carrying(
    config: &TenantConfig,
    channel: Channel,
    country: Option<Country>,
) -> impl Iterator<Item = &ConnectionSummary> {
    let connections = config.connections.iter();
    connections.filter(move |connection| connection.carries_to(channel, country))
}

/// The connections that may send by this channel to this country for calls to no line, or to a line that names none. The connection of the
/// call is preferred, so beside the first one only those count that report calls.
pub(crate) fn usual_carriers(
    config: &TenantConfig,
    channel: Channel,
    country: Option<Country>,
) -> impl Iterator<Item = &ConnectionSummary> {
    carrying(config, channel, country)
        .enumerate()
        .filter(|(place, connection)| *place == 0 || connection.reports_calls())
        .map(|(_, connection)| connection)
}

/// All connections that may send by this channel: the usual ones, and those named by lines.
pub fn carriers(config: &TenantConfig, channel: Channel) -> impl Iterator<Item = &ConnectionSummary> {
    let named = move |connection: &ConnectionSummary| {
        let mut lines = config.lines.iter();
        lines.any(|line| line.connection(channel) == Some(connection.id))
    };
    let connections = config.connections.iter();
    connections
        .filter(move |connection| connection.carries.contains(&channel))
        .enumerate()
        .filter(move |(place, connection)| *place == 0 || connection.reports_calls() || named(connection))
        .map(|(_, connection)| connection)
}

/// The content with its values filled in, or the reason why that is impossible.
pub(crate) fn fill_content(
    values: &Values<'_>,
    words: Words<'_>,
    category: Category,
    connection: &ConnectionSummary,
) -> Result<Content, Refusal> {
    let Values { config, contact, .. } = *values;
    match words {
        Words::None(why) => Err(Refusal::new(Reason::NoContent, why)),
        Words::Template(wanted) => {
            let language = contact.language.as_deref();
            let found = find(values.material, connection, category, wanted, language)?;
            found.sendable_as(category, connection.needs_content_sid)?;
            let filled = found.fill(wanted, &values.material.assets, |value| values.value(value))?;
            Ok(Content::Template(filled))
        }
        Words::Text(texts) => {
            let text = text_in_language(texts, config, contact);
            let text = text.ok_or_else(|| Refusal::new(Reason::NoText, "there is no SMS text in any language"))?;
            Ok(Content::Text(values.sms(text)?))
        }
        Words::Free(texts) => {
            let text = text_in_language(texts, config, contact);
            let text = text.ok_or_else(|| Refusal::new(Reason::NoText, "there is no text in any language"))?;
            // Twilio accepts as little as by SMS.
            Ok(Content::Text(if connection.needs_content_sid {
                values.text(text, FREE_TEXT, MAX_SMS_LENGTH)?
            } else {
                values.free_text(text)?
            }))
        }
        Words::Draft(draft) => draft.fill(values, connection),
        Words::Ready(Content::Template(filled)) => {
            let mut named = values.material.template_versions(connection.id, &filled.name);
            let found = named.find(|template| template.language == filled.language);
            let found = found.ok_or_else(|| Misfit::NoTemplate {
                name: filled.name.clone(),
                language: filled.language.clone(),
            })?;
            found.sendable_as(category, connection.needs_content_sid)?;
            found.check(filled)?;
            if let Some(used) = &filled.header_media {
                let asset = values.material.asset(used.asset_id).ok_or_else(|| Misfit::Missing {
                    name: filled.name.clone(),
                    variable: format!("the {} in its header", used.kind.as_str()),
                })?;
                asset.usable(used.kind)?;
            }
            Ok(Content::Template(FilledTemplate {
                content_sid: found.content_sid.clone(),
                edition: found.edition,
                ..filled.clone()
            }))
        }
        Words::Ready(content) => {
            check_carried(content.kind(), connection)?;
            if let Some(used) = content.asset() {
                let asset = find_asset(values.material, used.asset_id)?;
                check_asset_fits(asset, used.kind, connection)?;
            }
            Ok(content.clone())
        }
    }
}

/// The template for a person with this language, if it can be sent; otherwise the one that is named.
fn find<'a>(
    material: &'a Material,
    connection: &ConnectionSummary,
    category: Category,
    wanted: &TemplateUse,
    language: Option<&str>,
) -> Result<&'a TemplateDefinition, Misfit> {
    let own = language.filter(|_| wanted.by_contact_language).and_then(|language| {
        let named = || {
            material
                .template_versions(connection.id, wanted.name.as_str())
                .filter(move |template| template.sendable_as(category, connection.needs_content_sid).is_ok())
        };
        named()
            .find(|template| same_language(&template.language, language))
            .or_else(|| named().find(|template| primary_language(&template.language) == primary_language(language)))
    });
    own.or_else(|| {
        let mut named = material.template_versions(connection.id, wanted.name.as_str());
        named.find(|template| template.language == wanted.language.as_str())
    })
    .ok_or_else(|| Misfit::NoTemplate {
        name: wanted.name.as_str().to_owned(),
        language: wanted.language.as_str().to_owned(),
    })
}

fn same_language(a: &str, b: &str) -> bool {
    a.replace('_', "-").eq_ignore_ascii_case(&b.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destinations::Applies;
    use crate::messages::{CallView, Subject};
    use crate::samples::{AgainstRule, Case, at};
    use crate::templates::TemplateStatus;
    use crate::terms::{Narrowing, PURPOSE_TABLE, Purpose, SmsText};

    fn minutes(minutes: i64) -> SignedDuration {
        SignedDuration::from_mins(minutes)
    }

    /// A text about the sample call, valid for ten minutes, to be sent this much later.
    fn intent<'a>(call: &CallView<'a>, world: &World<'_>, text: &'a SmsText, later: SignedDuration) -> Intent<'a> {
        let to = Recipient {
            phone: world.contact.phone().cloned(),
            bsuid: None,
        };
        let (cause, purpose, category) = (Cause::Call(call.id), Purpose::FollowUp, Category::Utility);
        Intent {
            narrowing: Narrowing {
                validity: Some(minutes(10)),
                ..Narrowing::default()
            },
            prefers: Some(call.connection),
            says: vec![Says {
                channel: Channel::Sms,
                words: Words::Text(text),
            }],
            subject: Subject::Call(*call),
            since: call.last_heard(),
            not_before: world.now + later,
            ..Intent::new(cause, purpose, category, to, "a test", world.now)
        }
    }

    /// The message of such an intent.
    fn compose_after(case: &Case, later: SignedDuration) -> Result<Composed, Refusal> {
        let text = SmsText::One("Hello".to_owned());
        case.with_world(|call, world| compose_message(&intent(call, world, &text, later), world))
    }

    /// The review also has the checks behind the first refusal, and what each channel would have said.
    #[test]
    fn review_has_the_verdict_of_every_check() {
        let mut case = Case::new();
        let flag = crate::messages::OptFlag::Stop;
        case.contact.wish(flag, "wrote STOP", at("2026-03-03T10:00:00Z"));
        case.contact.last_follow_up_at = Some(case.now);
        let review = case.with_world(|call, world| {
            let text = SmsText::One("Hello".to_owned());
            let mut intent = intent(call, world, &text, SignedDuration::ZERO);
            intent.cooldown = minutes(1);
            review_intent(&intent, world).unwrap()
        });
        let refused = review.checks.iter().filter(|(_, verdict)| verdict.is_err());
        let refused: Vec<_> = refused.map(|(aspect, _)| *aspect).collect();
        assert_eq!(refused, [PlanCheck::Consent, PlanCheck::Cooldown]);
        assert_eq!(review.outcome().unwrap_err().reason, Reason::OptedOut);
        let [(Channel::Sms, Err(left_out))] = &review.channels[..] else {
            panic!("{:?}", review.channels)
        };
        assert_eq!(left_out.reason, Reason::OptedOut);
    }

    #[test]
    fn promotion_by_sms_alone_waits_for_the_hours_of_the_country() {
        let mut case = Case::new();
        case.config.tenant.quiet_hours = None;
        case.now = at("2026-11-20T21:30:00+04");
        let flag = crate::messages::OptFlag::Start;
        case.contact.wish(flag, "wrote START", case.now);
        let (text, morning) = (SmsText::One("20% off".to_owned()), at("2026-11-21T07:00:00+04"));
        let (sms, whatsapp) = (Channel::Sms, Channel::WhatsApp);
        let connections = case.config.connections.clone();
        // The last one has no connection for WhatsApp, so only the SMS is left.
        for (channels, connected, category, planned_for) in [
            (&[sms][..], 2, Category::Marketing, morning),
            (&[sms], 2, Category::Utility, case.now),
            (&[whatsapp, sms], 2, Category::Marketing, case.now),
            (&[whatsapp, sms], 1, Category::Marketing, morning),
        ] {
            case.config.connections = connections[..connected].to_vec();
            let review = case.with_world(|call, world| {
                let mut intent = intent(call, world, &text, SignedDuration::ZERO);
                (intent.category, intent.narrowing) = (category, Narrowing::default());
                let words = Words::Text(&text);
                intent.says = channels
                    .iter()
                    .map(|channel| Says {
                        channel: *channel,
                        words,
                    })
                    .collect();
                review_intent(&intent, world).unwrap()
            });
            assert_eq!(review.not_before, planned_for, "{channels:?} {connected} {category:?}");
        }
    }

    #[test]
    fn sms_that_its_country_refuses_is_left_out_beside_whatsapp() {
        for (against, confirmed) in AgainstRule::all() {
            let mut case = against.case(confirmed);
            assert_eq!(case.channels(), [Channel::Sms], "alone, it is refused when it is sent");
            let then = &mut case.config.rules[0].then;
            then.channels = vec![Channel::WhatsApp, Channel::Sms].into();
            let (plan, refused) = (case.plan(), !confirmed && against.applies == Applies::Refuse);
            let expected = [Channel::WhatsApp, Channel::Sms];
            let expected = if refused { &expected[..1] } else { &expected };
            assert_eq!(case.channels(), expected, "{against:?}");
            let why = format!("; without SMS: {}", against.sentence);
            assert_eq!(plan.sentence.ends_with(&why), refused, "{}", plan.sentence);
            assert_eq!(plan.refused_sms.is_some(), refused, "{against:?}");
        }
    }

    #[test]
    fn language_that_cannot_be_sent_falls_back() {
        let config = crate::samples::config();
        let mut connection = config.connections[0].clone();
        connection.needs_content_sid = false;
        let wanted = config.rules[0].then.template.clone().unwrap();
        let chosen = |material: &Material, connection: &ConnectionSummary| {
            let found = find(material, connection, Category::Utility, &wanted, Some("ar"));
            found.unwrap().language.clone()
        };
        let material = crate::samples::material();
        assert_eq!(chosen(&material, &connection), "ar");
        let now = Some(at("2026-11-20T12:00:00+04"));
        type Change<'a> = &'a dyn Fn(&mut TemplateDefinition);
        let changes: [(&str, Change<'_>); 4] = [
            ("state", &|arabic| arabic.status = TemplateStatus::pending()),
            ("doubt", &|arabic| arabic.doubted_at = now),
            ("edit", &|arabic| arabic.submitting = now),
            ("category", &|arabic| arabic.category = Category::Marketing),
        ];
        for (what, change) in changes {
            let mut changed = material.clone();
            change(&mut changed.templates[1]);
            assert_eq!(chosen(&changed, &connection), "en_GB", "{what}");
        }
        connection.needs_content_sid = true;
        let mut changed = material;
        changed.templates[0].content_sid = Some("HX00000000000000000000000000000001".to_owned());
        assert_eq!(chosen(&changed, &connection), "en_GB", "Twilio knows only this one");
    }

    #[test]
    fn only_events_of_the_purpose_make_it_unnecessary() {
        let second = SignedDuration::from_secs(1);
        let (since, now) = (at("2026-11-20T11:58:00+04"), at("2026-11-20T12:00:00+04"));
        let began = since - second * 60;
        for row in &PURPOSE_TABLE {
            let policy = Policy::for_purpose(row.purpose, row.kinds[0].category, &Narrowing::default()).unwrap();
            let why = |wrote, answered, by_phone| {
                let contact = Contact {
                    last_inbound_at: wrote,
                    last_answered_at: answered,
                    last_by_phone_at: by_phone,
                    ..crate::samples::contact()
                };
                let refusal = unnecessary(&policy, &contact, began, since, now)?;
                assert_eq!(refusal.reason, Reason::Unnecessary);
                Some(refusal.sentence)
            };
            let within = |second: Timestamp| Some(second + SignedDuration::from_millis(999));
            assert_eq!(why(within(since), within(since), within(began)), None);
            let cancels = |event| row.cancelled_by.contains(&event);
            let no = |cancels: bool, what: &str| cancels.then(|| format!("no longer needed: {what} ago"));
            let later = Some(since + second * 90);
            let wrote = no(cancels(CancelEvent::Inbound), "this person wrote 30 s");
            assert_eq!(why(later, None, None), wrote);
            let answered = no(cancels(CancelEvent::AnsweredCall), "a later call was answered 30 s");
            assert_eq!(why(None, later, None), answered);
            // While it rings, too.
            let answers = cancels(CancelEvent::AnsweredCall) || cancels(CancelEvent::HumanReply);
            let by_phone = no(answers, "somebody wrote on the business's own phone 2 min");
            assert_eq!(why(None, None, Some(since)), by_phone);
        }
    }

    #[test]
    fn message_that_expires_before_its_time_is_refused() {
        let mut case = Case::new();
        let second = SignedDuration::from_secs(1);
        let planned = compose_after(&case, minutes(10) - second).unwrap();
        assert_eq!(planned.not_before, case.now + minutes(10) - second);
        let late = |sentence: &str, send_at: Timestamp| {
            let refusal = Refusal::new(Reason::Late, sentence).and("send_at", send_at);
            Err(refusal.and("valid_seconds", 600_i64).and("time_zone", "Asia/Dubai"))
        };
        let sentence = "too late: not before 12:10 (Asia/Dubai), but valid for 10 min only";
        let refused = late(sentence, at("2026-11-20T12:10:00+04"));
        assert_eq!(compose_after(&case, minutes(10)), refused);
        // Quiet hours begin at 21:00.
        case.now = at("2026-11-20T20:55:00+04");
        assert!(compose_after(&case, minutes(4)).is_ok());
        let sentence = "too late: not before 08:00 (Asia/Dubai), but valid for 10 min only";
        let refused = late(sentence, at("2026-11-21T08:00:00+04"));
        assert_eq!(compose_after(&case, minutes(5)), refused);
        case.now = at("2026-11-21T07:55:00+04");
        assert_eq!(
            compose_after(&case, minutes(0)).unwrap().not_before,
            at("2026-11-21T08:00:00+04")
        );
    }
}
