//! The check before a send: whether a planned message may still go out, given what may have changed since it was planned.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::campaigns::Exits;
use crate::destinations::{Applies, refused_destination};
use crate::media::{Asset, missing_file};
use crate::messages::{
    Content, Leg, Message, MessageState, cannot_reach, check_asset_fits, check_carried, check_in_charge,
    check_in_window, duration_in_words, local_time_in_words, most_spread, quiet_hours_in_words, time_ago,
};
use crate::money::Period;
use crate::people::{Contact, check_policy_wishes, check_welcome};
use crate::templates::{MAX_SMS_LENGTH, Misfit, TemplateDefinition};
use crate::tenants::{
    Account, Connection, ConnectionSummary, Health, TenantConfig, Throughput, recipient_zone, recipient_zones,
    wait_of_bulk,
};
use crate::terms::{
    Because, CampaignState, Channel, Country, FREQUENCY_SPAN, Lane, Limit, LineTypes, MessageId, Quiet, QuietAction,
    Reason, Refusal, Timers,
};

/// Input of the check before a send.
#[derive(Clone, Copy)]
pub struct CheckInput<'a> {
    /// The tenant with its rules.
    pub config: &'a TenantConfig,
    pub message: &'a Message,
    /// The leg about to be sent.
    pub leg: u8,
    pub contact: &'a Contact,
    /// The recipient's other open messages that the frequency limit counts: see [`messages_to_read_before`].
    pub open: &'a [Message],
    /// The leg's connection.
    pub connection: &'a Connection,
    /// The template that the leg names, in the current state of that connection.
    pub template: Option<&'a TemplateDefinition>,
    /// The asset that the leg names, as it is now.
    pub asset: Option<&'a Asset>,
    /// State of the message's campaign, and what ends it for a contact, as they are now. `None`: it is of none, or its campaign is gone.
    pub campaign: Option<(CampaignState, Exits)>,
    pub now: Timestamp,
    /// Timers: one of them says how long an unhealthy connection is left alone.
    pub timers: &'a Timers,
    /// Source of line types.
    pub line_type: LineTypes<'a>,
}

/// Whether a leg may be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    Go,
    /// Yes, as the one message that probes an unhealthy connection: first write the connection with `tried_at` = now, under
    /// its condition. If somebody else was faster, treat this as `Later`.
    Probe,
    Later {
        until: Timestamp,
        why: Refusal,
    },
    /// Not now, because of the connection. No other channel would be faster.
    Wait {
        until: Timestamp,
        why: Refusal,
    },
    /// Not on this channel.
    SkipLeg {
        why: Refusal,
    },
    /// Never, on any channel.
    Never {
        why: Refusal,
    },
}

/// A check before a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SendAspect"))]
#[serde(rename_all = "snake_case")]
pub enum SendCheck {
    /// The account is active.
    Account,
    /// The contact was not deleted.
    Contact,
    /// The number is of a kind and country that may be written to.
    Destination,
    /// The person wants such messages, and the basis that the purpose requires exists.
    Consent,
    /// It is still valid, and will be at the earliest time to send it.
    Validity,
    /// The connection carries the channel.
    Connection,
    /// The person wants such messages by this channel.
    ChannelConsent,
    /// Its campaign is neither paused nor cancelled.
    Campaign,
    /// No other message of the kind was sent to the person lately.
    Frequency,
    /// No earlier reply of the conversation is still to be sent.
    Order,
    /// The channel reaches the person, and nobody else answers them there.
    Reach,
    /// The template, or other content, can be sent.
    Content,
    /// No rule of the recipient's country forbids it by SMS.
    CountryRule,
    /// It is not within quiet hours, or a country's hours without promotion by SMS.
    QuietHours,
    /// The provider has the file that it carries.
    Upload,
    /// The number that sends it is not paused, and this person has not got too many messages in a short time.
    Pause,
    /// The connection works.
    Health,
}

/// A check of the leg about to be sent.
type Checked = fn(&CheckInput<'_>, &Leg) -> Check;

/// All checks, in order: the first one that is against the attempt decides.
static TABLE: [(SendCheck, Checked); 17] = [
    (SendCheck::Account, account),
    (SendCheck::Contact, existence),
    (SendCheck::Destination, destination),
    (SendCheck::Consent, consent),
    (SendCheck::Validity, validity),
    (SendCheck::Campaign, campaign),
    (SendCheck::Frequency, frequency),
    (SendCheck::Order, order),
    (SendCheck::Connection, connection),
    (SendCheck::ChannelConsent, channel_consent),
    (SendCheck::Reach, reach),
    (SendCheck::Content, content),
    (SendCheck::CountryRule, country_rule),
    (SendCheck::QuietHours, quiet_hours),
    (SendCheck::Upload, upload),
    (SendCheck::Pause, pause),
    (SendCheck::Health, health),
];

/// Checks what may have changed since the message was planned. The last step before the claim, after which
/// `send_message` looks once more whether the contact has changed.
pub fn check_send(input: &CheckInput<'_>) -> Check {
    if leg(input).is_none() {
        let why = Refusal::new(Reason::NoChannel, "it has no such channel");
        return Check::Never { why };
    }
    let mut verdicts = all_send_checks(input).map(|(_, verdict)| verdict);
    verdicts.find(|verdict| *verdict != Check::Go).unwrap_or(Check::Go)
}

/// The verdict of each check; [`check_send`] takes the first that is not [`Check::Go`]. None, if there is no such leg.
pub fn all_send_checks<'a>(input: &'a CheckInput<'_>) -> impl Iterator<Item = (SendCheck, Check)> + 'a {
    let of_leg = move |leg: &'a Leg| {
        let all = TABLE.iter();
        all.map(move |(aspect, checked)| (*aspect, checked(input, leg)))
    };
    leg(input).into_iter().flat_map(of_leg)
}

fn leg<'a>(input: &CheckInput<'a>) -> Option<&'a Leg> {
    input.message.plan.get(usize::from(input.leg))
}

fn account(input: &CheckInput<'_>, _: &Leg) -> Check {
    never(input.config.tenant.may_send().err())
}

fn existence(input: &CheckInput<'_>, _: &Leg) -> Check {
    let is_gone = input.contact.erasing || input.contact.deleted_at.is_some();
    never(is_gone.then(|| Refusal::new(Reason::ContactDeleted, "the contact was deleted")))
}

fn destination(input: &CheckInput<'_>, _: &Leg) -> Check {
    let countries = &input.config.tenant.allowed_countries;
    let to = &input.message.to;
    never(refused_destination(
        to.phone.as_ref(),
        to.country(),
        countries,
        input.line_type,
    ))
}

fn consent(input: &CheckInput<'_>, _: &Leg) -> Check {
    never(check_welcome(&input.message.policy, input.contact, "it", input.now).err())
}

/// Whether the frequency limit is checked once more before the message is sent. A further channel of a message that went out is the same
/// message.
fn obeys_frequency(message: &Message) -> bool {
    message.policy.obeys(Limit::Frequency) && message.last_sent_at().is_none()
}

