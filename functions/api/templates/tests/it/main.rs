//! Templates, in process against the emulator, with an account at Meta that keeps what it is sent.

mod media;
mod meta;
mod numbers;
mod twilio;

use domain::accounts::Role;
use domain::templates::{
    ButtonKind, LIBRARY, SyncTemplates, TemplateButton, TemplateContent, TemplateDefinition, TemplateKey,
    TemplateReport, TemplateStatus,
};
use domain::terms::{ConnectionId, OperationKind};
use serde_json::{Value, json};
use store::Versioned;
use testkit::api::{Asking, Caller, Town};
use testkit::business::business;
use testkit::{Aws, Seeded};

use self::meta::{Fault, Meta};

const ALL: &str = "/api/v1/templates";
const FOLLOW_UP: &str = "missed_call_followup";

/// A draft that passes the examination.
fn order() -> Value {
    json!({
        "name": "order_1", "language": "en_GB", "content": {
            "category": "utility", "body": "Hello {{1}}, your order {{2}} is ready to be collected.",
            "samples": {"1": "Maya", "2": "1042"},
        },
    })
}

struct World<'a> {
    aws: &'a Aws,
    meta: Meta,
    town: Town<'a>,
    business: Seeded,
}

impl<'a> World<'a> {
    async fn new(aws: &'a Aws) -> Self {
        Self::of(aws, business(aws).await).await
    }

    async fn of(aws: &'a Aws, business: Seeded) -> Self {
        let meta = Meta::start().await;
        let env = aws.env_with(&[
            ("GRAPH_API_URL", &meta.url()),
            ("GRAPH_API_VERSION", "v26.0"),
            ("TWILIO_CONTENT_URL", &meta.url()),
            ("PROVIDER_TIMEOUT", "5"),
        ]);
        Self {
            aws,
            town: Town::with_env(aws, &env, templates::routes).await,
            business,
            meta,
        }
    }

    async fn manager(&self) -> Caller<'_> {
        self.town.key_of(self.business.scope(), Role::Manager).await
    }

    fn path(&self, name: &str, end: &str) -> String {
        format!("{ALL}/{}.{name}{end}", self.business.whatsapp)
    }

    /// The path of the draft of an order.
    async fn create_draft(&self, caller: &Caller<'_>) -> String {
        caller.post(ALL, order()).await.is(201);
        self.path("order_1.en_GB", "")
    }

    /// Like `draft`, submitted by Meta's rules.
    async fn submit_draft(&self, caller: &Caller<'_>) -> String {
        let path = self.create_draft(caller).await;
        submit(caller, &path).await.is(200);
        path
    }

    /// WhatsApp reports a state.
    async fn report_state(&self, name: &str, status: &str) {
        self.aws.pass(60);
        let mut report = TemplateReport::of(TemplateKey::new(name, "en_GB").unwrap(), self.aws.now());
        report.status = Some(TemplateStatus(status.to_owned()));
        let connections: [ConnectionId; 1] = [self.business.whatsapp];
        let store = self.aws.store();
        let noted = store.note_template(self.business.scope(), &connections, &report).await;
        assert!(noted.unwrap());
        self.aws.pass(60);
    }

    /// The lists that were started.
    async fn lists(&self) -> Vec<SyncTemplates> {
        let store = self.aws.store();
        let found = store.operations(self.business.scope(), None, 100, self.aws.now()).await;
        let operations = found.unwrap().items.into_iter();
        operations
            .map(|operation| {
                assert_eq!(operation.value.kind, OperationKind::SyncTemplates);
                operation.value.params.read().unwrap()
            })
            .collect()
    }
}

/// Asks for the submission of the draft at this path.
fn submit<'a>(caller: &Caller<'a>, path: &str) -> Asking<'a> {
    caller.post(&format!("{path}/submit"), json!({}))
}

/// A change of the footer.
fn footer(text: &str) -> Value {
    json!({"content": {"footer": text}})
}

