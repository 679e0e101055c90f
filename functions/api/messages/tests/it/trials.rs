//! Tests of campaigns: their message to one person.

use domain::campaigns::Campaign;

use super::*;

fn test_of(campaign: &Campaign) -> String {
    format!("/api/v1/campaigns/{}/test", campaign.id)
}

#[tokio::test]
async fn variants_of_a_campaign_are_sent_to_one_person() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let wants_offers = |contact: &mut Contact| sending::opted_in(contact, aws.now());
    let colleague = business.contact_with(&aws, CUSTOMER, wants_offers).await;
    let other = business.contact_with(&aws, &mobile(3), wants_offers).await;
    let stranger = business.contact_with(&aws, &mobile(2), |_| {}).await;
    let fields = json!({
        "type": "broadcast", "name": "Weekend", "message": {"channels": ["sms"], "template": sending::template(), "sms_text": "20% off, {{contact.first_name|dear guest}}"},
        "variants": [{"name": "Short", "percent": 50, "sms_text": "20% off"}],
    });
    let campaign: Campaign = aws.create_owned(business.scope(), fields).await;
    let path = &test_of(&campaign);
    for (variant, text, to) in [(0, "20% off, dear guest", &colleague), (1, "20% off", &other)] {
        let body = json!({"contact_id": to.id, "variant": variant});
        let sent = agent.post(path, body).await;
        let shown = sent.is(201).json();
        assert_eq!(
            json!([shown["legs"][0]["text"], shown["category"]]),
            json!([text, "marketing"])
        );
        assert_eq!(sent.header("location"), path_of(&shown));
        assert_eq!(shown["basis"], "Test of the campaign Weekend");
    }
    let again = agent.post(path, json!({"contact_id": colleague.id})).await;
    assert_not_sent(&again, "frequency");
    let refused = agent.post(path, json!({"phone": mobile(2)})).await;
    assert_not_sent(&refused, "no_consent");
    for (body, field) in [
        (json!({"contact_id": stranger.id, "variant": 2}), "variant"),
        (json!({"variant": 1}), "phone"),
    ] {
        agent.post(path, body).await.names_only(&[field]);
    }
    let empty = json!({"type": "broadcast", "name": "Empty"});
    let empty: Campaign = aws.create_owned(business.scope(), empty).await;
    let lacks = agent.post(&test_of(&empty), json!({"contact_id": colleague.id})).await;
    lacks.is_refused(422, "invalid").names_field("template");
    let drip = json!({"type": "drip", "name": "Welcome"});
    let drip: Campaign = aws.create_owned(business.scope(), drip).await;
    let refused = agent.post(&test_of(&drip), json!({"contact_id": colleague.id})).await;
    refused.is_refused(409, "campaign_type");
    let sends = [Permission::MessagesSend];
    let scoped = town.scoped_key_of(business.scope(), Role::Agent, &sends).await;
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    for (name, caller) in [("scoped", scoped), ("viewer", viewer)] {
        let refused = caller.post(path, json!({"contact_id": other.id})).await;
        assert_eq!(refused.problem(), "forbidden", "{name}");
    }
}
