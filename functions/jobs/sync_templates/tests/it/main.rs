//! Listing templates, in process against the emulator, with a provider that lists as told.

use std::collections::HashMap;
use std::mem::take;
use std::sync::{Arc, Mutex};

use domain::templates::{Cause, LastSync, SyncTemplates, Synced, TemplateDefinition, TemplateStatus, sync_operation};
use domain::terms::{ConnectionId, OperationKind, OperationState};
use jiff::SignedDuration;
use jobs::StartOperation;
use serde_json::{Value, json};
use sync_templates::{Context, handle};
use testkit::business::business;
use testkit::operations::result_of;
use testkit::seed::{self, WABA};
use testkit::{Aws, Operations, Seeded};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const FOLLOW_UP: &str = "missed_call_followup";

/// The templates of an account at Meta, listed two at a time, or as many as it is told.
#[derive(Clone, Default)]
struct Account(Arc<Mutex<Listed>>);

#[derive(Default)]
struct Listed {
    templates: Vec<Value>,
    /// Length of a page.
    page: Option<usize>,
    /// Requests that were answered.
    answered: usize,
    /// Requests only for names.
    names: usize,
}

impl Account {
    fn has(&self, templates: Vec<Value>) {
        self.0.lock().unwrap().templates = templates;
    }

    /// Has templates of these names and statuses.
    fn has_named(&self, templates: &[(&str, &str)]) {
        self.has(
            templates
                .iter()
                .map(|(name, status)| listed_template(name, status))
                .collect(),
        );
    }

    fn pages_have(&self, templates: usize) {
        self.0.lock().unwrap().page = Some(templates);
    }

    /// Requests since the last time: all, and those that were only for names.
    fn requests(&self) -> (usize, usize) {
        let mut listed = self.0.lock().unwrap();
        (take(&mut listed.answered), take(&mut listed.names))
    }
}

impl Respond for Account {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let query: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        let mut listed = self.0.lock().unwrap();
        listed.answered += 1;
        listed.names += usize::from(query["fields"] == "name,language");
        let start: usize = query.get("after").map_or(0, |after| after.parse().unwrap());
        let most = listed.page.unwrap_or(2);
        let page: Vec<&Value> = listed.templates.iter().skip(start).take(most).collect();
        let end = start + page.len();
        let mut body = json!({"data": page, "paging": {"cursors": {"after": end.to_string()}}});
        if end < listed.templates.len() {
            body["paging"]["next"] = "https://graph.example/elsewhere".into();
        }
        ResponseTemplate::new(200).set_body_json(body)
    }
}