#[tokio::test]
async fn a_draft_is_written_changed_submitted_and_approved() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let path = world.path("order_1.en_GB", "");
    let made = manager.post(ALL, order()).await;
    assert_eq!(made.is(201).header("location"), path);
    let draft = made.json();
    assert_eq!(
        json!([draft["status"], draft["variables"]]),
        json!(["DRAFT", ["1", "2"]])
    );
    let version = made.version();
    manager.post(ALL, order()).await.is(201).has_version(version);
    let mut other = order();
    other["content"]["footer"] = "Bye".into();
    manager.post(ALL, other).await.is_refused(409, "taken");
    let changed = manager.patch(&path, footer("Reply STOP")).if_match(version).await;
    changed.is(200).has_version(version + 1);
    assert_eq!(changed.json()["content"]["footer"], "Reply STOP");
    let removed = json!({"content": {"footer": null}});
    manager.patch(&path, removed).if_match(version).await.is(412);
    assert!(world.meta.take().is_empty(), "nobody has submitted it");

    let submitted = submit(&manager, &path).await.is(200).json();
    assert_eq!(
        json!([submitted["status"], submitted["provider_id"]]),
        json!(["PENDING", "810000000000000"])
    );
    let sent = world.meta.take();
    let [(method, _, body)] = &sent[..] else {
        panic!("{sent:?}")
    };
    let told = json!([method, body["name"], body["category"]]);
    assert_eq!(told, json!(["POST", "order_1", "UTILITY"]));
    assert_eq!(body["components"][1], json!({"type": "FOOTER", "text": "Reply STOP"}));
    submit(&manager, &path).await.is(200);
    assert!(world.meta.take().is_empty(), "there is nothing new to submit");

    world.report_state("order_1", "APPROVED").await;
    let approved = manager.get(&path).await.json();
    assert_eq!(
        json!([approved["status"], approved["sendable"], approved["draft"]]),
        json!(["APPROVED", true, null])
    );
}

#[tokio::test]
async fn two_submits_at_once_are_one_request() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let path = world.create_draft(&manager).await;
    let (one, other) = tokio::join!(submit(&manager, &path), submit(&manager, &path));
    let (refused, done) = if one.status() == 409 {
        (one, other)
    } else {
        (other, one)
    };
    assert_ne!(done.status(), 409, "{}", done.text());
    refused.is_refused(409, "template_submitting");
    assert_eq!(world.meta.take().len(), 1);
}

#[tokio::test]
async fn what_whatsapp_would_refuse_is_not_submitted() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let mut wrong = order();
    wrong["content"]["body"] = "{{1}}, your order {{2}} is ready to be collected.".into();
    let linted = manager.post(&format!("{ALL}/lint"), wrong.clone()).await;
    let found = linted.is(200).json();
    assert_eq!(found["problems"][0]["field"], "content.body", "{found}");
    assert_eq!(
        found["shown"]["body"],
        "Maya, your order 1042 is ready to be collected."
    );
    manager.post(ALL, wrong).await.is(201);
    let path = world.path("order_1.en_GB", "");
    submit(&manager, &path).await.is(422).names_field("content.body");
    assert!(world.meta.take().is_empty());
    for (name, language, field) in [("Order 1", "en_GB", "name"), ("order_1", "english", "language")] {
        let new = json!({"name": name, "language": language, "content": order()["content"]});
        manager.post(ALL, new).await.is(422).names_field(field);
    }
}

#[tokio::test]
async fn what_whatsapp_refuses_can_be_corrected() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let path = world.create_draft(&manager).await;
    let words = "The name is in use for 30 days after its deletion.";
    let refusal = json!({"error": {
        "message": "Invalid parameter", "code": 100, "error_subcode": 2_388_023, "error_user_msg": words,
    }});
    world.meta.fail(Fault::Refused(400, refusal));
    let refused = submit(&manager, &path).await;
    assert!(refused.is_refused(409, "template_refused").detail().contains(words));
    let draft = manager.get(&path).await.json();
    assert_eq!(
        json!([draft["status"], draft["rejected_reason"]]),
        json!(["DRAFT", words])
    );
    assert_eq!(draft["submitting"], false);
    submit(&manager, &path).await.is(200);
    assert_eq!(world.meta.names(), ["order_1.en_GB"]);
}

