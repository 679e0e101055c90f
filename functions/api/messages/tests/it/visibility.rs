//! The answers to keys that may send, and read nothing.

use domain::messages::OptFlag;
use domain::people::Profile;
use domain::terms::ShownName;
use store::contacts::ContactWrite;
use testkit::api::Caller;

use super::sending::{sms, template};
use super::*;

async fn key_with<'a>(town: &'a Town<'_>, business: &Seeded, more: &[Permission]) -> Caller<'a> {
    let scopes = [&[Permission::MessagesSend], more].concat();
    town.scoped_key_of(business.scope(), Role::Agent, &scopes).await
}

/// Maya, who speaks Arabic and has just written by WhatsApp.
async fn maya(aws: &Aws, business: &Seeded) -> ContactId {
    let now = aws.now();
    let contact = business.contact_with(aws, CUSTOMER, |contact| {
        contact.open_window(&phone(WHATSAPP), &contact.recipient(), now);
        contact.language = Some("ar".to_owned());
    });
    let contact = contact.await;
    let write = ContactWrite {
        profile: Some(Profile::from_name(ShownName::of("Maya Haddad")).into()),
        ..ContactWrite::from(contact.clone())
    };
    let written = aws.store().write_contact(business.scope(), &write, None).await;
    written.unwrap();
    contact.id
}

/// The preview also hides the number, the language, and WhatsApp's id of a message, which contains the number.
#[tokio::test]
async fn preview_without_contacts_read_has_placeholders() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let contact = maya(&aws, &business).await;
    let wamid = "wamid.HBgMOTcxNTAxMjM0NTY3";
    let theirs = business.receive(&aws, contact, |received| {
        received.message.provider_ref = wamid.parse().unwrap();
        received.message.from.phone = Some(phone(CUSTOMER));
    });
    let theirs = theirs.await.id;
    let to_contact = |more: Value| {
        let mut body = sms(CUSTOMER, more);
        body["phone"] = Value::Null;
        body["contact_id"] = json!(contact);
        body
    };
    let hello = json!({"en": "Hello {{contact.name|you}}, {{contact.phone}}", "ar": "مرحبا {{contact.name}}"});
    let title = json!("{{contact.first_name}}");
    let buttons = json!({"body": "Shall we?", "buttons": [{"id": "yes", "title": title}]});
    let bodies = [
        to_contact(json!({"template": template(), "sms_text": hello})),
        to_contact(json!({"interactive": buttons, "reply_to": theirs})),
        to_contact(json!({"reaction": {"message_id": theirs, "emoji": "👍"}, "sms_text": null})),
    ];
    let sender = key_with(&town, &business, &[Permission::MessagesRead]).await;
    let reader = key_with(&town, &business, &[Permission::ContactsRead]).await;
    let mut general = Vec::new();
    for body in bodies {
        let whole = reader.post(PREVIEW, body.clone()).await.is(200).json();
        assert_eq!(
            json!([whole["contact"]["name"], whole["customer"]["number"]]),
            json!(["Maya Haddad", CUSTOMER])
        );
        let preview = sender.post(PREVIEW, body).await.is(200).json();
        let text = preview.to_string();
        let hidden = ["Maya", CUSTOMER.trim_start_matches('+'), "50 123", "مرحبا", wamid];
        assert!(hidden.iter().all(|hidden| !text.contains(hidden)), "{text}");
        assert_eq!(preview["contact"], json!({"id": contact, "name": null}));
        for field in ["sent", "code", "send_at", "valid_until", "line_id"] {
            assert_eq!(preview[field], whole[field], "{field}");
        }
        general.push(preview["channels"].clone());
    }
    assert_eq!(
        general[0][0]["text"],
        "Hello {{contact.first_name}}, sorry we missed your call to Harbour Lane today. How can we help?"
    );
    assert_eq!(general[0][0]["template"]["values"][0], "{{contact.first_name}}");
    assert_eq!(general[0][1]["text"], "Hello {{contact.name}}, {{contact.phone}}");
    let interactive = &general[1][0]["content"];
    assert_eq!(interactive["interactive"]["buttons"][0]["title"], title);
    assert_eq!(interactive["reply_to"], json!(theirs));
    assert_eq!(
        general[2][0]["content"]["reaction"],
        json!({"to": theirs, "emoji": "👍"})
    );
    // Whoever names the number knows it.
    let preview = sender.post(PREVIEW, sms(CUSTOMER, json!({}))).await.is(200).json();
    assert_eq!(preview["customer"]["number"], CUSTOMER);
}

