//! A tenant and what belongs to it, for tests.

use crate::{
    contact::{Contact, Identity},
    ids::ContactId,
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
