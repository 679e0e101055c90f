//! Dry runs say what happens, and replays find a difference only where rules differ.

use domain::automations::{Considered, Decision, Difference, Findings, Former, Recorded, Replayed, config_with_rules};
use domain::calls::{Call, Grounds};
use domain::messages::{
    CallView, Check, CheckInput, Composed, Material, Message, Needs, World, all_send_checks, check_send,
};
use domain::people::{
    By, Choice, ConsentCategory, Contact, Field, FieldValue, Identity, MAX_OPEN, Profile, Scope, Unreachable, Wish,
    Wishes,
};
use domain::telephony::{CallFacts, CallProvider, Direction, Outcome, Party};
use domain::templates::{FilledTemplate, TemplateDefinition};
use domain::tenants::{
    Caller, Connection, Consent, Health, Hours, Line, Rule, TenantConfig, TenantStatus, rules_in_order,
};
use domain::terms::{
    CallId, CancelEvent, Category, Channel, ContactId, Fact, FieldId, OneLine, Phone, Purpose, QuietAction, Reason,
    Refusal, ShownName, SmsText, Whole, unknown_line_type,
};
use jiff::{SignedDuration, Timestamp};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{from_value, json, to_value};
use ulid::Ulid;

use crate::intents::planned_at;
use crate::messages::timers;
use crate::rules::{OUTCOMES, config, material, rule_with};

const CUSTOMER: &str = "+447700900111";
const LINE: &str = "+442079460001";

/// Wishes about everything or a channel: a customer's stop word, their choice of a channel, what they opt in by; and the business's.
const WISHES: [(Choice, Option<Channel>, By); 6] = [
    (Choice::Refused, None, By::Keyword),
    (Choice::Refused, Some(Channel::WhatsApp), By::Page),
    (Choice::Refused, Some(Channel::Sms), By::Page),
    (Choice::Granted, None, By::Keyword),
    (Choice::Refused, None, By::User),
    (Choice::Lifted, None, By::User),
];

/// Purposes and categories of messages that may wait for a caller.
const WAITING: [(Purpose, Category); 5] = [
    (Purpose::Api, Category::Utility),
    (Purpose::FollowUp, Category::Utility),
    (Purpose::FollowUp, Category::Marketing),
    (Purpose::Api, Category::Marketing),
    (Purpose::AutoReply, Category::Service),
];

/// A caller, a call, and the time of its decision.
#[derive(Debug, Clone)]
struct Case {
    config: TenantConfig,
    material: Material,
    contact: Contact,
    /// Open messages to the caller.
    open: Vec<Message>,
    profile: Profile,
    facts: CallFacts,
    outcome: Outcome,
    now: Timestamp,
    connection: Connection,
}

fn hours_before(now: Timestamp, hours: i64) -> Timestamp {
    now - SignedDuration::from_hours(hours)
}

fn set_sms_text(rule: &mut Rule, text: &str) {
    rule.then.sms_text = Some(SmsText::One(text.to_owned()));
}

/// The fields of contacts.
fn fields() -> Vec<Field> {
    let field = |(place, key): (u64, &str)| {
        let id = FieldId::new(Ulid::from_parts(place, 0));
        from_value::<Field>(json!({"id": id, "key": key, "name": key, "type": "text"})).unwrap()
    };
    [(1, "level"), (2, "branch")].into_iter().map(field).collect()
}

/// The profile of a person with this name and this value of the first field.
fn profile(name: Option<&str>, level: Option<&str>) -> Profile {
    let mut profile = Profile::from_name(name.and_then(ShownName::of));
    let level = level.map(|level| (fields()[0].id, FieldValue::Text(OneLine::from_stored(level))));
    profile.fields.extend(level);
    profile
}