/// A template as Meta lists it.
fn listed_template(name: &str, status: &str) -> Value {
    json!({
        "id": "810000000000001", "name": name, "language": "en_GB", "status": status, "category": "UTILITY",
        "components": [{
            "type": "BODY", "text": "Hello {{1}}, sorry we missed your call to {{2}} today. How can we help?",
            "example": {"body_text": [["Maya", "Harbour Lane"]]},
        }, {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Call me back"}]}],
    })
}

struct World {
    aws: Aws,
    server: MockServer,
    account: Account,
    business: Seeded,
    ctx: Context,
    operations: Operations,
}

impl World {
    async fn new() -> Self {
        let aws = Aws::new().await;
        let business = business(&aws).await;
        Self::of(aws, business).await
    }

    async fn of(aws: Aws, business: Seeded) -> Self {
        let server = MockServer::start().await;
        let account = Account::default();
        Mock::given(method("GET"))
            .and(path(format!("/v26.0/{WABA}/message_templates")))
            .and(header("authorization", "Bearer fixture-access-token"))
            .respond_with(account.clone())
            .with_priority(9)
            .mount(&server)
            .await;
        let env = aws.env_with(&[
            ("GRAPH_API_URL", &server.uri()),
            ("GRAPH_API_VERSION", "v26.0"),
            ("TWILIO_CONTENT_URL", &server.uri()),
            ("PROVIDER_TIMEOUT", "5"),
        ]);
        Self {
            ctx: Context::new(&env).unwrap().page_by_page(),
            operations: Operations::of(&aws, business.scope()),
            aws,
            server,
            account,
            business,
        }
    }

    /// Everything is answered like this.
    async fn answer(&self, answer: ResponseTemplate) {
        Mock::given(method("GET"))
            .respond_with(answer)
            .with_priority(1)
            .mount(&self.server)
            .await;
    }

    async fn start(&self) -> StartOperation {
        self.start_of(vec![self.business.whatsapp], false).await
    }

    async fn start_of(&self, connections: Vec<ConnectionId>, wanted: bool) -> StartOperation {
        let params = SyncTemplates {
            connections,
            wanted,
            awaited: false,
        };
        self.operations.create(OperationKind::SyncTemplates, &params).await
    }

    /// Lists the templates of the WhatsApp connection.
    async fn sync(&self) -> Synced {
        self.aws.pass(60);
        self.sync_of(vec![self.business.whatsapp], false).await
    }

    /// Lists the templates of these connections.
    async fn sync_of(&self, connections: Vec<ConnectionId>, wanted: bool) -> Synced {
        let start = self.start_of(connections, wanted).await;
        let (operation, _) = self.operations.finish(&start, &self.ctx, &handle).await;
        result_of(&operation)
    }

    async fn template(&self, connection: ConnectionId, name: &str, language: &str) -> Option<TemplateDefinition> {
        let id = format!("{connection}#{name}#{language}");
        let found = self.aws.store().get(self.business.scope(), &id).await;
        found.unwrap().map(|found| found.value)
    }

    async fn status(&self, name: &str) -> Option<String> {
        let found = self.template(self.business.whatsapp, name, "en_GB").await;
        found.map(|template| template.status.0)
    }

    /// Starts the list that follows a submission, once it is due.
    async fn start_after_submission(&self) -> StartOperation {
        let operation = sync_operation(self.business.whatsapp, Cause::Submitted, self.aws.now());
        let store = self.aws.store();
        let created = store.create_own_operation(self.business.scope(), &operation).await;
        created.unwrap();
        self.aws.pass(600);
        self.operations.start(&operation)
    }

    /// Whether the schedule lists the templates again so many minutes from now.
    async fn is_due(&self, minutes: i64) -> bool {
        let at = self.aws.now() + SignedDuration::from_mins(minutes);
        LastSync::is_due(self.last().await.as_ref(), at)
    }

    async fn last(&self) -> Option<LastSync> {
        let known = self.aws.store().last_syncs(self.business.scope()).await.unwrap();
        known.get(&self.business.whatsapp).copied()
    }
}

#[tokio::test]
async fn a_list_is_taken_over_page_by_page() {
    let world = World::new().await;
    let carousel = json!({
        "id": "810000000000003", "name": "offer_1", "language": "en_GB", "status": "APPROVED", "category": "MARKETING",
        "components": [{"type": "BODY", "text": "Hello."}, {"type": "CAROUSEL", "cards": []}],
    });
    world.account.has(vec![
        listed_template(FOLLOW_UP, "PAUSED"),
        carousel,
        listed_template("order_1", "PENDING"),
    ]);
    let start = world.start().await;
    let (operation, steps) = world.operations.finish(&start, &world.ctx, &handle).await;
    let expected = Synced {
        listed: 2,
        created: 1,
        changed: 1,
        skipped: 1,
        ..Synced::default()
    };
    // Two of the provider's, and one of our rows.
    assert_eq!((result_of::<Synced>(&operation), steps), (expected, 3));
    assert_eq!(world.status(FOLLOW_UP).await.as_deref(), Some("PAUSED"));
    let new = world
        .template(world.business.whatsapp, "order_1", "en_GB")
        .await
        .unwrap();
    assert_eq!(
        (new.status.0.as_str(), new.connection),
        ("PENDING", Some(world.business.whatsapp))
    );
    assert_eq!(new.samples["1"], "Maya");
    assert!(world.last().await.unwrap().awaited, "the verdict on one is awaited");
    // An unchanged template is not written.
    let again = world.sync().await;
    assert_eq!((again.created, again.changed, again.deleted), (0, 0, 0));
    world
        .account
        .has_named(&[(FOLLOW_UP, "APPROVED"), ("order_1", "APPROVED")]);
    assert_eq!(world.sync().await.changed, 2);
    assert!(!world.last().await.unwrap().awaited);
}

#[tokio::test]
async fn templates_that_a_whole_list_does_not_show_are_gone() {
    let world = World::new().await;
    world.account.has_named(&[("order_1", "APPROVED")]);
    let synced = world.sync().await;
    assert_eq!((synced.created, synced.deleted), (1, 1));
    assert_eq!(world.status(FOLLOW_UP).await.as_deref(), Some("DELETED"));
    assert_eq!(world.sync().await.deleted, 0);
    world
        .account
        .has_named(&[(FOLLOW_UP, "APPROVED"), ("order_1", "APPROVED")]);
    world.sync().await;
    assert_eq!(
        world.status(FOLLOW_UP).await.as_deref(),
        Some("APPROVED"),
        "it was created again"
    );
}

#[tokio::test]
async fn a_list_that_breaks_off_deletes_nothing() {
    let world = World::new().await;
    world
        .account
        .has_named(&[("a", "APPROVED"), ("b", "APPROVED"), ("c", "APPROVED")]);
    let start = world.start().await;
    world.operations.step(&start, &world.ctx, &handle).await;
    world.answer(ResponseTemplate::new(500)).await;
    assert!(handle(world.operations.turn(&start).await, &world.ctx).await.is_err());
    assert_eq!(world.status(FOLLOW_UP).await.as_deref(), Some("APPROVED"));
    assert_eq!(world.last().await, None);
}

#[tokio::test]
async fn steps_that_are_made_twice_change_nothing_more() {
    let world = World::new().await;
    let all = [
        ("a", "APPROVED"),
        ("b", "PENDING"),
        ("c", "APPROVED"),
        ("d", "REJECTED"),
    ];
    world.account.has_named(&all);
    let start = world.start().await;
    world.operations.all_steps_twice(&start, &world.ctx, &handle).await;
    for (name, status) in all {
        assert_eq!(world.status(name).await.as_deref(), Some(status), "{name}");
    }
    assert_eq!(world.status(FOLLOW_UP).await.as_deref(), Some("DELETED"));
    assert_eq!(world.sync().await.changed, 0);
}

/// Each page takes a step, as if the provider answered slowly, and each step is made by a worker that dies and then by the next one.
#[tokio::test]
async fn a_thousand_templates_are_listed_in_steps() {
    let world = World::new().await;
    world.account.pages_have(100);
    // Most of them are about to go at the provider, and have no rows with us.
    let template = |number: usize| {
        let status = if number.is_multiple_of(100) {
            "APPROVED"
        } else {
            "PENDING_DELETION"
        };
        listed_template(&format!("t_{number:04}"), status)
    };
    let mut all: Vec<Value> = (0..1_200).map(template).collect();
    world.account.has(all.clone());
    let start = world.start().await;
    let steps = world.operations.all_steps_twice(&start, &world.ctx, &handle).await;
    // All templates, our rows, the names because a row was missing, and our rows again.
    assert_eq!((steps, world.account.requests()), (12 + 1 + 12 + 1, (48, 24)));
    let synced: Synced = result_of(&world.operations.get(&start).await);
    assert_eq!((synced.listed, synced.failed), (1_200, 0));
    assert_eq!(world.status(FOLLOW_UP).await.as_deref(), Some("DELETED"));
    for number in [0, 600, 1_100] {
        assert_eq!(
            world.status(&format!("t_{number:04}")).await.as_deref(),
            Some("APPROVED")
        );
    }
    assert!(world.last().await.is_some(), "it is not listed again every hour");
    // Only deletions at the provider are noticed.
    world.aws.pass(60);
    all.remove(1_100);
    world.account.has(all.clone());
    let synced = world.sync().await;
    assert_eq!((synced.listed, synced.changed, synced.deleted), (1_199, 0, 1));
    assert_eq!(world.status("t_1100").await.as_deref(), Some("DELETED"));
    assert_eq!(world.status("t_1000").await.as_deref(), Some("APPROVED"));
    assert_eq!(world.account.requests(), (24, 12));
    // If all are there, they are listed once.
    assert_eq!(world.sync().await.deleted, 0);
    assert_eq!(world.account.requests(), (12, 0));
}

/// If the names seen by a step are lost, the list begins again, and deletes nothing that it showed.
#[tokio::test]
async fn a_list_whose_memory_is_lost_begins_again() {
    let world = World::new().await;
    world
        .account
        .has_named(&[(FOLLOW_UP, "APPROVED"), ("a", "APPROVED"), ("b", "APPROVED")]);
    let start = world.start().await;
    world.operations.step(&start, &world.ctx, &handle).await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    store.delete_operation_details(scope, start.operation).await.unwrap();
    world.operations.finish(&start, &world.ctx, &handle).await;
    assert_eq!(world.status(FOLLOW_UP).await.as_deref(), Some("APPROVED"));
    assert_eq!(world.account.requests(), (3, 0));
}

#[tokio::test]
async fn a_list_that_cannot_be_an_accounts_is_given_up() {
    let world = World::new().await;
    let failed = async || {
        let start = world.start().await;
        while !world.operations.get(&start).await.state.is_end() {
            world.operations.step(&start, &world.ctx, &handle).await;
        }
        let operation = world.operations.get(&start).await;
        assert_eq!(operation.state, OperationState::Failed);
        operation.reason.unwrap()
    };
    let expected = "The provider's list of the connection \"Fixture\" is not the documented one.";
    world.account.pages_have(3_500);
    let gone = |number: usize| listed_template(&format!("t_{number:05}"), "PENDING_DELETION");
    world.account.has((0..14_000).map(gone).collect());
    assert_eq!(failed().await, expected);
    assert_eq!(world.account.requests(), (4, 0));
    // A page that leads to itself.
    let again = json!({"data": [], "paging": {"next": "x", "cursors": {"after": "again"}}});
    world.answer(ResponseTemplate::new(200).set_body_json(again)).await;
    assert_eq!(failed().await, expected);
    assert_eq!(world.status(FOLLOW_UP).await.as_deref(), Some("APPROVED"));
}

/// Contents are unlimited at Twilio, and most of an account's may never have been submitted.
#[tokio::test]
async fn contents_that_were_never_submitted_fill_no_list() {
    let aws = Aws::new().await;
    let business = seed::tenant(&aws).await;
    let world = World::of(aws, business).await;
    Mock::given(path("/v1/ContentAndApprovals"))
        .respond_with(|request: &Request| {
            let query: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
            let page: usize = query.get("Page").map_or(0, |page| page.parse().unwrap());
            let own = json!({"name": "order_1", "category": "UTILITY", "status": "approved", "rejection_reason": ""});
            let none = json!({"name": "", "category": "", "status": "unsubmitted"});
            let content = json!({
                "sid": format!("HX{page:032}"), "friendly_name": "order_1", "language": "en",
                "variables": {"1": "Maya"}, "types": {"twilio/text": {"body": "Hello {{1}}, your order is ready."}},
                "approval_requests": if page == 79 { own } else { none },
            });
            let next = format!(
                "https://content.twilio.com/v1/ContentAndApprovals?PageSize=1&Page={}",
                page + 1
            );
            let next = (page < 79).then_some(next);
            ResponseTemplate::new(200).set_body_json(json!({"contents": [content], "meta": {"next_page_url": next}}))
        })
        .mount(&world.server)
        .await;
    let synced = world.sync_of(vec![world.business.twilio], true).await;
    assert_eq!(
        (synced.listed, synced.created, synced.deleted, synced.failed),
        (1, 1, 0, 0)
    );
}

#[tokio::test]
async fn refused_credentials_fail_with_a_sentence() {
    let world = World::new().await;
    let refusal = json!({"error": {"message": "no", "type": "OAuthException", "code": 190}});
    world.answer(ResponseTemplate::new(401).set_body_json(refusal)).await;
    let start = world.start().await;
    world.operations.step(&start, &world.ctx, &handle).await;
    let operation = world.operations.get(&start).await;
    assert_eq!(operation.state, OperationState::Failed);
    let expected = "The provider refuses the credentials of the connection \"Fixture\". Set them again.";
    assert_eq!(operation.reason.as_deref(), Some(expected));
    assert_eq!(world.status(FOLLOW_UP).await.as_deref(), Some("APPROVED"));
    assert!(world.last().await.is_some(), "it is not asked again every hour");
}

#[tokio::test]
async fn submitted_template_is_listed_hourly_until_its_verdict() {
    let world = World::new().await;
    world.account.has_named(&[(FOLLOW_UP, "APPROVED")]);
    world.sync().await;
    assert!(!world.is_due(60).await, "nothing is awaited");
    for (word, hourly) in [("PENDING", true), ("APPROVED", false)] {
        let start = world.start_after_submission().await;
        world.account.has_named(&[(FOLLOW_UP, word)]);
        world.operations.finish(&start, &world.ctx, &handle).await;
        assert_eq!(world.is_due(60).await, hourly, "{word}");
    }
}

/// An earlier list, which has read what was awaited before it was, ends after one that fails.
#[tokio::test]
async fn earlier_list_does_not_take_back_what_is_awaited() {
    let world = World::new().await;
    world.account.has_named(&[(FOLLOW_UP, "APPROVED")]);
    world.sync().await;
    let earlier = world.start().await;
    world.operations.step(&earlier, &world.ctx, &handle).await;
    let start = world.start_after_submission().await;
    let excuse = ResponseTemplate::new(500).set_body_string("{}");
    Mock::given(method("GET"))
        .respond_with(excuse)
        .up_to_n_times(1)
        .with_priority(1)
        .mount(&world.server)
        .await;
    assert!(handle(world.operations.turn(&start).await, &world.ctx).await.is_err());
    world.operations.finish(&earlier, &world.ctx, &handle).await;
    assert!(world.last().await.unwrap().awaited);
    assert!(world.is_due(60).await);
}

/// A page with an excuse, a refusal, or a provider that never answers.
#[tokio::test]
async fn verdict_is_asked_for_hourly_whatever_goes_wrong() {
    let refusal = r#"{"error": {"message": "Invalid parameter", "code": 100}}"#;
    for (status, body) in [(500, "{}"), (200, "<html></html>"), (400, refusal)] {
        let world = World::new().await;
        world.account.has_named(&[(FOLLOW_UP, "APPROVED")]);
        world.sync().await;
        let start = world.start_after_submission().await;
        world.answer(ResponseTemplate::new(status).set_body_string(body)).await;
        let made = handle(world.operations.turn(&start).await, &world.ctx).await;
        assert_eq!(made.is_err(), status == 500);
        assert!(world.is_due(60).await, "{status}");
    }
}

#[tokio::test]
async fn connections_that_send_no_whatsapp_are_passed_over() {
    let world = World::new().await;
    world.account.has_named(&[(FOLLOW_UP, "PAUSED")]);
    let nobody = ConnectionId::new(world.aws.ids().ulid());
    let all = vec![nobody, world.business.twilio, world.business.whatsapp];
    let synced = world.sync_of(all, true).await;
    assert_eq!(
        (synced.changed, synced.failed),
        (1, 0),
        "neither of the others sends WhatsApp"
    );
    assert_eq!(world.status(FOLLOW_UP).await.as_deref(), Some("PAUSED"));
}

#[tokio::test]
async fn a_template_in_doubt_is_used_again_when_somebody_asks() {
    let world = World::new().await;
    let (store, scope, connection) = (world.aws.store(), world.business.scope(), world.business.whatsapp);
    world.account.has_named(&[(FOLLOW_UP, "APPROVED")]);
    let now = world.aws.now();
    let doubted = store.doubt_template(scope, connection, FOLLOW_UP, "en_GB", now, now);
    assert!(doubted.await.unwrap());
    let is_doubted = async || {
        let found = world.template(connection, FOLLOW_UP, "en_GB").await;
        found.unwrap().doubted_at.is_some()
    };
    world.sync().await;
    assert!(is_doubted().await, "the list shows it as it was");
    world.sync_of(vec![connection], true).await;
    assert!(!is_doubted().await);
}

/// A content of Twilio's list: its number, and the name of its submission.
fn content(number: u8, name: &str, status: &str) -> Value {
    json!({
        "sid": format!("HX{number:032}"), "friendly_name": name, "language": "en", "variables": {"1": "Maya"},
        "types": {"twilio/text": {"body": format!("Hello {{{{1}}}}, these are the words of {number}.")}},
        "approval_requests": {"name": name, "category": "UTILITY", "status": status, "rejection_reason": ""},
    })
}

#[tokio::test]
async fn contents_at_twilio_are_missed_by_their_ids() {
    let aws = Aws::new().await;
    let business = seed::tenant(&aws).await;
    let world = World::of(aws, business).await;
    let (store, scope, connection) = (world.aws.store(), world.business.scope(), world.business.twilio);
    // As a tenant's file has it, by another name than Twilio submitted it.
    let named_otherwise = TemplateDefinition {
        connection: Some(connection),
        name: "our_name".to_owned(),
        language: "en_GB".to_owned(),
        body: "Hello {{1}}, these are the words of 1.".to_owned(),
        status: TemplateStatus("APPROVED".to_owned()),
        content_sid: Some(format!("HX{:032}", 1)),
        ..TemplateDefinition::empty()
    };
    let stamp = world.aws.stamp();
    store.create(scope, &named_otherwise, &stamp).await.unwrap();
    let lists = async |contents: Vec<Value>| {
        world.server.reset().await;
        Mock::given(path("/v1/ContentAndApprovals"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"contents": contents, "meta": {}})))
            .mount(&world.server)
            .await;
        world.aws.pass(600);
        world.sync_of(vec![connection], false).await
    };
    let row = async |name: &str, language: &str| {
        let found = world.template(connection, name, language).await.unwrap();
        (found.status.0, found.content_sid.unwrap(), found.body)
    };
    let is = |number: u8, status: &str| {
        let body = format!("Hello {{{{1}}}}, these are the words of {number}.");
        (status.to_owned(), format!("HX{number:032}"), body)
    };
    let awaited = async || store.last_syncs(scope).await.unwrap()[&connection].awaited;
    let first = lists(vec![content(1, "a", "approved"), content(2, "b", "approved")]).await;
    assert_eq!((first.created, row("our_name", "en_GB").await), (2, is(1, "APPROVED")));
    assert!(!awaited().await);
    // The name has another content now, which comes with the next list.
    let replaced = vec![content(1, "a", "approved"), content(3, "b", "approved")];
    assert_eq!(lists(replaced.clone()).await.deleted, 1);
    assert_eq!((row("b", "en").await, awaited().await), (is(2, "DELETED"), true));
    assert_eq!(lists(replaced).await.deleted, 0);
    assert_eq!((row("b", "en").await, awaited().await), (is(3, "APPROVED"), false));
    assert_eq!(row("our_name", "en_GB").await, is(1, "APPROVED"));
}

