//! Recorded calls, decided again by other rules from the facts that are stored with them.
//!
//! A replay compares the message of the rule that decided a call with the message of the rule that would decide it, both to the caller as
//! known at that time, and both by today's templates, connections and settings. So nothing but the rules makes a difference: the same
//! rules change nothing, whatever else has changed since. A call is taken by itself: what an additional message would mean for the
//! cooldown of the next call is not considered. Names and values of fields are not stored with calls: both messages say stand-ins.

use jiff::{SignedDuration, Timestamp};

use crate::automations::{Considered, Findings, NO_MESSAGE, first_match, no_rule_matches, plan_follow_up};
use crate::calls::{Call, Grounds};
use crate::messages::{CallView, Composed, Material, Needs, World};
use crate::people::{By, Choice, Contact, Field, FieldValue, Profile, Scope, Unreachable, Wish};
use crate::tenants::{Rule, TenantConfig, TenantStatus};
use crate::terms::{Channel, Fact, LineTypes, OneLine, Reason, Refusal, RuleId, ShownName, Source, time_of_id};

/// A recorded call with its caller as known when it was decided.
#[derive(Debug, Clone)]
pub struct Recorded<'a> {
    call: &'a Call,
    contact: Contact,
    profile: Profile,
}

/// The rule that decided a recorded call, as it was then.
#[derive(Debug, Clone, Copy)]
pub enum Former<'a> {
    /// The rule itself.
    Rule(&'a Rule),
    /// No rule matched.
    None,
    /// A version of a rule that is not kept any more.
    Lost,
}

/// The difference that other rules make for a recorded call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// None: the same message, or none in both cases.
    Unchanged,
    /// A message follows that did not.
    More,
    /// No message follows any more.
    Fewer,
    Different,
}

/// The decision of other rules about a recorded call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The difference to what was decided.
    pub difference: Difference,
    /// The decision for machines.
    pub reason: Reason,
    /// The decision for people, in one sentence.
    pub decision: String,
}

/// A configuration with these rules and an active account, as it was for every call that rules decided.
pub fn config_with_rules(config: &TenantConfig, rules: Vec<Rule>) -> TenantConfig {
    let mut scene = TenantConfig {
        rules,
        ..config.clone()
    };
    scene.tenant.status = TenantStatus::Active;
    scene
}

impl<'a> Recorded<'a> {
    /// The call, with its caller by the facts that are stored with it.
    pub fn of(call: &'a Call) -> Self {
        let known = call.grounds.circumstances.as_ref();
        let named = known.is_some_and(|known| known.named);
        Self {
            call,
            contact: caller(call),
            profile: Profile::from_name(ShownName::of("Somebody").filter(|_| named)),
        }
    }

    /// This call with the caller's present profile, for texts with their values. A name that was not known then is left out.
    pub fn with_profile(self, mut profile: Profile) -> Self {
        let known = self.call.grounds.circumstances.as_ref();
        if known.is_some_and(|known| !known.named) {
            profile.name = None;
        }
        Self { profile, ..self }
    }

    /// The caller as known at that time.
    pub const fn contact(&self) -> &Contact {
        &self.contact
    }

    /// The profile with a stand-in for the value of each field, since calls do not store values. No two fields share
    /// one. A field has none if the decision says that nothing was known of it.
    fn with_values_of(&self, fields: &[Field]) -> Profile {
        let mut profile = self.profile.clone();
        for field in fields.iter().filter(|field| !self.was_unknown(field)) {
            let value = FieldValue::Text(OneLine::from_stored(&format!("[{}]", field.key)));
            profile.fields.entry(field.id).or_insert(value);
        }
        profile
    }

    /// Whether a channel was left out because it names this field, whose value was unknown.
    fn was_unknown(&self, field: &Field) -> bool {
        let source = Fact::from(Source::ContactField(field.key.clone()).to_string());
        let told = |channel: Channel| self.call.because.get(&format!("{}_source", channel.as_str()));
        [Channel::WhatsApp, Channel::Sms]
            .into_iter()
            .any(|channel| told(channel) == Some(&source))
    }