prop_compose! {
    fn rule(id: u64)(
        priority in -2_i32..3,
        enabled in prop::bool::weighted(0.9),
        outcomes in prop::sample::subsequence(OUTCOMES, 3..=OUTCOMES.len()),
        hours in select(vec![Hours::Any, Hours::Any, Hours::Open, Hours::Closed]),
        caller in select(vec![Caller::Any, Caller::Any, Caller::New, Caller::Known]),
        min_ring_seconds in option::of(0_u32..20),
        max_talk_seconds in option::of(0_u32..20),
        channels in select(vec![
            vec![Channel::WhatsApp, Channel::Sms], vec![Channel::Sms], vec![Channel::WhatsApp], vec![Channel::Sms, Channel::WhatsApp],
        ]),
        category in select(vec![Category::Utility, Category::Utility, Category::Marketing]),
        consent in select(vec![Consent::CallerInitiated, Consent::CallerInitiated, Consent::OptInOnly]),
        cooldown_seconds in select(vec![0_u32, 3_600, 86_400]),
        delay_seconds in select(vec![0_u32, 60, 86_400]),
        quiet in option::of(select(vec![QuietAction::Defer, QuietAction::Send, QuietAction::Skip])),
        text in select(vec![
            "Sorry", "Hello {{contact.name|friend}}", "{{contact.name}}", "{{tenant.website}}", "Level {{contact.field.level}}",
            "Level {{contact.field.level|none}}",
        ]),
    ) -> Rule {
        let mut rule = rule_with(id, priority);
        rule.version = id;
        rule.enabled = enabled;
        rule.when.outcomes = outcomes.into();
        rule.when.hours = hours;
        rule.when.caller = caller;
        rule.when.min_ring_seconds = min_ring_seconds.map(Whole::nearest);
        rule.when.max_talk_seconds = max_talk_seconds.map(Whole::nearest);
        let then = &mut rule.then;
        then.channels = channels.into();
        then.category = category;
        then.consent = consent;
        then.cooldown_seconds = Whole::nearest(cooldown_seconds);
        then.delay_seconds = Whole::nearest(delay_seconds);
        then.quiet_hours = quiet.map(|action| from_value(json!({"from": "20:00", "to": "09:00", "action": action})).unwrap());
        set_sms_text(&mut rule, text);
        rule
    }
}

prop_compose! {
    fn template(language: &'static str)(
        status in select(vec!["APPROVED", "APPROVED", "PAUSED"]),
        category in select(vec!["utility", "utility", "marketing"]),
    ) -> TemplateDefinition {
        from_value(json!({
            "name": "missed", "language": language, "category": category, "status": status, "body": "Hello {{1}}",
        })).unwrap()
    }
}

prop_compose! {
    /// A wish that the person stated some hours ago.
    fn wish()(
        choice in select(vec![Choice::Granted, Choice::Granted, Choice::Refused, Choice::Lifted]),
        channel in option::of(select(vec![Channel::WhatsApp, Channel::Sms])),
        category in option::of(select(vec![ConsentCategory::Marketing, ConsentCategory::Utility])),
        by in select(vec![By::Keyword, By::User]),
        hours in 1_i64..1_000,
    ) -> (Choice, Scope, By, i64) {
        (choice, Scope { channel, category }, by, hours)
    }
}

prop_compose! {
    fn contact()(
        calls in 0_u32..2,
        texted in option::of(0_i64..40),
        counted in option::of(0_i64..40),
        wrote in option::of(-2_i64..40),
        answered in option::of(-2_i64..40),
        wishes in vec(wish(), 0..3),
        unreached in option::of((select(vec![Channel::WhatsApp, Channel::Sms]), 1_i64..1_000)),
        language in option::of(select(vec!["en", "ar", "ar-AE", "fr"])),
        name in option::of(select(vec!["Maya", "Layla Haddad"])),
        level in option::of(select(vec!["Silver", "Gold"])),
        waiting in option::of(btree_map(
            1_i64..3_000, (select(WAITING.to_vec()), any::<bool>(), prop::bool::weighted(0.1)), 1..=MAX_OPEN,
        )),
        now in (1_700_000_000_i64..1_900_000_000).prop_map(|second| Timestamp::from_second(second).unwrap()),
    ) -> (Contact, Vec<Message>, Profile, Timestamp) {
        let phone: Phone = CUSTOMER.parse().unwrap();
        let id = ContactId::new(Ulid::from_parts(1, 1));
        let mut contact = Contact::first_seen(id, &Identity::Phone(phone.clone()), hours_before(now, 2_000));
        contact.calls = calls;
        contact.last_follow_up_at = texted.map(|hours| hours_before(now, hours));
        contact.last_counted_at = counted.map(|hours| hours_before(now, hours));
        contact.last_inbound_at = wrote.map(|hours| hours_before(now, hours));
        contact.last_answered_at = answered.map(|hours| hours_before(now, hours));
        contact.last_by_phone_at = counted.map(|hours| hours_before(now, hours - 1));
        for (choice, scope, by, hours) in wishes {
            contact.record(Wish::new(choice, scope, by, "said so", hours_before(now, hours)));
        }
        contact.unreachable.extend(unreached.map(|(channel, hours)| Unreachable {
            channel,
            number: Some(phone),
            at: hours_before(now, hours),
            reason: "not in service".to_owned(),
        }));
        contact.language = language.map(str::to_owned);
        let mut open = Vec::new();
        for (minutes, ((purpose, category), later, over)) in waiting.into_iter().flatten().rev() {
            let planned = now - SignedDuration::from_mins(minutes);
            let mut message = planned_at(&contact, planned, purpose, category);
            if later {
                message.not_before += SignedDuration::from_hours(3);
            }
            contact.opens(&message, vec![]);
            if over {
                message.block("the account is suspended");
            }
            open.push(message);
        }
        (contact, open, profile(name, level), now)
    }
}

