//! The review of rules: what is wrong with one, and what keeps it from doing its work at present. The API refuses what is wrong and shows
//! the rest; the set-up and whoever applies an operator's file show both.

use jiff::{SignedDuration, Timestamp};

use crate::automations::channel_obstacles;
use crate::campaigns::CampaignType;
use crate::messages::{
    About, Authored, MAX_WARNINGS, Material, Needs, Review, carriers, missing_channel, one_of_words,
};
use crate::telephony::{Direction, Outcome};
use crate::tenants::{
    BusinessHours, CallSeconds, Hours, Line, MAX_COOLDOWN_SECONDS, MAX_LINES, Rule, TenantConfig, is_business_open,
    line_by_id, line_problems, rules_in_order,
};
use crate::terms::{
    CampaignState, Category, FREQUENCY_SPAN, Fault, FaultCode, FieldProblem, Findings, Limit, Purpose, QuietAction,
    QuietHours, Reason, Refusal, Warning, WhenUnknown, is_quiet,
};

/// Reviews a rule among the others of its tenant. `material`: what [`needs_of_rules`] says, with a link if every message gets one.
pub fn review_rule(rule: &Rule, config: &TenantConfig, material: &Material) -> Review {
    let mut found = Findings::default();
    conditions(rule, config, &mut found);
    message(rule, material, &mut found);
    let drip = drip(rule, material, &mut found);
    let problems = found.0;
    let mut warnings = senders(rule, config, material, &problems);
    warnings.extend(drip);
    warnings.extend(times(rule, config));
    warnings.extend(unreached_rule_warning(rule, config));
    warnings.truncate(MAX_WARNINGS);
    Review { problems, warnings }
}

/// Templates, products and fields that a review of these rules looks at: templates in every language and for every connection that may
/// send them.
pub fn needs_of_rules<'a>(rules: impl IntoIterator<Item = &'a Rule>, config: &TenantConfig) -> Needs {
    let mut needs = Needs::default();
    for rule in rules {
        authored_message(rule).add_needs(config, &mut needs);
        needs.campaigns.extend(rule.enroll);
    }
    needs
}

impl TenantConfig {
    /// Everything that its author should know, in sentences: problems of the whole and of its parts, and what keeps its rules from doing
    /// their work. `material`: all its templates and products.
    pub fn problems(&self, material: &Material) -> Vec<String> {
        let mut problems = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.archived_at.is_none()) {
            let name = rule.name.as_str();
            let found = review_rule(rule, self, material);
            let wrong = found.problems.iter().map(ToString::to_string);
            let all = wrong.chain(found.warnings.iter().map(ToString::to_string));
            problems.extend(all.map(|found| format!("rule {name:?}: {found}")));
        }
        let live = self.rules.iter().filter(|rule| rule.archived_at.is_none());
        if live.count() > Rule::MAX_UNARCHIVED as usize {
            problems.push(format!(
                "a tenant has at most {} rules that are not archived",
                Rule::MAX_UNARCHIVED
            ));
        }
        problems.extend(self.tenant.problems().iter().map(ToString::to_string));
        for line in &self.lines {
            let found = line_problems(line, &self.lines, &self.connections).into_iter();
            problems.extend(found.map(|problem| format!("line {:?}: {problem}", line.name.as_str())));
        }
        if self.lines.len() > MAX_LINES {
            problems.push(format!("a tenant has at most {MAX_LINES} lines"));
        }
        let services = material
            .templates
            .iter()
            .filter(|template| template.category == Category::Service);
        problems.extend(
            services.map(|template| format!("template {}: no template is of the category service", template.name)),
        );
        let mut ids: Vec<_> = self.rules.iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            problems.push("two rules have the same id".to_owned());
        }
        let mut ids: Vec<_> = self.lines.iter().map(|line| line.id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            problems.push("two lines have the same id".to_owned());
        }
        let mut skus: Vec<_> = material
            .products
            .iter()
            .filter_map(|product| product.sku.as_ref())
            .collect();
        skus.sort_unstable();
        if let Some(pair) = skus.windows(2).find(|pair| pair[0] == pair[1]) {
            problems.push(format!("two products have the SKU {}", pair[0]));
        }
        problems
    }
}