    fn view(&self) -> CallView<'a> {
        let facts = &self.call.facts;
        CallView {
            id: self.call.id,
            connection: self.call.connection,
            facts,
            outcome: self.call.outcome,
            started_at: facts.started_at.unwrap_or_else(|| time_of_id(self.call.id.own())),
        }
    }

    fn world<'w>(&'w self, config: &'w TenantConfig, material: &'w Material, line_type: LineTypes<'w>) -> World<'w> {
        let (contact, profile, now) = (&self.contact, &self.profile, self.call.decided_at);
        World {
            line_type,
            ..World::of(config, contact, profile, material, &[], now)
        }
    }

    /// The reason why nobody was messaged, whatever the rules said. `None`: the rules decided.
    pub fn ruled_out(&self) -> Option<Refusal> {
        let Call {
            grounds,
            reason,
            because,
            decision,
            ..
        } = self.call;
        let reason = Reason::named(reason).unwrap_or(Reason::Other);
        let by_rules = grounds.rule.is_some() || matches!(reason, Reason::NoRule | Reason::FollowUp);
        // There was no room for the message of any rule.
        (!by_rules || reason == Reason::TooManyOpen).then(|| Refusal {
            reason,
            facts: because.clone(),
            sentence: decision.strip_prefix(NO_MESSAGE).unwrap_or(decision).to_owned(),
        })
    }

    /// The rule that decided it, and its version.
    pub fn decided_by(&self) -> Option<(RuleId, u64)> {
        match (self.call.grounds.rule, self.call.grounds.rule_version) {
            (Some(rule), Some(version)) => Some((rule, version)),
            _ => None,
        }
    }

    /// The rule that decided then. `find` finds a rule in one of its versions.
    pub fn former<'r>(&self, find: impl FnOnce((RuleId, u64)) -> Option<&'r Rule>) -> Former<'r> {
        match self.decided_by() {
            Some(decided) => find(decided).map_or(Former::Lost, Former::Rule),
            None if self.call.grounds.rule.is_none() && self.call.message.is_none() => Former::None,
            // Recorded before versions were stored.
            None => Former::Lost,
        }
    }

    /// The data that [`Recorded::consider`] reads besides the [`config_with_rules`].
    pub fn needs(&self, scene: &TenantConfig, line_type: LineTypes<'_>) -> Needs {
        let world = self.world(scene, Material::NONE, line_type);
        self.findings(&world).needs_to_consider(&world)
    }

    /// Findings about it, as of a call that is decided now.
    pub fn consider<'w>(
        &'w self,
        scene: &'w TenantConfig,
        material: &'w Material,
        line_type: LineTypes<'w>,
    ) -> Considered<'w> {
        let world = self.world(scene, material, line_type);
        self.findings(&world).consider(&world)
    }

    fn findings<'w>(&'w self, world: &World<'w>) -> Findings<'w> {
        let allowed = self.ruled_out().map_or(Ok(()), Err);
        Findings::on(&self.view(), world, self.call.grounds.clone(), allowed)
    }

    /// The rule that decides it, if it is one of these.
    pub fn rule<'r>(&self, scene: &'r TenantConfig) -> Option<&'r Rule> {
        match self.ruled_out() {
            Some(_) => None,
            None => first_match(scene, &self.view(), &self.call.grounds),
        }
    }

    /// Whether it makes no difference that this rule decides it: the former one says the same.
    pub fn is_unaffected(&self, former: Former<'_>, rule: Option<&Rule>) -> bool {
        let same = match (former, rule) {
            (Former::None, None) => true,
            (Former::Rule(former), Some(rule)) => former.then == rule.then,
            (Former::Rule(_) | Former::None | Former::Lost, _) => false,
        };
        same || self.ruled_out().is_some()
    }

    /// The decision if this rule decides it. `material`: what the review of both rules needs. The caller counts as somebody with a value of
    /// each field, unless the recorded decision says that it was unknown.
    pub fn replay_decision(
        &self,
        former: Former<'_>,
        rule: Option<&Rule>,
        scene: &TenantConfig,
        material: &Material,
        line_type: LineTypes<'_>,
    ) -> Replayed {
        let (view, grounds) = (self.view(), &self.call.grounds);
        let profile = self.with_values_of(&material.fields);
        let world = World {
            profile: &profile,
            ..self.world(scene, material, line_type)
        };
        let by = |rule: Option<&Rule>| match rule {
            Some(rule) => plan_follow_up(rule, &view, &world, grounds),
            None => Err(no_rule_matches(&view, grounds)),
        };
        let after = by(rule);
        let before = match former {
            Former::Rule(former) => Some(by(Some(former))),
            Former::None => Some(by(None)),
            Former::Lost => None,
        };
        let alike = self.is_unaffected(former, rule)
            || match (&before, &after) {
                (Some(Ok(before)), Ok(after)) => says_the_same(before, after),
                (Some(Err(_)), Err(_)) => true,
                _ => false,
            };
        let difference = match (self.call.message.is_some(), after.is_ok()) {
            _ if alike => Difference::Unchanged,
            (false, false) => Difference::Unchanged,
            (false, true) => Difference::More,
            (true, false) => Difference::Fewer,
            (true, true) => Difference::Different,
        };
        let (reason, decision) = match after {
            Ok(composed) => (Reason::FollowUp, composed.sentence),
            Err(refusal) => (refusal.reason, format!("{NO_MESSAGE}{}", refusal.sentence)),
        };
        Replayed {
            difference,
            reason,
            decision,
        }
    }
}

