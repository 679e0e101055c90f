//! The review of campaigns: what a draft lacks, what is wrong with it, and what keeps it from being sent at present.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::campaigns::{
    Action, Campaign, CampaignMessage, CampaignType, Condition, Exits, MAX_DATE_OFFSET_DAYS, Recurrence, Steps,
};
use crate::messages::{
    About, Authored, Carrier, MAX_WARNINGS, Material, Needs, Review, Subject, carriers, content_obstacles,
    line_carrier, missing_channel, one_of_words, usual_carriers,
};
use crate::tenants::{TenantConfig, line_by_id};
use crate::terms::{
    Channel, ConnectionId, Fault, FaultCode, FieldProblem, Findings, Purpose, Reason, Refusal, TagId, UserId, Warning,
    added_problems,
};

/// Missing objects that campaigns name, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    pub segments: BTreeSet<String>,
    pub tags: BTreeSet<String>,
    pub stages: BTreeSet<String>,
    /// Fields without dates to find contacts by: they are not searchable, or hold something else, too.
    pub dates: BTreeSet<String>,
    /// Users who cannot attend to contacts, each with the problem.
    pub users: BTreeMap<UserId, FieldProblem>,
}

/// A campaign with its steps, if it is a drip that has some.
pub type WithSteps<'a> = (&'a Campaign, Option<&'a Steps>);

/// The messages of a campaign.
fn messages<'a>((campaign, steps): WithSteps<'a>) -> impl Iterator<Item = &'a CampaignMessage> {
    let own = Some(&campaign.message).filter(|_| campaign.kind == CampaignType::Broadcast);
    own.into_iter().chain(steps.into_iter().flat_map(Steps::messages))
}

/// Templates, products, fields and assets that a review of these campaigns looks at.
pub fn needs_of_campaigns<'a>(campaigns: impl IntoIterator<Item = WithSteps<'a>>, config: &TenantConfig) -> Needs {
    let mut needs = Needs::default();
    for campaign in campaigns {
        for message in messages(campaign) {
            authored_message(message, About::Nothing).add_needs(config, &mut needs);
        }
        for (_, message) in campaign.0.variant_messages() {
            authored_message(&message, About::Nothing).add_needs(config, &mut needs);
        }
    }
    needs
}

/// Reviews a campaign at this time. `material`: what [`needs_of_campaigns`] says, with a link as every message gets one.
pub fn review_campaign(
    campaign: &Campaign,
    steps: Option<&Steps>,
    config: &TenantConfig,
    material: &Material,
    missing: &Missing,
    now: Timestamp,
) -> Review {
    let mut found = Findings::default();
    audience(campaign, missing, &mut found);
    if let Some(fault) = campaign.starts_at.and_then(|at| wrong_time(at, now)) {
        found.add(STARTS_AT, fault);
    }
    if let Some(local) = campaign.starts_at_local {
        // As long as it is to come somewhere, the others get it at once.
        if let Some(fault) = wrong_time(local.last(), now) {
            found.add(STARTS_AT_LOCAL, fault);
        }
        if campaign.starts_at.is_some() {
            let detail = "A campaign begins at one time, or by the recipients' clocks. Leave one of them out.";
            found.add(STARTS_AT_LOCAL, Fault::excludes(&[STARTS_AT], detail));
        }
        if campaign.per_minute.is_some() {
            let detail = "Everybody gets it when their clocks show the time, so it has no rate but the limits of the providers. Leave it out.";
            found.add("per_minute", Fault::excludes(&[STARTS_AT_LOCAL], detail));
        }
    }
    if let Some(fault) = campaign.send_window.and_then(|window| window.problem()) {
        found.add("send_window.to", fault);
    }
    let mut warnings = Vec::new();
    match (campaign.kind, steps) {
        (CampaignType::Broadcast, _) => {
            for (field, is_usual) in [
                ("exits", campaign.exits == Exits::default()),
                ("reentry", !campaign.reentry),
                ("triggers", campaign.triggers.is_none()),
            ] {
                let fault = Fault::excludes(&["type"], "Only a drip has it. Leave it out.");
                found.expect(is_usual, field, fault);
            }
            warnings = message(&campaign.message, config, material, &mut found);
            warnings.extend(variants(campaign, config, material, &mut found));
        }
        (CampaignType::Drip, steps) => {
            let in_steps = "The messages of a drip are in its steps.";
            let one_content = "The messages of a drip are in its steps, and each has one content. Leave it out.";
            let own_times = "Each contact goes through a drip at its own times: its steps can wait for a time of day. Leave it out.";
            let no_rate = "Each contact goes through a drip at its own times, so it has no rate. Leave it out.";
            let no_message = campaign.message == CampaignMessage::default();
            for (field, is_absent, detail) in [
                ("message", no_message, in_steps),
                ("hold_percent", campaign.hold_percent.is_none(), one_content),
                ("variants", campaign.variants.is_empty(), one_content),
                (STARTS_AT_LOCAL, campaign.starts_at_local.is_none(), own_times),
                ("per_minute", campaign.per_minute.is_none(), no_rate),
            ] {
                found.expect(is_absent, field, Fault::excludes(&["steps"], detail));
            }
            match steps {
                None => {
                    let detail = "A drip has steps, of which one is a message at least.";
                    found.add("steps", Fault::new(FaultCode::Required, detail));
                }
                Some(steps) => {
                    let Review {
                        problems,
                        warnings: of_steps,
                    } = review_steps(campaign, steps, config, material, missing);
                    found.0.extend(problems);
                    warnings = of_steps;
                }
            }
        }
    }
    warnings.truncate(MAX_WARNINGS);
    Review {
        problems: found.0,
        warnings,
    }
}