prop_compose! {
    fn case()(
        (contact, open, profile, now) in contact(),
        rules in (rule(1), rule(2), rule(3)),
        templates in (template("en"), template("ar")),
        suspended in prop::bool::weighted(0.1),
        party in select(vec![1, 1, 1, 1, 1, 0, 2, 3, 4]),
        outbound in prop::bool::weighted(0.1),
        outcome in select(OUTCOMES),
        ring_seconds in option::of(0_u32..20),
        talk_seconds in option::of(0_u32..20),
        hours_ago in option::of(select(vec![-100_i64, 0, 1, 71, 72, 1_000])),
        of_line in any::<bool>(),
        paused_minutes in option::of(0_i64..30),
        unhealthy_minutes in option::of(0_i64..30),
    ) -> Case {
        let mut config = config();
        config.rules = vec![rules.0, rules.1, rules.2];
        if suspended {
            config.tenant.status = TenantStatus::Suspended;
        }
        if of_line {
            let line: Line = from_value(json!({
                "id": "line_00000000000000000000000001", "name": "Line", "number": LINE,
                "sms": {"connection": config.connections[0].id, "number": "+442079460002"},
            })).unwrap();
            config.lines = vec![line];
        }
        let customer = match party {
            0 => None,
            2 => Some(Party::Withheld),
            3 => Some(Party::Sip("sip:a@b".to_owned())),
            // The line's number, if there is one.
            4 => Some(Party::Phone("+442079460002".parse().unwrap())),
            _ => Some(Party::Phone(CUSTOMER.parse().unwrap())),
        };
        let line = Some(Party::Phone(LINE.parse().unwrap()));
        let direction = Some(if outbound { Direction::Outbound } else { Direction::Inbound });
        let (from, to) = if outbound { (line, customer) } else { (customer, line) };
        let ended_at = hours_ago.map(|hours| hours_before(now, hours));
        let mut connection: Connection = from_value(json!({
            "id": config.connections[0].id, "name": "both", "verify": "",
            "account": {
                "kind": "twilio", "account_sid": "AC0", "numbers": ["+442079460009"], "whatsapp_sender": "+442079460008",
                "voice": {"handling": "greet"},
            },
        })).unwrap();
        connection.paused_until = paused_minutes.map(|minutes| now + SignedDuration::from_mins(minutes));
        if let Some(minutes) = unhealthy_minutes {
            let tried_at = now - SignedDuration::from_mins(minutes);
            connection.health = Health::Unhealthy { since: tried_at, reason: "no token".to_owned(), tried_at };
        }
        Case {
            config,
            material: Material { templates: vec![templates.0, templates.1], fields: fields(), ..Material::default() },
            contact,
            open,
            profile,
            facts: CallFacts { direction, from, to, ring_seconds, talk_seconds, ended_at, ..CallFacts::default() },
            outcome,
            now,
            connection,
        }
    }
}

impl Case {
    fn id(&self) -> CallId {
        let at = u64::try_from(self.now.as_millisecond()).unwrap();
        CallId::new(self.contact.id, Ulid::from_parts(at, 2))
    }