#[tokio::test]
async fn refused_credentials_are_no_fault_of_the_template() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let path = world.create_draft(&manager).await;
    let refusal = json!({"error": {"message": "no", "code": 190}});
    world.meta.fail(Fault::Refused(401, refusal));
    submit(&manager, &path).await.is_refused(502, "provider_refused");
    let draft = manager.get(&path).await.json();
    assert_eq!(
        json!([draft["rejected_reason"], draft["submitting"]]),
        json!([null, false])
    );
    submit(&manager, &path).await.is(200);
}

/// A creation whose answer was lost is not repeated.
#[tokio::test]
async fn a_lost_answer_is_looked_for() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let path = world.create_draft(&manager).await;
    world.meta.fail(Fault::Lost);
    submit(&manager, &path).await.is_refused(502, "provider_failed");
    submit(&manager, &path).await.is_refused(409, "template_submitting");
    let changed = manager.patch(&path, footer("Bye")).await;
    changed.is_refused(409, "template_submitting");
    assert_eq!(world.meta.take().len(), 1);
    aws.pass(100);
    let found = submit(&manager, &path).await.is(200).json();
    assert_eq!(json!([found["status"], found["draft"]]), json!(["PENDING", null]));
    assert!(world.meta.take().is_empty(), "it was found");
}

/// Meta's report of a verdict may be lost.
#[tokio::test]
async fn a_verdict_of_whatsapp_is_asked_for() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    world.submit_draft(&manager).await;
    let lists = world.lists().await;
    let [list] = &lists[..] else { panic!("{lists:?}") };
    assert_eq!(
        (&list.connections[..], list.awaited),
        (&[world.business.whatsapp][..], true)
    );
}

/// An edit of the category alone, which Meta did not do: its list shows the same words.
#[tokio::test]
async fn an_edit_that_was_not_done_is_submitted_again() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let path = world.submit_draft(&manager).await;
    world.report_state("order_1", "REJECTED").await;
    let change = json!({"content": {"category": "marketing"}});
    manager.patch(&path, change).await.is(200);
    world.meta.fail(Fault::Refused(500, json!({})));
    submit(&manager, &path).await.is_refused(502, "provider_failed");
    world.meta.take();
    aws.pass(100);
    let edited = submit(&manager, &path).await.is(200).json();
    assert_eq!(
        json!([edited["status"], edited["category"], edited["draft"]]),
        json!(["PENDING", "marketing", null])
    );
    let sent = world.meta.take();
    let [(method, _, body)] = &sent[..] else {
        panic!("{sent:?}")
    };
    assert_eq!((method.as_str(), &body["category"]), ("POST", &json!("MARKETING")));
}

/// Two numbers of one account share its templates: neither sends one whose edit is reviewed, or has no outcome.
#[tokio::test]
async fn an_edit_counts_for_all_numbers_of_its_account() {
    let aws = Aws::new().await;
    let mut business = business(&aws).await;
    let mut second = business.connection_mut(business.whatsapp).clone();
    second.id = ConnectionId::new(aws.ids().ulid());
    let other = second.id;
    business.configured.connections.push(second);
    business.write(&aws).await;
    let world = World::of(&aws, business).await;
    let manager = world.manager().await;
    let mut new = order();
    new["connection_id"] = json!(world.business.whatsapp);
    manager.post(ALL, new).await.is(201);
    let path = world.path("order_1.en_GB", "");
    submit(&manager, &path).await.is(200);
    world.report_state("order_1", "APPROVED").await;
    let (store, scope) = (aws.store(), world.business.scope());
    let row = async |connection: ConnectionId| -> TemplateDefinition {
        let found = store.get(scope, &format!("{connection}#order_1#en_GB")).await;
        found.unwrap().unwrap().value
    };
    let known = row(world.business.whatsapp).await;
    let noted = store.note_listed(scope, other, &[known], aws.now(), false).await;
    assert_eq!(noted.unwrap().created, 1);
    aws.pass(60);

    manager.patch(&path, footer("Bye")).await.is(200);
    world.meta.fail(Fault::Refused(500, json!({})));
    submit(&manager, &path).await.is_refused(502, "provider_failed");
    assert_eq!(manager.get(&path).await.json()["sendable"], false);
    assert!(row(other).await.sendable(false).is_err());
    let lists = world.lists().await;
    assert!(lists.iter().any(|list| list.connections == [other]), "{lists:?}");

    aws.pass(100);
    submit(&manager, &path).await.is(200);
    let shared = row(other).await;
    assert_eq!(
        (shared.status.0.as_str(), shared.footer.as_deref()),
        ("PENDING", Some("Bye"))
    );
}