/// The messages to read before the check: the reply that goes before it, and the other open ones that the frequency limit counts, if the
/// message obeys it. When it was planned there was none of these, but its contact may have been merged with another since.
pub fn messages_to_read_before(message: &Message, contact: &Contact) -> Vec<MessageId> {
    let counted = contact.open.iter().filter(|open| open.counts_from.is_some());
    let others = counted.map(|open| open.message).filter(|id| *id != message.id);
    let others = others.filter(|_| obeys_frequency(message));
    others.chain(message.behind.map(|behind| behind.message)).collect()
}

/// A message that lets another one go first looks again after this time.
const LETS_GO_FIRST: SignedDuration = SignedDuration::from_mins(1);

/// A reply looks again after this time whether the one before it was sent.
const BETWEEN_LOOKS: SignedDuration = SignedDuration::from_secs(2);
/// A reply behind one with an unknown outcome looks again after this time.
const BETWEEN_LOOKS_IN_DOUBT: SignedDuration = SignedDuration::from_secs(15);
/// The longest wait of a reply behind one that waits for a time of its own.
const MAX_BETWEEN_LOOKS: SignedDuration = SignedDuration::from_mins(1);

/// Replies of a conversation go one after the other. A reply behind one with an unknown outcome goes when that one is given up.
fn order(input: &CheckInput<'_>, _: &Leg) -> Check {
    let CheckInput { message, open, now, .. } = *input;
    let Some(behind) = message.behind else {
        return Check::Go;
    };
    let earlier = open.iter().find(|earlier| earlier.id == behind.message);
    if earlier.is_some_and(|earlier| !earlier.is_yet_to_go()) {
        return Check::Go;
    }
    let wait = match earlier.map(|earlier| (earlier.state(), earlier)) {
        Some((MessageState::Unknown, _)) => BETWEEN_LOOKS_IN_DOUBT,
        Some((MessageState::Scheduled, earlier)) => {
            let next = earlier.due.filter(|_| earlier.waiting.is_some());
            let wait = next.unwrap_or(earlier.not_before).duration_since(now);
            wait.clamp(BETWEEN_LOOKS, MAX_BETWEEN_LOOKS)
        }
        _ => BETWEEN_LOOKS,
    };
    Check::Later {
        until: now + wait,
        why: Refusal::new(Reason::EarlierReply, "an earlier reply goes first"),
    }
}

/// The check of the frequency limit alone, for a contact that has changed after the other checks. `input.message` is without the claim that
/// was made meanwhile.
pub fn check_frequency(input: &CheckInput<'_>) -> Check {
    leg(input).map_or(Check::Go, |leg| frequency(input, leg))
}

/// Of several waiting messages, the first one due goes, and the others find it sent.
fn frequency(input: &CheckInput<'_>, _: &Leg) -> Check {
    let CheckInput {
        message,
        contact,
        open,
        now,
        ..
    } = *input;
    if !obeys_frequency(message) {
        return Check::Go;
    }
    let category = message.policy.category().as_str();
    let refusal = |sentence: String| {
        let refusal = Refusal::new(Reason::Frequency, sentence).and("category", category);
        refusal.and("every_seconds", FREQUENCY_SPAN.as_secs())
    };
    let others = || {
        open.iter()
            .filter(|other| other.id != message.id && other.policy.counts_from_sending())
    };
    let sent = others().filter_map(Message::last_sent_at);
    // The contact's data of the time of planning is too old, but data that a merge has added since is not. The cooldown that the message
    // began itself does not count; it may hide an earlier one.
    let own = contact.open.iter().find(|open| open.message == message.id);
    let follow_up = contact.last_follow_up_at.filter(|at| *at != message.created_at);
    let since = [contact.last_counted_at, follow_up, own.and_then(|own| own.before)];
    let last = since.into_iter().flatten().chain(sent).max();
    if let Some(last) = last.filter(|last| now < *last + FREQUENCY_SPAN) {
        let sentence = format!(
            "texted {}, {category} at most every {}",
            time_ago(last, now),
            duration_in_words(FREQUENCY_SPAN)
        );
        let why = refusal(sentence).and("last_at", last);
        return Check::Never { why };
    }
    let due_first = |other: &&Message| (other.not_before, other.id) < (message.not_before, message.id);
    if others().any(|other| other.may_be_sent(now) && due_first(&other)) {
        let why = refusal(format!("another {category} message to this person may still be sent"));
        let until = now + LETS_GO_FIRST;
        return Check::Later { until, why };
    }
    Check::Go
}

/// The reason for a message that is too late, with the time of planning. If a cap kept it back until then, the cap is the reason.
fn late(message: &Message, sentence: String) -> Refusal {
    if message.remarked_since(Reason::CapReached).is_some()
        && let Some(Because { code, facts }) = message.remarks.last().and_then(|last| last.because.clone())
    {
        return Refusal {
            reason: code,
            facts,
            sentence: format!("a cap was reached, and then it was {sentence}"),
        };
    }
    Refusal::new(Reason::Late, sentence).and("planned_at", message.created_at)
}

fn validity(input: &CheckInput<'_>, _: &Leg) -> Check {
    let CheckInput { message, now, .. } = *input;
    let valid_until = message.valid_until();
    if now >= valid_until {
        let why = late(
            message,
            format!("too late: planned {}", time_ago(message.created_at, now)),
        );
        return Check::Never { why };
    }
    if message.not_before < valid_until {
        return Check::Go;
    }
    let zone = recipient_zone(&input.config.tenant, message.to.phone.as_ref());
    let earliest = local_time_in_words(message.not_before, zone.rules());
    let sentence = format!("too late: not before {earliest}, when it is no longer valid");
    let why = late(message, sentence).and("send_at", message.not_before);
    let why = why.and("time_zone", zone.to_string());
    Check::Never { why }
}

/// A message of a paused campaign looks again after this time. When the campaign is resumed or cancelled, it is woken.
const PAUSE_LOOK: SignedDuration = SignedDuration::from_hours(1);

/// The wait of a message of a broadcast when a cap has no room for it: the campaign is paused for that at its next look.
pub fn wait_beyond_cap(reached: &Refusal, now: Timestamp) -> Check {
    let sentence = format!("waits: {}", reached.sentence);
    Check::Later {
        until: now + PAUSE_LOOK,
        why: Refusal::new(Reason::CampaignPaused, sentence),
    }
}

/// Time of a message's validity that must be left at the end of a wait for a cap: many may wait for the same moment.
const AFTER_CAP: SignedDuration = SignedDuration::from_mins(5);

/// The wait of a message of a drip when a cap no longer has room for it, although it had when the message was made: until the next hour, as
/// long as the message is valid.
pub fn wait_of_step_beyond_cap(message: &Message, reached: Refusal, now: Timestamp) -> Check {
    let until = Period::Hour.next(now);
    if message.valid_until() < until + AFTER_CAP {
        return Check::Never { why: reached };
    }
    let sentence = format!("waits: {}", reached.sentence);
    let why = Refusal { sentence, ..reached };
    Check::Later { until, why }
}