/// Whether the recipient gets the same, by the same way, at the same time.
fn says_the_same(one: &Composed, other: &Composed) -> bool {
    let way = |composed: &Composed| {
        let policy = &composed.policy;
        let further = (policy.fallback_after_seconds(), policy.when_unknown());
        (policy.category(), further, composed.line, composed.not_before)
    };
    way(one) == way(other) && one.to == other.to && one.legs == other.legs
}

/// The caller as known when the call was decided, as far as a follow-up depends on it.
fn caller(call: &Call) -> Contact {
    let Call {
        facts,
        grounds,
        decided_at,
        ..
    } = call;
    let mut contact = Contact::new(call.id.contact(), *decided_at);
    let phone = facts.customer().phone();
    contact.phones.extend(phone.cloned());
    contact.last_follow_up_at = grounds.last_follow_up_at;
    // It was after the call, whatever was reported later about the call's end.
    let heard = facts.last_heard().unwrap_or(Timestamp::MIN);
    let next = heard
        .checked_add(SignedDuration::from_secs(1))
        .unwrap_or(Timestamp::MAX);
    contact.last_inbound_at = grounds.last_inbound_at.map(|at| at.max(next));
    contact.last_answered_at = grounds.last_answered_at.map(|at| at.max(next));
    contact.last_by_phone_at = grounds.last_by_phone_at.map(|at| at.max(next));
    let Some(known) = &grounds.circumstances else {
        for wish in wishes(grounds, *decided_at) {
            contact.record(wish);
        }
        return contact;
    };
    contact.language.clone_from(&known.language);
    contact.consent = known.consent.clone();
    contact.last_counted_at = known.counted_at;
    contact
        .unreachable
        .extend(known.unreached.iter().map(|failed| Unreachable {
            channel: failed.channel,
            number: phone.cloned(),
            at: failed.at,
            reason: if failed.reason.is_empty() {
                "it failed".to_owned()
            } else {
                failed.reason.clone()
            },
        }));
    contact
}

/// The wishes that grounds without circumstances tell.
fn wishes(grounds: &Grounds, at: Timestamp) -> impl Iterator<Item = Wish> {
    let all = [
        (grounds.opted_in, Choice::Granted, Scope::ALL),
        (grounds.marketing_opted_out, Choice::Refused, Scope::MARKETING),
        (grounds.opted_out, Choice::Refused, Scope::ALL),
    ];
    let held = all.into_iter().filter(|(held, ..)| *held);
    held.map(move |(_, choice, scope)| Wish::new(choice, scope, By::Keyword, "recorded with the call", at))
}
