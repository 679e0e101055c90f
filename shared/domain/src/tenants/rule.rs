//! Rules say which message follows which calls. A tenant writes them as data. The API calls them automations.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::destinations::WayOut;
use crate::telephony::{Direction, Outcome};
use crate::tenants::MAX_LINES;
use crate::terms::{
    CampaignId, Category, Channel, Country, Distinct, LineId, MAX_NAME_LENGTH, OneLine, QuietHours, RuleId, SmsText,
    TemplateUse, USUAL_FALLBACK_SECONDS, WhenUnknown, Whole, time_of_id,
};

resource! {
    /// A follow-up rule of a tenant.
    pub struct Rule of RuleId {
        /// Time when it was archived. An archived rule matches nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(example = "2026-11-20T10:00:00Z"))]
        pub archived_at: Option<Timestamp>,
        /// The version of its row, as it was read; 0 for one that was not. Stored with the decisions that it makes.
        #[serde(skip)]
        pub version: u64,
    };

    /// The fields of an automation.
    #[cfg_attr(feature = "schema", schemars(rename = "AutomationIn"))]
    pub struct RuleIn {
        /// Display name.
        #[cfg_attr(feature = "schema", schemars(example = "Missed calls"))]
        pub name: OneLine<1, MAX_NAME_LENGTH>,
        /// Priority: the automation with the lowest number is tried first, and the first one that matches decides the call; all others are
        /// ignored. Automations with equal numbers are tried in the order of their creation. The automation of a new tenant has 100.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(range(min = i32::MIN, max = i32::MAX)))]
        pub priority: i32,
        /// Whether it is active. An inactive one matches no call.
        #[serde(default = "yes")]
        pub enabled: bool,
        /// The calls that it applies to. They fulfil all conditions.
        #[serde(default)]
        pub when: When,
        /// The message that follows.
        pub then: Then,
        /// Drip into which the caller enters when a message follows the call. `null`: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
        pub enroll: Option<CampaignId>,
    }
}

impl Rule {
    /// Maximum rules per tenant, archived ones included.
    pub const MAX: u32 = 500;
    /// Maximum rules per tenant that are not archived.
    pub const MAX_UNARCHIVED: u32 = 100;

    /// The rule of a new tenant in this country, created when its id was: missed callers get an SMS, which needs no template approved by
    /// Meta. In English and Arabic; the tenant's first language is for people whose language is unknown.
    pub fn first(id: RuleId, country: Option<Country>) -> Self {
        let way_out = WayOut::of(country);
        let texts = way_out.sentences().map(|(language, sentence)| {
            let text = match (language, way_out) {
                ("ar", WayOut::Reply) => "نعتذر، فاتتنا مكالمتك. راسلنا هنا وسنرد عليك.",
                ("ar", _) => "نعتذر، فاتتنا مكالمتك. سنعاود الاتصال بك.",
                (_, WayOut::Reply) => "sorry, we missed your call. Reply here and we will get back to you.",
                _ => "sorry, we missed your call. We will call you back.",
            };
            (language.to_owned(), format!("{{{{tenant.name}}}}: {text} {sentence}"))
        });
        let at = time_of_id(id.ulid());
        Self {
            id,
            name: OneLine::from_stored("Missed calls"),
            priority: 100,
            enabled: true,
            when: When::default(),
            then: Then {
                channels: vec![Channel::Sms].into(),
                category: utility(),
                template: None,
                sms_text: Some(SmsText::ByLanguage(texts.into())),
                delay_seconds: no_delay(),
                fallback_after_seconds: default_fallback_after(),
                cooldown_seconds: default_cooldown(),
                quiet_hours: None,
                consent: Consent::CallerInitiated,
                when_unknown: None,
            },
            enroll: None,
            archived_at: None,
            version: 0,
            created_at: at,
            updated_at: at,
        }
    }

    /// Whether it can match a call.
    pub const fn is_active(&self) -> bool {
        self.enabled && self.archived_at.is_none()
    }

    /// Its place among all rules: they are tried in this order.
    pub const fn place(&self) -> (i32, RuleId) {
        (self.priority, self.id)
    }
}

/// Sorts the rules into the order of trying them.
pub fn rules_in_order<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Vec<&'a Rule> {
    let mut rules: Vec<&Rule> = rules.into_iter().collect();
    rules.sort_by_key(|rule| rule.place());
    rules
}

/// Distance of priorities that are given anew, so that there is room between them.
const STEP: i32 = 10;

/// Priorities that put these rules in the given order. As few as possible change: rules that are in this order already
/// keep theirs, unless there is no room between them.
pub fn priorities_in_order(wanted: &[&Rule]) -> Vec<i32> {
    let step = usize::try_from(STEP).unwrap_or(1);
    between(wanted, &mark_kept_priorities(wanted))
        .unwrap_or_else(|| (STEP..).step_by(step).take(wanted.len()).collect())
}

