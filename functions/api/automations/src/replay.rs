//! Replays: the decisions that automations would have made about recorded calls, from the facts that are stored with
//! each.

use std::collections::{BTreeSet, HashMap};

use api::{Api, Body};
use axum::extract::State;
use axum::{Extension, Json};
use domain::automations::{Difference, Former, Recorded, config_with_rules};
use domain::calls::Call;
use domain::reports::CallFilter;
use domain::telephony::{Direction, Outcome};
use domain::tenants::{Rule, RuleIn};
use domain::terms::{CallId, MAX_NAME_LENGTH, MessageId, OneLine, Reason, RuleId, Whole, line_type_by_plan};
use jiff::{SignedDuration, Timestamp};
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::reports::Wanted;

use crate::models::AutomationReview;
use crate::trying::Scene;
use crate::{Configs, Writing, material};

/// Maximum recorded calls of a replay: as many as a page of the list examines.
const MAX_CALLS: u32 = 500;

/// Recorded calls of a replay, unless it says otherwise.
const USUAL_CALLS: u32 = 100;

/// Maximum examples of each difference.
const MAX_EXAMPLES: usize = 10;

/// Maximum age of the calls: the longest period of their list.
const PERIOD: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Automations to try on the latest recorded calls.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayIn {
    /// Draft of an automation, which is tried with the saved ones. Default: the saved ones alone.
    #[serde(default)]
    automation: Option<RuleIn>,
    /// Saved automation that the draft replaces. Default: none, the draft is a new one.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    automation_id: Option<RuleId>,
    /// Number of calls. Default: 100.
    #[serde(default)]
    #[schemars(example = 100)]
    calls: Option<Whole<1, MAX_CALLS>>,
}

/// The differences that automations make for recorded calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Replay {
    /// Number of examined inbound calls: the latest of the last 31 days, except calls of deleted contacts.
    #[schemars(example = 100)]
    calls: usize,
    /// Beginning of the earliest of them. `null` if there is none.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    from: Option<Timestamp>,
    /// Number of calls without a difference: the same message follows, or none as before.
    #[schemars(example = 91)]
    unchanged: usize,
    /// Calls that would get a message and got none.
    more: ReplayDifference,
    /// Calls that got a message and would get none.
    fewer: ReplayDifference,
    /// Calls that would get another message than they got.
    different: ReplayDifference,
    /// Problems and warnings of the draft, as if it was saved. `null` if there is none.
    draft: Option<AutomationReview>,
}

/// Calls with this difference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ReplayDifference {
    /// Number of calls.
    #[schemars(example = 3)]
    count: usize,
    /// The latest of them, at most ten.
    #[schemars(length(max = MAX_EXAMPLES))]
    examples: Vec<ReplayExample>,
}

/// A recorded call that automations would decide otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ReplayExample {
    /// Id of the call.
    call_id: CallId,
    /// Time that sorts lists of calls.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    at: Timestamp,
    /// Outcome of the call.
    outcome: Outcome,
    /// The recorded decision.
    before: ReplayedBefore,
    /// The decision of the automations that are tried.
    after: ReplayedAfter,
}

/// The recorded decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ReplayedBefore {
    /// Automation that decided. `null` if none matched.
    automation_id: Option<RuleId>,
    /// Version of the automation.
    #[schemars(example = 3)]
    version: Option<u64>,
    /// The decision as a word: one of `x-codes` at the root of the document.
    #[schemars(example = &"no_rule")]
    code: String,
    /// The decision, in one sentence.
    #[schemars(example = &"no message: no rule matches: missed call to +97145550100, known caller, business open")]
    decision: String,
    /// Message that followed. `null` if there was none.
    message_id: Option<MessageId>,
}

/// The decision of the automations that are tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ReplayedAfter {
    /// Automation that would decide. `null` if none matches, or it is the draft of a new one.
    automation_id: Option<RuleId>,
    /// Its display name. `null` if none matches.
    #[schemars(example = &"Missed calls")]
    name: Option<OneLine<1, MAX_NAME_LENGTH>>,
    /// Whether it is the draft.
    draft: bool,
    /// The decision as a word: one of `x-codes` at the root of the document.
    #[schemars(with = "String", example = &"follow_up")]
    code: Reason,
    /// The decision, in one sentence.
    #[schemars(example = &"WhatsApp at once: missed call to +97145550100, rule \"Missed calls\"")]
    decision: String,
}

impl From<&Call> for ReplayedBefore {
    fn from(call: &Call) -> Self {
        Self {
            automation_id: call.grounds.rule,
            version: call.grounds.rule_version,
            code: call.reason.clone(),
            decision: call.decision.clone(),
            message_id: call.message,
        }
    }
}

