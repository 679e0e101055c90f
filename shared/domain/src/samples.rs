//! A tenant and what belongs to it, for tests.

use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;

use crate::{
    connection::Connection,
    contact::{Contact, Identity},
    ids::{CallId, ContactId, MessageId},
    message::{Cause, Message},
    plan::Plan,
    send::Timers,
    tenant::{Tenant, TenantConfig},
};

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
      "sms_text": "Sorry we missed you, {{{{contact.first_name|there}}}}. {{{{tenant.name}}}}, {{{{tenant.phone}}}}. Reply STOP to opt out."
    }}
  }}],
  "templates": [
    {{"name": "missed_call_followup", "language": "en_GB", "category": "utility", "status": "APPROVED",
      "body": "Hello {{{{1}}}}, sorry we missed your call to {{{{2}}}} today. How can we help?",
      "buttons": [{{"kind": "quick_reply", "text": "Call me back"}},
                  {{"kind": "url", "text": "Book online", "url": "https://book.example.test/{{{{1}}}}"}}]}},
    {{"name": "missed_call_followup", "language": "ar", "category": "utility", "status": "APPROVED",
      "body": "مرحبا {{{{1}}}}، نعتذر لعدم الرد على مكالمتك إلى {{{{2}}}} اليوم.",
      "buttons": [{{"kind": "quick_reply", "text": "اتصلوا بي"}},
                  {{"kind": "url", "text": "احجز", "url": "https://book.example.test/{{{{1}}}}"}}]}}
  ],
  "products": [{{"id": "haircut", "name": "Haircut", "price": {{"amount": 12050, "currency": "AED"}},
                 "url": "https://example.test/haircut", "fields": {{"length": "30 minutes"}}}}],
  "connections": [
    {{"id": "conn_00000000000000000000000001", "name": "Twilio", "carries": ["sms"], "needs_content_sid": true}},
    {{"id": "conn_00000000000000000000000002", "name": "WhatsApp", "carries": ["whatsapp"]}}
  ]
}}"#
    );
    serde_json::from_str(&text).unwrap()
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
    {"kind": "twilio", "account_sid": "AC0", "numbers": ["+97143330000"], "voice": {"handling": "greet"}}},
  {"id": "conn_00000000000000000000000002", "name": "WhatsApp", "verify": "", "account":
    {"kind": "whatsapp", "waba_id": "1", "phone_number_id": "2", "display_number": "+97143330000"}}
]"#;
    serde_json::from_str(text).unwrap()
}

pub(crate) fn message_of(plan: Plan, now: Timestamp) -> Message {
    let contact = contact().id;
    let call = CallId::new(contact, Ulid::from_parts(1, 1));
    plan.message(
        MessageId::new(contact, Ulid::from_parts(1, 2)),
        Cause::Call(call),
        "correlation".to_owned(),
        now,
        &timers(),
    )
}
