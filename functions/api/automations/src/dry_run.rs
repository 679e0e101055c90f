//! Dry runs: the decision about a call and its message, without writing or sending anything. An invented call is decided as `process_call` would, with the caller as
//! known now; a recorded one as it was, from the facts that are stored with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Api, Body, ContactName, MessageOutlook, PhoneOut, Setting, Verdict};
use axum::extract::State;
use axum::{Extension, Json};
use domain::automations::{Considered, Findings, Recorded, config_with_rules};
use domain::messages::{CallView, Material, World};
use domain::people::{Contact, Identity, Person, Profile};
use domain::telephony::{CallFacts, Direction, Outcome, Party, asked_outcome};
use domain::tenants::{CallSeconds, ConnectionSummary, Line, RuleIn, TenantConfig, line_by_id};
use domain::terms::{
    CallId, ConnectionId, ContactId, Facts, Fault, FaultCode, FieldProblem, Language, LineId, MAX_NAME_LENGTH, OneLine,
    Phone, Reason, RuleId, line_type_by_plan,
};
use jiff::{SignedDuration, Timestamp};
use kit::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::models::AutomationReview;
use crate::trying::{Scene, Trying, outlook};
use crate::{Configs, Writing};

/// A call to try, either recorded or invented, and perhaps a draft of an automation.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRunIn {
    /// Recorded call. It is decided as of the time of its decision, from the facts that were stored with it.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    call_id: Option<CallId>,
    /// Invented call. It is decided with the caller as known now.
    #[serde(default)]
    #[schemars(example = missed_call_example())]
    call: Option<InventedCall>,
    /// Draft of an automation, which is tried with the saved ones.
    #[serde(default)]
    automation: Option<RuleIn>,
    /// Saved automation that the draft replaces. Default: none, the draft is a new one.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    automation_id: Option<RuleId>,
}

fn missed_call_example() -> BTreeMap<&'static str, &'static str> {
    [("outcome", "missed"), ("phone", "+971501234567")].into()
}

/// A call that did not happen. Its caller is exactly one of `contact_id`, `phone` and `withheld`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InventedCall {
    /// Outcome.
    #[serde(deserialize_with = "asked_outcome")]
    #[schemars(with = "Outcome", example = &"missed")]
    outcome: Outcome,
    /// Direction. Default: `inbound`.
    #[serde(default)]
    direction: Option<Direction>,
    /// Contact who calls, from the preferred telephone number.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    contact_id: Option<ContactId>,
    /// Telephone number that calls. If a contact has it, that contact calls.
    #[serde(default)]
    #[schemars(example = &"+971501234567")]
    phone: Option<Phone>,
    /// Whether the caller hides the number.
    #[serde(default)]
    withheld: bool,
    /// Language of the caller. Default: the contact's.
    #[serde(default)]
    language: Option<Language>,
    /// Line that is called. Default: the only one; otherwise a number without a line.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    line_id: Option<LineId>,
    /// Connection that reports the call, which sends the message if no line names another one. Default: the first one that reports calls.
    #[serde(default)]
    #[schemars(extend("x-refers" = true))]
    connection_id: Option<ConnectionId>,
    /// Beginning of the call, at most a year ago or ahead. It is decided when it ends; later events of the caller are ignored. Default:
    /// it has just ended.
    #[serde(default)]
    #[schemars(example = "2026-11-20T10:00:00Z")]
    started_at: Option<Timestamp>,
    /// Ringing time in seconds. Default: unknown.
    #[serde(default)]
    #[schemars(example = 20)]
    ring_seconds: Option<CallSeconds>,
    /// Talking time in seconds. Default: unknown, which counts as 0.
    #[serde(default)]
    #[schemars(example = 0)]
    talk_seconds: Option<CallSeconds>,
}

/// The result of a dry run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct DryRun {
    /// Whether a message would follow.
    sent: bool,
    /// The decision for or against a message, in one sentence.
    #[schemars(example = &"WhatsApp at once, SMS if not delivered within 2 min: missed call to +97145550100, rule \"Missed calls\"")]
    decision: String,
    /// The decision as a word: `follow_up` if a message would follow, otherwise the reason against it: one of `x-codes` at the root of the
    /// document.
    #[schemars(with = "String", example = &"follow_up")]
    code: Reason,
    /// Facts of the decision.
    facts: Facts,
    /// Time of the decision.
    #[schemars(example = "2026-11-20T10:00:20Z")]
    decided_at: Timestamp,
    /// Contact who calls. `null` if there is none yet.
    contact: Option<ContactName>,
    /// Number of the customer. `null` if it is hidden.
    customer: Option<PhoneOut>,
    /// The automations that are not archived, and the draft, in the order of their priorities.
    automations: Vec<TriedAutomation>,
    /// The message of the first automation that matches, also if it would be refused. `null` if none matches, or the caller has no
    /// telephone number.
    message: Option<MessageOutlook>,
    /// Problems and warnings of the draft, as if it was saved. `null` if there is none.
    draft: Option<AutomationReview>,
}