fn campaign(input: &CheckInput<'_>, _: &Leg) -> Check {
    if input.message.cause.campaign().is_none() {
        return Check::Go;
    }
    let (state, exits) = input.campaign.unzip();
    let left = exits.filter(|_| input.message.cause.is_step());
    if let Some((why, _)) = left.and_then(|exits| exits.reason(input.contact, input.message.created_at)) {
        return Check::Never { why };
    }
    match state {
        Some(CampaignState::Running | CampaignState::Finishing | CampaignState::Completed) => Check::Go,
        Some(CampaignState::Paused) => Check::Later {
            until: input.now + PAUSE_LOOK,
            why: Refusal::new(Reason::CampaignPaused, "waits: its campaign is paused"),
        },
        Some(CampaignState::Cancelled) => Check::Never {
            why: Refusal::new(Reason::CampaignCancelled, "its campaign was cancelled"),
        },
        // It has messages only once it runs.
        Some(CampaignState::Draft | CampaignState::Scheduled) | None => Check::Never {
            why: Refusal::new(Reason::CampaignCancelled, "its campaign was deleted"),
        },
    }
}

/// The verdict on the message: without this reason, it can be sent.
fn never(why: Option<Refusal>) -> Check {
    why.map_or(Check::Go, |why| Check::Never { why })
}

/// The verdict on a channel: without this reason, it can be used.
fn unless(why: Option<Refusal>) -> Check {
    why.map_or(Check::Go, |why| Check::SkipLeg { why })
}

fn connection(input: &CheckInput<'_>, leg: &Leg) -> Check {
    let connection = input.connection;
    let carries = connection.id == leg.connection && connection.carries(leg.channel);
    unless((!carries).then(|| {
        let sentence = format!("the connection {:?} does not carry it", connection.name);
        let refusal = Refusal::new(Reason::NotCarried, sentence).and("connection", connection.name.as_str());
        refusal.and("channel", leg.channel.as_str())
    }))
}

fn channel_consent(input: &CheckInput<'_>, leg: &Leg) -> Check {
    let allowed = check_policy_wishes(&input.message.policy, input.contact, Some(leg.channel), "it");
    unless(allowed.err())
}

fn reach(input: &CheckInput<'_>, leg: &Leg) -> Check {
    let CheckInput {
        message,
        contact,
        now,
        line_type,
        ..
    } = *input;
    let phone = message.to.phone.as_ref();
    let why = cannot_reach(contact, phone, leg.channel, message.policy.category(), now, line_type);
    let nobody = phone.is_none() && message.to.bsuid.is_none();
    let why = why.or_else(|| nobody.then(|| Refusal::new(Reason::NoRecipient, "nobody to send it to")));
    let number = input
        .connection
        .whatsapp_number()
        .filter(|_| leg.channel == Channel::WhatsApp);
    let elsewhere = || check_in_charge(message.policy.purpose(), contact, number, &message.to, now).err();
    unless(why.or_else(elsewhere))
}

fn content(input: &CheckInput<'_>, leg: &Leg) -> Check {
    unless(content_fits(input, leg).err())
}

fn country_rule(input: &CheckInput<'_>, leg: &Leg) -> Check {
    let Some(connection) = sms_sender(input, leg) else {
        return Check::Go;
    };
    let (to, category) = (&input.message.to, input.message.policy.category());
    unless(
        connection
            .sms_of(leg, to, category)
            .and_then(|sms| sms.refusal_by_rules()),
    )
}

/// The connection of an SMS.
fn sms_sender(input: &CheckInput<'_>, leg: &Leg) -> Option<ConnectionSummary> {
    (leg.channel == Channel::Sms).then(|| ConnectionSummary::from(input.connection))
}

/// Remarks on a message that is sent although a rule of the recipient's country is against it.
pub fn country_remarks(input: &CheckInput<'_>) -> Vec<Refusal> {
    let found = leg(input).and_then(|leg| Some((leg, sms_sender(input, leg)?)));
    let Some((leg, connection)) = found else {
        return Vec::new();
    };
    let sms = connection.sms_of(leg, &input.message.to, input.message.policy.category());
    let broken = sms.iter().flat_map(|sms| sms.broken_rules());
    let remarked = broken.filter(|rule| rule.applies() == Applies::Remark);
    remarked.map(|rule| rule.refusal()).collect()
}

fn quiet_hours(input: &CheckInput<'_>, leg: &Leg) -> Check {
    let CheckInput {
        config, message, now, ..
    } = *input;
    let zones = recipient_zones(&config.tenant, message.to.phone.as_ref());
    let of_country =
        sms_sender(input, leg).and_then(|connection| connection.sms_hours(&message.to, message.policy.category()));
    let quiet = message
        .policy
        .quiet_hours(config.tenant.quiet_hours)
        .and_of_country(of_country);
    let Some((hours, zone)) = quiet.at(now, &zones) else {
        return Check::Go;
    };
    let country = message.to.country().filter(|_| quiet.is_of_country(&hours));
    let during = match country {
        Some(country) => format!(
            "hours without promotion by SMS to {country}, {} ({zone})",
            quiet_hours_in_words(&hours)
        ),
        None => format!("quiet hours {} ({zone})", quiet_hours_in_words(&hours)),
    };
    let during_them = |why: Refusal| {
        let why = why.within(&hours).and("time_zone", zone.to_string());
        // Too late has no such fact.
        let country = country.filter(|_| why.reason == Reason::QuietHours);
        why.and_if("country", country.as_ref().map(Country::as_str))
    };
    match hours.action {
        QuietAction::Send => Check::Go,
        QuietAction::Skip => {
            let sentence = format!("{during}, in which this message is skipped");
            let why = during_them(Refusal::new(Reason::QuietHours, sentence));
            Check::Never { why }
        }
        QuietAction::Defer => {
            let until = quiet.next_allowed(now, &zones);
            if until >= message.valid_until() {
                let sentence = format!("too late: no longer valid at the end of {during}");
                let why = during_them(late(message, sentence));
                // A country's are of SMS only.
                return match country {
                    Some(_) => Check::SkipLeg { why },
                    None => Check::Never { why },
                };
            }
            let why = Refusal::new(Reason::QuietHours, format!("waits for the end of {during}"));
            let why = during_them(why).and("send_at", until);
            Check::Later { until, why }
        }
    }
}

/// Waits for the connection, unless the next channel is faster.
fn wait(input: &CheckInput<'_>, until: Timestamp, why: Refusal) -> Check {
    let CheckInput { message, now, leg, .. } = *input;
    let woken = until + most_spread(until.duration_since(now));
    if message.outwaits(leg, woken, now) && !next_is_kept_back(input) {
        Check::SkipLeg { why }
    } else {
        Check::Wait { until, why }
    }
}

/// Whether the next channel is an SMS that waits for the hours of the recipient's country, which is longer than any connection is waited for.
fn next_is_kept_back(input: &CheckInput<'_>) -> bool {
    let CheckInput {
        config, message, now, ..
    } = *input;
    let next = message.plan.get(usize::from(input.leg) + 1);
    let next = next.filter(|next| next.channel == Channel::Sms);
    let sender = next.and_then(|next| config.connection(next.connection));
    let hours = sender.and_then(|sender| sender.sms_hours(&message.to, message.policy.category()));
    let zones = recipient_zones(&config.tenant, message.to.phone.as_ref());
    Quiet::default().and_of_country(hours).at(now, &zones).is_some()
}