/// Reviews the steps of a drip.
pub fn review_steps(
    campaign: &Campaign,
    steps: &Steps,
    config: &TenantConfig,
    material: &Material,
    missing: &Missing,
) -> Review {
    let mut problems = steps.problems();
    let mut warnings = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        let mut found = Findings::default();
        let mut exists = |known: bool, field: &str, what: &str, id: String| {
            let fault = Fault::new(FaultCode::NotFound, format!("There is no {what} with the id {id}."));
            found.expect(known, field, fault.and("id", id));
        };
        let mut tag = |field: &str, tag: &TagId| {
            let id = tag.to_string();
            exists(!missing.tags.contains(&id), field, "tag", id);
        };
        match &step.does {
            Action::Tag { tag: id, .. } => tag("tag", id),
            Action::Branch {
                when: Condition::Tag { tag: id },
                ..
            } => tag("when.tag", id),
            Action::Stage { stage }
            | Action::Branch {
                when: Condition::Stage { stage },
                ..
            } => {
                let (id, branches) = (stage.to_string(), matches!(step.does, Action::Branch { .. }));
                let field = if branches { "when.stage" } else { "stage" };
                exists(!missing.stages.contains(&id), field, "stage", id);
            }
            Action::Branch {
                when: Condition::Recovered {},
                ..
            } if campaign.exits.on_call => {
                let detail = "Whoever talks with the business leaves the drip, so nobody who has comes to this step. Set exits.on_call to false.";
                found.add("when", Fault::excludes(&["exits.on_call"], detail));
            }
            Action::Branch {
                when: Condition::Replied {},
                ..
            } if campaign.exits.on_reply => {
                let detail = "Whoever replies leaves the drip, so nobody who has replied comes to this step. Set exits.on_reply to false.";
                found.add("when", Fault::excludes(&["exits.on_reply"], detail));
            }
            Action::Message { message: says } => {
                let warned = message(says, config, material, &mut found);
                warnings.extend(warned.into_iter().map(|warning| Warning {
                    field: of_step(place, &warning.field),
                    ..warning
                }));
            }
            Action::Notify { users, .. } => {
                for (place, user) in users.iter().enumerate() {
                    let unable = missing.users.get(user).into_iter();
                    found.0.extend(unable.map(|problem| FieldProblem {
                        field: format!("users[{place}]"),
                        ..problem.clone()
                    }));
                }
            }
            Action::Wait { .. } | Action::Branch { .. } | Action::Exit {} => {}
        }
        problems.extend(found.0.into_iter().map(|problem| FieldProblem {
            field: of_step(place, &problem.field),
            ..problem
        }));
    }
    Review { problems, warnings }
}

/// The path of a field of a step's action.
fn of_step(place: usize, field: &str) -> String {
    format!("steps[{place}].does.{field}")
}

/// A campaign with its review.
#[derive(Debug, Clone, Copy)]
pub struct Reviewed<'a> {
    pub campaign: &'a Campaign,
    pub review: &'a Review,
}