#[tokio::test]
async fn a_name_that_somebody_else_created_is_taken_over() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let path = world.create_draft(&manager).await;
    world.meta.has("order_1", "APPROVED", "Other words.");
    aws.pass(60);
    let refusal = json!({"error": {"message": "Invalid parameter", "code": 100, "error_subcode": 2_388_024}});
    world.meta.fail(Fault::Refused(400, refusal));
    let found = submit(&manager, &path).await.is(200).json();
    assert_eq!(
        json!([found["status"], found["content"]["body"]]),
        json!(["APPROVED", "Other words."])
    );
    assert_eq!(
        found["draft"]["body"],
        order()["content"]["body"],
        "what was written is a draft of a change"
    );
}

/// WhatsApp keeps what was deleted for 30 days.
#[tokio::test]
async fn draft_under_a_deleted_name_is_refused_and_stays() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let path = world.create_draft(&manager).await;
    world.meta.has("order_1", "PENDING_DELETION", "Other words.");
    let refusal = json!({"error": {"message": "Invalid parameter", "code": 100, "error_subcode": 2_388_024}});
    world.meta.fail(Fault::Refused(400, refusal));
    submit(&manager, &path).await.is_refused(409, "template_refused");
    let draft = manager.get(&path).await.json();
    assert_eq!(
        json!([draft["status"], draft["content"]["body"], draft["submitting"]]),
        json!(["DRAFT", order()["content"]["body"], false])
    );
}

/// A change would remove the button, and shift those behind it.
#[tokio::test]
async fn template_with_an_unknown_button_is_not_changed() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let path = world.submit_draft(&manager).await;
    let (store, scope) = (aws.store(), world.business.scope());
    let rewritten = async |draft: Option<Box<TemplateContent>>| {
        let id = format!("{}#order_1#en_GB", world.business.whatsapp);
        let before: Versioned<TemplateDefinition> = store.get(scope, &id).await.unwrap().unwrap();
        let button = |kind: ButtonKind, text: &str| TemplateButton {
            kind,
            text: text.to_owned(),
            url: None,
            sample: None,
            phone_number: None,
        };
        let after = TemplateDefinition {
            buttons: vec![
                button(ButtonKind::Other, "Call us by WhatsApp"),
                button(ButtonKind::QuickReply, "I am on my way"),
            ],
            status: TemplateStatus("APPROVED".to_owned()),
            draft,
            ..before.value
        };
        let written = store.write_template(scope, before.version, &after, None).await;
        TemplateContent::of(&written.unwrap().value)
    };
    let without = rewritten(None).await;
    let refused = manager.patch(&path, footer("Bye")).await;
    refused.is_refused(409, "template_not_editable");
    // Of a draft that was written before.
    rewritten(Some(Box::new(without))).await;
    submit(&manager, &path).await.is_refused(409, "template_not_editable");
}

#[tokio::test]
async fn an_approved_template_changes_once_a_day() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let path = world.submit_draft(&manager).await;
    let pending = manager.patch(&path, footer("Bye")).await;
    assert_eq!(pending.is(200).json()["draft"]["footer"], "Bye");
    submit(&manager, &path).await.is_refused(409, "template_not_editable");
    world.report_state("order_1", "APPROVED").await;
    world.meta.take();
    let edited = submit(&manager, &path).await.is(200).json();
    assert_eq!(
        json!([edited["status"], edited["content"]["footer"]]),
        json!(["PENDING", "Bye"])
    );
    assert_eq!(json!([edited["edition"], edited["draft"]]), json!([1, null]));
    let sent = world.meta.take();
    let [(_, at, body)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((at.as_str(), body.get("category")), ("/v26.0/810000000000000", None));
    let versions = manager.get(&format!("{path}/versions")).await.items();
    assert!(
        versions
            .iter()
            .any(|version| version["edition"] == 0 && version["content"].get("footer").is_none())
    );
    let number = versions[1]["version"].as_u64().unwrap();
    let former = manager.get(&format!("{path}/versions/{number}")).await.is(200).json();
    assert_eq!(json!([former["version"], former["current"]]), json!([number, false]));

    world.report_state("order_1", "APPROVED").await;
    manager.patch(&path, footer("See you")).await.is(200);
    let again = submit(&manager, &path).await;
    let detail = again.is_refused(409, "template_not_editable").detail();
    assert!(detail.contains("24 hours"), "{detail}");
    let category = json!({"content": {"category": "marketing"}});
    let refused = manager.patch(&path, category).await;
    refused.is(422).names_field("content.category");
    aws.pass(24 * 3_600);
    submit(&manager, &path).await.is(200);
}

