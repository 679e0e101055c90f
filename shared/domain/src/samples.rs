//! A sample tenant with its data, for tests.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use ulid::Ulid;

use crate::automations::{Decision, Findings};
use crate::destinations::{Applies, ConfirmedRule, RuleKind};
use crate::messages::{
    AttemptState, CallView, Composed, Cost, Material, Message, Needs, NewLinks, OptFlag, SendOutcome, StatusReport,
    Subject, Values, World,
};
use crate::people::{By, Choice, ConsentCategory, Contact, Field, Identity, Profile, Scope, Wish};
use crate::telephony::{CallFacts, Direction, Outcome, Party};
use crate::tenants::{Connection, LettersSender, Tenant, TenantConfig};
use crate::terms::{CallId, Category, Channel, ContactId, Country, FieldId, LineType, Phone, Reason, SmsText, Timers};

pub(crate) const TENANT: &str = r#"{
  "id": "tnt_00000000000000000000000001",
  "name": "Marina Dental",
  "time_zone": "Asia/Dubai",
  "default_region": "AE",
  "languages": ["en", "ar"],
  "business_hours": {
    "monday": [{"from": "09:00", "to": "13:00"}, {"from": "16:00", "to": "21:00"}],
    "friday": [{"from": "18:00", "to": "02:00"}]
  },
  "holidays": [
    {"from": "2026-12-02", "to": "2026-12-03", "name": "National Day"},
    {"from": "2026-12-07", "hours": [{"from": "10:00", "to": "12:00"}]}
  ],
  "quiet_hours": {"from": "21:00", "to": "08:00"},
  "variables": {"phone": "+97143330000", "review_link": "https://example.test/r"}
}"#;

pub(crate) fn tenant() -> Tenant {
    serde_json::from_str(TENANT).unwrap()
}

pub(crate) fn config() -> TenantConfig {
    let text = format!(
        r#"{{
  "tenant": {TENANT},
  "rules": [{{
    "id": "rule_00000000000000000000000001",
    "name": "Missed calls",
    "priority": 10,
    "then": {{
      "channels": ["whatsapp", "sms"],
      "template": {{
        "name": "missed_call_followup", "language": "en_GB", "by_contact_language": true,
        "variables": {{
          "1": {{"from": "contact.first_name", "default": "there"}},
          "2": {{"from": "tenant.name"}}
        }},
        "buttons": [{{"index": 1, "value": {{"text": "b/marina"}}}}]
      }},
      "sms_text": "Sorry we missed you, {{{{contact.first_name|there}}}}. {{{{tenant.name}}}}, open until nine. For no more messages, text 7726."
    }}
  }}],
  "connections": [
    {{"id": "conn_00000000000000000000000001", "name": "Twilio", "carries": ["sms"], "needs_content_sid": true,
      "letters": [{{"country": "AE", "sender": "MARINA", "promotion": "AD-MARINA", "registered": true}}]}},
    {{"id": "conn_00000000000000000000000002", "name": "WhatsApp", "carries": ["whatsapp"]}}
  ]
}}"#
    );
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn material() -> Material {
    let templates = r#"[
    {"name": "missed_call_followup", "language": "en_GB", "category": "utility", "status": "APPROVED",
      "body": "Hello {{1}}, sorry we missed your call to {{2}} today. How can we help?",
      "buttons": [{"kind": "quick_reply", "text": "Call me back"},
                  {"kind": "url", "text": "Book online", "url": "https://book.example.test/{{1}}"}]},
    {"name": "missed_call_followup", "language": "ar", "category": "utility", "status": "APPROVED",
      "body": "مرحبا {{1}}، نعتذر لعدم الرد على مكالمتك إلى {{2}} اليوم.",
      "buttons": [{"kind": "quick_reply", "text": "اتصلوا بي"},
                  {"kind": "url", "text": "احجز", "url": "https://book.example.test/{{1}}"}]}
  ]"#;
    let products = r#"[{"id": "prd_00000000000000000000000001", "sku": "haircut", "name": "Haircut", "price": {"amount": 12050, "currency": "AED"},
                 "url": "https://example.test/haircut", "fields": {"length": "30 minutes"}}]"#;
    let fields = r#"[{"id": "fld_00000000000000000000000001", "key": "level", "name": "Level", "type": "choice",
                 "options": ["Silver", "Gold"]}]"#;
    Material {
        templates: serde_json::from_str(templates).unwrap(),
        products: serde_json::from_str(products).unwrap(),
        fields: serde_json::from_str(fields).unwrap(),
        assets: Vec::new(),
        campaigns: Vec::new(),
        links: NewLinks::nobodys(),
    }
}