/// Which of these rules keep their priorities: a longest sequence that is in order.
fn mark_kept_priorities(wanted: &[&Rule]) -> Vec<bool> {
    // Of the longest sequence that ends with each rule: its length, and the rule before.
    let mut best: Vec<(usize, Option<usize>)> = Vec::with_capacity(wanted.len());
    for (index, rule) in wanted.iter().enumerate() {
        let lower = (0..index).filter(|other| wanted[*other].place() < rule.place());
        let before = lower.max_by_key(|other| best[*other].0);
        let length = before.map_or(1, |other| best[other].0 + 1);
        best.push((length, before));
    }
    let mut kept = vec![false; wanted.len()];
    let mut next = (0..wanted.len()).rev().max_by_key(|index| best[*index].0);
    while let Some(index) = next {
        kept[index] = true;
        next = best[index].1;
    }
    kept
}

/// The priorities if these rules keep theirs and the others get some between them. `None` if there is no room.
fn between(wanted: &[&Rule], kept: &[bool]) -> Option<Vec<i32>> {
    let step = i64::from(STEP);
    let mut given: Vec<i32> = Vec::with_capacity(wanted.len());
    while let Some(rule) = wanted.get(given.len()) {
        let begin = given.len();
        if kept[begin] {
            given.push(rule.priority);
            continue;
        }
        let end = (begin..wanted.len()).find(|index| kept[*index]);
        let count = i64::try_from(end.unwrap_or(wanted.len()) - begin).ok()?;
        let below = given.last().map(|last| i64::from(*last));
        let above = end.map(|index| i64::from(wanted[index].priority));
        let (first, step) = match (below, above) {
            (Some(below), Some(above)) => {
                let step = (above - below) / (count + 1);
                (below + step, step)
            }
            (Some(below), None) => (below + step, step),
            (None, Some(above)) => (above - step * count, step),
            (None, None) => (step, step),
        };
        if step < 1 {
            return None;
        }
        for number in 0..count {
            given.push(i32::try_from(first + step * number).ok()?);
        }
    }
    Some(given)
}

const fn yes() -> bool {
    true
}

/// Maximum outcomes in a condition: there are no more.
const MAX_OUTCOMES: usize = 8;
/// Maximum channels of a rule: there are no more.
const MAX_CHANNELS: usize = 2;
/// Maximum seconds of a condition on a call's length.
pub const MAX_CALL_SECONDS: u32 = 86_400;

/// Seconds of a call in a condition.
pub type CallSeconds = Whole<0, MAX_CALL_SECONDS>;

/// Conditions on a call. All of them must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "AutomationConditions")
)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Outcomes of the call. Default: `missed`, `busy`, `abandoned`, `voicemail` and `after_hours`. `unknown` never matches.
    #[cfg_attr(feature = "schema", schemars(example = ["missed", "busy"]))]
    pub outcomes: Distinct<MAX_OUTCOMES, Outcome>,
    /// Direction. Outbound calls never get a message, so only `inbound` matches anything.
    pub direction: Direction,
    /// The called lines; empty: all calls, including those to a number without a line. A line that was deleted matches
    /// none.
    #[serde(skip_serializing_if = "Distinct::is_empty")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub lines: Distinct<MAX_LINES, LineId>,
    /// Whether the business was open when the call began.
    pub hours: Hours,
    /// Whether the caller is new.
    pub caller: Caller,
    /// Minimum ringing time in seconds. Calls with an unknown ringing time match.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = 4))]
    pub min_ring_seconds: Option<CallSeconds>,
    /// Maximum ringing time in seconds. Calls with an unknown ringing time match.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = 120))]
    pub max_ring_seconds: Option<CallSeconds>,
    /// Minimum talking time in seconds. An unknown talking time counts as 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = 0))]
    pub min_talk_seconds: Option<CallSeconds>,
    /// Maximum talking time in seconds. An unknown talking time counts as 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = 30))]
    pub max_talk_seconds: Option<CallSeconds>,
}

impl Default for When {
    fn default() -> Self {
        Self {
            outcomes: vec![
                Outcome::Missed,
                Outcome::Busy,
                Outcome::Abandoned,
                Outcome::Voicemail,
                Outcome::AfterHours,
            ]
            .into(),
            direction: Direction::Inbound,
            lines: Distinct::default(),
            hours: Hours::Any,
            caller: Caller::Any,
            min_ring_seconds: None,
            max_ring_seconds: None,
            min_talk_seconds: None,
            max_talk_seconds: None,
        }
    }
}

