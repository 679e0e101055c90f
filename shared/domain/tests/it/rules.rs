//! The first matching rule decides; some calls never get a message, whatever the rules say.

use domain::automations::{Decision, Findings, unmet_condition};
use domain::messages::{CallView, Material, OptFlag, World};
use domain::people::{Contact, Identity, Profile};
use domain::telephony::{CallFacts, Direction, Outcome, Party};
use domain::tenants::{Caller, Hours, Line, Rule, TenantConfig, TenantStatus, rules_in_order};
use domain::terms::{CallId, Channel, ContactId, Phone, Reason, RuleId, Whole, unknown_line_type};
use jiff::{SignedDuration, Timestamp};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use ulid::Ulid;

pub(crate) const OUTCOMES: &[Outcome] = &Outcome::ALL;

pub(crate) fn tenant(zone: &str, status: &str) -> String {
    format!(
        r#"{{"id": "tnt_00000000000000000000000001", "name": "Shop", "time_zone": "{zone}", "status": "{status}",
            "quiet_hours": {{"from": "21:00", "to": "08:00"}},
            "business_hours": {{"friday": [{{"from": "09:00", "to": "17:00"}}]}}}}"#
    )
}

/// A tenant that can send on both channels, without rules.
pub(crate) fn config() -> TenantConfig {
    let text = format!(
        r#"{{"tenant": {}, "rules": [],
            "connections": [{{"id": "conn_00000000000000000000000001", "name": "both", "carries": ["whatsapp", "sms"]}}]}}"#,
        tenant("Europe/London", "active")
    );
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn material() -> Material {
    let template =
        r#"{"name": "missed", "language": "en", "category": "utility", "status": "APPROVED", "body": "Hello {{1}}"}"#;
    Material {
        templates: vec![serde_json::from_str(template).unwrap()],
        ..Material::default()
    }
}

pub(crate) fn rule_with(id: u64, priority: i32) -> Rule {
    let id = RuleId::new(Ulid::from_parts(id, 0));
    serde_json::from_str(&format!(
        r#"{{"id": "{id}", "name": "rule {id}", "priority": {priority},
            "then": {{"channels": ["whatsapp", "sms"], "sms_text": "Sorry, {{{{contact.name|friend}}}}",
                      "template": {{"name": "missed", "language": "en",
                                    "variables": {{"1": {{"from": "contact.name", "default": "friend"}}}}}}}}}}"#
    ))
    .unwrap()
}

prop_compose! {
    fn rule(id: u64)(
        priority in -2_i32..3,
        enabled in any::<bool>(),
        outcomes in prop::sample::subsequence(OUTCOMES, 0..=OUTCOMES.len()),
        direction in select(vec![Direction::Inbound, Direction::Inbound, Direction::Outbound]),
        hours in select(vec![Hours::Any, Hours::Open, Hours::Closed]),
        caller in select(vec![Caller::Any, Caller::New, Caller::Known]),
        min_ring_seconds in option::of(0_u32..20),
        max_talk_seconds in option::of(0_u32..20),
        cooldown_seconds in select(vec![0_u32, 3600]),
    ) -> Rule {
        let mut rule = rule_with(id, priority);
        rule.enabled = enabled;
        rule.when.outcomes = outcomes.into();
        rule.when.direction = direction;
        rule.when.hours = hours;
        rule.when.caller = caller;
        rule.when.min_ring_seconds = min_ring_seconds.map(Whole::nearest);
        rule.when.max_talk_seconds = max_talk_seconds.map(Whole::nearest);
        rule.then.cooldown_seconds = Whole::nearest(cooldown_seconds);
        rule
    }
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    (rule(1), rule(2), rule(3), rule(4)).prop_map(|(a, b, c, d)| vec![a, b, c, d])
}

#[derive(Debug, Clone)]
struct Call {
    facts: CallFacts,
    outcome: Outcome,
    now: Timestamp,
    calls: u32,
    texted: Option<i64>,
    hours_ago: Option<i64>,
}