/// The problems that prevent saving a draft: wrong values, unless the draft had them before. Missing parts are no such
/// problem.
pub fn draft_problems(before: Option<Reviewed<'_>>, after: Reviewed<'_>) -> Vec<FieldProblem> {
    let mut known = before.map_or_else(Vec::new, |before| before.review.problems.clone());
    // Its sentence is the same for every time.
    let times = |campaign: &Campaign| (campaign.starts_at, campaign.starts_at_local);
    if before.is_some_and(|before| times(before.campaign) != times(after.campaign)) {
        known.retain(|problem| ![STARTS_AT, STARTS_AT_LOCAL].contains(&problem.field.as_str()));
    }
    let mut wrong = added_problems(&known, after.review.problems.clone());
    wrong.retain(|problem| !is_incomplete(problem));
    wrong
}

/// Whether a problem is of something that a draft may lack.
pub const fn is_incomplete(problem: &FieldProblem) -> bool {
    matches!(problem.code, FaultCode::Required | FaultCode::TooFew)
}

const STARTS_AT: &str = "starts_at";
const STARTS_AT_LOCAL: &str = "starts_at_local";

/// The message as its author wrote it.
fn authored_message(message: &CampaignMessage, about: About) -> Authored<'_> {
    Authored {
        field: "message",
        channels: &message.channels,
        category: message.category,
        template: message.template.as_ref(),
        sms_text: message.sms_text.as_ref(),
        about,
    }
}

/// The items of a list, each with the path of its place.
fn items_with_paths<'a, T>(field: &'a str, items: &'a [T]) -> impl Iterator<Item = (String, &'a T)> {
    let items = items.iter().enumerate();
    items.map(move |(place, item)| (format!("{field}[{place}]"), item))
}

fn audience(campaign: &Campaign, missing: &Missing, found: &mut Findings) {
    let audience = &campaign.audience;
    let mut expect = |known: bool, field: String, what: &str, id: String| {
        let fault = Fault::new(FaultCode::NotFound, format!("There is no {what} with the id {id}."));
        found.expect(known, field, fault.and("id", id));
    };
    let segment = audience.segment.iter().map(|id| ("audience.segment".to_owned(), id));
    for (field, id) in segment.chain(items_with_paths(
        "audience.excluded_segments",
        &audience.excluded_segments,
    )) {
        let id = id.to_string();
        expect(!missing.segments.contains(&id), field, "segment", id);
    }
    let tag = audience.tag.iter().map(|id| ("audience.tag".to_owned(), id));
    let excluded = items_with_paths("audience.excluded_tags", &audience.excluded_tags);
    let triggers = items_with_paths("triggers.tags", &campaign.triggers.tags);
    for (field, id) in tag.chain(excluded).chain(triggers) {
        let id = id.to_string();
        expect(!missing.tags.contains(&id), field, "tag", id);
    }
    for (field, id) in items_with_paths("triggers.stages", &campaign.triggers.stages) {
        let id = id.to_string();
        expect(!missing.stages.contains(&id), field, "stage", id);
    }
    if let Some(date) = campaign.triggers.date {
        let id = date.field.to_string();
        let detail = format!("There is no searchable field of the type date with the id {id}.");
        let fault = Fault::new(FaultCode::NotFound, detail);
        let known = !missing.dates.contains(&id);
        found.expect(known, "triggers.date.field", fault.and("id", id));
        let near = (-MAX_DATE_OFFSET_DAYS..=MAX_DATE_OFFSET_DAYS).contains(&date.days);
        let detail = format!(
            "Expected at most {MAX_DATE_OFFSET_DAYS} days after the date, or before it: -{MAX_DATE_OFFSET_DAYS} to {MAX_DATE_OFFSET_DAYS}."
        );
        let fault = Fault::out_of_range(
            -i64::from(MAX_DATE_OFFSET_DAYS),
            i64::from(MAX_DATE_OFFSET_DAYS),
            detail,
        );
        found.expect(near, "triggers.date.days", fault);
        let again = campaign.reentry || date.recurrence == Recurrence::Once;
        let detail = "A contact enters it every year only if it can enter again. Set reentry to true.";
        found.expect(again, "triggers.date.recurrence", Fault::requires(&["reentry"], detail));
    }
    // Contacts can enter a drip one by one.
    if audience.is_empty() && campaign.kind == CampaignType::Broadcast {
        let detail =
            "Name the segment (audience.segment) or the tag (audience.tag) of the contacts who get the message.";
        found.add("audience.segment", Fault::new(FaultCode::Required, detail));
    }
    if audience.segment.is_some() && audience.tag.is_some() {
        let detail = "The audience is a segment or a tag. Set audience.segment to null, or create a segment with the tag in its filter.";
        found.add("audience.tag", Fault::excludes(&["audience.segment"], detail));
    }
    if let Some(place) = audience
        .segment
        .and_then(|id| audience.excluded_segments.iter().position(|other| *other == id))
    {
        let fault = Fault::excludes(&["audience.segment"], "Nobody is left of a segment that is excluded.");
        found.add(format!("audience.excluded_segments[{place}]"), fault);
    }
    if let Some(place) = audience
        .tag
        .and_then(|id| audience.excluded_tags.iter().position(|other| *other == id))
    {
        let fault = Fault::excludes(&["audience.tag"], "Nobody is left of a tag that is excluded.");
        found.add(format!("audience.excluded_tags[{place}]"), fault);
    }
}