#[tokio::test]
async fn templates_at_twilio_come_with_their_verdicts() {
    let aws = Aws::new().await;
    let business = seed::tenant(&aws).await;
    let world = World::of(aws, business).await;
    let lists = async |status: &str| {
        let mut content = content(1, "order_1", status);
        content["approval_requests"]["rejection_reason"] = json!("INVALID_FORMAT");
        let page = json!({"contents": [content], "meta": {"next_page_url": null}});
        Mock::given(path("/v1/ContentAndApprovals"))
            .respond_with(ResponseTemplate::new(200).set_body_json(page))
            .up_to_n_times(1)
            .mount(&world.server)
            .await;
    };
    lists("rejected").await;
    let synced = world.sync_of(vec![world.business.twilio], true).await;
    assert_eq!(synced.created, 1);
    let found = world.template(world.business.twilio, "order_1", "en").await.unwrap();
    assert_eq!(
        (
            found.status.0.as_str(),
            found.rejected_reason.as_deref(),
            found.content_sid.as_deref()
        ),
        (
            "REJECTED",
            Some("INVALID_FORMAT"),
            Some("HX00000000000000000000000000000001")
        )
    );
    let awaited = async || {
        let known = world.aws.store().last_syncs(world.business.scope()).await.unwrap();
        known[&world.business.twilio].awaited
    };
    assert!(!awaited().await);
    lists("paused").await;
    world.aws.pass(60);
    world.sync_of(vec![world.business.twilio], false).await;
    assert!(awaited().await, "Twilio does not report the end of a pause");
}
