//! Templates through Twilio: its content first, then its submission to WhatsApp.

use std::sync::{Arc, Mutex};

use domain::accounts::Role;
use domain::terms::OperationKind;
use serde_json::json;
use testkit::api::{Caller, Town};
use testkit::{Aws, Seeded, seed};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::{ALL, order, submit};

const SID: &str = "HX00000000000000000000000000000001";

/// Twilio's answers: of its content, and of the submission.
#[derive(Clone)]
struct Twilio {
    requests: Arc<Mutex<Vec<String>>>,
    submission: Arc<Mutex<u16>>,
}

impl Respond for Twilio {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let path = request.url.path();
        let known = json!({
            "sid": SID, "language": "en_GB", "friendly_name": "order_1", "variables": {"1": "Maya", "2": "1042"},
            "types": {"twilio/text": {"body": "Hello {{1}}, your order {{2}} is ready to be collected."}},
        });
        self.requests.lock().unwrap().push(format!("{} {path}", request.method));
        if path.ends_with("/whatsapp") {
            let status = *self.submission.lock().unwrap();
            let body = match status {
                201 => json!({"category": "UTILITY", "name": "order_1", "status": "received"}),
                400 => json!({"code": 21656, "message": "no", "status": 400}),
                _ => json!({}),
            };
            return ResponseTemplate::new(status).set_body_json(body);
        }
        if request.method.as_str() == "GET" {
            let own = json!({"category": "UTILITY", "name": "order_1", "status": "pending", "rejection_reason": ""});
            let body = if path.ends_with("/ApprovalRequests") {
                json!({"sid": SID, "whatsapp": own})
            } else {
                known
            };
            return ResponseTemplate::new(200).set_body_json(body);
        }
        if request.method.as_str() == "DELETE" {
            return ResponseTemplate::new(204);
        }
        ResponseTemplate::new(201).set_body_json(json!({"sid": SID, "language": "en_GB"}))
    }
}

impl Twilio {
    fn submitting(status: u16) -> Self {
        Self {
            requests: Arc::default(),
            submission: Arc::new(Mutex::new(status)),
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

/// A business with the draft of a template for its connection to Twilio.
struct Draft<'a> {
    town: Town<'a>,
    business: Seeded,
    twilio: Twilio,
    path: String,
    /// Answers as long as it lives.
    _server: MockServer,
}

impl<'a> Draft<'a> {
    /// Twilio answers submissions with this status.
    async fn new(aws: &'a Aws, status: u16) -> Self {
        let twilio = Twilio::submitting(status);
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(twilio.clone()).mount(&server).await;
        let env = aws.env_with(&[
            ("GRAPH_API_URL", "http://127.0.0.1:1"),
            ("GRAPH_API_VERSION", "v26.0"),
            ("TWILIO_CONTENT_URL", &server.uri()),
            ("PROVIDER_TIMEOUT", "5"),
        ]);
        let business = seed::tenant(aws).await;
        let draft = Self {
            town: Town::with_env(aws, &env, templates::routes).await,
            path: format!("{ALL}/{}.order_1.en_GB", business.twilio),
            business,
            twilio,
            _server: server,
        };
        let mut new = order();
        new["connection_id"] = json!(draft.business.twilio);
        draft.manager().await.post(ALL, new).await.is(201);
        draft
    }

    async fn manager(&self) -> Caller<'_> {
        self.town.key_of(self.business.scope(), Role::Manager).await
    }
}

#[tokio::test]
async fn content_is_created_submitted_and_deleted() {
    let aws = Aws::new().await;
    let draft = Draft::new(&aws, 400).await;
    let (twilio, path, manager) = (&draft.twilio, &draft.path, draft.manager().await);

    // The content exists then, and is used again.
    submit(&manager, path).await.is_refused(409, "template_refused");
    let submission = format!("POST /v1/Content/{SID}/ApprovalRequests/whatsapp");
    assert_eq!(twilio.take(), ["POST /v1/Content".to_owned(), submission.clone()]);
    assert_eq!(manager.get(path).await.json()["content_sid"], SID);
    *twilio.submission.lock().unwrap() = 201;
    let pending = submit(&manager, path).await.is(200).json();
    assert_eq!(
        json!([pending["status"], pending["provider_id"]]),
        json!(["PENDING", null])
    );
    assert_eq!(twilio.take(), [format!("PUT /v1/Content/{SID}"), submission]);

    // Twilio reports no verdicts, so they are asked for.
    let (store, scope) = (aws.store(), draft.business.scope());
    let operations = store.operations(scope, None, 10, aws.now()).await;
    let operations = operations.unwrap().items;
    let [operation] = &operations[..] else {
        panic!("{operations:?}")
    };
    assert_eq!(operation.value.kind, OperationKind::SyncTemplates);

    // Nothing that was submitted changes there.
    let changed = manager.patch(path, json!({"content": {"footer": "Bye"}})).await;
    changed.is_refused(409, "template_not_editable");
    manager.delete(path).await.is(204);
    assert_eq!(twilio.take(), [format!("DELETE /v1/Content/{SID}")]);
}

/// WhatsApp may have what was submitted, so it is not submitted once more with other words.
#[tokio::test]
async fn lost_submission_is_found_although_the_draft_changed() {
    let aws = Aws::new().await;
    let draft = Draft::new(&aws, 503).await;
    let (twilio, path, manager) = (&draft.twilio, &draft.path, draft.manager().await);
    submit(&manager, path).await.is_refused(502, "provider_failed");
    let kept = manager.get(path).await.json();
    assert_eq!(
        json!([kept["content_sid"], kept["status"], kept["submitting"]]),
        json!([SID, "DRAFT", true])
    );
    twilio.take();

    aws.pass(100);
    let words = "Hello {{1}}, come and collect your order {{2}} today.";
    manager.patch(path, json!({"content": {"body": words}})).await.is(200);
    let found = submit(&manager, path).await.is(200).json();
    assert_eq!(
        twilio.take(),
        [
            format!("GET /v1/Content/{SID}/ApprovalRequests"),
            format!("GET /v1/Content/{SID}")
        ]
    );
    assert_eq!(json!([found["status"], found["content_sid"]]), json!(["PENDING", SID]));
    assert_eq!(found["content"]["body"], order()["content"]["body"]);
    assert_eq!(found["draft"]["body"], words);
    assert_eq!(found["submitting"], false);
}