/// An automation that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct TriedAutomation {
    /// Id. `null` for the draft of a new one.
    id: Option<RuleId>,
    /// Display name.
    #[schemars(example = &"Missed calls")]
    name: OneLine<1, MAX_NAME_LENGTH>,
    /// Priority.
    #[schemars(example = 100)]
    priority: i32,
    /// Whether it is the draft.
    draft: bool,
    /// Whether it decides the call: the first one that matches, unless nobody may be messaged after such a call.
    decides: bool,
    /// Whether the call fulfils all its conditions, or else the first one that it does not.
    #[serde(flatten)]
    verdict: Verdict,
}

/// An invented call as a telephone system would report it.
struct Reported {
    id: CallId,
    connection: ConnectionId,
    facts: CallFacts,
    outcome: Outcome,
    started_at: Timestamp,
    /// Time of the decision.
    now: Timestamp,
}

/// Caller of an invented call.
struct Caller {
    person: Person,
    /// Whether there is such a contact.
    known: bool,
    party: Party,
}

/// Maximum distance of an invented call from now.
const FARTHEST: SignedDuration = SignedDuration::from_hours(366 * 24);

const CALL: &str = "call";
const CONTACT: &str = "contact_id";
const PHONE: &str = "phone";

fn of_call(field: &str, fault: Fault) -> Problem {
    Problem::field(format!("{CALL}.{field}"), fault)
}

impl InventedCall {
    /// Problems of the call by itself, with this configuration.
    fn problems(&self, config: &TenantConfig, now: Timestamp) -> Vec<FieldProblem> {
        let mut found = Vec::new();
        let mut wrong = |field: &str, fault: Fault| found.push(FieldProblem::new(field, fault).within(CALL));
        let callers = [
            (CONTACT, self.contact_id.is_some()),
            (PHONE, self.phone.is_some()),
            ("withheld", self.withheld),
        ];
        let given: Vec<&str> = callers
            .iter()
            .filter(|(_, given)| *given)
            .map(|(name, _)| *name)
            .collect();
        let detail = "Give exactly one of `contact_id`, `phone` and `withheld`.";
        match given.as_slice() {
            [_] => {}
            [] => wrong(PHONE, Fault::requires(&[CONTACT, "withheld"], detail)),
            [first, others @ ..] => wrong(first, Fault::excludes(others, detail)),
        }
        if let Some(id) = self.line_id {
            match line_by_id(&config.lines, id) {
                None => {
                    let fault = Fault::new(FaultCode::NotFound, "There is no such line.");
                    wrong("line_id", fault.and("id", id.to_string()));
                }
                Some(line) if line.number.is_none() => {
                    let detail = "This line has no number to call.";
                    wrong("line_id", Fault::new(FaultCode::NotApplicable, detail));
                }
                Some(_) => {}
            }
        }
        if let Some(id) = self.connection_id
            && !reporting(config).any(|connection| connection.id == id)
        {
            let fault = Fault::new(FaultCode::NotFound, "There is no such connection that reports calls.");
            wrong("connection_id", fault.and("id", id.to_string()));
        }
        let (first, last) = (now - FARTHEST, now + FARTHEST);
        if self.started_at.is_some_and(|at| at < first || last < at) {
            let detail = "Expected a time within a year from now.";
            wrong("started_at", Fault::out_of_range(first, last, detail));
        }
        found
    }

    /// The connection that reports it.
    fn connection(&self, config: &TenantConfig) -> ConnectionId {
        let usual = || reporting(config).next().map(|connection| connection.id);
        let connection = self.connection_id.or_else(usual);
        // Nothing reports calls yet: none is preferred.
        connection.unwrap_or_else(|| ConnectionId::new(ulid::Ulid::nil()))
    }

