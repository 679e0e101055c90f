//! Content of WhatsApp beside texts and templates: files, interactive messages, places, cards, reactions, replies.

use jobs::MediaJob;
use kit::QueueName;

use super::sending::{sms, with};
use super::*;

/// A request for this content alone.
fn by_whatsapp(content: Value) -> Value {
    let mut body = sms(CUSTOMER, json!({ "sms_text": null }));
    with(&mut body, content);
    body
}

#[tokio::test]
async fn content_is_shown_with_all_its_parts() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    writer(&aws, &business).await;
    let buttons = json!([{"id": "yes", "title": "{{contact.first_name|Yes}}"}, {"id": "no", "title": "No"}]);
    let place = json!({"latitude": 25.0805, "longitude": 55.1403, "name": "Saffron", "address": null});
    for (content, kind, text, shown) in [
        (
            json!({"interactive": {"body": "Shall we book?", "footer": "Saffron", "buttons": buttons}}),
            "interactive",
            json!("Shall we book?"),
            json!({
                "header": null, "header_media": null, "body": "Shall we book?", "footer": "Saffron",
                "buttons": [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}],
                "list": null, "link": null, "request_location": false,
            }),
        ),
        (
            json!({ "location": place }),
            "location",
            json!("Saffron"),
            place.clone(),
        ),
        (
            json!({"contacts": [{"name": "Maya", "phones": [{"number": CUSTOMER}]}]}),
            "contacts",
            json!("Maya"),
            json!([{
                "name": "Maya", "organization": null, "emails": [],
                "phones": [{"phone": {"number": CUSTOMER, "formatted": "+971 50 123 4567"}, "kind": null}],
            }]),
        ),
    ] {
        let body = by_whatsapp(content);
        let preview = agent.post(PREVIEW, body.clone()).await.is(200).json();
        let sent = agent.post(MESSAGES, body).await.is(201).json();
        let leg = &sent["legs"][0];
        for told in [leg, &preview["channels"][0]] {
            assert_eq!(json!([told["text"], told["template"]]), json!([text, null]), "{kind}");
            assert_eq!(
                json!([told["content"]["kind"], told["content"][kind]]),
                json!([kind, shown])
            );
        }
        assert_eq!(sent["text"], text);
    }
}

#[tokio::test]
async fn requested_file_is_uploaded_at_once() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    writer(&aws, &business).await;
    let asset = business.asset(&aws, "document", "application/pdf").await;
    let media = json!({"asset_id": asset.id, "caption": "Your quote, {{contact.first_name|dear customer}}"});
    let body = by_whatsapp(json!({ "media": media }));
    let preview = agent.post(PREVIEW, body.clone()).await.is(200).json();
    let waits = preview["channels"][0]["checks"].as_array().unwrap().iter();
    let waits: Vec<_> = waits.filter(|check| check["passed"] == false).collect();
    assert_eq!(
        json!([waits.len(), waits[0]["check"], waits[0]["code"]]),
        json!([1, "upload", "asset_uploading"])
    );
    assert_eq!(aws.depth(QueueName::Media).await, 0);
    let sent = agent.post(MESSAGES, body.clone()).await.is(201).json();
    assert_eq!(
        sent["legs"][0]["content"]["media"],
        json!({
            "asset_id": asset.id, "kind": "document", "file_name": "menu.pdf", "caption": "Your quote, dear customer",
            "voice": false,
        })
    );
    let jobs: Vec<MediaJob> = aws.take_jobs(QueueName::Media).await;
    let expected = MediaJob::Upload {
        tenant: business.tenant(),
        correlation_id: sent["correlation_id"].as_str().unwrap().to_owned(),
        asset: asset.id,
        connection: business.whatsapp,
    };
    assert_eq!(jobs, [expected]);
    // So the message need not ask for it.
    let message = read_message(&aws, &business, &sent).await;
    assert!(message.upload_asked.is_some());
    // WhatsApp has it by now.
    business.upload(&aws, &asset, business.whatsapp, "7001").await;
    let sent = agent.post(MESSAGES, body).await.is(201).json();
    assert_eq!(aws.depth(QueueName::Media).await, 0);
    let message = read_message(&aws, &business, &sent).await;
    assert_eq!(message.upload_asked, None);
}