/// Outcomes that a message can follow.
const OUTCOMES: [Outcome; 7] = [
    Outcome::Missed,
    Outcome::Busy,
    Outcome::Abandoned,
    Outcome::Voicemail,
    Outcome::AfterHours,
    Outcome::Answered,
    Outcome::Failed,
];

/// Problems of the conditions.
fn conditions(rule: &Rule, config: &TenantConfig, found: &mut Findings) {
    let when = &rule.when;
    if when.outcomes.is_empty() {
        let detail = "No call matches without an outcome. Name at least one, or leave the field out.";
        let fault = Fault::new(FaultCode::TooFew, detail).and("minimum", 1_u32);
        found.add("when.outcomes", fault);
    }
    for (place, outcome) in when.outcomes.iter().enumerate() {
        let known = OUTCOMES.map(Outcome::as_str);
        let detail = format!(
            "Nobody is messaged after a call with this outcome. Expected {}.",
            known.join(", ")
        );
        let fault = one_of_words(known, detail);
        found.expect(OUTCOMES.contains(outcome), format!("when.outcomes[{place}]"), fault);
    }
    let detail = "Outbound calls never get a message. Expected inbound.";
    let inbound = when.direction == Direction::Inbound;
    found.expect(inbound, "when.direction", one_of_words(["inbound"], detail));
    for (place, id) in when.lines.iter().enumerate() {
        let fault = Fault::new(FaultCode::NotFound, format!("There is no line with the id {id}."));
        let known = line_by_id(&config.lines, *id).is_some();
        found.expect(known, format!("when.lines[{place}]"), fault.and("id", id.to_string()));
    }
    let bounds = |what: &str, least: Option<CallSeconds>, most: Option<CallSeconds>| {
        let (least, most) = (least?, most?);
        let (field, other) = (format!("when.max_{what}_seconds"), format!("min_{what}_seconds"));
        let fault = Fault::new(
            FaultCode::WrongOrder,
            format!("It is less than {other}, so no call matches."),
        );
        (most < least).then(|| FieldProblem::new(field, fault.and("other", other)))
    };
    let ring = bounds("ring", when.min_ring_seconds, when.max_ring_seconds);
    let talk = bounds("talk", when.min_talk_seconds, when.max_talk_seconds);
    found.0.extend(ring.into_iter().chain(talk));
}

/// Problems of the message.
fn message(rule: &Rule, material: &Material, found: &mut Findings) {
    let then = &rule.then;
    found.expect(!then.channels.is_empty(), "then.channels", missing_channel());
    let purpose = Purpose::FollowUp.row();
    match purpose.kind(then.category) {
        None => {
            let known: Vec<&str> = purpose.kinds.iter().map(|kind| kind.category.as_str()).collect();
            let detail = format!(
                "A call is followed by a message of the category {}.",
                known.join(" or ")
            );
            found.add("then.category", one_of_words(known, detail));
        }
        Some(kind) => {
            let least = FREQUENCY_SPAN.as_secs();
            let category = then.category.as_str();
            let detail = format!("For {category}, the cooldown is at least {least} seconds.");
            let fault = Fault::out_of_range(least, MAX_COOLDOWN_SECONDS, detail);
            let kept = i64::from(then.cooldown_seconds.get()) >= least;
            let fine = !kind.obeys.contains(&Limit::Frequency) || kept;
            found.expect(fine, "then.cooldown_seconds", fault);
        }
    }
    let detail = "Sending again is for one-time codes only. Expected next_channel or stop.";
    let again = then.when_unknown == Some(WhenUnknown::SendAgain);
    found.expect(
        !again,
        "then.when_unknown",
        one_of_words(["next_channel", "stop"], detail),
    );
    if let Some(fault) = then.quiet_hours.and_then(|quiet| quiet.problem()) {
        found.add("then.quiet_hours.to", fault);
    }
    authored_message(rule).review(material, found);
}