impl ReplayDifference {
    fn add(&mut self, example: impl FnOnce() -> ReplayExample) {
        self.count += 1;
        if self.examples.len() < MAX_EXAMPLES {
            self.examples.push(example());
        }
    }
}

/// The rules that decided these calls, in the versions that did, unless they are in force or not kept any more.
async fn former_rules(
    api: &Api,
    who: &Writing,
    saved: &[Rule],
    recorded: &[Recorded<'_>],
) -> Result<HashMap<(RuleId, u64), Rule>, Problem> {
    let decided: BTreeSet<(RuleId, u64)> = recorded.iter().filter_map(Recorded::decided_by).collect();
    let mut former: HashMap<(RuleId, u64), Rule> = HashMap::new();
    let mut missing = Vec::new();
    for (id, version) in decided {
        match saved.iter().find(|rule| (rule.id, rule.version) == (id, version)) {
            Some(rule) => drop(former.insert((id, version), rule.clone())),
            None => missing.push((id, version)),
        }
    }
    let read = api.store().some_versions::<Rule, _>(who.scope(), &missing, who.now());
    let read = Box::pin(read).await?;
    let kept = missing.into_iter().zip(read);
    former.extend(kept.filter_map(|(wanted, version)| Some((wanted, version?.signed.value))));
    Ok(former)
}

/// A recorded call with the rule that decided it and the one that would.
type Affected<'a> = (&'a Call, &'a Recorded<'a>, Former<'a>, Option<&'a Rule>);

/// The rules of calls that may be different, each once.
fn distinct_rules<'a>(affected: &[Affected<'a>]) -> Vec<&'a Rule> {
    let mut rules: Vec<&Rule> = Vec::new();
    for (_, _, former, rule) in affected {
        let former = match former {
            Former::Rule(former) => Some(*former),
            Former::None | Former::Lost => None,
        };
        for rule in former.into_iter().chain(*rule) {
            if !rules.iter().any(|known| std::ptr::eq(*known, rule)) {
                rules.push(rule);
            }
        }
    }
    rules
}

pub(crate) async fn replay_automations(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Body(asked): Body<ReplayIn>,
) -> Result<Json<Replay>, Problem> {
    let tried = Scene::of(&api, &who, &configs, asked.automation, asked.automation_id);
    let tried = Box::pin(tried).await?;
    let filter = CallFilter {
        direction: Some(Direction::Inbound),
        ..CallFilter::default()
    };
    let most = asked.calls.map_or(USUAL_CALLS, Whole::get);
    let wanted = Wanted {
        from: who.now() - PERIOD,
        to: who.now() + SignedDuration::from_secs(1),
        after: None,
        limit: i32::try_from(most).unwrap_or(i32::MAX),
        now: who.now(),
    };
    let calls = Box::pin(api.store().newest_calls(who.scope(), &filter, &wanted)).await?;
    let recorded: Vec<Recorded<'_>> = calls.iter().map(Recorded::of).collect();
    let former = Box::pin(former_rules(&api, &who, &tried.saved.rules, &recorded)).await?;
    let config = config_with_rules(&tried.saved, tried.rules.clone());
    let all = calls.iter().zip(&recorded).map(|(call, recorded)| {
        let former = recorded.former(|decided| former.get(&decided));
        (call, recorded, former, recorded.rule(&config))
    });
    let affected = all.filter(|(_, recorded, former, rule)| !recorded.is_unaffected(*former, *rule));
    let affected: Vec<Affected<'_>> = affected.collect();
    let found = Box::pin(material(&api, &who, &config, &distinct_rules(&affected))).await?;
    let mut replay = Replay {
        calls: calls.len(),
        from: calls.iter().map(Call::happened_at).min(),
        unchanged: calls.len() - affected.len(),
        more: ReplayDifference::default(),
        fewer: ReplayDifference::default(),
        different: ReplayDifference::default(),
        draft: None,
    };
    for (call, recorded, former, rule) in affected {
        let after = recorded.replay_decision(former, rule, &config, &found, &line_type_by_plan);
        let (difference, code, decision) = (after.difference, after.reason, after.decision);
        let example = || ReplayExample {
            call_id: call.id,
            at: call.happened_at(),
            outcome: call.outcome,
            before: ReplayedBefore::from(call),
            after: ReplayedAfter {
                automation_id: rule.and_then(|rule| tried.id_of(rule)),
                name: rule.map(|rule| rule.name.clone()),
                draft: rule.is_some_and(|rule| tried.is_draft(rule)),
                code,
                decision,
            },
        };
        match difference {
            Difference::Unchanged => replay.unchanged += 1,
            Difference::More => replay.more.add(example),
            Difference::Fewer => replay.fewer.add(example),
            Difference::Different => replay.different.add(example),
        }
    }
    replay.draft = tried.draft.map(|draft| draft.review);
    Ok(Json(replay))
}