pub(crate) fn contact() -> Contact {
    let id: ContactId = "ctc_00000000000000000000000001".parse().unwrap();
    let phone = "+971501234567".parse().unwrap();
    Contact::first_seen(id, &Identity::Phone(phone), "2026-11-01T00:00:00Z".parse().unwrap())
}

pub(crate) fn timers() -> Timers {
    Timers {
        provider_call: SignedDuration::from_secs(10),
        claim: SignedDuration::from_secs(60),
        first_due: SignedDuration::from_secs(90),
        unknown_deadline: SignedDuration::from_secs(600),
        decide_call: SignedDuration::from_secs(60),
        recheck: SignedDuration::from_secs(300),
    }
}

pub(crate) fn connections() -> Vec<Connection> {
    let text = r#"[
  {"id": "conn_00000000000000000000000001", "name": "Twilio", "verify": "", "account":
    {"kind": "twilio", "account_sid": "AC0", "numbers": ["+97143330000"],
      "letters": [{"country": "AE", "sender": "MARINA", "promotion": "AD-MARINA", "registered": true}], "voice": {"handling": "greet"}}},
  {"id": "conn_00000000000000000000000002", "name": "WhatsApp", "verify": "", "account":
    {"kind": "whatsapp", "waba_id": "1", "phone_number_id": "2", "display_number": "+97143330000"}}
]"#;
    serde_json::from_str(text).unwrap()
}

pub(crate) fn message_of(composed: Composed, now: Timestamp) -> Message {
    composed.message("correlation".to_owned(), now, &timers())
}

pub(crate) fn accepted_outcome() -> SendOutcome {
    SendOutcome::Accepted {
        provider_ref: "wamid.1".parse().unwrap(),
        segments: None,
    }
}

/// Claims the first leg of the message, which its provider accepts.
pub(crate) fn accept(message: &mut Message, now: Timestamp) {
    message.claim(0, "claim".to_owned(), now, &timers());
    message.record(1, accepted_outcome(), now, &timers());
}

/// A report about what was [`accepted_outcome`].
pub(crate) fn report(state: AttemptState, cost: Option<Cost>, at: Timestamp) -> StatusReport {
    StatusReport {
        state,
        at,
        provider_ref: "wamid.1".parse().unwrap(),
        error: None,
        cost,
    }
}

/// A field of contacts. A choice is between Silver and Gold.
pub(crate) fn defined_field(number: u64, key: &str, kind: &str, searchable: bool) -> Field {
    let id = FieldId::new(Ulid::from_parts(number, 0));
    let options: &[&str] = if kind == "choice" { &["Silver", "Gold"] } else { &[] };
    let definition = serde_json::json!({
        "id": id, "key": key, "name": key, "type": kind, "searchable": searchable, "options": options,
    });
    serde_json::from_value(definition).unwrap()
}

