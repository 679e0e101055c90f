//! Receivers of webhooks that read, tag and assign the conversations of an event's contact.

use domain::accounts::Permission;
use domain::people::Tag;

use super::*;

#[tokio::test]
async fn callback_tags_and_assigns_conversations_of_its_contact() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let mut ids = Vec::new();
    for last in 1..=2 {
        let contact = business.contact_with(&aws, &mobile(last), |_| {}).await;
        ids.push(business.receive_noted(&aws, contact.id, None).await);
    }
    let scopes = [Permission::ConversationsRead, Permission::ConversationsWrite];
    let receiver = town.receiver_of(business.scope(), ids[0].contact(), &scopes).await;
    let tag: Tag = aws.create_owned(business.scope(), json!({"name": "After hours"})).await;
    let [own, other] = [0, 1].map(|place: usize| format!("{CONVERSATIONS}/{}", ids[place]));
    assert_eq!(receiver.get(&own).await.is(200).json()["tags"], json!([]));
    let tagged = receiver
        .patch(&own, json!({"tags": [tag.id], "assignee_id": null}))
        .await;
    assert_eq!(tagged.is(200).json()["tags"], json!([tag.id]));
    for refused in [
        receiver.get(&other),
        receiver.patch(&other, json!({"tags": [tag.id]})),
        // It is the team's to say that somebody is answered.
        receiver.patch(&own, json!({"tags": [], "state": "closed"})),
        receiver.get(&format!("{own}/timeline")),
        receiver.get(CONVERSATIONS),
        receiver.put(&format!("{own}/read"), json!({"seq": 1})),
    ] {
        refused.await.is_refused(403, "forbidden");
    }
}