    fn view(&self) -> CallView<'_> {
        CallView {
            id: self.id(),
            connection: self.connection.id,
            facts: &self.facts,
            outcome: self.outcome,
            started_at: self.facts.started_at.unwrap_or(self.now),
        }
    }

    fn world<'a>(&'a self, material: &'a Material, open: &'a [Message]) -> World<'a> {
        World {
            config: &self.config,
            material,
            contact: &self.contact,
            profile: &self.profile,
            open,
            now: self.now,
            line_type: &unknown_line_type,
        }
    }

    /// Without open messages, which are not stored with a call.
    fn without_open_messages(mut self) -> Self {
        self.open.clear();
        self.contact.open.clear();
        self
    }

    /// The caller when a decision begins: an answered call cancels what waited for it.
    fn case_at_decision(&self) -> Self {
        let mut begun = self.clone();
        if self.outcome == Outcome::Answered {
            let ended = begun.contact.open_to(CancelEvent::AnsweredCall);
            let cancelled = |message: &Message| message.is_pending() && ended.contains(&message.id);
            let (waiting, others): (Vec<_>, Vec<_>) = begun.open.into_iter().partition(cancelled);
            begun.contact.answered_after_all(waiting);
            begun.open = others;
        }
        begun
    }

    /// The rows that these needs select.
    fn read(&self, needs: &Needs) -> (Material, Vec<Message>) {
        let needed = |template: &&TemplateDefinition| {
            needs.templates.iter().any(|need| {
                let language = need.language.as_ref();
                need.name == template.name && language.is_none_or(|language| *language == template.language)
            })
        };
        let material = Material {
            templates: self.material.templates.iter().filter(needed).cloned().collect(),
            fields: self.material.fields.iter().filter(|_| needs.fields).cloned().collect(),
            ..Material::default()
        };
        let open = self.open.iter().filter(|message| needs.open.contains(&message.id));
        (material, open.cloned().collect())
    }

    /// As `process_call` decides it.
    fn decide_call(&self) -> Decision {
        let case = self.case_at_decision();
        let nothing = case.world(Material::NONE, &[]);
        let findings = Findings::of(&case.view(), &nothing);
        let (material, open) = case.read(&findings.needs(&nothing));
        findings.decide(&case.world(&material, &open))
    }

    /// As `process_call` stores it.
    fn recorded_call(&self) -> Call {
        let decision = self.decide_call();
        let message = decision.follow_up.as_ref().ok();
        Call {
            id: self.id(),
            connection: self.connection.id,
            provider: CallProvider::Telephony,
            provider_call_id: "17".to_owned(),
            facts: self.facts.clone(),
            outcome: self.outcome,
            decided_at: self.now,
            decision: decision.sentence().to_owned(),
            reason: decision.reason().as_str().to_owned(),
            because: decision.facts().clone(),
            message: message.map(|composed| composed.cause.message_id()),
            grounds: decision.grounds,
            decided_again: 0,
            recovered: 0,
            noted_at: None,
            remarks: vec![],
            correlation_id: "cor".to_owned(),
            keep_until: None,
            version: 1,
        }
    }
}

/// A message without what a decision adds.
fn plain(composed: &Composed) -> Composed {
    Composed {
        called_at: None,
        facts: domain::terms::Facts::NONE,
        ..composed.clone()
    }
}

/// The verdicts of the check before each send, in order.
fn verdicts(case: &Case, composed: &Composed) -> Vec<Check> {
    let message = composed.clone().message("cor".to_owned(), case.now, &timers());
    let template = |filled: &FilledTemplate| {
        let mut templates = case.material.templates.iter();
        templates.find(|known| known.name == filled.name && known.language == filled.language)
    };
    let legs = message.plan.iter().zip(0..);
    let told = legs.map(|(leg, place)| {
        let input = CheckInput {
            campaign: None,
            config: &case.config,
            message: &message,
            leg: place,
            contact: &case.contact,
            open: &[],
            connection: &case.connection,
            template: leg.content.template().and_then(template),
            asset: None,
            now: message.not_before,
            timers: &timers(),
            line_type: &unknown_line_type,
        };
        let decided = check_send(&input);
        let all: Vec<Check> = all_send_checks(&input).map(|(_, verdict)| verdict).collect();
        assert_eq!(all.len(), 17, "each of them has a verdict");
        let first = all.into_iter().find(|verdict| *verdict != Check::Go);
        assert_eq!(first.unwrap_or(Check::Go), decided, "the first one against it decides");
        decided
    });
    told.collect()
}

/// The rule that decided, if it is saved.
fn former<'a>(config: &'a TenantConfig, recorded: &Recorded<'_>) -> Former<'a> {
    recorded.former(|decided| {
        let mut rules = config.rules.iter();
        rules.find(|rule| (rule.id, rule.version) == decided)
    })
}

fn replay_call(call: &Call, saved: &TenantConfig, rules: Vec<Rule>, material: &Material) -> Replayed {
    let (recorded, scene) = (Recorded::of(call), config_with_rules(saved, rules));
    let (former, rule) = (former(saved, &recorded), recorded.rule(&scene));
    let replayed = recorded.replay_decision(former, rule, &scene, material, &unknown_line_type);
    if recorded.is_unaffected(former, rule) {
        assert_eq!(replayed.difference, Difference::Unchanged);
    }
    replayed
}