impl When {
    /// Whether every call that fulfils these other conditions fulfils this one, too.
    pub fn covers(&self, other: &Self) -> bool {
        let least = |own: Option<CallSeconds>, theirs: Option<CallSeconds>| {
            own.is_none_or(|own| own <= theirs.unwrap_or(CallSeconds::nearest(0)))
        };
        let most = |own: Option<CallSeconds>, theirs: Option<CallSeconds>| {
            own.is_none_or(|own| theirs.is_some_and(|theirs| theirs <= own))
        };
        let lines = self.lines.is_empty()
            || (!other.lines.is_empty() && other.lines.iter().all(|line| self.lines.contains(line)));
        self.direction == Direction::Inbound
            && other.outcomes.iter().all(|outcome| self.outcomes.contains(outcome))
            && lines
            && (self.hours == Hours::Any || self.hours == other.hours)
            && (self.caller == Caller::Any || self.caller == other.caller)
            && least(self.min_ring_seconds, other.min_ring_seconds)
            && most(self.max_ring_seconds, other.max_ring_seconds)
            && least(self.min_talk_seconds, other.min_talk_seconds)
            && most(self.max_talk_seconds, other.max_talk_seconds)
    }
}

/// A condition on the business hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "HoursCondition")
)]
#[serde(rename_all = "snake_case")]
pub enum Hours {
    /// No condition.
    #[default]
    Any,
    /// The business was open.
    Open,
    /// The business was closed.
    Closed,
}

impl Hours {
    /// The name for software.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// A condition on the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "CallerCondition")
)]
#[serde(rename_all = "snake_case")]
pub enum Caller {
    /// No condition.
    #[default]
    Any,
    /// A caller who has never called or written before.
    New,
    /// Called or wrote before.
    Known,
}

/// The follow-up to a matching call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "AutomationMessage")
)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// The channels, in the order of trying them.
    #[cfg_attr(feature = "schema", schemars(example = ["sms"]))]
    pub channels: Distinct<MAX_CHANNELS, Channel>,
    /// Category of the message: `utility`, or `marketing`, which requires an opt-in. The template must have the same.
    #[serde(default = "utility")]
    pub category: Category,
    /// Content for WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub template: Option<TemplateUse>,
    /// Content for SMS: one text, or an object of texts by language. People whose language is unknown get the text in
    /// the tenant's first language. `{{source}}` and `{{source|default}}` stand for values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms_text: Option<SmsText>,
    /// Seconds between the decision and the message.
    #[serde(default = "no_delay")]
    pub delay_seconds: Whole<0, MAX_DELAY_SECONDS>,
    /// Seconds after acceptance without `delivered` until the next channel is tried. 0: only when the channel fails.
    #[serde(default = "default_fallback_after")]
    pub fallback_after_seconds: Whole<0, MAX_FALLBACK_SECONDS>,
    /// Cooldown in seconds: nobody gets a message this soon after another one was planned for them. 0: no limit.
    #[serde(default = "default_cooldown")]
    pub cooldown_seconds: Whole<0, MAX_COOLDOWN_SECONDS>,
    /// Quiet hours instead of the tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Consent that it requires. Marketing always requires the opt-in.
    #[serde(default)]
    pub consent: Consent,
    /// Reaction to an unknown outcome of a send: `next_channel`, which marketing excludes, or `stop`. If missing, it depends on the
    /// category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_unknown: Option<WhenUnknown>,
}

/// Maximum delay: after more than a day, a message no longer answers anything.
pub const MAX_DELAY_SECONDS: u32 = 86_400;
/// Maximum fallback deadline: the same holds for a second channel tried more than a day later.
pub const MAX_FALLBACK_SECONDS: u32 = 86_400;
/// Maximum cooldown: a year.
pub const MAX_COOLDOWN_SECONDS: u32 = 365 * 86_400;

const fn utility() -> Category {
    Category::Utility
}

fn no_delay() -> Whole<0, MAX_DELAY_SECONDS> {
    Whole::nearest(0)
}

fn default_fallback_after() -> Whole<0, MAX_FALLBACK_SECONDS> {
    Whole::nearest(USUAL_FALLBACK_SECONDS)
}

fn default_cooldown() -> Whole<0, MAX_COOLDOWN_SECONDS> {
    Whole::nearest(86_400)
}