#[tokio::test]
async fn refused_content_names_its_problem() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    writer(&aws, &business).await;
    let sticker = business.asset(&aws, "sticker", "image/webp").await;
    // Of another tenant, an asset looks like one that does not exist.
    let stranger = testkit::business::business(&aws).await;
    let theirs = stranger.asset(&aws, "image", "image/jpeg").await;
    let before = aws.depth(QueueName::Sends).await;
    for (content, problem) in [
        (json!({"media": {"asset_id": theirs.id}}), "asset_unusable"),
        (
            json!({"media": {"asset_id": sticker.id, "caption": "A cake"}}),
            "wrong_file_kind",
        ),
        (
            json!({"interactive": {"body": "?", "buttons": [{"id": "a", "title": "far too long for a button"}]}}),
            "text_too_long",
        ),
    ] {
        let refused = agent.post(MESSAGES, by_whatsapp(content)).await;
        let refused = refused.is_refused(409, "message_refused").json();
        assert_eq!(
            json!([refused["code"], refused["facts"]["whatsapp_problem"]]),
            json!(["content", problem])
        );
    }
    aws.pass(DAY);
    let card = by_whatsapp(json!({"contacts": [{"name": "Maya", "emails": ["m@a.example"]}]}));
    agent.post(MESSAGES, card).await.is_refused(409, "window_closed");
    assert_eq!(aws.depth(QueueName::Sends).await, before);
    assert!(agent.get(MESSAGES).await.items().is_empty());
}

#[tokio::test]
async fn wrong_fields_of_content_are_named() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    for (content, field) in [
        (
            json!({"text": "Hello", "location": {"latitude": 1, "longitude": 2}}),
            "location",
        ),
        (
            json!({"location": {"latitude": 91, "longitude": 2}}),
            "location.latitude",
        ),
        (json!({"interactive": {"body": "?"}}), "interactive.buttons"),
        (json!({"contacts": [{"name": "Maya"}]}), "contacts[0].phones"),
    ] {
        agent.post(MESSAGES, by_whatsapp(content)).await.names_field(field);
    }
    let template = json!({"template": sending::template(), "location": {"latitude": 1, "longitude": 2}});
    let refused = agent.post("/api/v1/messages/send-template", by_whatsapp(template));
    refused.await.names_field("location");
}

#[tokio::test]
async fn reply_and_reaction_name_a_message_of_the_person() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let contact = writer(&aws, &business).await;
    let (now, timers) = (aws.now(), timers(&aws));
    let theirs = business.receive(&aws, contact.id, |_| {}).await;
    let ours = follow_up(&aws, &business, CUSTOMER, |message| {
        deliver_message(message, now, &timers)
    })
    .await;
    for (id, provider_ref) in [(theirs.id, theirs.message.provider_ref.as_str()), (ours.id, "wamid.1")] {
        let reply = by_whatsapp(json!({"text": "We are open.", "reply_to": id}));
        let replied = agent.post(MESSAGES, reply).await.is(201).json();
        let content = &replied["legs"][0]["content"];
        assert_eq!(
            json!([content["kind"], content["reply_to"]]),
            json!(["text", provider_ref])
        );
        let reaction = by_whatsapp(json!({"reaction": {"message_id": id, "emoji": "👍"}}));
        let reacted = agent.post(PREVIEW, reaction).await.is(200).json();
        assert_eq!(
            reacted["channels"][0]["content"]["reaction"],
            json!({"to": provider_ref, "emoji": "👍"})
        );
    }
}

#[tokio::test]
async fn messages_that_cannot_be_answered_are_named() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let contact = writer(&aws, &business).await.id;
    let other = business.contact(&aws, &mobile(7)).await.id;
    let of_other = business.receive(&aws, other, |_| {}).await.id;
    let over_sms = |received: &mut Received| received.message.channel = Channel::Sms;
    let by_sms = business.receive(&aws, contact, over_sms).await.id;
    let unsent = follow_up(&aws, &business, CUSTOMER, |_| {}).await.id;
    let nobodys = MessageId::new(contact, aws.ids().ulid());
    for (id, code) in [
        (of_other, "not_found"),
        (nobodys, "not_found"),
        (by_sms, "not_applicable"),
        (unsent, "not_applicable"),
    ] {
        for (content, field) in [
            (json!({"text": "Hello", "reply_to": id}), "reply_to"),
            (
                json!({"reaction": {"message_id": id, "emoji": "👍"}}),
                "reaction.message_id",
            ),
        ] {
            for path in [MESSAGES, PREVIEW] {
                let refused = agent.post(path, by_whatsapp(content.clone())).await;
                refused.names_only(&[field]);
                assert_eq!(refused.json()["errors"][0]["code"], code, "{field} {id}");
            }
        }
    }
}