/// First wait for a file on its way to the provider: most are small.
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(5);
/// Longest wait between two looks.
const MAX_LOOK: SignedDuration = SignedDuration::from_secs(60);

/// The file that a leg carries, if its connection's provider must have it before, and has not.
pub fn awaits_upload<'a>(
    leg: &Leg,
    asset: Option<&'a Asset>,
    connection: &Connection,
    now: Timestamp,
) -> Option<&'a Asset> {
    // Twilio fetches it by a link.
    let uploaded = matches!(connection.account, Account::WhatsApp(_));
    leg.content.asset().filter(|_| uploaded)?;
    asset.filter(|asset| asset.handle(connection.id, now).is_none())
}

fn upload(input: &CheckInput<'_>, leg: &Leg) -> Check {
    let CheckInput {
        message,
        connection,
        asset,
        now,
        ..
    } = *input;
    let Some(asset) = awaits_upload(leg, asset, connection, now) else {
        return Check::Go;
    };
    if let Err(why) = asset.taken_by(connection.id, now) {
        return Check::SkipLeg { why };
    }
    let waited = now.duration_since(message.waits_since(input.leg, now));
    let until = now + waited.clamp(FIRST_LOOK, MAX_LOOK);
    let why = Refusal::new(Reason::AssetUploading, "the file is being uploaded to WhatsApp");
    wait(input, until, why.and("asset", asset.id.to_string()))
}

fn pause(input: &CheckInput<'_>, leg: &Leg) -> Check {
    let CheckInput { connection, now, .. } = *input;
    let Some(until) = connection.paused_until.filter(|until| now < *until) else {
        return pace(input, leg);
    };
    let sentence = "the number is paused: it was too fast or is restricted";
    let why = Refusal::new(Reason::Paused, sentence).and("connection", connection.name.as_str());
    wait(input, until, why.and("until_at", until))
}

/// WhatsApp takes only so many messages to one person.
fn pace(input: &CheckInput<'_>, leg: &Leg) -> Check {
    let CheckInput {
        message, contact, now, ..
    } = *input;
    let earliest = contact.earliest_by_whatsapp(message.id);
    let by_whatsapp = leg.channel == Channel::WhatsApp;
    let Some(until) = earliest.filter(|until| by_whatsapp && now < *until) else {
        return Check::Go;
    };
    let sentence = "this person has got as many messages by WhatsApp as may be sent in a short time";
    wait(
        input,
        until,
        Refusal::new(Reason::PairRate, sentence).and("until_at", until),
    )
}

/// A message asks for a place at the latest this long before the end of its validity.
const LAST_LOOK: SignedDuration = SignedDuration::from_mins(3);

/// The verdict on a message whose number has no place for it before this time. An answer waits so long, unless the next channel is
/// faster. A message in bulk keeps its channel.
pub fn wait_beyond_throughput(input: &CheckInput<'_>, throughput: &Throughput, until: Timestamp) -> Check {
    let CheckInput {
        message,
        connection,
        now,
        ..
    } = *input;
    let sentence = "waits its turn: the number sends as fast as it may";
    let why = Refusal::new(Reason::Throughput, sentence).and("connection", connection.name.as_str());
    let why = why.and("per_second", throughput.limit());
    match message.policy.lane() {
        Lane::Answers => wait(input, until, why),
        Lane::Bulk => {
            let since = message.remarked_since(Reason::Throughput).unwrap_or(now);
            let until = until.max(now + wait_of_bulk(now.duration_since(since), message.place()));
            // So that it looks once more while it is valid.
            let last_look = message.valid_until() - LAST_LOOK;
            let until = until.min(last_look.max(now + LAST_LOOK));
            Check::Later { until, why }
        }
    }
}

fn health(input: &CheckInput<'_>, _: &Leg) -> Check {
    let CheckInput {
        message,
        connection,
        now,
        timers,
        ..
    } = *input;
    let Health::Unhealthy {
        since,
        tried_at,
        reason,
    } = &connection.health
    else {
        return Check::Go;
    };
    let why = format!("the connection {:?} does not work: {reason}", connection.name);
    let why = Refusal::new(Reason::ConnectionBroken, why).and("connection", connection.name.as_str());
    let why = why.and("since_at", *since);
    match *tried_at + timers.recheck {
        until if now < until => wait(input, until, why),
        _ if message.outwaits(input.leg, now, now) && !next_is_kept_back(input) => Check::SkipLeg { why },
        _ => Check::Probe,
    }
}