    /// The call as a telephone system would report it.
    fn reported_call(&self, config: &TenantConfig, caller: &Caller, own: ulid::Ulid, now: Timestamp) -> Reported {
        let seconds = |given: Option<CallSeconds>| given.map(CallSeconds::get);
        let (ring_seconds, talk_seconds) = (seconds(self.ring_seconds), seconds(self.talk_seconds));
        let lasted = i64::from(ring_seconds.unwrap_or(0)) + i64::from(talk_seconds.unwrap_or(0));
        let lasted = SignedDuration::from_secs(lasted);
        let started_at = self.started_at.unwrap_or(now - lasted);
        let ended_at = started_at + lasted;
        let line = match (self.line_id, config.lines.as_slice()) {
            (Some(id), lines) => line_by_id(lines, id),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let line = line.and_then(|line: &Line| line.number.clone()).map(Party::Phone);
        let customer = Some(caller.party.clone());
        let direction = self.direction.unwrap_or(Direction::Inbound);
        let (from, to) = match direction {
            Direction::Inbound => (customer, line),
            Direction::Outbound => (line, customer),
        };
        Reported {
            id: CallId::new(caller.person.contact.id, own),
            connection: self.connection(config),
            facts: CallFacts {
                direction: Some(direction),
                from,
                to,
                started_at: Some(started_at),
                // Otherwise the ringing time would follow from it.
                ended_at: ring_seconds.map(|_| ended_at),
                ring_seconds,
                talk_seconds,
                ..CallFacts::default()
            },
            outcome: self.outcome,
            started_at,
            now: ended_at,
        }
    }

    /// Its caller, with what is known of them.
    async fn caller(&self, api: &Api, who: &Writing, config: &TenantConfig) -> Result<Caller, Problem> {
        let (store, scope) = (api.store(), who.scope());
        let mut caller = if let Some(id) = self.contact_id {
            let found = store.known_person(scope, id).await?;
            let Some(person) = found.filter(|person| person.contact.deleted_at.is_none()) else {
                let fault = Fault::new(FaultCode::NotFound, "There is no such contact.");
                return Err(of_call(CONTACT, fault.and("id", id.to_string())));
            };
            let Some(phone) = person.contact.phone().cloned() else {
                let detail = "The contact has no telephone number to call from.";
                return Err(of_call(CONTACT, Fault::new(FaultCode::NotApplicable, detail)));
            };
            Caller {
                person,
                known: true,
                party: Party::Phone(phone),
            }
        } else {
            let identity = match &self.phone {
                Some(phone) => Identity::Phone(phone.clone()),
                None => Identity::Withheld(self.connection(config)),
            };
            let (known, refusals) = match store.known_or_refusals(scope, &identity).await {
                Err(error) if error.is_gone() || error.is_conflict() => {
                    let detail = "The contact with this number is being erased. Try again in a few minutes, or use \
                                  another number.";
                    return Err(of_call(PHONE, Fault::new(FaultCode::Invalid, detail)));
                }
                read => read?,
            };
            let is_known = known.is_some();
            let person = known.unwrap_or_else(|| {
                let mut contact = Contact::first_seen(ContactId::new(who.ulid()), &identity, who.now());
                drop(refusals.pass_on(&mut contact));
                Person {
                    contact,
                    profile: Profile::default(),
                }
            });
            Caller {
                person,
                known: is_known,
                party: self.phone.clone().map_or(Party::Withheld, Party::Phone),
            }
        };
        if let Some(language) = &self.language {
            caller.person.contact.language = Some(language.as_str().to_owned());
        }
        Ok(caller)
    }
}

/// The connections that report calls.
fn reporting(config: &TenantConfig) -> impl Iterator<Item = &ConnectionSummary> {
    let connections = config.connections.iter();
    connections.filter(|connection| connection.reports_calls())
}

impl Reported {
    fn view(&self) -> CallView<'_> {
        CallView {
            id: self.id,
            connection: self.connection,
            facts: &self.facts,
            outcome: self.outcome,
            started_at: self.started_at,
        }
    }
}

impl DryRun {
    /// The result without the message and the review of the draft.
    fn of(
        considered: &Considered<'_>,
        scene: &Scene,
        decided_at: Timestamp,
        contact: Option<ContactName>,
        customer: Option<Phone>,
    ) -> Self {
        let decision = &considered.decision;
        let decided = decision.grounds.rule;
        let tried = considered.rules.iter().map(|(rule, unmet)| TriedAutomation {
            id: scene.id_of(rule),
            name: rule.name.clone(),
            priority: rule.priority,
            draft: scene.is_draft(rule),
            decides: decided == Some(rule.id),
            verdict: Verdict::from(unmet.clone()),
        });
        Self {
            sent: decision.follow_up.is_ok(),
            decision: decision.sentence().to_owned(),
            code: decision.reason(),
            facts: decision.facts().clone(),
            decided_at,
            contact,
            customer: customer.map(PhoneOut::from),
            automations: tried.collect(),
            message: None,
            draft: scene.draft.as_ref().map(|draft| draft.review.clone()),
        }
    }
}