/// Somebody with a value of the field that rules name, unless the decision about the call says that nothing was known of it.
fn somebody(call: &Call) -> Profile {
    let unknown = call.because.get("sms_source") == Some(&Fact::from("contact.field.level"));
    profile(Some("Somebody"), Some("Platinum").filter(|_| !unknown))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// The dry run of a call, then the call: the same rule, the same verdicts, the same message. It reads no more than it says.
    #[test]
    fn dry_run_equals_what_happens(case in case()) {
        let happened = case.decide_call();
        let case = case.case_at_decision();
        let nothing = case.world(Material::NONE, &[]);
        let findings = Findings::of(&case.view(), &nothing);
        let (material, open) = case.read(&findings.needs_to_consider(&nothing));
        let Considered { rules, review, decision } = findings.consider(&case.world(&material, &open));
        prop_assert_eq!(&decision, &happened);

        let order: Vec<_> = rules.iter().map(|(rule, _)| rule.id).collect();
        let expected: Vec<_> = rules_in_order(&case.config.rules).iter().map(|rule| rule.id).collect();
        prop_assert_eq!(order, expected);
        let first = rules.iter().find(|(_, unmet)| unmet.is_none()).map(|(rule, _)| rule.id);
        if let Some(decided) = happened.grounds.rule {
            prop_assert_eq!(first, Some(decided));
        } else if happened.reason() == Reason::NoRule {
            prop_assert_eq!(first, None);
        }
        let anybody = case.facts.direction == Some(Direction::Inbound) && case.facts.customer().phone().is_some();
        prop_assert_eq!(review.is_some(), first.is_some() && anybody);
        match (&happened.follow_up, review) {
            (Ok(composed), Some(review)) => {
                prop_assert!(review.checks.iter().all(|(_, verdict)| verdict.is_ok()));
                let shown = review.planned.unwrap();
                prop_assert_eq!(plain(&shown), plain(composed));
                prop_assert_eq!(verdicts(&case, &shown), verdicts(&case, composed));
            }
            (Ok(composed), None) => panic!("nobody foresaw {composed:?}"),
            // The rule's message has the reason, unless nobody is messaged after such a call.
            (Err(refusal), Some(review)) if happened.grounds.rule.is_some() => {
                let outcome = review.into_outcome().unwrap_err();
                prop_assert_eq!(outcome.reason, refusal.reason);
                prop_assert_eq!(format!("no message: {}", outcome.sentence), refusal.sentence.clone());
            }
            (Err(_), Some(review)) => {
                let shown = review.planned.iter().flat_map(|composed| verdicts(&case, composed));
                prop_assert!(shown.count() <= 2);
            }
            (Err(_), None) => {}
        }
    }

    /// A message is planned, and each wish is followed by an attempt to send it. Refused messages then do not pass the check, nor would
    /// they be planned; all else passes as before.
    #[test]
    fn nothing_passes_the_check_while_it_is_refused(case in case(), wishes in vec(select(WISHES.to_vec()), 1..8)) {
        let mut case = case.without_open_messages();
        case.contact.consent = Wishes::NONE;
        let planned = case.decide_call().follow_up;
        let before = planned.as_ref().map(|composed| verdicts(&case, composed)).unwrap_or_default();
        let (mut stopped, mut blocked, mut channels) = (false, false, Vec::new());
        for ((choice, channel, by), second) in wishes.into_iter().zip(0..) {
            let at = case.now - SignedDuration::from_secs(60 - second);
            let scope = Scope { channel, category: None };
            case.contact.record(Wish::new(choice, scope, by, "said so", at));
            match (by, choice, channel) {
                (By::User, ..) => blocked = choice == Choice::Refused,
                (_, Choice::Refused, Some(channel)) => channels.push(channel),
                (_, Choice::Refused, None) => stopped = true,
                (..) => (stopped, channels) = (false, Vec::new()),
            }
            if stopped || blocked {
                prop_assert!(case.decide_call().follow_up.is_err());
            }
            let Ok(composed) = &planned else { continue };
            for ((leg, verdict), first) in composed.legs.iter().zip(verdicts(&case, composed)).zip(&before) {
                if stopped || blocked || channels.contains(&leg.channel) {
                    prop_assert!(matches!(verdict, Check::Never { .. } | Check::SkipLeg { .. }), "{:?}", verdict);
                } else if *first == Check::Go {
                    prop_assert_eq!(verdict, Check::Go);
                }
            }
        }
    }

    /// Whatever is reported of the call later, and however templates, settings and the caller change.
    #[test]
    fn replay_of_the_saved_rules_changes_nothing(
        case in case(),
        later in case(),
        (rang, talked, started) in (option::of(0_u32..40), option::of(0_u32..40), option::of(0_i64..100)),
    ) {
        let mut call = case.recorded_call();
        call.facts.merge(CallFacts {
            ring_seconds: rang,
            talk_seconds: talked,
            started_at: started.map(|seconds| case.now - SignedDuration::from_secs(seconds)),
            ..CallFacts::default()
        });
        let stored: Call = from_value(to_value(&call).unwrap()).unwrap();
        let saved = TenantConfig { rules: case.config.rules, ..later.config };
        let replayed = replay_call(&stored, &saved, saved.rules.clone(), &later.material);
        prop_assert_eq!(replayed.difference, Difference::Unchanged);
    }

    /// The stored facts are enough to decide a call again as it was decided: nothing of it rests on the comparison of rules.
    #[test]
    fn stored_facts_decide_a_call_as_it_was_decided(case in case(), rang in option::of(0_u32..40)) {
        let case = case.without_open_messages();
        let happened = case.decide_call();
        let mut call = case.recorded_call();
        let later = CallFacts { ring_seconds: rang, ..CallFacts::default() };
        call.facts.merge(later);
        let stored: Call = from_value(to_value(&call).unwrap()).unwrap();
        let recorded = Recorded::of(&stored).with_profile(case.profile.clone());
        let scene = config_with_rules(&case.config, case.config.rules.clone());
        let (read, _) = case.read(&recorded.needs(&scene, &unknown_line_type));
        let again = recorded.consider(&scene, &read, &unknown_line_type);
        prop_assert_eq!(&again.decision.grounds, &happened.grounds);
        prop_assert_eq!(again.decision.reason(), happened.reason());
        prop_assert_eq!(recorded.ruled_out().is_some(), happened.grounds.rule.is_none() && happened.reason() != Reason::NoRule);
        match (again.decision.follow_up, happened.follow_up) {
            (Ok(again), Ok(happened)) => prop_assert_eq!(again, happened),
            (Err(again), Err(happened)) => {
                let told = |refusal: &Refusal| refusal.facts.names().map(str::to_owned).collect::<Vec<_>>();
                prop_assert_eq!(told(&again), told(&happened));
            }
            (again, happened) => panic!("{again:?}, but {happened:?} happened"),
        }
    }

    /// A draft makes a difference exactly where the message differs.
    #[test]
    fn replay_of_a_draft_tells_the_difference(case in case(), draft in rule(9)) {
        let case = case.without_open_messages();
        let call = case.recorded_call();
        let mut rules = case.config.rules.clone();
        rules.push(draft);
        let told = replay_call(&call, &case.config, rules.clone(), &case.material);
        let recorded = Recorded::of(&call).with_profile(somebody(&call));
        let scene = config_with_rules(&case.config, rules);
        let after = recorded.consider(&scene, &case.material, &unknown_line_type).decision;
        let expected = match (call.message.is_some(), after.follow_up.is_ok()) {
            (false, false) => Difference::Unchanged,
            (false, true) => Difference::More,
            (true, false) => Difference::Fewer,
            (true, true) => {
                let before = TenantConfig { rules: case.config.rules, ..scene };
                let before = recorded.consider(&before, &case.material, &unknown_line_type).decision;
                let said = |decision: Decision| {
                    let composed = decision.follow_up.unwrap();
                    let policy = composed.policy;
                    let further = (policy.fallback_after_seconds(), policy.when_unknown());
                    (policy.category(), further, composed.legs, composed.not_before)
                };
                if said(before) == said(after) { Difference::Unchanged } else { Difference::Different }
            }
        };
        prop_assert_eq!(told.difference, expected);
    }
}