#[tokio::test]
async fn templates_in_use_are_changed_and_deleted_only_on_purpose() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    world.meta.has(FOLLOW_UP, "APPROVED", "Hello.");
    let path = world.path("missed_call_followup.en_GB", "");
    let uses = manager.get(&format!("{path}/uses")).await.is(200).json();
    assert_eq!(uses["automations"][0]["name"], "Missed calls");
    assert_eq!(uses["automations"][0]["by_contact_language"], false);
    let refused = manager.delete(&path).await;
    let detail = refused.is_refused(409, "template_in_use").detail();
    assert!(detail.contains("Missed calls"), "{detail}");
    assert!(world.meta.take().is_empty());
    manager.delete(&format!("{path}?even_if_used=true")).await.is(204);
    assert!(world.meta.names().is_empty());
    let sent = world.meta.take();
    let asked = "message_templates?name=missed_call_followup&hsm_id=820000000000001";
    assert!(sent[0].1.ends_with(asked), "{sent:?}");
    manager.get(&path).await.is(404);
    // A draft is nobody else's.
    let draft = world.create_draft(&manager).await;
    manager.delete(&draft).await.is(204);
    assert!(world.meta.take().is_empty());
}

#[tokio::test]
async fn a_deletion_that_the_provider_refuses_deletes_nothing() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let path = world.submit_draft(&manager).await;
    world.meta.fail(Fault::Refused(500, json!({})));
    manager.delete(&path).await.is_refused(502, "provider_failed");
    manager.get(&path).await.is(200);
    manager.delete(&path).await.is(204);
    manager.get(&path).await.is(404);
}

#[tokio::test]
async fn a_template_of_the_library_is_submitted_with_one_request() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let library = manager.all(&format!("{ALL}/library"), 7).await;
    assert_eq!(library.len(), LIBRARY.len());
    assert_eq!(library[0]["languages"].as_array().map(Vec::len), Some(2));
    let name = library[0]["name"].as_str().unwrap().to_owned();
    let adopt = format!("{ALL}/library");
    for _repeated in 0..2 {
        let adopted = manager.post(&adopt, json!({"library_name": name})).await;
        let templates = adopted.is(200).json()["templates"].clone();
        let states: Vec<&Value> = templates.as_array().unwrap().iter().map(|one| &one["status"]).collect();
        assert_eq!(states, ["PENDING", "PENDING"], "{templates}");
    }
    assert_eq!(world.meta.names(), [format!("{name}.en"), format!("{name}.ar")]);
    let one = json!({"library_name": name, "name": "welcome_1", "languages": ["ar"]});
    let adopted = manager.post(&adopt, one).await;
    assert_eq!(adopted.is(200).json()["templates"][0]["name"], "welcome_1");
    assert_eq!(world.meta.names().len(), 3);
    let unknown = manager.post(&adopt, json!({"library_name": "nothing"})).await;
    unknown.is(422).names_field("library_name");
    let french = json!({"library_name": name, "languages": ["fr"]});
    let refused = manager.post(&adopt, french).await;
    refused.is(422).names_field("languages[0]");
}

#[tokio::test]
async fn a_template_is_shown_as_a_phone_shows_it() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let mut arabic = order();
    arabic["language"] = "ar".into();
    arabic["content"]["buttons"] = json!([{
        "kind": "url", "text": "Track", "url": "https://a.example/{{1}}", "sample": "https://a.example/1042",
    }]);
    manager.post(ALL, arabic).await.is(201);
    let path = world.path("order_1.ar", "/preview");
    let shown = manager.post(&path, json!({})).await.is(200).json();
    assert_eq!(
        json!([shown["direction"], shown["body"]]),
        json!(["rtl", "Hello Maya, your order 1042 is ready to be collected."])
    );
    let values = json!({"variables": {"1": "Omar"}, "buttons": [{"index": 0, "value": "7"}]});
    let shown = manager.post(&path, values).await.is(200).json();
    assert_eq!(shown["body"], "Hello Omar, your order 1042 is ready to be collected.");
    assert!(
        shown["buttons"][0].to_string().contains("https://a.example/7"),
        "{shown}"
    );
}