/// Consent that a message requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "AutomationConsent")
)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// The person called and expects an answer.
    #[default]
    CallerInitiated,
    /// The person opted in.
    OptInOnly,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, from_value, json, to_value};
    use ulid::Ulid;

    use super::*;
    use crate::terms::Resource as _;

    fn rule(number: u128, priority: i32) -> Rule {
        Rule {
            priority,
            ..Rule::first(RuleId::new(Ulid::from_parts(1_795_176_000_000, number)), None)
        }
    }

    fn when(change: Value) -> When {
        from_value(change).unwrap()
    }

    #[test]
    fn rule_in_a_file_has_the_usual_values() {
        let id = rule(1, 0).id;
        let read: Rule = from_value(json!({
            "id": id, "name": "Missed calls", "then": {"channels": ["sms"], "sms_text": "Sorry"},
        }))
        .unwrap();
        assert_eq!((read.priority, read.enabled, read.archived_at), (0, true, None));
        assert_eq!(
            (read.created_at, read.updated_at),
            (time_of_id(id.ulid()), time_of_id(id.ulid()))
        );
        assert_eq!(read.then.cooldown_seconds.get(), 86_400);
        let again: Rule = from_value(to_value(&read).unwrap()).unwrap();
        assert_eq!(again, read);
    }

    #[test]
    fn change_of_the_fields_does_not_restore_a_rule() {
        let archived = Rule {
            archived_at: Some(Timestamp::UNIX_EPOCH),
            version: 7,
            ..rule(1, 0)
        };
        let mut fields = archived.fields();
        fields.enabled = false;
        let changed = archived.with(fields);
        assert_eq!((changed.archived_at, changed.version), (archived.archived_at, 7));
        assert!(!changed.enabled && !changed.is_active());
        let new = Rule::new(archived.id.ulid(), archived.fields(), archived.created_at);
        assert_eq!((new.archived_at, new.version), (None, 0));
    }

    #[test]
    fn conditions_cover_narrower_ones() {
        let line = LineId::new(Ulid::from_parts(1, 1));
        let all = When::default();
        for narrower in [
            json!({"outcomes": ["missed"]}),
            json!({"lines": [line]}),
            json!({"hours": "closed", "caller": "new"}),
            json!({"min_ring_seconds": 4, "max_talk_seconds": 10}),
        ] {
            let narrower = when(narrower);
            assert!(all.covers(&narrower) && !narrower.covers(&all), "{narrower:?}");
        }
        assert!(!all.covers(&when(json!({"outcomes": ["missed", "answered"]}))));
        let (at_4, at_5) = (
            when(json!({"min_ring_seconds": 4})),
            when(json!({"min_ring_seconds": 5})),
        );
        assert!(at_4.covers(&at_5) && !at_5.covers(&at_4));
        assert!(when(json!({"min_ring_seconds": 0})).covers(&all));
        let (at_most, less) = (
            when(json!({"max_ring_seconds": 9})),
            when(json!({"max_ring_seconds": 8})),
        );
        assert!(at_most.covers(&less) && !less.covers(&at_most));
        assert!(!when(json!({"direction": "outbound"})).covers(&all));
    }

    #[test]
    fn moving_one_rule_changes_only_its_priority() {
        let rules: Vec<Rule> = (0..5).map(|number| rule(number, 10 * number as i32)).collect();
        let order = |places: [usize; 5]| {
            let wanted: Vec<&Rule> = places.iter().map(|place| &rules[*place]).collect();
            priorities_in_order(&wanted)
        };
        assert_eq!(order([0, 1, 2, 3, 4]), [0, 10, 20, 30, 40]);
        assert_eq!(order([0, 4, 1, 2, 3]), [0, 5, 10, 20, 30]);
        assert_eq!(order([4, 0, 1, 2, 3]), [-10, 0, 10, 20, 30]);
        assert_eq!(order([1, 2, 3, 4, 0]), [10, 20, 30, 40, 50]);
        let close: Vec<Rule> = (0..4).map(|number| rule(number, number as i32)).collect();
        assert_eq!(priorities_in_order(&[&close[0], &close[2], &close[1]]), [0, 2, 12]);
        // No room: all of them get new ones.
        let wanted = [&close[0], &close[3], &close[1], &close[2]];
        assert_eq!(priorities_in_order(&wanted), [10, 20, 30, 40]);
        assert_eq!(priorities_in_order(&[]), [] as [i32; 0]);
    }

    proptest! {
        #[test]
        fn rules_are_tried_in_the_order_that_was_set(
            given in prop::collection::vec(prop_oneof![-3_i32..3, Just(i32::MIN), Just(i32::MAX)], 0..12)
                .prop_flat_map(|all| (Just(all.clone()), Just((0..all.len()).collect::<Vec<_>>()).prop_shuffle())),
        ) {
            let (all, order) = given;
            let mut rules: Vec<Rule> = all.iter().zip(1..).map(|(priority, number)| rule(number, *priority)).collect();
            let wanted: Vec<RuleId> = order.iter().map(|place| rules[*place].id).collect();
            let refs: Vec<&Rule> = order.iter().map(|place| &rules[*place]).collect();
            let given = priorities_in_order(&refs);
            for (place, priority) in order.iter().zip(given) {
                rules[*place].priority = priority;
            }
            let tried: Vec<RuleId> = rules_in_order(&rules).iter().map(|rule| rule.id).collect();
            prop_assert_eq!(tried, wanted);
        }
    }
}