/// A rule that is off, and one for every call.
fn saved_config() -> TenantConfig {
    let mut config = config();
    let (mut off, mut on) = (rule_with(1, 0), rule_with(2, 1));
    (off.version, on.version) = (1, 1);
    off.enabled = false;
    config.rules = vec![off, on];
    config
}

fn missed_call(now: Timestamp) -> Case {
    let phone: Phone = CUSTOMER.parse().unwrap();
    let id = ContactId::new(Ulid::from_parts(1, 1));
    Case {
        config: saved_config(),
        material: Material {
            fields: fields(),
            ..material()
        },
        contact: Contact::first_seen(id, &Identity::Phone(phone.clone()), now),
        open: vec![],
        profile: Profile::default(),
        facts: CallFacts {
            direction: Some(Direction::Inbound),
            from: Some(Party::Phone(phone)),
            to: Some(Party::Phone(LINE.parse().unwrap())),
            ..CallFacts::default()
        },
        outcome: Outcome::Missed,
        now,
        connection: from_value(json!({
            "id": "conn_00000000000000000000000001", "name": "both", "verify": "",
            "account": {"kind": "twilio", "account_sid": "AC0", "numbers": [], "voice": {"handling": "greet"}},
        }))
        .unwrap(),
    }
}

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

#[test]
fn each_change_of_a_rule_makes_its_difference() {
    use Difference::{Different, Fewer, Unchanged};
    use Reason::{FollowUp, NoConsent, NoRule};
    type Change = fn(&mut Rule);
    let case = missed_call(noon());
    let call = case.recorded_call();
    let cases: [(Change, Difference, Reason); 8] = [
        (|rule| rule.enabled = false, Fewer, NoRule),
        (|rule| rule.when.outcomes = vec![Outcome::Busy].into(), Fewer, NoRule),
        (|rule| rule.then.consent = Consent::OptInOnly, Fewer, NoConsent),
        (|rule| set_sms_text(rule, "Hello"), Different, FollowUp),
        (|rule| rule.then.delay_seconds = Whole::nearest(60), Different, FollowUp),
        // The caller's language is not Arabic.
        (
            |rule| rule.then.template.as_mut().unwrap().by_contact_language = true,
            Unchanged,
            FollowUp,
        ),
        // Nobody has texted this person before.
        (
            |rule| rule.then.cooldown_seconds = Whole::nearest(60),
            Unchanged,
            FollowUp,
        ),
        (|rule| rule.priority = -5, Unchanged, FollowUp),
    ];
    for (change, difference, reason) in cases {
        let mut rules = case.config.rules.clone();
        change(&mut rules[1]);
        let told = replay_call(&call, &case.config, rules, &case.material);
        assert_eq!(
            (told.difference, told.reason),
            (difference, reason),
            "{}",
            told.decision
        );
    }
    // Without the rule that was off, nothing is different; with it, another message follows.
    let mut rules = case.config.rules.clone();
    rules[0].enabled = true;
    set_sms_text(&mut rules[0], "Hello");
    let told = replay_call(&call, &case.config, rules, &case.material);
    assert_eq!(told.difference, Different);
}

