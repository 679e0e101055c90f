//! Tests of campaigns: their message to one person.

use domain::{
    campaigns::campaign::Campaign,
    consent::wish::{By, Choice, Scope, Wish},
    contacts::contact::Contact,
};

use super::*;

fn test_of(campaign: &Campaign) -> String {
    format!("/api/v1/campaigns/{}/test", campaign.id)
}

#[tokio::test]
async fn variants_of_a_campaign_are_sent_to_one_person() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let wants_offers = |contact: &mut Contact| {
        contact.record(Wish::new(
            Choice::Granted,
            Scope::ALL,
            By::User,
            "asked for offers",
            aws.now(),
        ));
    };
    let colleague = business.contact_with(&aws, CUSTOMER, wants_offers).await;
    let other = business.contact_with(&aws, &mobile(3), wants_offers).await;
    let stranger = business.contact_with(&aws, &mobile(2), |_| {}).await;
    let fields = json!({
        "type": "broadcast", "name": "Weekend", "message": {"channels": ["sms"], "template": sending::template(), "sms_text": "20% off, {{contact.first_name|dear guest}}"},
        "variants": [{"name": "Short", "percent": 50, "sms_text": "20% off"}],
    });
    let campaign: Campaign = aws.own(business.scope(), fields).await;
    let path = &test_of(&campaign);
    for (variant, text, to) in [(0, "20% off, dear guest", &colleague), (1, "20% off", &other)] {
        let body = json!({"contact_id": to.id, "variant": variant});
        let sent = agent.post(path, body).await;
        let shown = sent.is(201).json();
        assert_eq!(
            json!([shown["legs"][0]["text"], shown["category"]]),
            json!([text, "marketing"])
        );
        assert_eq!(
            sent.header("location"),
            format!("{MESSAGES}/{}", shown["id"].as_str().unwrap())
        );
        assert_eq!(shown["basis"], "Test of the campaign Weekend");
    }
    let again = agent.post(path, json!({"contact_id": colleague.id})).await;
    assert_eq!(again.is_refused(409, "message_refused").json()["code"], "frequency");
    let refused = agent.post(path, json!({"phone": mobile(2)})).await;
    assert_eq!(refused.is_refused(409, "message_refused").json()["code"], "no_consent");
    for (body, field) in [
        (json!({"contact_id": stranger.id, "variant": 2}), "variant"),
        (json!({"variant": 1}), "phone"),
    ] {
        agent.post(path, body).await.names_only(&[field]);
    }
    let empty: Campaign = aws
        .own(business.scope(), json!({"type": "broadcast", "name": "Empty"}))
        .await;
    let lacks = agent.post(&test_of(&empty), json!({"contact_id": colleague.id})).await;
    lacks.is_refused(422, "invalid").names_field("template");
    let drip: Campaign = aws
        .own(business.scope(), json!({"type": "drip", "name": "Welcome"}))
        .await;
    let refused = agent.post(&test_of(&drip), json!({"contact_id": colleague.id})).await;
    refused.is_refused(409, "campaign_type");
    let sends = [Permission::MessagesSend];
    let scoped = town.scoped_key_of(business.scope(), Role::Agent, &sends).await;
    scoped
        .post(path, json!({"contact_id": other.id}))
        .await
        .is_refused(403, "forbidden");
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    viewer
        .post(path, json!({"contact_id": colleague.id}))
        .await
        .is_refused(403, "forbidden");
}