/// Problems of the drip into which the caller enters. A warning if nobody gets its messages at present.
fn drip(rule: &Rule, material: &Material, found: &mut Findings) -> Option<Warning> {
    const FIELD: &str = "enroll";
    let id = rule.enroll?;
    let Some(campaign) = material.campaign(id) else {
        let fault = Fault::new(FaultCode::NotFound, format!("There is no campaign with the id {id}."));
        found.add(FIELD, fault.and("id", id.to_string()));
        return None;
    };
    let state = campaign.state;
    let unusable = if campaign.kind != CampaignType::Drip {
        Some("The campaign is a broadcast, which nobody enters. Name a drip.".to_owned())
    } else if state.is_final() {
        Some(format!(
            "The drip is {}, so nobody enters it. Name another one.",
            state.as_str()
        ))
    } else {
        None
    };
    if let Some(detail) = unusable {
        found.add(FIELD, Fault::new(FaultCode::NotApplicable, detail));
        return None;
    }
    let sentence = match state {
        CampaignState::Running => return None,
        CampaignState::Paused => "The drip is paused, so nobody gets its messages.",
        _ => "The drip has not begun, so nobody enters it.",
    };
    let why = Refusal::new(Reason::DripNotRunning, sentence).and("state", state.as_str());
    let field = FIELD.to_owned();
    Some(Warning { field, why })
}

/// The message as its author wrote it.
fn authored_message(rule: &Rule) -> Authored<'_> {
    let then = &rule.then;
    Authored {
        field: "then",
        channels: &then.channels,
        category: then.category,
        template: then.template.as_ref(),
        sms_text: then.sms_text.as_ref(),
        about: About::Call,
    }
}

/// Warnings about the connections and the content of each channel. Of content that is wrong, nothing more is said.
fn senders(rule: &Rule, config: &TenantConfig, material: &Material, problems: &[FieldProblem]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (place, channel) in rule.then.channels.iter().copied().enumerate() {
        let name = channel.name();
        if carriers(config, channel).next().is_none() {
            let why = Refusal::new(Reason::NoSender, format!("No connection sends {name}."));
            warnings.push(Warning {
                field: format!("then.channels[{place}]"),
                why: why.and("channel", channel.as_str()),
            });
            continue;
        }
        let authored = authored_message(rule);
        if !authored.is_wrong(channel, problems) {
            let found = channel_obstacles(config, material, rule, channel).into_iter();
            warnings.extend(found.map(|(why, _)| Warning {
                field: authored.content(channel),
                why: Refusal {
                    sentence: format!("{name}: {}.", why.sentence),
                    ..why
                },
            }));
        }
        let of_line = |line: &&Line| rule.when.lines.is_empty() || rule.when.lines.contains(&line.id);
        let without = config
            .lines
            .iter()
            .filter(of_line)
            .filter(|line| line.connection(channel).is_none());
        warnings.extend(without.map(|line| {
            let own = rule.when.lines.iter().position(|id| *id == line.id);
            let line = line.name.as_str();
            let sentence = format!("The line {line:?} names no connection for {name}, so another one sends.");
            let why = Refusal::new(Reason::LineWithoutSender, sentence).and("line", line);
            Warning {
                field: own.map_or_else(|| "when.lines".to_owned(), |place| format!("when.lines[{place}]")),
                why: why.and("channel", channel.as_str()),
            }
        }));
    }
    warnings
}

/// The half-hours of a week, as samples for the times of a rule.
fn half_hours() -> impl Iterator<Item = Timestamp> {
    const MONDAY: SignedDuration = SignedDuration::from_hours(491_160);
    (0..7 * 48).map(|number| Timestamp::UNIX_EPOCH + MONDAY + SignedDuration::from_mins(30 * number))
}

/// Quiet hours count as covering all moments if fewer than one of this many is outside them: that may be the minute between two quiet
/// hours.
const ONE_OF: usize = 40;