impl Trying {
    /// The dry run of an invented call.
    async fn try_invented_call(
        &self,
        api: &Api,
        who: &Writing,
        scene: &Scene,
        call: &InventedCall,
    ) -> Result<DryRun, Problem> {
        let config = scene.config();
        let problems = call.problems(&config, who.now());
        if !problems.is_empty() {
            return Err(problems.into());
        }
        let mut caller = Box::pin(call.caller(api, who, &config)).await?;
        let reported = call.reported_call(&config, &caller, who.ulid(), who.now());
        if reported.now < who.now() {
            caller.person.contact = caller.person.contact.as_of(reported.now);
        }
        if reported.outcome == Outcome::Answered {
            Box::pin(self.end_waiting_follow_ups(who, &mut caller.person.contact)).await?;
        }
        let (contact, profile) = caller.person.parts();
        let (findings, needs) = {
            let world = World::of(&config, contact, profile, Material::NONE, &[], reported.now);
            let findings = Findings::of(&reported.view(), &world);
            let needs = findings.needs_to_consider(&world);
            (findings, needs)
        };
        let gathered = self.gather(who, &needs).await?;
        let considered = {
            let (material, open) = (&gathered.material, &gathered.open);
            findings.consider(&World::of(&config, contact, profile, material, open, reported.now))
        };
        let shown = caller.known && caller.person.contact.deleted_at.is_none();
        let contact = shown.then(|| ContactName::from(&caller.person));
        let customer = caller.party.phone().cloned();
        let run = DryRun::of(&considered, scene, reported.now, contact, customer);
        let mut contact = caller.person.contact.clone();
        // The call brings a deleted contact back before anything is sent.
        if reported.facts.direction == Some(Direction::Inbound) {
            contact.heard_again(reported.started_at);
        }
        let setting = Setting {
            config: &config,
            material: &gathered.material,
            contact: &contact,
            line: considered.decision.grounds.line,
            now: reported.now,
            timers: &self.timers,
        };
        let message = outlook(api, who, setting, considered.review);
        let message = Box::pin(message).await?;
        Ok(DryRun { message, ..run })
    }

    /// The dry run of a recorded call.
    async fn try_recorded_call(&self, api: &Api, who: &Writing, tried: &Scene, id: CallId) -> Result<DryRun, Problem> {
        let known = Box::pin(api.store().known_call(who.scope(), id, who.now())).await?;
        let Some(known) = known else {
            let fault = Fault::new(FaultCode::NotFound, "There is no such call.");
            return Err(Problem::field("call_id", fault.and("id", id.to_string())));
        };
        let config = config_with_rules(&tried.saved, tried.rules.clone());
        let recorded = Recorded::of(&known.call).with_profile(known.contact.profile.clone());
        let needs = recorded.needs(&config, &line_type_by_plan);
        let gathered = self.gather(who, &needs).await?;
        let considered = recorded.consider(&config, &gathered.material, &line_type_by_plan);
        let customer = known.call.facts.customer().phone().cloned();
        let contact = Some(ContactName::from(&known.contact));
        let decided_at = known.call.decided_at;
        let run = DryRun::of(&considered, tried, decided_at, contact, customer);
        let setting = Setting {
            config: &config,
            material: &gathered.material,
            contact: recorded.contact(),
            line: considered.decision.grounds.line,
            now: decided_at,
            timers: &self.timers,
        };
        let message = outlook(api, who, setting, considered.review);
        let message = Box::pin(message).await?;
        Ok(DryRun { message, ..run })
    }
}

pub(crate) async fn dry_run_automations(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Extension(trying): Extension<Arc<Trying>>,
    Body(asked): Body<DryRunIn>,
) -> Result<Json<DryRun>, Problem> {
    let DryRunIn {
        call_id,
        call,
        automation,
        automation_id,
    } = asked;
    let detail = "Give either `call_id` or `call`.";
    if call_id.is_some() && call.is_some() {
        return Err(Problem::field("call_id", Fault::excludes(&[CALL], detail)));
    }
    let scene = Box::pin(Scene::of(&api, &who, &configs, automation, automation_id)).await?;
    let run = match (call_id, call) {
        (Some(id), _) => Box::pin(trying.try_recorded_call(&api, &who, &scene, id)).await?,
        (None, Some(call)) => Box::pin(trying.try_invented_call(&api, &who, &scene, &call)).await?,
        (None, None) => return Err(Problem::field(CALL, Fault::requires(&["call_id"], detail))),
    };
    Ok(Json(run))
}