prop_compose! {
    fn call()(
        direction in option::of(select(vec![Direction::Inbound, Direction::Inbound, Direction::Outbound])),
        party in select(vec![0, 1, 1, 1, 2, 3]),
        outcome in select(OUTCOMES),
        ring_seconds in option::of(0_u32..20),
        talk_seconds in option::of(0_u32..20),
        second in 1_700_000_000_i64..1_900_000_000,
        calls in 0_u32..2,
        texted in option::of(0_i64..8000),
        hours_ago in option::of(select(vec![-100_i64, 0, 71, 72, 1000])),
    ) -> Call {
        let customer = match party {
            0 => None,
            1 => Some(Party::Phone("+447700900111".parse().unwrap())),
            2 => Some(Party::Withheld),
            _ => Some(Party::Sip("sip:a@b".to_owned())),
        };
        let line = Some(Party::Phone("+442079460001".parse().unwrap()));
        let outbound = direction == Some(Direction::Outbound);
        let (from, to) = if outbound { (line, customer) } else { (customer, line) };
        let now = Timestamp::from_second(second).unwrap();
        let ended_at = hours_ago.map(|hours| now - SignedDuration::from_hours(hours));
        Call {
            facts: CallFacts { direction, from, to, ring_seconds, talk_seconds, ended_at, ..CallFacts::default() },
            outcome,
            now,
            calls,
            texted,
            hours_ago,
        }
    }
}

fn contact(call: &Call) -> Contact {
    let id = ContactId::new(Ulid::from_parts(1, 1));
    let phone: Phone = "+447700900111".parse().unwrap();
    let mut contact = Contact::first_seen(id, &Identity::Phone(phone), call.now);
    contact.calls = call.calls;
    contact.last_follow_up_at = call.texted.map(|ago| call.now - SignedDuration::from_secs(ago));
    contact
}

fn decide_call(config: &TenantConfig, call: &Call) -> Decision {
    decided_for(config, call, &contact(call))
}

fn view<'a>(config: &TenantConfig, call: &'a Call, contact: &Contact) -> CallView<'a> {
    CallView {
        id: CallId::new(contact.id, Ulid::from_parts(1, 2)),
        connection: config.connections[0].id,
        facts: &call.facts,
        outcome: call.outcome,
        started_at: call.now,
    }
}

fn decided_for(config: &TenantConfig, call: &Call, contact: &Contact) -> Decision {
    let world = World {
        config,
        material: &material(),
        contact,
        profile: &Profile::default(),
        open: &[],
        now: call.now,
        line_type: &unknown_line_type,
    };
    Findings::of(&view(config, call, contact), &world).decide(&world)
}

