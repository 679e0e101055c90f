//! Cost of a link to a file, in a warm process. Alone in its process, whose counters it reads.

use domain::accounts::Role;
use domain::media::InboundMedia;
use store::table::usage;
use testkit::Aws;
use testkit::api::Town;
use testkit::business::{CUSTOMER, business};

#[tokio::test]
async fn warm_link_to_a_file_costs_as_counted() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, media::routes).await;
    let business = business(&aws).await;
    let contact = business.contact(&aws, CUSTOMER).await;
    let media = vec![InboundMedia::new("7".to_owned())];
    let message = business.receive_media(&aws, contact.id, media, |_| {}).await.id;
    business
        .store_fetched_medium(&aws, message, 0, "image/png", b"picture")
        .await;

    let agent = town.key_of(business.scope(), Role::Agent).await;
    let path = format!("/api/v1/messages/{message}/media/0");
    agent.get(&path).await.is(200);
    drop(usage::take());
    agent.get(&path).await.is(200);
    let used = usage::take();
    // The caller's key and the message; its contact, and the medium beside it; then the request is counted.
    assert_eq!(used.actions.get("dynamodb:GetItem"), Some(&2), "{used:?}");
    assert_eq!(used.actions.get("dynamodb:BatchGetItem"), Some(&2), "{used:?}");
    assert_eq!(used.actions.get("dynamodb:UpdateItem"), Some(&1), "{used:?}");
    assert_eq!(used.actions.get("dynamodb:PutItem"), None, "{used:?}");
    // A link is signed without a request.
    assert_eq!(used.actions.get("kms:Decrypt"), None, "{used:?}");
}