/// Reviews a message, and returns what would keep it from being sent at present.
fn message(
    message: &CampaignMessage,
    config: &TenantConfig,
    material: &Material,
    found: &mut Findings,
) -> Vec<Warning> {
    content(message, About::Nothing, config, material, found);
    senders(message, config, material, &found.0)
}

/// Adds the problems of a message of a campaign, or about an event of orders.
fn content(message: &CampaignMessage, about: About, config: &TenantConfig, material: &Material, found: &mut Findings) {
    found.expect(!message.channels.is_empty(), "message.channels", missing_channel());
    let (purpose, whose) = match about {
        About::Order => (Purpose::Order.row(), "an event"),
        About::Call | About::Nothing => (Purpose::Campaign.row(), "a campaign"),
    };
    if purpose.kind(message.category).is_none() {
        let known: Vec<&str> = purpose.kinds.iter().map(|kind| kind.category.as_str()).collect();
        let detail = format!("The message of {whose} is of the category {}.", known.join(" or "));
        found.add("message.category", one_of_words(known, detail));
    }
    if let Some(id) = message.line.filter(|id| line_by_id(&config.lines, *id).is_none()) {
        let fault = Fault::new(FaultCode::NotFound, format!("There is no line with the id {id}."));
        found.add("message.line", fault.and("id", id.to_string()));
    }
    authored_message(message, about).review(material, found);
}

/// Templates, products, fields and assets that the problems of a message about an event depend on.
pub fn needs_of_event_message(message: &CampaignMessage, config: &TenantConfig) -> Needs {
    let mut needs = Needs::default();
    authored_message(message, About::Order).add_needs(config, &mut needs);
    needs
}

/// Problems of a message about an event of orders. `material`: what [`needs_of_event_message`] says. Empty: none.
pub fn event_message_problems(
    message: &CampaignMessage,
    config: &TenantConfig,
    material: &Material,
) -> Vec<FieldProblem> {
    let mut found = Findings::default();
    content(message, About::Order, config, material, &mut found);
    found.0
}

/// The problem with the time of the start, if there is one.
fn wrong_time(at: Timestamp, now: Timestamp) -> Option<Fault> {
    if at < now {
        let detail = "The time is in the past. Leave it out to begin as soon as the campaign is started.";
        return Some(Fault::new(FaultCode::InPast, detail));
    }
    let days = Campaign::MAX_DAYS_AHEAD;
    let last = now + SignedDuration::from_hours(24 * days);
    let detail = || format!("Expected a time at most {days} days ahead.");
    (at > last).then(|| Fault::out_of_range(now, last, detail()))
}

/// The connection that sends by a channel in the business's own country: the one of the line, or the usual one.
fn carrying<'a>(message: &'a CampaignMessage, config: &'a TenantConfig, channel: Channel) -> Option<Carrier<'a>> {
    let country = config.tenant.country();
    let line = message.line.and_then(|id| line_by_id(&config.lines, id));
    let own = line.and_then(|line| Some((line_carrier(config, line, channel, country)?, line.sender(channel))));
    own.or_else(|| Some((usual_carriers(config, channel, country).next()?, None)))
}

/// The connection that sends a campaign by WhatsApp, if it is sent that way.
pub fn whatsapp_sender(campaign: &Campaign, config: &TenantConfig) -> Option<ConnectionId> {
    let message = &campaign.message;
    let sends = message.channels.contains(&Channel::WhatsApp);
    let carriers = sends.then(|| carrying(message, config, Channel::WhatsApp));
    carriers?.map(|(connection, _)| connection.id)
}