fn content_fits(input: &CheckInput<'_>, leg: &Leg) -> Result<(), Refusal> {
    let CheckInput {
        message,
        contact,
        connection,
        template,
        now,
        ..
    } = *input;
    let words = match (leg.channel, &leg.content) {
        (Channel::WhatsApp, Content::Template(filled)) => {
            let definition = template
                .filter(|known| known.name == filled.name && known.language == filled.language)
                .ok_or_else(|| Misfit::NoTemplate {
                    name: filled.name.clone(),
                    language: filled.language.clone(),
                })?;
            let summary = ConnectionSummary::from(connection);
            definition.sendable_as(message.policy.category(), summary.needs_content_sid)?;
            definition.check(filled).map_err(Refusal::from)
        }
        (Channel::WhatsApp, content) => {
            check_in_window(contact, connection.whatsapp_number(), &message.to, now)?;
            check_carried(content.kind(), &ConnectionSummary::from(connection))
        }
        (Channel::Sms, Content::Text(text)) => {
            let length = text.chars().count();
            if text.trim().is_empty() {
                Err(Refusal::new(Reason::TextEmpty, "the text is empty"))
            } else if length > MAX_SMS_LENGTH {
                let sentence = format!("the text is longer than {MAX_SMS_LENGTH} characters");
                let refusal = Refusal::new(Reason::TextTooLong, sentence).and("part", "SMS");
                Err(refusal.and("characters", length).and("maximum", MAX_SMS_LENGTH))
            } else {
                Ok(())
            }
        }
        (Channel::Sms, _) => {
            let refusal = Refusal::new(Reason::WrongContent, "only text can be sent by SMS");
            Err(refusal.and("channel", leg.channel.as_str()))
        }
    };
    words?;
    let Some(used) = leg.content.asset() else {
        return Ok(());
    };
    let asset = input.asset.filter(|asset| asset.id == used.asset_id);
    let asset = asset.ok_or_else(|| missing_file(used.asset_id))?;
    check_asset_fits(asset, used.kind, &ConnectionSummary::from(connection))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use ulid::Ulid;

    use super::*;
    use crate::messages::{Attempt, AttemptState, Cause, CauseStep, Material, OptFlag, Waiting};
    use crate::money::Take;
    use crate::people::OpenIntent;
    use crate::samples::{AgainstRule, Case, NOON, at, connections, message_of, timers};
    use crate::tenants::TenantStatus;
    use crate::terms::{CampaignId, Category, LineType, Narrowing, Phone, Policy, Purpose};

    /// The policy of a follow-up of this category.
    fn policy(category: Category, by: &Narrowing) -> Policy {
        Policy::for_purpose(Purpose::FollowUp, category, by).unwrap()
    }

    fn narrow_policy(message: &mut Message, by: &Narrowing) {
        message.policy = policy(Category::Utility, by);
    }

    /// The check with its sentence alone.
    fn plain(mut check: Check) -> Check {
        match &mut check {
            Check::Go | Check::Probe => {}
            Check::Later { why, .. } | Check::Wait { why, .. } | Check::SkipLeg { why } | Check::Never { why } => {
                *why = why.sentence.as_str().into();
            }
        }
        check
    }

    /// A planned message that is about to be sent. Each test changes one aspect of it.
    struct Sending {
        config: TenantConfig,
        material: Material,
        contact: Contact,
        open: Vec<Message>,
        message: Message,
        connections: Vec<Connection>,
        leg: u8,
        campaign: Option<(CampaignState, Exits)>,
        now: Timestamp,
        line: LineType,
    }

    impl Sending {
        fn new() -> Self {
            Self::of(Case::new())
        }

        fn of(case: Case) -> Self {
            Self {
                message: message_of(case.plan(), case.now),
                connections: connections(),
                config: case.config,
                material: case.material,
                contact: case.contact,
                open: Vec::new(),
                leg: 0,
                campaign: None,
                now: case.now,
                line: LineType::Other,
            }
        }

        /// Makes it a message of a campaign, of this step if it is a drip.
        fn of_campaign(&mut self, step: Option<CauseStep>) {
            self.message.cause = Cause::Campaign {
                campaign: CampaignId::new(Ulid::from_parts(1, 1)),
                contact: self.contact.id,
                step,
            };
        }

        /// Its leg has waited for its connection for so many seconds.
        fn has_waited(&mut self, seconds: i64) {
            let since = self.now - SignedDuration::from_secs(seconds);
            self.message.waiting = Some(Waiting { leg: 0, since });
        }

        fn check(&self) -> Check {
            self.with(check_send)
        }

        fn with(&self, checked: impl Fn(&CheckInput<'_>) -> Check) -> Check {
            let line = self.line;
            let leg = &self.message.plan[usize::from(self.leg)];
            let wanted = leg.connection;
            let template = leg.content.template().and_then(|filled| {
                let mut named = self.material.template_versions(wanted, &filled.name);
                named.find(|template| template.language == filled.language)
            });
            let asset = leg.content.asset().and_then(|used| {
                let mut assets = self.material.assets.iter();
                assets.find(|asset| asset.id == used.asset_id)
            });
            checked(&CheckInput {
                campaign: self.campaign,
                config: &self.config,
                message: &self.message,
                leg: self.leg,
                contact: &self.contact,
                open: &self.open,
                connection: self.connections.iter().find(|known| known.id == wanted).unwrap(),
                template,
                asset,
                now: self.now,
                timers: &timers(),
                line_type: &move |_: &Phone| line,
            })
        }
    }

    #[test]
    fn message_of_a_campaign_goes_only_while_it_runs() {
        use CampaignState::{Cancelled, Completed, Draft, Finishing, Paused, Running, Scheduled};
        let mut sending = Sending::new();
        assert_eq!(sending.check(), Check::Go, "it is of none");
        sending.of_campaign(None);
        let exits = Exits::default();
        for state in [Running, Finishing, Completed] {
            sending.campaign = Some((state, exits));
            assert_eq!(sending.check(), Check::Go, "{state:?}");
        }
        sending.campaign = Some((Paused, exits));
        let Check::Later { until, why } = sending.check() else {
            panic!("{:?}", sending.check());
        };
        assert_eq!((until, why.reason), (sending.now + PAUSE_LOOK, Reason::CampaignPaused));
        for state in [Some(Cancelled), Some(Draft), Some(Scheduled), None] {
            sending.campaign = state.map(|state| (state, exits));
            let Check::Never { why } = sending.check() else {
                panic!("{state:?}");
            };
            assert_eq!(why.reason, Reason::CampaignCancelled, "{state:?}");
        }
    }

    #[test]
    fn step_of_a_drip_is_not_sent_to_whoever_has_left_it() {
        let mut sending = Sending::new();
        let at = sending.message.created_at;
        sending.of_campaign(Some(CauseStep { place: 0, at }));
        let stays = Exits {
            on_reply: false,
            ..Exits::default()
        };
        let after = Some(sending.message.created_at + SignedDuration::from_secs(1));
        for (exits, wrote, talked, goes) in [
            (Exits::default(), None, None, true),
            (Exits::default(), after, None, false),
            (Exits::default(), None, after, true),
            (stays, after, after, true),
            (Exits { on_call: true, ..stays }, None, after, false),
        ] {
            sending.campaign = Some((CampaignState::Running, exits));
            (sending.contact.last_written_at, sending.contact.last_reached_at) = (wrote, talked);
            // A reaction ends nothing.
            sending.contact.last_inbound_at = after;
            let goes_on = matches!(sending.check(), Check::Go);
            assert_eq!(goes_on, goes, "{exits:?} {wrote:?} {talked:?}");
        }
    }

    #[test]
    fn step_waits_for_a_cap_as_long_as_it_is_valid() {
        let mut sending = Sending::new();
        let cap = &crate::money::usual_caps()[0];
        let beyond = |sending: &Sending| {
            wait_of_step_beyond_cap(&sending.message, cap.refusal_when_reached(sending.now), sending.now)
        };
        let next = Period::Hour.next(sending.now);
        let Check::Later { until, why } = beyond(&sending) else {
            panic!("{:?}", beyond(&sending));
        };
        assert_eq!((until, why.reason), (next, Reason::CapReached));
        let timers = timers();
        sending.message.postpone(until, why, sending.now, &timers);
        assert!(sending.message.waits_for_cap());
        // If it is no longer valid then, that is the reason, and so it is if something else holds it until then.
        sending.now = sending.message.valid_until() - SignedDuration::from_mins(1);
        assert!(matches!(beyond(&sending), Check::Never { why } if why.reason == Reason::CapReached));
        sending.now = sending.message.valid_until();
        assert!(matches!(sending.check(), Check::Never { why } if why.reason == Reason::CapReached));
    }

    /// An amount that was taken in a period that is over, or that was too small, is taken again.
    #[test]
    fn what_was_counted_when_it_was_made_is_not_counted_again() {
        let mut sending = Sending::new();
        let made = sending.message.created_at;
        let caps = crate::money::usual_caps();
        let take = |cap: usize, amount| Take {
            cap: caps[cap].clone(),
            amount,
        };
        // Of an hour, and of a day.
        let both = [take(0, 1), take(1, 1)];
        assert_eq!(sending.message.still_to_take(&both, made), both);
        sending.message.made_within(&both);
        assert_eq!(sending.message.still_to_take(&both, made), []);
        assert_eq!(
            sending.message.still_to_take(&[take(0, 1), take(3, 1)], made),
            [take(3, 1)]
        );
        let later = Period::Hour.next(made);
        assert_eq!(sending.message.still_to_take(&both, later), [take(0, 1)]);
        assert_eq!(sending.message.still_to_take(&both, Period::Day.next(made)), both);
        let mut money = take(1, 70);
        money.cap.currency = "USD".parse().ok();
        sending.message.made_within(std::slice::from_ref(&money));
        assert_eq!(sending.message.still_to_take(std::slice::from_ref(&money), later), []);
        let dearer = [Take { amount: 71, ..money }];
        assert_eq!(sending.message.still_to_take(&dearer, later), dearer);
        let key = sending.message.claim(0, "claim".to_owned(), made, &timers());
        sending.message.claimed_within(&dearer);
        let taken = sending.message.attempts[0].cap_amounts();
        assert_eq!((key.attempt, taken), (1, [(dearer[0].cap.number, 71)].into()));
        assert_eq!(sending.message.still_to_take(&both, made), both);
    }

    /// Two contacts, each with a message for tonight, were merged.
    #[test]
    fn of_two_that_wait_the_first_one_goes() {
        let minutes = |minutes: i64| SignedDuration::from_mins(minutes);
        let mut second = Sending::new();
        second.message.policy = policy(Category::Marketing, &Narrowing::default());
        let of_leg = |sending: &Sending| sending.with(|input| frequency(input, &input.message.plan[0]));
        assert_eq!(of_leg(&second), Check::Go);
        let mut first = second.message.clone();
        first.id = MessageId::new(first.id.contact(), Ulid::from_parts(1, 1));
        for (message, counts_from) in [(&first, first.not_before), (&second.message, second.now)] {
            second.contact.open.push(OpenIntent {
                purpose: Purpose::FollowUp,
                version: message.policy.version(),
                message: message.id,
                before: None,
                counts_from: Some(counts_from),
            });
        }
        assert_eq!(messages_to_read_before(&second.message, &second.contact), [first.id]);
        // The one that is due later lets the other one go first, which does not wait for it.
        for (earlier, goes) in [(1, false), (-1, true)] {
            first.not_before = second.message.not_before - minutes(earlier);
            second.open = vec![first.clone(), second.message.clone()];
            match of_leg(&second) {
                Check::Go => assert!(goes),
                Check::Later { until, why } => {
                    let expected = second.now + LETS_GO_FIRST;
                    assert!(!goes && until == expected && why.reason == Reason::Frequency);
                }
                other => panic!("{other:?}"),
            }
        }
        // Once it was sent, no other one is, for a day, whether or not the contact knows it by now.
        let sent = second.now - minutes(1);
        second.open.clear();
        second.contact.last_counted_at = Some(sent);
        second.message.created_at = sent - minutes(1);
        assert!(matches!(of_leg(&second), Check::Never { why } if why.reason == Reason::Frequency));
        second.now = sent + FREQUENCY_SPAN;
        assert_eq!(of_leg(&second), Check::Go);
        // It began that cooldown itself, which hides the one of a contact that was merged.
        second.now = sent + minutes(1);
        second.message.created_at = sent;
        (second.contact.last_counted_at, second.contact.last_follow_up_at) = (None, Some(sent));
        assert_eq!(of_leg(&second), Check::Go);
        second.contact.open[1].before = Some(sent - minutes(30));
        assert!(matches!(of_leg(&second), Check::Never { .. }));
        // Nothing of it went out.
        let mut claimed = second.message.clone();
        claimed.claim(0, "claim".to_owned(), second.now, &timers());
        let refused = Attempt {
            state: AttemptState::Refused,
            ..claimed.attempts[0].clone()
        };
        second.message.attempts.push(refused);
        assert!(matches!(of_leg(&second), Check::Never { .. }));
        second.message.attempts[0].state = AttemptState::Accepted;
        assert_eq!(of_leg(&second), Check::Go, "another channel of the same message");
        second.message.attempts.clear();
        second.message.policy = policy(Category::Utility, &Narrowing::default());
        second.message.created_at = sent - minutes(1);
        assert_eq!(of_leg(&second), Check::Go, "utility does not obey it");
    }

    fn sending(change: impl FnOnce(&mut Sending)) -> Check {
        let mut sending = Sending::new();
        change(&mut sending);
        plain(sending.check())
    }

    #[test]
    fn check_finds_changes_since_the_plan() {
        assert_eq!(sending(|_| ()), Check::Go);
        assert_eq!(sending(|sending| sending.leg = 1), Check::Go);
        let never = |why: &str| Check::Never { why: why.into() };
        assert_eq!(
            sending(|sending| sending.config.tenant.status = TenantStatus::Suspended),
            never("the account is suspended")
        );
        assert_eq!(
            sending(|sending| {
                let stopped_at = at("2026-11-20T11:59:00+04");
                sending.contact.wish(OptFlag::Stop, "wrote STOP", stopped_at);
            }),
            never("opted out on 20 November 2026 (wrote STOP)")
        );
        assert_eq!(
            sending(|sending| {
                let by = Narrowing {
                    opt_in: true,
                    ..Narrowing::default()
                };
                narrow_policy(&mut sending.message, &by);
            }),
            never("it needs an opt-in, and this person gave none")
        );
        assert_eq!(
            sending(|sending| sending.now = at("2026-11-24T12:00:00+04")),
            never("too late: planned 4 days ago")
        );

        let skip = |why: &str| Check::SkipLeg { why: why.into() };
        assert_eq!(
            sending(|sending| {
                sending.leg = 1;
                sending.line = LineType::FixedLine;
            }),
            skip("the number is a landline")
        );
        assert_eq!(
            sending(|sending| sending.material.templates[0].status.0 = "DISABLED".to_owned()),
            skip("template missed_call_followup in en_GB is DISABLED, not APPROVED")
        );
        assert_eq!(
            sending(|sending| sending.material.templates[0].category = Category::Marketing),
            skip("template missed_call_followup is marketing, but the message is utility")
        );
        assert_eq!(
            sending(|sending| sending.message.plan[0].content = Content::Text("Hello".to_owned())),
            skip("the person has not written by WhatsApp in the last 24 hours")
        );
        assert_eq!(
            sending(|sending| {
                sending.message.plan[0].content = Content::Text("Hello".to_owned());
                let other = "+97143330001".parse().unwrap();
                sending
                    .contact
                    .open_window(&other, &sending.contact.recipient(), at("2026-11-19T12:00:01+04"));
            }),
            skip("the person has not written by WhatsApp in the last 24 hours")
        );
        assert_eq!(
            sending(|sending| {
                sending.message.plan[0].content = Content::Text("Hello".to_owned());
                let number = sending.connections[1].whatsapp_number().unwrap().clone();
                sending
                    .contact
                    .open_window(&number, &sending.contact.recipient(), at("2026-11-19T12:00:01+04"));
            }),
            Check::Go
        );
    }

    #[test]
    fn check_says_why_in_codes_and_facts() {
        let why = |change: fn(&mut Sending)| {
            let mut sending = Sending::new();
            change(&mut sending);
            match sending.check() {
                Check::Later { why, .. } | Check::Wait { why, .. } | Check::SkipLeg { why } | Check::Never { why } => {
                    (why.reason.as_str(), serde_json::to_value(&why.facts).unwrap())
                }
                other => panic!("{other:?}"),
            }
        };
        let hours = json!({
            "quiet_from": "21:00", "quiet_to": "08:00", "time_zone": "Asia/Dubai", "send_at": "2026-11-21T04:00:00Z",
        });
        let found = why(|sending| sending.now = at("2026-11-20T21:01:00+04"));
        assert_eq!(found, ("quiet_hours", hours));
        let found = why(|sending| sending.now = at("2026-11-24T12:00:00+04"));
        assert_eq!(found, ("late", json!({"planned_at": "2026-11-20T08:00:00Z"})));
        let found = why(|sending| {
            sending.contact.wish(OptFlag::Stop, "wrote STOP", at(NOON));
        });
        let refused = json!({"refused_at": "2026-11-20T08:00:00Z", "party": "customer", "source": "wrote STOP"});
        assert_eq!(found, ("opted_out", refused));
        let found = why(|sending| sending.material.templates[0].status.0 = "DISABLED".to_owned());
        let template = json!({"template": "missed_call_followup", "language": "en_GB", "status": "DISABLED"});
        assert_eq!(found, ("template_not_approved", template));
        let found = why(|sending| {
            let until = sending.now + SignedDuration::from_secs(60);
            sending.connections[1].paused_until = Some(until);
        });
        let paused = json!({"connection": "WhatsApp", "until_at": "2026-11-20T08:01:00Z"});
        assert_eq!(found, ("paused", paused));
    }

    #[test]
    fn message_that_expires_before_its_time_never_goes_out() {
        let valid_for = |hours: i64| {
            move |sending: &mut Sending| {
                let by = Narrowing {
                    validity: Some(SignedDuration::from_hours(hours)),
                    ..Narrowing::default()
                };
                narrow_policy(&mut sending.message, &by);
                sending.message.created_at = at("2026-11-20T21:00:00+04");
                sending.now = at("2026-11-20T21:01:00+04");
            }
        };
        // Quiet hours end at 08:00.
        assert!(matches!(sending(valid_for(12)), Check::Later { .. }));
        for hours in [1, 11] {
            let why = "too late: no longer valid at the end of quiet hours 21:00–08:00 (Asia/Dubai)".into();
            assert_eq!(sending(valid_for(hours)), Check::Never { why });
        }
        let postponed = sending(|sending| {
            valid_for(12)(sending);
            sending.message.not_before = at("2026-11-21T09:00:00+04");
        });
        let why = "too late: not before 09:00 (Asia/Dubai), when it is no longer valid".into();
        assert_eq!(postponed, Check::Never { why });
    }

    #[test]
    fn message_waits_for_a_paused_number_or_connection() {
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
        // Longer than the fallback's deadline: the next channel is faster.
        assert!(matches!(sending(paused(600)), Check::SkipLeg { .. }));
        assert!(matches!(
            sending(|sending| {
                paused(600)(sending);
                sending.leg = 1;
            }),
            Check::Wait { .. }
        ));
        // The whole wait counts.
        let paused_again = |waited: i64| {
            sending(|sending| {
                paused(60)(sending);
                sending.has_waited(waited);
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
        let broken = |name: &str| {
            let sentence = format!("the connection {name:?} does not work: the access token is not valid");
            Refusal::from(sentence)
        };
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
        // The last channel waits as long as necessary.
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
        // A message that has waited as long as the rule allows does not probe the connection again.
        let tried_again = |waited: i64| {
            sending(|sending| {
                unhealthy(300)(sending);
                sending.has_waited(waited);
            })
        };
        assert_eq!(tried_again(120), Check::Probe);
        assert!(matches!(tried_again(121), Check::SkipLeg { .. }));
        // A rule without a deadline of its own.
        let without_deadline = |tried_ago: i64, waited: i64| {
            sending(|sending| {
                unhealthy(tried_ago)(sending);
                let by = Narrowing {
                    fallback_after_seconds: 0,
                    ..Narrowing::default()
                };
                narrow_policy(&mut sending.message, &by);
                sending.has_waited(waited);
            })
        };
        assert!(matches!(without_deadline(100, 500), Check::Wait { .. }));
        assert!(matches!(without_deadline(100, 800), Check::SkipLeg { .. }));
    }

    #[test]
    fn further_message_to_a_person_waits_by_whatsapp_only() {
        let ahead = |seconds: i64, leg: u8| {
            sending(|sending| {
                sending.leg = leg;
                sending.contact.allowance_whole_at = Some(sending.now + SignedDuration::from_secs(seconds));
            })
        };
        assert_eq!(ahead(264, 0), Check::Go);
        let until = at("2026-11-20T12:00:06+04");
        let why = "this person has got as many messages by WhatsApp as may be sent in a short time".into();
        assert_eq!(ahead(270, 0), Check::Wait { until, why });
        // By SMS it is faster, or not limited.
        assert!(matches!(ahead(900, 0), Check::SkipLeg { .. }));
        assert_eq!(ahead(900, 1), Check::Go);
    }

    #[test]
    fn message_without_a_place_waits_in_its_own_way() {
        let beyond = |bulk: bool, seconds: i64, change: fn(&mut Sending)| {
            let mut sending = Sending::new();
            let by = Narrowing {
                bulk,
                ..Narrowing::default()
            };
            narrow_policy(&mut sending.message, &by);
            change(&mut sending);
            let throughput = Throughput::of(80, None, sending.now);
            let until = sending.now + SignedDuration::from_secs(seconds);
            let found = sending.with(|input| wait_beyond_throughput(input, &throughput, until));
            match found {
                Check::Later { until, why } => ("later", until.duration_since(sending.now).as_secs(), why),
                Check::Wait { until, why } => ("wait", until.duration_since(sending.now).as_secs(), why),
                Check::SkipLeg { why } => ("skip", 0, why),
                other => panic!("{other:?}"),
            }
        };
        let (how, seconds, why) = beyond(false, 2, |_| {});
        assert_eq!((how, seconds, why.reason), ("wait", 2, Reason::Throughput));
        let facts = json!({"connection": "WhatsApp", "per_second": 80});
        assert_eq!(serde_json::to_value(&why.facts).unwrap(), facts);
        // The next channel is faster.
        assert_eq!(beyond(false, 600, |_| {}).0, "skip");
        // In bulk, it keeps its channel, and waits for longer each time.
        let (how, first, _) = beyond(true, 600, |_| {});
        assert_eq!((how, first), ("later", 600));
        let (_, first, _) = beyond(true, 2, |_| {});
        assert!((60..120).contains(&first), "{first}");
        let (_, later, _) = beyond(true, 2, |sending| {
            let since = sending.now - SignedDuration::from_mins(5);
            let why = Refusal::new(Reason::Throughput, "waits its turn");
            let remark = crate::messages::Remark::new(since, why);
            sending.message.remarks.push(remark);
        });
        assert_eq!(later, first * 5);
    }

    #[test]
    fn each_kind_of_rule_is_checked_until_it_is_confirmed() {
        for (against, confirmed) in AgainstRule::all() {
            let case = against.case(confirmed);
            let by = case.config.connections[0].clone();
            let mut sending = Sending::of(case);
            if let Account::Twilio(twilio) = &mut sending.connections[0].account {
                (twilio.letters, twilio.confirmed_rules) = (by.letters.into(), by.confirmed_rules.into());
            }
            if against.applies == Applies::Wait {
                sending.now = at("2026-11-20T22:30:00+03");
                sending.config.tenant.default_region = None;
            }
            let remarks = std::cell::RefCell::default();
            let verdict = sending.with(|input| {
                remarks.replace(country_remarks(input));
                check_send(input)
            });
            let of = json!([against.country, against.rule]);
            let sentence = |found: &[&Refusal]| {
                for why in found.iter().filter(|why| why.reason == Reason::CountryRule) {
                    let facts = serde_json::to_value(&why.facts).unwrap();
                    assert_eq!(json!([facts["country"], facts["rule"]]), of);
                }
                found.iter().map(|why| why.sentence.clone()).collect::<Vec<_>>()
            };
            let (kind, told) = match &verdict {
                Check::SkipLeg { why } => (Applies::Refuse, sentence(&[why])),
                Check::Later { why, .. } => (Applies::Wait, sentence(&[why])),
                Check::Go if !remarks.borrow().is_empty() => {
                    (Applies::Remark, sentence(&remarks.borrow().iter().collect::<Vec<_>>()))
                }
                Check::Go => (Applies::Warning, Vec::new()),
                other => panic!("{against:?}: {other:?}"),
            };
            // A warning is told to whoever writes the text, and to nobody at the send.
            let expected = if confirmed { Applies::Warning } else { against.applies };
            let is_told = expected != Applies::Warning;
            let sentence = is_told.then(|| against.sentence.clone());
            assert_eq!((kind, told), (expected, sentence.into_iter().collect()), "{against:?}");
        }
    }

    /// A rule speaks of the SMS only, and only as long as its connection has not confirmed it.
    #[test]
    fn rule_of_the_recipients_country_is_checked_before_the_send() {
        let to_india = |leg: u8, confirmed: bool| {
            sending(|sending| {
                sending.leg = leg;
                sending.message.to.phone = Some("+919876543210".parse().unwrap());
                if let Account::Twilio(twilio) = &mut sending.connections[0].account {
                    let rules = json!([{"country": "IN", "rule": "registration"}]);
                    let rules = if confirmed { rules } else { json!([]) };
                    twilio.confirmed_rules = serde_json::from_value(rules).unwrap();
                }
            })
        };
        let why = "SMS to IN need a registered template and registered domains of links (not verified): register them, \
                   and confirm it in `confirmed_rules` of the connection";
        assert_eq!(to_india(1, false), Check::SkipLeg { why: why.into() });
        assert_eq!(to_india(1, true), Check::Go);
        assert_eq!(to_india(0, false), Check::Go, "by WhatsApp");
    }

    #[test]
    fn link_that_may_be_masked_is_remarked() {
        let remarked = |leg: u8, number: &str, text: &str| {
            let mut sending = Sending::new();
            sending.leg = leg;
            sending.message.to.phone = Some(number.parse().unwrap());
            sending.message.plan[1].content = Content::Text(text.to_owned());
            let found = std::cell::RefCell::default();
            let check = sending.with(|input| {
                found.replace(country_remarks(input));
                check_send(input)
            });
            assert_eq!(check, Check::Go, "it is sent all the same");
            found.into_inner()
        };
        let (turkey, link) = ("+905321234567", "Order at https://saffron.example");
        let found = remarked(1, turkey, link);
        let facts = json!({"country": "TR", "rule": "links", "sureness": "third_party"});
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].reason, serde_json::to_value(&found[0].facts).unwrap()),
            (Reason::CountryRule, facts)
        );
        assert_eq!(remarked(0, turkey, link), []);
        assert_eq!(remarked(1, turkey, "Your order is ready"), []);
        // A reseller says that links arrive in the Emirates.
        assert_eq!(remarked(1, "+971501234567", link).len(), 1);
        assert_eq!(remarked(1, "+971501234567", "Your order is ready"), []);
    }

    #[test]
    fn promotion_waits_for_the_hours_of_the_country_by_sms() {
        let at_night = |leg: u8, category: Category, change: fn(&mut Sending)| {
            let mut sending = Sending::new();
            sending.config.tenant.quiet_hours = None;
            sending.leg = leg;
            sending.contact.wish(OptFlag::Start, "wrote START", at(NOON));
            sending.message.policy = Policy::for_purpose(Purpose::FollowUp, category, &Narrowing::default()).unwrap();
            sending.material.templates[0].category = category;
            sending.now = at("2026-11-20T21:01:00+04");
            change(&mut sending);
            sending.check()
        };
        let Check::Later { until, why } = at_night(1, Category::Marketing, |_| {}) else {
            panic!("it waits");
        };
        assert_eq!(until, at("2026-11-21T07:00:00+04"));
        assert_eq!(
            why.sentence,
            "waits for the end of hours without promotion by SMS to AE, 21:00–07:00 (Asia/Dubai)"
        );
        let facts = serde_json::to_value(&why.facts).unwrap();
        assert_eq!((why.reason, &facts["country"]), (Reason::QuietHours, &json!("AE")));
        assert_eq!(at_night(1, Category::Utility, |_| {}), Check::Go);
        assert_eq!(at_night(0, Category::Marketing, |_| {}), Check::Go, "by WhatsApp");
        let confirmed = at_night(1, Category::Marketing, |sending| {
            if let Account::Twilio(twilio) = &mut sending.connections[0].account {
                let rules = json!([{"country": "AE", "rule": "promotion_hours"}]);
                twilio.confirmed_rules = serde_json::from_value(rules).unwrap();
            }
        });
        assert_eq!(confirmed, Check::Go);
        // Another channel may still carry it.
        let late = at_night(1, Category::Marketing, |sending| {
            sending.message.created_at = sending.now - SignedDuration::from_hours(70);
        });
        assert!(matches!(late, Check::SkipLeg { why } if why.reason == Reason::Late));
    }

    #[test]
    fn quiet_hours_are_checked_before_the_send() {
        let evening = |sending: &mut Sending| sending.now = at("2026-11-20T21:01:00+04");
        assert_eq!(
            sending(evening),
            Check::Later {
                until: at("2026-11-21T08:00:00+04"),
                why: "waits for the end of quiet hours 21:00–08:00 (Asia/Dubai)".into()
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
                let code = Policy::for_purpose(Purpose::OneTimeCode, Category::Authentication, &Narrowing::default());
                (sending.message.policy, sending.message.created_at) = (code.unwrap(), sending.now);
                sending.material.templates[0].category = Category::Authentication;
            }),
            Check::Go
        );
    }
}
