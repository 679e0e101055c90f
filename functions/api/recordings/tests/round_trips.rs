//! Cost of a link to a recording that was fetched before, in a warm process. Alone in its process, whose counters it reads.

use domain::accounts::Role;
use domain::calls::Call;
use domain::telephony::{CallProvider, Recording, RecordingState};
use kit::{FileKey, Files};
use store::table::usage;
use testkit::Aws;
use testkit::api::Town;
use testkit::business::{CUSTOMER, business};

#[tokio::test]
async fn warm_link_to_a_copy_costs_as_counted() {
    let aws = Aws::new().await;
    let env = aws.env_with(&[("TWILIO_API_URL", "http://127.0.0.1:1"), ("PROVIDER_TIMEOUT", "1")]);
    let town = Town::with_env(&aws, &env, recordings::routes).await;
    let business = business(&aws).await;
    let scope = business.scope();
    let recording = Recording {
        reference: "RE00000000000000000000000000000001".parse().unwrap(),
        state: RecordingState::Completed,
        seconds: Some(14),
        voicemail: true,
    };
    let with_recording = |call: &mut Call| {
        call.provider = CallProvider::Twilio;
        call.facts.recordings = [recording.clone()].into_iter().collect();
    };
    let (Call { id, .. }, _) = business.store_missed_call(&aws, CUSTOMER, with_recording).await;
    let key = FileKey::recording(scope, id.contact(), recording.id(id));
    let files = Files::new(aws.env()).unwrap();
    files.write(&key, b"sound".to_vec()).await.unwrap();

    let agent = town.key_of(scope, Role::Agent).await;
    let path = format!("/api/v1/calls/{id}/recordings/{}", recording.id(id));
    agent.get(&path).await.is(200);
    drop(usage::take());
    agent.get(&path).await.is(200);
    let used = usage::take();
    // The caller's key and the call; its contact with the message; then the request is counted.
    assert_eq!(used.actions.get("dynamodb:GetItem"), Some(&2), "{used:?}");
    assert_eq!(used.actions.get("dynamodb:BatchGetItem"), Some(&1), "{used:?}");
    assert_eq!(used.actions.get("dynamodb:UpdateItem"), Some(&1), "{used:?}");
    assert_eq!(used.actions.get("dynamodb:PutItem"), None, "{used:?}");
    // The size of the copy. A link is signed without a request.
    assert_eq!(used.actions.get("s3:PutObject"), None, "{used:?}");
    assert_eq!(used.actions.get("kms:Decrypt"), None, "{used:?}");
}