/// The rule that must decide, found in the simplest way.
fn expected_rule<'a>(config: &'a TenantConfig, call: &Call) -> Option<&'a Rule> {
    let open = domain::tenants::is_business_open(&config.tenant, None, call.now);
    let mut best: Option<&Rule> = None;
    for rule in &config.rules {
        let when = &rule.when;
        let fits = rule.enabled
            && when.direction == Direction::Inbound
            && when.outcomes.contains(&call.outcome)
            && (when.hours == Hours::Any || (when.hours == Hours::Open) == open)
            && (when.caller == Caller::Any || (when.caller == Caller::New) == (call.calls == 0))
            && call.facts.ring_seconds.unwrap_or(u32::MAX) >= when.min_ring_seconds.map_or(0, Whole::get)
            && call.facts.talk_seconds.unwrap_or(0) <= when.max_talk_seconds.map_or(u32::MAX, Whole::get);
        if fits && best.is_none_or(|best| (rule.priority, rule.id) < (best.priority, best.id)) {
            best = Some(rule);
        }
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn first_match_by_priority_decides(
        (rules, shuffled) in rules().prop_flat_map(|rules| (Just(rules.clone()), Just(rules).prop_shuffle())),
        call in call(),
    ) {
        let mut config = config();
        config.rules = rules;
        let decision = decide_call(&config, &call);
        prop_assert_eq!(&decide_call(&config, &call), &decision);

        let never = call.facts.direction == Some(Direction::Outbound)
            || call.facts.customer().phone().is_none()
            || call.outcome == Outcome::Unknown;
        let late = call.hours_ago >= Some(72);
        let rule = decision.grounds.rule;
        match (&decision.follow_up, expected_rule(&config, &call)) {
            (Err(nothing), _) if never => {
                prop_assert!(matches!(
                    nothing.reason,
                    Reason::Outbound | Reason::Withheld | Reason::Sip | Reason::UnknownOutcome
                ));
                prop_assert_eq!(rule, None);
            }
            (Err(nothing), _) if late => {
                prop_assert_eq!((nothing.reason, rule), (Reason::Late, None));
            }
            (Err(nothing), None) => prop_assert_eq!(nothing.reason, Reason::NoRule),
            (Err(nothing), Some(matching)) => {
                prop_assert_eq!(rule, Some(matching.id));
                prop_assert_eq!(nothing.reason, Reason::Cooldown);
                prop_assert!(call.texted.unwrap() < i64::from(matching.then.cooldown_seconds.get()));
            }
            (Ok(plan), matching) => {
                prop_assert!(!never && !late);
                prop_assert_eq!(rule, matching.map(|rule| rule.id));
                let channels: Vec<_> = plan.legs.iter().map(|leg| leg.channel).collect();
                prop_assert_eq!(channels, [Channel::WhatsApp, Channel::Sms]);
                prop_assert!(plan.not_before >= call.now);
                let cooldown = i64::from(matching.unwrap().then.cooldown_seconds.get());
                prop_assert!(call.texted.is_none_or(|ago| ago >= cooldown));
            }
        }
        if !never && !late {
            let (contact, grounds) = (contact(&call), &decision.grounds);
            let view = view(&config, &call, &contact);
            let mut matching = rules_in_order(&config.rules)
                .into_iter()
                .filter(|rule| unmet_condition(rule, &view, grounds).is_none());
            prop_assert_eq!(matching.next().map(|rule| rule.id), rule, "the first whose conditions all hold");
        }
        prop_assert!(decision.sentence().len() > 10);
        prop_assert_eq!(decision.sentence().starts_with("no message: "), decision.reason() != Reason::FollowUp);

        let known = decision.reason().facts();
        prop_assert!(decision.facts().names().all(|name| known.contains(&name)), "{:?}", decision.facts());

        // The order of the rules in the table does not matter.
        config.rules = shuffled;
        prop_assert_eq!(decide_call(&config, &call), decision);
    }

    /// Without lines, or with lines of other numbers, calls are decided alike. A line that has only its number is merely
    /// noted.
    #[test]
    fn lines_without_settings_do_not_change_decisions(rules in rules(), call in call(), called in any::<bool>()) {
        let mut config = config();
        config.rules = rules;
        let usual = decide_call(&config, &call);
        prop_assert_eq!(usual.grounds.line, None);
        let number = if called { "+442079460001" } else { "+442079460002" };
        let line: Line = serde_json::from_str(&format!(
            r#"{{"id": "line_00000000000000000000000001", "name": "Line", "number": "{number}"}}"#
        ))
        .unwrap();
        let id = called.then_some(line.id);
        config.lines = vec![line];
        let mut decision = decide_call(&config, &call);
        prop_assert_eq!(decision.grounds.line.take(), id);
        if let Ok(composed) = &mut decision.follow_up {
            prop_assert_eq!(composed.line.take(), id);
        }
        prop_assert_eq!(decision, usual);
    }

    #[test]
    fn a_suspended_tenant_and_an_opted_out_person_stay_silent(rules in rules(), call in call(), suspended in any::<bool>()) {
        let mut config = config();
        config.rules = rules;
        if suspended {
            config.tenant.status = TenantStatus::Suspended;
        }
        let mut contact = contact(&call);
        if !suspended {
            contact.wish(OptFlag::Stop, "wrote STOP", call.now);
        }
        prop_assert!(decided_for(&config, &call, &contact).follow_up.is_err());
    }
}