/// Warnings about hours that never come, and about quiet hours that skip nearly all messages.
fn times(rule: &Rule, config: &TenantConfig) -> Option<Warning> {
    let (when, tenant) = (&rule.when, &config.tenant);
    let quiet = rule.then.quiet_hours.or(tenant.quiet_hours);
    let quiet = quiet.filter(|quiet| quiet.action == QuietAction::Skip);
    if when.hours == Hours::Any && quiet.is_none() {
        return None;
    }
    let hours = hours_of(rule, config);
    let comes = |at: &Timestamp| {
        let open = |own: &Option<&BusinessHours>| is_business_open(tenant, *own, *at) == (when.hours == Hours::Open);
        when.hours == Hours::Any || hours.iter().any(open)
    };
    let moments: Vec<Timestamp> = half_hours().filter(comes).collect();
    if moments.is_empty() {
        let hours = when.hours.as_str();
        let sentence = format!("The business is never {hours}, so no call matches.");
        return Some(Warning {
            field: "when.hours".to_owned(),
            why: Refusal::new(Reason::HoursNever, sentence).and("hours", hours),
        });
    }
    always_quiet(rule, config, quiet?, &moments)
}

fn always_quiet(rule: &Rule, config: &TenantConfig, quiet: QuietHours, moments: &[Timestamp]) -> Option<Warning> {
    let (zone, delay) = (&config.tenant.time_zone, rule.then.delay_seconds.get());
    let delay = SignedDuration::from_secs(delay.into());
    let heard = moments
        .iter()
        .filter(|at| !is_quiet(**at + delay, zone.rules(), &quiet))
        .count();
    let always = heard * ONE_OF < moments.len();
    always.then(|| {
        let sentence = "Quiet hours skip nearly all of its messages. Change them, or let messages wait.";
        let why = Refusal::new(Reason::AlwaysQuiet, sentence).within(&quiet);
        Warning {
            field: "then.quiet_hours".to_owned(),
            why: why.and("time_zone", zone.to_string()),
        }
    })
}

/// Business hours that judge a rule's calls: those of its lines, and the tenant's (`None`) for all others.
fn hours_of<'a>(rule: &Rule, config: &'a TenantConfig) -> Vec<Option<&'a BusinessHours>> {
    let named = &rule.when.lines;
    let lines: Vec<&Line> = config
        .lines
        .iter()
        .filter(|line| named.is_empty() || named.contains(&line.id))
        .collect();
    let mut hours: Vec<_> = lines.iter().filter_map(|line| line.hours()).map(Some).collect();
    if named.is_empty() || hours.len() < lines.len() {
        hours.push(None);
    }
    hours
}