/// The answer does not say when and how they refused, nor in what words.
#[tokio::test]
async fn refusals_without_contacts_read_are_codes() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let (now, means) = (aws.now(), "The person refused all messages, or those of this kind");
    let blocked = follow_up(&aws, &business, CUSTOMER, blocked_by_suspension).await;
    let retry = format!("{MESSAGES}/{}/retry", blocked.id);
    let stop = |contact: &mut Contact| contact.wish(OptFlag::Stop, "wrote STOP", now);
    aws.change_contact(business.scope(), blocked.id.contact(), stop).await;
    let sender = key_with(&town, &business, &[Permission::MessagesRead]).await;
    let reader = key_with(&town, &business, &[Permission::ContactsRead]).await;
    let body = sms(CUSTOMER, json!({}));
    for (path, body) in [(MESSAGES, body.clone()), (&retry, Value::Null)] {
        let known = reader.post(path, body.clone()).await;
        assert!(known.is_refused(409, "message_refused").json()["facts"]["refused_at"].is_string());
        let refused = sender.post(path, body).await;
        let refused = refused.is_refused(409, "message_refused").json();
        assert_eq!(json!([refused["code"], refused["facts"]]), json!(["opted_out", {}]));
        assert_eq!(refused["detail"], format!("The message is not sent: {means}."));
    }
    let preview = sender.post(PREVIEW, body).await.is(200).json();
    assert_eq!(json!([preview["sent"], preview["decision"]]), json!([false, means]));
    let consent = &preview["checks"][2];
    for told in [&preview, consent, &preview["channels"][0]] {
        assert_eq!(json!([told["code"], told["facts"]]), json!(["opted_out", {}]));
    }
    assert_eq!(json!([consent["check"], consent["reason"]]), json!(["consent", means]));
    assert_eq!(preview["channels"][0]["reason"], means);
}

/// Repeated requests get the same brief answers.
#[tokio::test]
async fn answers_without_messages_read_are_id_and_state() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    maya(&aws, &business).await;
    let sender = key_with(&town, &business, &[Permission::ContactsRead]).await;
    let brief = |answer: &Value, state: &str| assert_eq!(*answer, json!({"id": answer["id"], "state": state}));
    let body = sms(CUSTOMER, json!({"sms_text": "Hello {{contact.name}}"}));
    for _ in 0..2 {
        let sent = sender.post_once(MESSAGES, "k", body.clone()).await;
        brief(&sent.is(201).json(), "scheduled");
        assert!(sent.header("location").starts_with(MESSAGES));
    }
    let by_template = json!({"phone": CUSTOMER, "category": "utility", "basis": "Order 1042", "template": template()});
    let sent = sender.post(&format!("{MESSAGES}/send-template"), by_template).await;
    brief(&sent.is(201).json(), "scheduled");
    let place = sent.header("location").to_owned();
    for _ in 0..2 {
        let cancelled = sender.post(&format!("{place}/cancel"), Value::Null).await;
        let mut cancelled = cancelled.is(200).json();
        let prevented = cancelled.as_object_mut().unwrap().remove("cancelled");
        assert_eq!(prevented, Some(json!("all")));
        brief(&cancelled, "cancelled");
    }
    let blocked = follow_up(&aws, &business, &mobile(1), blocked_by_suspension).await;
    let retry = format!("{MESSAGES}/{}/retry", blocked.id);
    for _ in 0..2 {
        brief(&sender.post(&retry, Value::Null).await.is(201).json(), "scheduled");
    }
}