#[tokio::test]
async fn templates_are_listed_by_connection_state_and_name() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    for (name, language) in [("order_1", "en"), ("order_1", "ar"), ("order_2", "en")] {
        let new = json!({"name": name, "language": language, "content": order()["content"]});
        manager.post(ALL, new).await.is(201);
    }
    let ids = async |query: &str| -> Vec<String> {
        let found = manager.all(&format!("{ALL}{query}"), 2).await;
        let ids = found
            .iter()
            .map(|one| one["id"].as_str().unwrap().split_once('.').unwrap().1.to_owned());
        ids.collect()
    };
    assert_eq!(
        ids("").await,
        ["missed_call_followup.en_GB", "order_1.ar", "order_1.en", "order_2.en"]
    );
    assert_eq!(ids("?status=APPROVED").await, ["missed_call_followup.en_GB"]);
    assert_eq!(ids("?name=order_1").await, ["order_1.ar", "order_1.en"]);
    let own = format!("?connection_id={}&name=order_2", world.business.whatsapp);
    assert_eq!(ids(&own).await, ["order_2.en"]);
    let other = format!("?connection_id={}", world.business.twilio);
    assert!(ids(&other).await.is_empty());
    let first = manager.get(&format!("{ALL}?limit=1")).await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    manager.get(&format!("{ALL}{other}&cursor={cursor}")).await.is(400);
}

#[tokio::test]
async fn templates_need_permissions_and_are_the_tenants_own() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let path = world.path("missed_call_followup.en_GB", "");
    for role in Role::ALL {
        let caller = world.town.key_of(world.business.scope(), role).await;
        caller.get(&path).await.is(200);
        caller.get(&format!("{ALL}/library")).await.is(200);
        let may = role >= Role::Manager;
        caller.post(ALL, order()).await.is(if may { 201 } else { 403 });
        let synced = caller.post(&format!("{ALL}/sync"), json!({})).await;
        synced.is(if may { 202 } else { 403 });
    }
    world.town.anyone().get(&path).await.is_refused(401, "unauthorized");
    let missing = manager.get(&world.path("nothing.en_GB", "")).await;
    let missing = missing.is_refused(404, "not_found").detail();
    let stranger = world.town.admin();
    for asked in [
        stranger.get(&path),
        stranger.get(&format!("{path}/numbers")),
        stranger.get(&format!("{path}/uses")),
        stranger.get(&format!("{path}/versions")),
        stranger.patch(&path, footer("x")),
        submit(&stranger, &path),
        stranger.post(&format!("{path}/preview"), json!({})),
        stranger.delete(&path),
    ] {
        assert_eq!(asked.await.is_refused(404, "not_found").detail(), missing);
    }
    let foreign =
        json!({"connection_id": world.business.whatsapp, "name": "a", "language": "en", "content": order()["content"]});
    stranger.post(ALL, foreign).await.is(422).names_field("connection_id");
    stranger.post(ALL, order()).await.is_refused(409, "no_whatsapp");
    assert_eq!((world.meta.take().len(), world.meta.lists()), (0, 0));
}

#[tokio::test]
async fn a_list_of_the_providers_templates_is_an_operation() {
    let aws = Aws::new().await;
    let world = World::new(&aws).await;
    let manager = world.manager().await;
    let started = manager.post(&format!("{ALL}/sync"), json!({})).await;
    let started = started.is(202).json();
    assert_eq!(started["kind"], OperationKind::SyncTemplates.as_str());
    assert_eq!(
        started["params"],
        json!({"connections": [world.business.whatsapp], "wanted": true})
    );
    let twilio = json!({"connection_id": world.business.twilio});
    let refused = manager.post(&format!("{ALL}/sync"), twilio).await;
    refused.is(422).names_field("connection_id");
}