/// Reviews the variants, and returns what would keep them from being sent at present, beside what keeps the message.
fn variants(campaign: &Campaign, config: &TenantConfig, material: &Material, found: &mut Findings) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (place, (variant, says)) in campaign.variant_messages().enumerate() {
        let field = |name: &str| format!("variants[{place}].{name}");
        let mut earlier = campaign.variants.iter().take(place);
        let is_new = earlier.all(|other| other.name != variant.name);
        let fault = Fault::new(
            FaultCode::GivenTwice,
            "Another variant has this name. Give each its own.",
        );
        found.expect(is_new, field("name"), fault);
        let own = [
            (Channel::WhatsApp, "template", variant.template.is_some()),
            (Channel::Sms, "sms_text", variant.sms_text.is_some()),
        ];
        let has_own = |channel: Channel| own.iter().any(|(of, _, has)| *of == channel && *has);
        if let Some(first) = says.channels.first()
            && !says.channels.iter().any(|channel| has_own(*channel))
        {
            let name = own
                .iter()
                .find(|(of, ..)| of == first)
                .map_or("name", |(_, name, _)| name);
            let detail = "It says the same as the message. Give it content of its own for a channel of the message.";
            found.add(field(name), Fault::new(FaultCode::Required, detail));
        }
        // Content from the message is reviewed there.
        let same_category = found.0.iter().all(|problem| problem.field != "message.category");
        let renamed = |path: &str| {
            if path == "message.category" && same_category && has_own(Channel::WhatsApp) {
                return Some(field("template"));
            }
            let of_variant =
                |(_, name, has): &(Channel, &str, bool)| *has && path.starts_with(&format!("message.{name}"));
            let is_own = own.iter().any(of_variant);
            is_own.then(|| path.replacen("message", &format!("variants[{place}]"), 1))
        };
        let mut of_variant = Findings::default();
        let warned = message(&says, config, material, &mut of_variant);
        found.0.extend(of_variant.0.into_iter().filter_map(|problem| {
            let field = renamed(&problem.field)?;
            Some(FieldProblem { field, ..problem })
        }));
        warnings.extend(warned.into_iter().filter_map(|warning| {
            let field = renamed(&warning.field)?;
            Some(Warning { field, ..warning })
        }));
    }
    if campaign.variants.is_empty() {
        let detail = "Whoever waits, waits for the choice of a variant, and there is none. Write one, or leave it out.";
        found.expect(
            campaign.hold_percent.is_none(),
            "hold_percent",
            Fault::requires(&["variants"], detail),
        );
    } else if campaign.percent_of_message() == 0 {
        let detail =
            "This leaves nobody for the message. The variants, and those who wait, are at most 99 percent together.";
        let last = campaign.variants.len().saturating_sub(1);
        found.add(
            format!("variants[{last}].percent"),
            Fault::out_of_range(1_i64, 99_i64, detail.to_owned()),
        );
    }
    warnings
}