/// A warning if another rule decides all its calls.
fn unreached_rule_warning(rule: &Rule, config: &TenantConfig) -> Option<Warning> {
    let before = rules_in_order(&config.rules)
        .into_iter()
        .take_while(|other| other.place() < rule.place());
    // Its own earlier state may be among them.
    let others = before.filter(|other| other.id != rule.id);
    let mut active = others.filter(|other| rule.is_active() && other.is_active());
    let other = active.find(|other| other.when.covers(&rule.when))?;
    let name = other.name.as_str();
    let sentence = format!("No call reaches it: {name:?} is tried before and matches all its calls.");
    let why = Refusal::new(Reason::Unreached, sentence).and("rule", name);
    Some(Warning {
        field: "when".to_owned(),
        why: why.and("id", other.id.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;
    use crate::destinations::Applies;
    use crate::messages::MAX_PRODUCTS;
    use crate::samples::{AgainstRule, Case, config, material};
    use crate::terms::{LineId, SmsText};

    #[test]
    fn all_problems_of_a_configuration_are_reported_together() {
        let (mut config, mut material) = (config(), material());
        assert_eq!(config.problems(&material), Vec::<String>::new());
        config.rules[0].then.when_unknown = Some(WhenUnknown::SendAgain);
        material.templates.remove(0);
        config.connections.remove(0);
        assert_eq!(
            config.problems(&material),
            [
                "rule \"Missed calls\": then.when_unknown: Sending again is for one-time codes only. Expected next_channel \
                 or stop.",
                "rule \"Missed calls\": then.template.language: There is no template missed_call_followup in en_GB.",
                "rule \"Missed calls\": then.channels[1]: No connection sends SMS.",
            ]
        );
        // Archived rules are not looked at.
        config.rules[0].archived_at = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(config.problems(&material), Vec::<String>::new());
    }

    #[test]
    fn problems_of_lines_are_named_by_field() {
        let (mut config, material) = (config(), material());
        let sms = |number: &str| json!({"connection": config.connections[0].id, "number": number});
        let line = |id: u8, number: &str| -> Line {
            from_value(json!({
                "id": format!("line_{id:026}"), "name": format!("Line {id}"), "number": number,
                "whatsapp": config.connections[1].id, "sms": sms("+97143330000"),
            }))
            .unwrap()
        };
        let (one, two) = (line(1, "+97143330000"), line(2, "+97143330001"));
        config.connections[0].sms_numbers = vec!["+97143330000".parse().unwrap()];
        let named = one.id;
        config.rules[0].when.lines = vec![named].into();
        config.lines = vec![one, two];
        assert_eq!(config.problems(&material), Vec::<String>::new());

        let unknown: LineId = "line_00000000000000000000000003".parse().unwrap();
        config.rules[0].when.lines = vec![named, unknown].into();
        config.lines[1].number = config.lines[0].number.clone();
        config.lines[1].whatsapp = Some(config.connections[0].id);
        config.lines[0].sms.as_mut().unwrap().number = Some("+97143330009".parse().unwrap());
        let hours = r#"{"monday": [{"from": "09:00", "to": "13:00"}, {"from": "12:00", "to": "15:00"}]}"#;
        config.lines[1].business_hours = Some(serde_json::from_str(hours).unwrap());
        config.lines[1].sms.as_mut().unwrap().connection = "conn_00000000000000000000000009".parse().unwrap();
        assert_eq!(
            config.problems(&material),
            [
                "rule \"Missed calls\": when.lines[1]: There is no line with the id line_00000000000000000000000003.",
                "line \"Line 1\": number: The line \"Line 2\" already has this number.",
                "line \"Line 1\": sms.number: The connection has no number +97143330009.",
                "line \"Line 2\": business_hours.monday: These hours overlap.",
                "line \"Line 2\": number: The line \"Line 1\" already has this number.",
                "line \"Line 2\": whatsapp: No connection that sends WhatsApp has the id conn_00000000000000000000000001.",
                "line \"Line 2\": sms.connection: No connection that sends SMS has the id conn_00000000000000000000000009.",
            ]
        );
        config.lines[1].id = config.lines[0].id;
        assert!(
            config
                .problems(&material)
                .contains(&"two lines have the same id".to_owned())
        );
        config.lines = vec![config.lines[0].clone(); MAX_LINES + 1];
        assert!(
            config
                .problems(&material)
                .contains(&"a tenant has at most 50 lines".to_owned())
        );
    }

    /// The sample configuration with other fields of its rule.
    fn config_with_changes(change: &serde_json::Value) -> (TenantConfig, Material) {
        let mut config = config();
        let mut rule = serde_json::to_value(&config.rules[0]).unwrap();
        for (pointer, value) in change.as_object().unwrap() {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            rule.pointer_mut(parent).unwrap()[name] = value.clone();
        }
        config.rules[0] = from_value(rule).unwrap();
        (config, material())
    }

    #[test]
    fn problems_name_their_field() {
        let text = |text: &str| json!({ "/then/sms_text": text });
        let many: String = (0..=MAX_PRODUCTS)
            .map(|number| format!("{{{{product.p{number}.name}}}}"))
            .collect();
        for (change, fields) in [
            (json!({"/when/outcomes": []}), &["when.outcomes"][..]),
            (json!({"/when/outcomes": ["missed", "lost"]}), &["when.outcomes[1]"]),
            (json!({"/when/direction": "outbound"}), &["when.direction"]),
            (
                json!({"/when/lines": ["line_00000000000000000000000003"]}),
                &["when.lines[0]"],
            ),
            (
                json!({"/when/min_ring_seconds": 5, "/when/max_ring_seconds": 4}),
                &["when.max_ring_seconds"],
            ),
            (json!({"/then/channels": []}), &["then.channels"]),
            (
                json!({"/then/category": "service"}),
                &["then.category", "then.category"],
            ),
            (json!({"/then/category": "marketing"}), &["then.category"]),
            (
                json!({"/then/category": "marketing", "/then/cooldown_seconds": 60}),
                &["then.cooldown_seconds", "then.category"],
            ),
            (json!({"/then/when_unknown": "send_again"}), &["then.when_unknown"]),
            (
                json!({"/then/quiet_hours": {"from": "21:00", "to": "21:00"}}),
                &["then.quiet_hours.to"],
            ),
            (json!({"/then/template": null}), &["then.template"]),
            (json!({"/then/template/name": "other"}), &["then.template.name"]),
            (json!({"/then/template/language": "fr"}), &["then.template.language"]),
            (
                json!({"/then/template/variables": {"1": {"text": "you"}, "3": {"text": "more"}}}),
                &["then.template.variables.2", "then.template.variables.3"],
            ),
            (
                json!({"/then/template/variables/2": {"text": "two\nlines"}}),
                &["then.template.variables.2.text"],
            ),
            (
                json!({"/then/template/variables/2": {"from": "product.cake.name"}}),
                &["then.template.variables.2.from"],
            ),
            (
                json!({"/then/template/header": {"text": "Hello"}}),
                &["then.template.header"],
            ),
            (
                json!({"/then/template/buttons": [{"index": 0, "value": {"text": "x"}}]}),
                &["then.template.buttons", "then.template.buttons[0].index"],
            ),
            (json!({"/then/sms_text": null}), &["then.sms_text"]),
            (json!({"/then/sms_text": {}}), &["then.sms_text"]),
            (text("Hello {{contact.name"), &["then.sms_text"]),
            (text("Hello {{contact.nme}}"), &["then.sms_text"]),
            (text("{{product.cake.name|cake}}"), &["then.sms_text"]),
            (text("{{product.haircut.colour}}"), &["then.sms_text"]),
            (text("{{product.haircut.length}}"), &[]),
            (text("{{contact.field.colour|none}}"), &["then.sms_text"]),
            (text("{{contact.field.level|none}}"), &[]),
            (text("{{link:https://saffron.example}} http://saffron.example"), &[]),
            (text("{{link:http://saffron.example}}"), &["then.sms_text"]),
            (
                json!({"/then/template/variables/2": {"from": "link:http://saffron.example"}}),
                &["then.template.variables.2.from"],
            ),
            (
                json!({"/then/template/variables/2": {"from": "contact.field.colour"}}),
                &["then.template.variables.2.from"],
            ),
            (
                json!({"/then/sms_text": {"en": "{{tenant.name}}", "english": "{{"}}),
                &["then.sms_text.english", "then.sms_text.english"],
            ),
        ] {
            let (config, material) = config_with_changes(&change);
            let found = review_rule(&config.rules[0], &config, &material).problems;
            let named: Vec<&str> = found.iter().map(|problem| problem.field.as_str()).collect();
            assert_eq!(named, fields, "{change}");
            assert!(found.iter().all(|problem| problem.detail.ends_with('.')), "{found:?}");
        }
        let (config, material) = config_with_changes(&text(&many));
        let found = review_rule(&config.rules[0], &config, &material).problems;
        assert_eq!(found.last().map(|problem| problem.code), Some(FaultCode::TooMany));
    }

    fn list_warnings(config: &TenantConfig, material: &Material) -> Vec<(String, Reason)> {
        let last = config.rules.last().unwrap();
        let found = review_rule(last, config, material);
        assert_eq!(found.problems, []);
        for Warning { why, .. } in &found.warnings {
            let known = why.reason.facts();
            assert!(why.facts.names().all(|name| known.contains(&name)), "{why:?}");
            assert!(why.sentence.ends_with('.'), "{why:?}");
        }
        let warnings = found.warnings.into_iter();
        warnings.map(|warning| (warning.field, warning.why.reason)).collect()
    }

    #[test]
    fn warnings_say_what_keeps_a_rule_from_working() {
        let one = |field: &str, reason: Reason| vec![(field.to_owned(), reason)];
        assert_eq!(list_warnings(&config(), &material()), []);

        let mut paused = material();
        paused.templates[0].status.0 = "PAUSED".to_owned();
        let not_approved = one("then.template", Reason::TemplateNotApproved);
        assert_eq!(list_warnings(&config(), &paused), not_approved);
        // Whose language cannot be sent get the other one.
        let mut marketing = material();
        marketing.templates[1].category = Category::Marketing;
        assert_eq!(list_warnings(&config(), &marketing), []);
        // Of two accounts, one has the template in another category.
        let mut two = config();
        let mut second = two.connections[1].clone();
        second.id = "conn_00000000000000000000000003".parse().unwrap();
        let mut moved = material();
        moved.templates[0].connection = Some(two.connections[1].id);
        let mut theirs = moved.templates[0].clone();
        (theirs.connection, theirs.category) = (Some(second.id), Category::Marketing);
        moved.templates.push(theirs);
        two.connections.push(second);
        assert_eq!(
            list_warnings(&two, &moved),
            one("then.template", Reason::TemplateCategory)
        );
        // If all have, it is wrong, and nothing more is said.
        marketing.templates[0].category = Category::Marketing;
        let found = review_rule(&config().rules[0], &config(), &marketing);
        let fields: Vec<&str> = found.problems.iter().map(|problem| &*problem.field).collect();
        assert_eq!((fields, found.warnings), (vec!["then.category"], Vec::new()));

        let mut alone = config();
        alone.connections.remove(0);
        assert_eq!(
            list_warnings(&alone, &material()),
            one("then.channels[1]", Reason::NoSender)
        );

        let (mut branch, material) = (config(), material());
        let line = json!({
            "id": "line_00000000000000000000000001", "name": "Branch", "whatsapp": branch.connections[1].id,
        });
        branch.lines = vec![from_value(line).unwrap()];
        let without = Reason::LineWithoutSender;
        assert_eq!(list_warnings(&branch, &material), one("when.lines", without));
        branch.rules[0].when.lines = vec![branch.lines[0].id].into();
        assert_eq!(list_warnings(&branch, &material), one("when.lines[0]", without));

        let mut unknown = config();
        unknown.rules[0].then.sms_text = Some(SmsText::One("See {{tenant.website}}".to_owned()));
        assert_eq!(
            list_warnings(&unknown, &material),
            one("then.sms_text", Reason::ValueUnknown)
        );
    }

    /// The recipients of a rule are not known, so the country is the business's own.
    #[test]
    fn warnings_tell_the_rules_of_the_own_country_for_sms() {
        let told = |region: Option<&str>, text: &str| {
            let (mut config, material) = config_with_changes(&json!({ "/then/sms_text": text }));
            config.connections[0].letters.clear();
            config.tenant.default_region = region.map(str::to_owned);
            let found = review_rule(&config.rules[0], &config, &material).warnings.into_iter();
            let of_sms = found.inspect(|warning| assert_eq!(warning.field, "then.sms_text"));
            let rules = of_sms.map(|warning| (warning.why.reason, serde_json::to_value(&warning.why.facts).unwrap()));
            let rules = rules.inspect(|(reason, _)| assert_eq!(*reason, Reason::CountryRule));
            rules
                .map(|(_, facts)| facts["rule"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let plain = "{{tenant.name}}: we missed your call";
        // The link comes from a value.
        let (link, number) = ("{{tenant.review_link}}", "{{tenant.phone}}. Reply STOP to opt out.");
        assert_eq!(told(Some("AE"), plain), ["senders"]);
        assert_eq!(told(Some("AE"), link), ["senders", "links"]);
        assert_eq!(told(Some("AE"), number), ["senders", "replies", "numbers"]);
        assert_eq!(told(Some("IN"), plain), ["registration"]);
        assert_eq!(told(Some("GB"), number), [""; 0]);
        assert_eq!(told(None, number), [""; 0]);
    }

    #[test]
    fn warnings_tell_each_kind_of_rule_until_it_is_confirmed() {
        for (against, confirmed) in AgainstRule::all() {
            let Case { config, material, .. } = against.case(confirmed);
            let found = review_rule(&config.rules[0], &config, &material);
            let told = found
                .warnings
                .into_iter()
                .map(|it| (it.field, it.why.reason, it.why.sentence));
            // Promotion waits for its hours, and nothing is wrong with it.
            let is_told = !confirmed && against.applies != Applies::Wait;
            let sentence = format!("SMS: {}.", against.sentence);
            let expected = ("then.sms_text".to_owned(), Reason::CountryRule, sentence);
            let expected: Vec<_> = Some(expected).filter(|_| is_told).into_iter().collect();
            assert_eq!(told.collect::<Vec<_>>(), expected, "{against:?}");
        }
    }

    #[test]
    fn drip_must_be_one_that_callers_can_enter() {
        let id = "cmp_00000000000000000000000001";
        for (kind, state, problem, warns) in [
            ("drip", "running", None, false),
            ("drip", "paused", None, true),
            ("drip", "draft", None, true),
            ("drip", "scheduled", None, true),
            ("drip", "completed", Some(FaultCode::NotApplicable), false),
            ("drip", "cancelled", Some(FaultCode::NotApplicable), false),
            ("broadcast", "running", Some(FaultCode::NotApplicable), false),
            ("none", "", Some(FaultCode::NotFound), false),
        ] {
            let (config, mut material) = config_with_changes(&json!({ "/enroll": id }));
            if kind != "none" {
                let campaign = json!({"id": id, "type": kind, "name": "Welcome", "state": state});
                material.campaigns = vec![from_value(campaign).unwrap()];
            }
            let found = review_rule(&config.rules[0], &config, &material);
            let problems: Vec<_> = found.problems.iter().map(|it| (it.field.as_str(), it.code)).collect();
            let expected: Vec<_> = problem.map(|code| ("enroll", code)).into_iter().collect();
            assert_eq!(problems, expected, "{kind} {state}");
            if problem.is_none() {
                let expected = [("enroll".to_owned(), Reason::DripNotRunning)];
                let expected = if warns { &expected[..] } else { &[] };
                assert_eq!(list_warnings(&config, &material), expected, "{kind} {state}");
            }
        }
        let (config, _) = config_with_changes(&json!({ "/enroll": id }));
        let campaigns = needs_of_rules(&config.rules, &config).campaigns;
        assert_eq!(campaigns, [id.parse().unwrap()].into());
    }

    #[test]
    fn hours_that_swallow_all_calls_are_told() {
        let told = |change: serde_json::Value, hours: bool| {
            let (mut config, material) = config_with_changes(&change);
            if !hours {
                config.tenant.business_hours = None;
            }
            list_warnings(&config, &material)
        };
        let quiet = |from: &str, to: &str, action: &str| json!({"/then/quiet_hours": {"from": from, "to": to, "action": action}});
        let always = [("then.quiet_hours".to_owned(), Reason::AlwaysQuiet)];
        assert_eq!(told(quiet("00:01", "00:00", "skip"), true), always);
        assert_eq!(told(quiet("00:01", "00:00", "defer"), true), []);
        assert_eq!(told(quiet("21:00", "08:00", "skip"), true), []);
        // Open on Monday from 9 to 13 and from 16 to 21, and on Friday from 18 to 2.
        let mut open = quiet("09:00", "02:00", "skip");
        open["/when/hours"] = json!("open");
        assert_eq!(told(open, true), always);
        let closed = json!({"/when/hours": "closed"});
        assert_eq!(told(closed.clone(), true), []);
        let never = [("when.hours".to_owned(), Reason::HoursNever)];
        assert_eq!(told(closed, false), never);
    }

    #[test]
    fn rule_behind_a_broader_one_is_unreached() {
        let (mut config, material) = (config(), material());
        let mut later = config.rules[0].clone();
        later.id = "rule_00000000000000000000000002".parse().unwrap();
        config.rules.push(later);
        let unreached = [("when".to_owned(), Reason::Unreached)];
        assert_eq!(list_warnings(&config, &material), unreached);
        config.rules[1].when.hours = Hours::Closed;
        assert_eq!(list_warnings(&config, &material), unreached);
        config.rules[1].when.outcomes = vec![Outcome::Answered].into();
        assert_eq!(list_warnings(&config, &material), []);
        config.rules[1].when.outcomes = config.rules[0].when.outcomes.clone();
        config.rules[1].priority = 5;
        assert_eq!(list_warnings(&config, &material), [], "it is tried first");
        config.rules[1].priority = 20;
        config.rules[0].enabled = false;
        assert_eq!(list_warnings(&config, &material), []);
    }
}