/// The version that decided is compared, not the one that is saved by now.
#[test]
fn replay_compares_with_the_version_that_decided() {
    let case = missed_call(noon());
    let call = case.recorded_call();
    let then = case.config.rules[1].clone();
    let mut changed = then.clone();
    changed.version = 2;
    set_sms_text(&mut changed, "Hello");
    let scene = config_with_rules(&case.config, vec![changed.clone()]);
    let recorded = Recorded::of(&call);
    assert_eq!(recorded.decided_by(), Some((then.id, 1)));
    let against = |former: Former<'_>| {
        let (rule, material) = (recorded.rule(&scene), &case.material);
        let replayed = recorded.replay_decision(former, rule, &scene, material, &unknown_line_type);
        replayed.difference
    };
    assert_eq!(against(Former::Rule(&then)), Difference::Different);
    assert_eq!(against(Former::Rule(&changed)), Difference::Unchanged);
    // Nobody knows what it said: it may have been the same.
    assert_eq!(against(Former::Lost), Difference::Different);
}

/// Rows of before have only the flags.
#[test]
fn calls_of_before_are_replayed_by_what_they_tell() {
    let mut case = missed_call(noon());
    case.config.rules.clear();
    let mut call = case.recorded_call();
    assert_eq!(call.reason, "no_rule");
    call.grounds.circumstances = None;
    call.facts.ring_seconds = Some(3);
    let draft = |change: &dyn Fn(&mut Rule)| {
        let mut draft = rule_with(3, 0);
        change(&mut draft);
        vec![draft]
    };
    let with = |grounds: &dyn Fn(&mut Grounds), rules: Vec<Rule>| {
        let mut call = call.clone();
        grounds(&mut call.grounds);
        replay_call(&call, &case.config, rules, &case.material).reason
    };
    let nothing = |_: &mut Grounds| ();
    assert_eq!(with(&nothing, draft(&|_| ())), Reason::FollowUp);
    let patient = draft(&|rule| rule.when.min_ring_seconds = Some(Whole::nearest(4)));
    assert_eq!(with(&nothing, patient), Reason::NoRule);
    assert_eq!(
        with(&|grounds| grounds.opted_out = true, draft(&|_| ())),
        Reason::OptedOut
    );
    let needy = || draft(&|rule| rule.then.consent = Consent::OptInOnly);
    assert_eq!(with(&nothing, needy()), Reason::NoConsent);
    assert_eq!(with(&|grounds| grounds.opted_in = true, needy()), Reason::FollowUp);
    let marketing = || draft(&|rule| rule.then.category = Category::Marketing);
    let refused = with(
        &|grounds| (grounds.opted_in, grounds.marketing_opted_out) = (true, true),
        marketing(),
    );
    assert_eq!(refused, Reason::OptedOut);
}

/// No rule would have found room, though one of them matched.
#[test]
fn no_rule_changes_a_call_without_room() {
    let mut case = missed_call(noon());
    for minutes in 1..=4 {
        let planned = case.now - SignedDuration::from_mins(minutes);
        let message = planned_at(&case.contact, planned, Purpose::Api, Category::Utility);
        case.contact.opens(&message, vec![]);
        case.open.push(message);
    }
    let call = case.recorded_call();
    let decision = "no message: 4 messages to this person may still be sent";
    assert_eq!(
        (call.reason.as_str(), call.decision.as_str()),
        ("too_many_open", decision)
    );
    assert_eq!((call.message, call.grounds.rule), (None, Some(case.config.rules[1].id)));
    let mut draft = rule_with(3, -5);
    set_sms_text(&mut draft, "Hello");
    let told = replay_call(&call, &case.config, vec![draft.clone()], &case.material);
    assert_eq!(told.difference, Difference::Unchanged);
    let (recorded, scene) = (Recorded::of(&call), config_with_rules(&case.config, vec![draft]));
    let again = recorded.consider(&scene, &case.material, &unknown_line_type);
    assert_eq!(again.decision.sentence(), decision);
}