/// Checks values of a call after hours, at 14:05 in Dubai.
pub(crate) fn with_values<T>(profile: &Profile, check: impl Fn(&Values<'_>) -> T) -> T {
    let (config, material, contact, facts) = (config(), material(), contact(), facts());
    let call = CallView {
        id: CallId::new(contact.id, Ulid::from_parts(1, 1)),
        connection: "conn_00000000000000000000000001".parse().unwrap(),
        facts: &facts,
        outcome: Outcome::AfterHours,
        started_at: at("2026-11-20T10:05:00Z"),
    };
    check(&Values {
        config: &config,
        material: &material,
        contact: &contact,
        profile,
        subject: Subject::Call(call),
    })
}

fn facts() -> CallFacts {
    CallFacts {
        direction: Some(Direction::Inbound),
        from: Some(Party::Phone("+971501234567".parse().unwrap())),
        to: Some(Party::Phone("+97143330000".parse().unwrap())),
        ..CallFacts::default()
    }
}

/// A Friday noon in Dubai.
pub(crate) const NOON: &str = "2026-11-20T12:00:00+04";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A missed call, decided by the sample configuration. Each test changes one aspect of it.
pub(crate) struct Case {
    pub(crate) config: TenantConfig,
    pub(crate) material: Material,
    pub(crate) contact: Contact,
    pub(crate) profile: Profile,
    pub(crate) open: Vec<Message>,
    pub(crate) facts: CallFacts,
    pub(crate) outcome: Outcome,
    pub(crate) now: Timestamp,
    pub(crate) line: LineType,
}

impl Case {
    pub(crate) fn new() -> Self {
        Self {
            config: config(),
            material: material(),
            contact: contact(),
            profile: Profile::default(),
            open: Vec::new(),
            facts: facts(),
            outcome: Outcome::Missed,
            now: at(NOON),
            line: LineType::Other,
        }
    }

    pub(crate) fn with_world<T>(&self, look: impl FnOnce(&CallView<'_>, &World<'_>) -> T) -> T {
        let line = self.line;
        look(
            &CallView {
                id: CallId::new(self.contact.id, Ulid::from_parts(1, 1)),
                connection: "conn_00000000000000000000000001".parse().unwrap(),
                facts: &self.facts,
                outcome: self.outcome,
                started_at: self.facts.started_at.unwrap_or(self.now),
            },
            &World {
                config: &self.config,
                material: &self.material,
                contact: &self.contact,
                profile: &self.profile,
                open: &self.open,
                now: self.now,
                line_type: &move |_: &Phone| line,
            },
        )
    }

    pub(crate) fn needs(&self) -> Needs {
        self.with_world(|call, world| Findings::of(call, world).needs(world))
    }

    pub(crate) fn decide(&self) -> Decision {
        self.with_world(|call, world| Findings::of(call, world).decide(world))
    }

    pub(crate) fn plan(&self) -> Composed {
        match self.decide().follow_up {
            Ok(plan) => plan,
            Err(nothing) => panic!("{}", nothing.sentence),
        }
    }

    pub(crate) fn reason_for_nothing(&self) -> (Reason, String) {
        match self.decide().follow_up {
            Ok(plan) => panic!("{}", plan.sentence),
            Err(nothing) => (nothing.reason, nothing.sentence),
        }
    }

    pub(crate) fn channels(&self) -> Vec<Channel> {
        self.plan().legs.iter().map(|leg| leg.channel).collect()
    }
}

/// An SMS against one rule of a country, with the rule's effect and its words to people.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AgainstRule {
    pub(crate) rule: RuleKind,
    pub(crate) country: Country,
    to: Phone,
    category: Category,
    /// Its sender. `None`: a number.
    letters: Option<LettersSender>,
    text: String,
    pub(crate) applies: Applies,
    pub(crate) sentence: String,
}

impl AgainstRule {
    /// At least one for each kind of rule, and each not confirmed and confirmed.
    pub(crate) fn all() -> impl Iterator<Item = (Self, bool)> {
        let all: Vec<Self> = serde_json::from_str(include_str!("../tests/against_sms_rules.json")).unwrap();
        all.into_iter().flat_map(|of| [(of.clone(), false), (of, true)])
    }

    /// The follow-up that says it, of a business in the country to somebody there who wants promotion.
    pub(crate) fn case(&self, confirmed: bool) -> Case {
        let mut case = Case::new();
        case.config.tenant.default_region = Some(self.country.to_string());
        case.config.tenant.quiet_hours = None;
        let sender = &mut case.config.connections[0];
        sender.sms_numbers = vec!["+97143330000".parse().unwrap()];
        sender.letters = self.letters.iter().cloned().collect();
        let (country, rule) = (self.country, self.rule);
        sender.confirmed_rules = confirmed
            .then_some(ConfirmedRule { country, rule })
            .into_iter()
            .collect();
        let then = &mut case.config.rules[0].then;
        then.channels = vec![Channel::Sms].into();
        (then.category, then.sms_text) = (self.category, Some(SmsText::One(self.text.clone())));
        for template in &mut case.material.templates {
            template.category = self.category;
        }
        let of = Identity::Phone(self.to.clone());
        case.contact = Contact::first_seen(case.contact.id, &of, case.now);
        case.contact.wish(OptFlag::Start, "wrote START", case.now);
        case.facts.from = Some(Party::Phone(self.to.clone()));
        case
    }
}

/// Any channel, and each.
pub(crate) const CHANNELS: [Option<Channel>; 3] = [None, Some(Channel::WhatsApp), Some(Channel::Sms)];

pub(crate) fn scope(channel: Option<Channel>, category: Option<ConsentCategory>) -> Scope {
    Scope { channel, category }
}

pub(crate) fn hour(hour: i64) -> Timestamp {
    at(NOON) + SignedDuration::from_hours(hour)
}

pub(crate) fn contact_with_wishes(wishes: &[(Choice, Scope, By)]) -> Contact {
    let mut contact = contact();
    for ((choice, scope, by), time) in wishes.iter().zip(0..) {
        contact.record(Wish::new(*choice, *scope, *by, "said so", hour(time)));
    }
    contact
}