/// Warnings about the connections and the content of each channel. Of content that is wrong, nothing more is said.
fn senders(
    message: &CampaignMessage,
    config: &TenantConfig,
    material: &Material,
    problems: &[FieldProblem],
) -> Vec<Warning> {
    let (authored, mut warnings) = (authored_message(message, About::Nothing), Vec::new());
    for (place, channel) in authored.channels.iter().copied().enumerate() {
        let name = channel.name();
        if carriers(config, channel).next().is_none() {
            let why = Refusal::new(Reason::NoSender, format!("No connection sends {name}."));
            warnings.push(Warning {
                field: format!("message.channels[{place}]"),
                why: why.and("channel", channel.as_str()),
            });
            continue;
        }
        if authored.is_wrong(channel, problems) {
            continue;
        }
        let (words, senders) = (authored.words(channel), carrying(message, config, channel));
        let category = authored.category;
        let found = content_obstacles(words, category, config, material, senders.as_slice(), |_| {
            Subject::Request
        });
        warnings.extend(found.into_iter().map(|(why, _)| Warning {
            field: authored.content(channel),
            why: Refusal {
                sentence: format!("{name}: {}.", why.sentence),
                ..why
            },
        }));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};
    use ulid::Ulid;

    use super::*;
    use crate::destinations::Applies;
    use crate::samples::{AgainstRule, Case, at, config, material};
    use crate::terms::Resource as _;

    const NOW: &str = "2026-11-20T12:00:00Z";

    /// A campaign that lacks nothing, with this in place of its fields.
    fn campaign(change: &Value) -> Campaign {
        let mut fields = json!({
            "type": "broadcast", "name": "Offer",
            "audience": {"segment": "seg_00000000000000000000000001"},
            "message": {
                "category": "utility", "channels": ["whatsapp", "sms"],
                "template": {
                    "name": "missed_call_followup", "language": "en_GB",
                    "variables": {"1": {"text": "you"}, "2": {"from": "tenant.name"}},
                    "buttons": [{"index": 1, "value": {"text": "b/marina"}}],
                },
                "sms_text": "20% off at {{tenant.name}}",
            },
        });
        for (pointer, value) in change.as_object().unwrap() {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            fields.pointer_mut(parent).unwrap()[name] = value.clone();
        }
        Campaign::new(Ulid::nil(), from_value(fields).unwrap(), at(NOW))
    }

    fn review_sample(campaign: &Campaign, material: &Material) -> Review {
        review_campaign(campaign, None, &config(), material, &Missing::default(), at(NOW))
    }

    #[test]
    fn whole_campaign_has_no_problems_and_no_warnings() {
        let whole = campaign(&json!({}));
        assert_eq!(review_sample(&whole, &material()), Review::default());
        assert_eq!(needs_of_campaigns([(&whole, None)], &config()).templates.len(), 1);
    }

    /// The campaign is saved all the same, and not paused for it.
    #[test]
    fn rules_of_the_own_country_for_sms_are_warnings() {
        let (mut config, whole) = (config(), campaign(&json!({})));
        config.connections[0].letters.clear();
        let found = review_campaign(&whole, None, &config, &material(), &Missing::default(), at(NOW));
        let told: Vec<_> = found
            .warnings
            .iter()
            .map(|it| (it.field.as_str(), it.why.reason))
            .collect();
        assert_eq!(
            (found.problems, told),
            (Vec::new(), vec![("message.sms_text", Reason::CountryRule)])
        );
        assert_eq!(Campaign::obstacle(found.warnings), None);
    }

    /// Rules are told of the message, of a variant, and of a step of a drip.
    #[test]
    fn warnings_tell_each_kind_of_rule_until_it_is_confirmed() {
        for (against, confirmed) in AgainstRule::all() {
            let Case { config, material, .. } = against.case(confirmed);
            let then = &config.rules[0].then;
            let says = json!({"category": then.category, "channels": ["sms"], "sms_text": then.sms_text});
            let variant = json!({"name": "Other", "percent": 50, "sms_text": then.sms_text});
            let whole = campaign(&json!({"/message": says, "/variants": [variant]}));
            let drip = campaign(&json!({"/type": "drip", "/message": {}}));
            let steps: Steps =
                from_value(json!([{"name": "offer", "does": {"type": "message", "message": says}}])).unwrap();
            let told = |campaign: &Campaign, steps: Option<&Steps>| {
                let found = review_campaign(campaign, steps, &config, &material, &Missing::default(), at(NOW)).warnings;
                let told = found.into_iter().map(|it| (it.field, it.why.reason, it.why.sentence));
                told.collect::<Vec<_>>()
            };
            // Promotion waits for its hours, and nothing is wrong with it.
            let is_told = !confirmed && against.applies != Applies::Wait;
            let expected = |fields: &[&str]| {
                let sentence = format!("SMS: {}.", against.sentence);
                let told = fields
                    .iter()
                    .map(|field| ((*field).to_owned(), Reason::CountryRule, sentence.clone()));
                told.filter(|_| is_told).collect::<Vec<_>>()
            };
            assert_eq!(
                told(&whole, None),
                expected(&["message.sms_text", "variants[0].sms_text"]),
                "{against:?}"
            );
            let of_step = expected(&["steps[0].does.message.sms_text"]);
            assert_eq!(told(&drip, Some(&steps)), of_step, "{against:?}");
        }
    }

    #[test]
    fn each_problem_is_refused_unless_something_is_only_missing() {
        for (change, field, is_refused) in [
            (json!({"/audience": {}}), "audience.segment", false),
            (json!({"/message/channels": []}), "message.channels", false),
            (json!({"/message/template": null}), "message.template", false),
            (json!({"/message/sms_text": null}), "message.sms_text", false),
            (
                json!({"/message/template/variables": {"1": {"text": "you"}}}),
                "message.template.variables.2",
                false,
            ),
            (
                json!({"/message/template/variables/2": {"from": "call.number"}}),
                "message.template.variables.2.from",
                true,
            ),
            (
                json!({"/message/sms_text": {"en": "{{call.time}}"}}),
                "message.sms_text.en",
                true,
            ),
            (json!({"/message/category": "marketing"}), "message.category", true),
            (
                json!({"/message/category": "service", "/message/channels": ["sms"]}),
                "message.category",
                true,
            ),
            (
                json!({"/message/line": "line_00000000000000000000000009"}),
                "message.line",
                true,
            ),
            (json!({"/starts_at": "2026-11-20T11:59:59Z"}), "starts_at", true),
            (json!({"/starts_at": "2027-05-19T12:00:01Z"}), "starts_at", true),
            (
                json!({"/variants": [{"name": "Same", "percent": 50}]}),
                "variants[0].template",
                false,
            ),
            (
                json!({
                    "/message/channels": ["sms"],
                    "/variants": [{"name": "Same", "percent": 50, "template": {"name": "missed_call", "language": "en"}}],
                }),
                "variants[0].sms_text",
                false,
            ),
            (
                json!({"/variants": [{"name": "Other", "percent": 50, "sms_text": "At {{call.time}}"}]}),
                "variants[0].sms_text",
                true,
            ),
            (
                json!({"/variants": [
                    {"name": "Other", "percent": 50, "sms_text": "One"}, {"name": "Other", "percent": 20, "sms_text": "Two"},
                ]}),
                "variants[1].name",
                true,
            ),
            (
                json!({"/variants": [
                    {"name": "One", "percent": 50, "sms_text": "One"}, {"name": "Two", "percent": 50, "sms_text": "Two"},
                ]}),
                "variants[1].percent",
                true,
            ),
            (json!({"/hold_percent": 50}), "hold_percent", true),
            // It is noon in UTC: midnight in the last zone.
            (json!({"/starts_at_local": "2026-11-19T23:59"}), "starts_at_local", true),
            (json!({"/starts_at_local": "2027-05-19T00:01"}), "starts_at_local", true),
            (json!({"/starts_at_local": "9999-12-31T23:59"}), "starts_at_local", true),
            (
                json!({"/starts_at": "2026-11-20T13:00:00Z", "/starts_at_local": "2026-11-20T13:00"}),
                "starts_at_local",
                true,
            ),
            (
                json!({"/starts_at_local": "2026-11-20T00:00", "/per_minute": 60}),
                "per_minute",
                true,
            ),
            (
                json!({"/send_window": {"from": "10:00", "to": "10:00"}}),
                "send_window.to",
                true,
            ),
        ] {
            let changed = campaign(&change);
            let review = review_sample(&changed, &material());
            let fields: Vec<_> = review.problems.iter().map(|problem| problem.field.as_str()).collect();
            assert_eq!(fields, [field], "{change}");
            let reviewed = Reviewed {
                campaign: &changed,
                review: &review,
            };
            assert_eq!(!draft_problems(None, reviewed).is_empty(), is_refused, "{change}");
            assert_eq!(draft_problems(Some(reviewed), reviewed), [], "{change}");
        }
    }

    /// Another time in the past is not the one that has passed since.
    #[test]
    fn start_that_has_passed_is_known_until_it_changes() {
        let before = campaign(&json!({"/starts_at": "2026-11-20T10:00:00Z"}));
        let after = campaign(&json!({"/starts_at": "2026-11-20T11:00:00Z"}));
        let review = |campaign: &Campaign| review_sample(campaign, &material());
        let (known, found) = (review(&before), review(&after));
        assert_eq!(known, found);
        let [before, after] =
            [(&before, &known), (&after, &found)].map(|(campaign, review)| Reviewed { campaign, review });
        let wrong = draft_problems(Some(before), after);
        assert_eq!((wrong.len(), wrong[0].field.as_str()), (1, "starts_at"));
        for fine in [NOW, "2027-05-19T12:00:00Z"] {
            let fine = campaign(&json!({ "/starts_at": fine }));
            assert_eq!(review(&fine), Review::default());
        }
    }

    #[test]
    fn what_does_not_exist_is_named_by_its_place() {
        let id = |number: u8| format!("seg_{number:026}");
        let tag = "tag_00000000000000000000000001";
        let excluding = campaign(&json!({
            "/audience/excluded_segments": [id(2), id(3)], "/audience/excluded_tags": [tag],
        }));
        let missing = Missing {
            segments: [id(1), id(3)].into(),
            tags: [tag.to_owned()].into(),
            ..Missing::default()
        };
        let found = review_campaign(&excluding, None, &config(), &material(), &missing, at(NOW)).problems;
        let fields: Vec<_> = found.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "audience.segment",
                "audience.excluded_segments[1]",
                "audience.excluded_tags[0]"
            ]
        );
        let found = review_campaign(&campaign_by_tag(&[]), None, &config(), &material(), &missing, at(NOW)).problems;
        assert_eq!(found[0].field, "audience.tag");
    }

    /// A campaign to the contacts with a tag, without those with these tags.
    fn campaign_by_tag(excluded: &[&str]) -> Campaign {
        campaign(&json!({"/audience": {"tag": "tag_00000000000000000000000001", "excluded_tags": excluded}}))
    }

    #[test]
    fn an_audience_is_a_segment_or_a_tag_and_not_excluded() {
        assert_eq!(review_sample(&campaign_by_tag(&[]), &material()), Review::default());
        let segment = json!(["seg_00000000000000000000000001"]);
        for (campaign, field) in [
            (
                campaign(&json!({"/audience/tag": "tag_00000000000000000000000001"})),
                "audience.tag",
            ),
            (
                campaign(&json!({ "/audience/excluded_segments": segment })),
                "audience.excluded_segments[0]",
            ),
            (
                campaign_by_tag(&["tag_00000000000000000000000002", "tag_00000000000000000000000001"]),
                "audience.excluded_tags[1]",
            ),
        ] {
            let found = review_sample(&campaign, &material()).problems;
            let fields: Vec<_> = found.iter().map(|problem| problem.field.as_str()).collect();
            assert_eq!(fields, [field]);
        }
    }

    #[test]
    fn date_has_a_field_and_comes_again_with_reentry() {
        let drip = |recurrence: &str, reentry: bool| {
            let date = json!({"field": "fld_00000000000000000000000001", "recurrence": recurrence, "at": "09:00"});
            campaign(&json!({
                "/type": "drip", "/message": {}, "/triggers": {"date": date}, "/reentry": reentry,
            }))
        };
        let missing = Missing {
            dates: ["fld_00000000000000000000000001".to_owned()].into(),
            ..Missing::default()
        };
        for (drip, missing, expected) in [
            (drip("yearly", true), &Missing::default(), &[][..]),
            (
                drip("yearly", false),
                &Missing::default(),
                &["triggers.date.recurrence"],
            ),
            (drip("once", false), &missing, &["triggers.date.field"]),
        ] {
            let found = review_campaign(&drip, None, &config(), &material(), missing, at(NOW)).problems;
            let fields: Vec<_> = found.iter().map(|problem| problem.field.as_str()).collect();
            let fields: Vec<_> = fields.into_iter().filter(|field| *field != "steps").collect();
            assert_eq!(fields, expected, "{drip:?}");
        }
    }

    #[test]
    fn what_keeps_it_from_being_sent_at_present_is_a_warning() {
        let told = |change: Value, material: &Material, config: &TenantConfig| {
            let review = review_campaign(&campaign(&change), None, config, material, &Missing::default(), at(NOW));
            assert_eq!(review.problems, []);
            let warnings = review.warnings.into_iter();
            warnings
                .map(|warning| (warning.field, warning.why.reason))
                .collect::<Vec<_>>()
        };
        let mut paused = material();
        for template in &mut paused.templates {
            template.status = from_value(json!("PAUSED")).unwrap();
        }
        assert_eq!(
            told(json!({}), &paused, &config()),
            [("message.template".to_owned(), Reason::TemplateNotApproved)]
        );
        let unnamed = json!({"/message/sms_text": "Hello {{contact.first_name}}"});
        assert_eq!(
            told(unnamed, &material(), &config()),
            [("message.sms_text".to_owned(), Reason::ValueUnknown)]
        );
        let mut mute = config();
        mute.connections.remove(0);
        assert_eq!(
            told(json!({}), &material(), &mute),
            [("message.channels[1]".to_owned(), Reason::NoSender)]
        );
    }
}