/// Calls do not store values of fields: whoever was messaged counts as somebody with a value of each.
#[test]
fn texts_that_name_fields_are_compared_with_any_value() {
    use Difference::{Different, Fewer, More, Unchanged};
    use Reason::{FollowUp, Template};
    let mut case = missed_call(noon());
    case.config.rules[1].then.channels = vec![Channel::Sms].into();
    case.profile = profile(None, Some("Gold"));
    let told = |case: &Case, saved: &str, draft: &str| {
        let mut case = case.clone();
        set_sms_text(&mut case.config.rules[1], saved);
        let call = case.recorded_call();
        let mut rules = case.config.rules.clone();
        set_sms_text(&mut rules[1], draft);
        let replayed = replay_call(&call, &case.config, rules, &case.material);
        (replayed.difference, replayed.reason)
    };
    let level = "Hello {{contact.field.level}}";
    for (saved, draft, expected) in [
        ("Hello", level, (Different, FollowUp)),
        (level, "Hello", (Different, FollowUp)),
        (level, "Dear {{contact.field.level}}", (Different, FollowUp)),
        (level, "Hello {{contact.field.branch}}", (Different, FollowUp)),
        (level, "Hello {{contact.field.level|you}}", (Unchanged, FollowUp)),
        (level, "Hello {{contact.field.gone}}", (Fewer, Template)),
    ] {
        assert_eq!(told(&case, saved, draft), expected, "{saved:?} {draft:?}");
    }
    // The decision says that the level was unknown.
    case.profile = Profile::default();
    for (draft, expected) in [
        ("Dear {{contact.field.level}}", (Unchanged, Template)),
        ("Hello", (More, FollowUp)),
        ("Hello {{contact.field.level|you}}", (More, FollowUp)),
    ] {
        assert_eq!(told(&case, level, draft), expected, "{draft:?}");
    }
}

/// It was reported with the call, and stored after the decision.
#[test]
fn name_that_was_not_known_then_is_in_no_text() {
    let mut case = missed_call(noon());
    case.config.rules[1].then.channels = vec![Channel::Sms].into();
    set_sms_text(&mut case.config.rules[1], "Hello {{contact.name}}");
    let named = Profile::from_name(ShownName::of("Maya"));
    let again = |case: &Case| {
        let call = case.recorded_call();
        let (recorded, scene) = (
            Recorded::of(&call).with_profile(named.clone()),
            config_with_rules(&case.config, case.config.rules.clone()),
        );
        let again = recorded.consider(&scene, &case.material, &unknown_line_type);
        assert_eq!(again.decision.sentence(), call.decision);
        again.decision.reason()
    };
    assert_eq!(again(&case), Reason::Template);
    case.profile = Profile::from_name(ShownName::of("Mimi"));
    assert_eq!(again(&case), Reason::FollowUp);
}

/// Whatever the rules say: the call was a backlog, or of nobody who can be messaged.
#[test]
fn no_rule_changes_a_call_that_was_ruled_out() {
    let mut case = missed_call(noon());
    case.facts.from = Some(Party::Withheld);
    let withheld = case.recorded_call();
    let recorded = Recorded::of(&withheld);
    assert_eq!(recorded.ruled_out().unwrap().reason, Reason::Withheld);
    let scene = config_with_rules(&case.config, vec![rule_with(3, 0)]);
    assert_eq!(recorded.rule(&scene), None);
    let told = recorded.consider(&scene, &case.material, &unknown_line_type);
    assert_eq!(told.decision.sentence(), "no message: the caller hid the number");
    // The rule that would match is shown all the same.
    assert!(matches!(&told.rules[..], [(_, None)]));
    assert!(told.review.is_none());
}

/// Its lines answer what they receive, so the two would talk to each other.
#[test]
fn call_of_the_business_itself_gets_no_message() {
    let mut case = missed_call(noon());
    case.config.lines = vec![
        from_value(json!({"id": "line_00000000000000000000000001", "name": "Branch", "number": CUSTOMER})).unwrap(),
    ];
    let decision = case.decide_call();
    assert_eq!(decision.reason(), Reason::OwnNumber);
    assert_eq!(decision.grounds.rule, None);
}
