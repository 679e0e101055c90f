//! The consent of a contact.

use domain::messages::OptFlag;
use domain::people::{Contact, Identity, Salt};
use domain::terms::ContactId;
use serde_json::{Value, json};
use store::contacts::ContactWrite;
use testkit::Aws;
use testkit::api::Town;

use super::{create_and_locate, town};

/// A contact of the home tenant, and the path of its consent.
async fn contact(town: &Town<'_>) -> (Contact, String) {
    let (aws, scope) = (town.aws(), town.home.scope());
    let contact = aws.contact_with(scope, "+971501234567", |_| {}).await;
    let path = format!("/api/v1/contacts/{}/consent", contact.id);
    (contact, path)
}

#[tokio::test]
async fn recorded_wish_is_state_ledger_and_proof() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (contact, path) = contact(&town).await;
    let opt_in = json!({
        "choice": "granted", "channel": "whatsapp", "category": "marketing", "party": "customer",
        "at": "2026-11-01T09:30:00Z", "evidence": "Form 1207",
        "wording": {"text": "I agree to offers by WhatsApp.", "version": "2026-11"},
    });
    let made = town.agent().post(&path, opt_in.clone()).await;
    made.is(200);
    for field in ["choice", "channel", "category", "party", "at", "evidence", "wording"] {
        assert_eq!(made.json()[field], opt_in[field], "{field}");
    }
    assert_eq!(made.json()["method"], "api");
    // Entries of one moment have no order.
    aws.pass(1);
    let refusal = json!({"choice": "refused", "channel": "sms"});
    town.agent().post(&path, refusal).await.is(200);
    let read = town.viewer().get(&path).await;
    let wishes = read.json()["wishes"].clone();
    assert_eq!(
        (&wishes[0]["choice"], &wishes[0]["channel"]),
        (&json!("refused"), &json!("sms"))
    );
    assert_eq!(
        (&wishes[1]["choice"], &wishes[1]["channel"]),
        (&json!("granted"), &json!("whatsapp"))
    );
    assert_eq!(read.json()["entries"][1], made.json());
    assert_eq!(read.json()["next_cursor"], Value::Null);
    let first = town.viewer().get(&format!("{path}?limit=1")).await;
    let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
    let second = town.viewer().get(&format!("{path}?limit=1&cursor={cursor}")).await;
    assert_eq!(second.json()["entries"], json!([made.json()]));
    let proof = town.viewer().get(&format!("{path}/proof")).await;
    proof.is(200);
    assert_eq!(proof.json()["contact_id"], contact.id.to_string());
    assert_eq!(proof.json()["phones"], json!(["+971501234567"]));
    assert_eq!(proof.json()["complete"], true);
    assert_eq!(proof.json()["entries"].as_array().unwrap().len(), 2);
}

/// It needs nothing but itself, and what people wrote is text.
#[tokio::test]
async fn proof_is_also_a_page_to_print() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (contact, path) = contact(&town).await;
    let opt_in = json!({
        "choice": "granted", "channel": "whatsapp", "category": "marketing", "party": "customer",
        "at": "2026-11-01T09:30:00Z", "evidence": "<script>alert(1)</script> & \"Form 1207\"",
        "wording": {"text": "أوافق على العروض", "version": "2026-11"},
    });
    town.agent().post(&path, opt_in).await.is(200);
    let page = town.viewer().get(&format!("{path}/proof/page")).await;
    page.is(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    for shown in [
        contact.id.to_string().as_str(),
        "+971501234567",
        "marketing by WhatsApp",
        "2026-11-01 09:30:00 UTC",
        "أوافق على العروض (version 2026-11)",
        "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;Form 1207&quot;",
        "These are all entries.",
    ] {
        assert!(page.text().contains(shown), "{shown}: {}", page.text());
    }
    assert!(!page.text().contains("<script"), "{}", page.text());
}

/// It is back if the person calls or writes. A refusal must not wait for that.
#[tokio::test]
async fn wish_of_a_deleted_contact_is_recorded() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (contact, path) = contact(&town).await;
    let place = format!("/api/v1/contacts/{}", contact.id);
    town.agent().delete(&place).await.is(204);
    town.agent().post(&path, json!({"choice": "refused"})).await.is(200);
    assert_eq!(town.viewer().get(&path).await.json()["wishes"][0]["choice"], "refused");
    let stored = aws.store().contact(town.home.scope(), contact.id).await.unwrap();
    let stored = stored.unwrap();
    assert!(stored.deleted_at.is_some() && stored.opted_out().is_some());
}

/// A refusal of the tenant stays, whatever the customer writes; one that the customer told it does not.
#[tokio::test]
async fn start_word_ends_only_the_customers_refusal() {
    for (party, stays) in [("customer", false), ("business", true)] {
        let aws = Aws::new().await;
        let town = town(&aws).await;
        let (contact, path) = contact(&town).await;
        let refusal = json!({"choice": "refused", "party": party});
        town.agent().post(&path, refusal).await.is(200);
        aws.pass(1);
        let at = aws.now();
        let start = |contact: &mut Contact| contact.wish(OptFlag::Start, "", at);
        let (store, entry) = (aws.store(), aws.ids().ulid());
        let changed = store.change_contact(town.home.scope(), contact.id, entry, start);
        assert!(changed.await.unwrap());
        let read = town.viewer().get(&path).await.json();
        let mut wishes = read["wishes"].as_array().unwrap().iter();
        assert_eq!(wishes.any(|wish| wish["choice"] == "refused"), stays, "{party}");
        town.viewer().get("/api/v1/contacts/nobody/consent").await.is(404);
    }
}

#[tokio::test]
async fn opt_in_needs_proof_and_a_time_in_the_past() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (_, path) = contact(&town).await;
    for (body, field) in [
        (json!({"choice": "granted"}), "evidence"),
        (json!({"choice": "lifted", "party": "customer"}), "evidence"),
        (json!({"choice": "refused", "at": "2999-01-01T00:00:00Z"}), "at"),
        (json!({"choice": "perhaps"}), "choice"),
        (json!({}), "choice"),
        (json!({"choice": "refused", "category": "service"}), "category"),
        (json!({"choice": "refused", "evidence": "x".repeat(501)}), "evidence"),
        (
            json!({"choice": "refused", "wording": {"text": "x".repeat(1_001), "version": "1"}}),
            "wording.text",
        ),
    ] {
        town.agent().post(&path, body).await.names_field(field);
    }
    town.agent().post(&path, json!({"choice": "lifted"})).await.is(200);
    town.viewer().post(&path, json!({"choice": "refused"})).await.is(403);
}

#[tokio::test]
async fn consent_belongs_to_its_tenant() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (_, path) = contact(&town).await;
    let foreign = town.foreign_admin();
    foreign.get(&path).await.is(404);
    foreign.get(&format!("{path}/proof")).await.is(404);
    foreign.get(&format!("{path}/proof/page")).await.is(404);
    foreign.post(&path, json!({"choice": "refused"})).await.is(404);
}

/// Numbers and addresses that are removed from a refusing contact are on the suppression list until it has them again.
#[tokio::test]
async fn removed_address_of_a_refusing_contact_comes_back() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let (number, email) = ("+971501234568", "maya@saffron.example");
    let body = json!({"name": "Maya", "phones": ["+971501234567", number], "emails": [email]});
    let made = agent.post("/api/v1/contacts", body).await;
    let place = made.is(201).header("location");
    let refusal = json!({"choice": "refused"});
    agent.post(&format!("{place}/consent"), refusal).await.is(200);
    agent.delete(&format!("{place}/phones/{number}")).await.is(204);
    agent.patch(place, json!({"emails": []})).await.is(200);
    let listed = async || {
        let page = aws.store().suppressions(town.home.scope(), None, 10).await.unwrap();
        let addresses = page.items.iter().map(|found| found.value.address.to_string());
        addresses.collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [email, number]);
    let entries = async || agent.get(&format!("{place}/consent")).await.json()["entries"].clone();
    let recorded = entries().await;
    let phones = format!("{place}/phones");
    agent.post(&phones, json!({"phone": number})).await.is(200);
    let back = agent.patch(place, json!({"emails": [email]})).await;
    assert_eq!(back.is(200).json()["emails"], json!([email]));
    assert_eq!(back.json()["phones"], json!(["+971501234567", number]));
    let found = agent.get("/api/v1/contacts?digits=234568").await.json();
    assert_eq!(
        found["items"][0]["id"],
        made.json()["id"],
        "it is listed by its last digits again"
    );
    assert_eq!(listed().await, [""; 0]);
    assert_eq!(entries().await, recorded);
}

#[tokio::test]
async fn next_owner_of_a_removed_address_refuses() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let (number, email) = ("+971501234568", "maya@saffron.example");
    let body = json!({"name": "Maya", "phones": [number], "emails": [email]});
    let place = &create_and_locate(&agent, body).await;
    let refusal = json!({"choice": "refused", "channel": "sms"});
    agent.post(&format!("{place}/consent"), refusal).await.is(200);
    aws.pass(60);
    agent.patch(place, json!({"phones": [], "emails": []})).await.is(200);
    for (search, owner) in [
        ("phone=%2B971501234568", json!({"phones": [number]})),
        ("email=maya@saffron.example", json!({"emails": [email]})),
    ] {
        let path = format!("/api/v1/contacts?{search}");
        assert_eq!(agent.get(&path).await.json()["items"], json!([]), "{search}");
        let made = agent.post("/api/v1/contacts", owner).await;
        let place = made.is(201).header("location");
        let consent = agent.get(&format!("{place}/consent")).await.json();
        assert_eq!(consent["wishes"][0]["choice"], "refused", "{search}");
        assert_eq!(consent["wishes"][0]["channel"], "sms", "{search}");
        assert_eq!(consent["entries"].as_array().map(Vec::len), Some(1), "{search}");
        assert_eq!(agent.get(&path).await.json()["items"][0]["id"], made.json()["id"]);
    }
    let left = aws.store().suppressions(town.home.scope(), None, 10).await;
    assert_eq!(left.unwrap().items, []);
}

/// The next owner wrote START from another number, after the STOP of this number's former owner, who still has the last word.
#[tokio::test]
async fn number_brings_its_stop_to_a_contact_that_wants_messages() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (agent, number) = (town.agent(), "+971501234568");
    let maya = create_and_locate(&agent, json!({"name": "Maya", "phones": [number]})).await;
    let (lea, _) = contact(&town).await;
    let lea = format!("/api/v1/contacts/{}", lea.id);
    let told = |choice: &str| json!({"choice": choice, "party": "customer", "evidence": "wrote it"});
    agent.post(&format!("{maya}/consent"), told("refused")).await.is(200);
    agent.delete(&format!("{maya}/phones/{number}")).await.is(204);
    aws.pass(60);
    for place in [&lea, &maya] {
        agent.post(&format!("{place}/consent"), told("granted")).await.is(200);
    }
    aws.pass(60);
    // Whoever said START for it since gets it back without the refusal.
    for (place, refuses) in [(&maya, false), (&lea, true)] {
        let changed = agent.post(&format!("{place}/phones"), json!({"phone": number})).await;
        assert_eq!(changed.is(200).json()["opted_out"].is_object(), refuses);
        if place == &maya {
            // It refuses again, and loses the number again.
            agent.post(&format!("{maya}/consent"), told("refused")).await.is(200);
            agent.delete(&format!("{maya}/phones/{number}")).await.is(204);
            aws.pass(60);
            agent.post(&format!("{lea}/consent"), told("granted")).await.is(200);
            aws.pass(60);
        }
    }
}

/// A report gave the contact one number more than it has room for. The row of that number still leads to the refusal.
#[tokio::test]
async fn number_without_room_finds_the_contact_that_refuses() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let (contact, path) = contact(&town).await;
    agent.post(&path, json!({"choice": "refused"})).await.is(200);
    let (store, scope) = (aws.store(), town.home.scope());
    let known = store.contact(scope, contact.id).await.unwrap().unwrap();
    let number = "+971501234568";
    let write = ContactWrite {
        dropped_identities: vec![Identity::Phone(number.parse().unwrap())],
        ..ContactWrite::from(known)
    };
    store.write_contact(scope, &write, None).await.unwrap();
    let taken = agent.post("/api/v1/contacts", json!({"phones": [number]})).await;
    taken.is_refused(409, "taken");
    let found = agent.get("/api/v1/contacts?phone=%2B971501234568").await.json();
    assert_eq!(found["items"][0]["id"], json!(contact.id));
    let other = agent.get("/api/v1/contacts?phone=%2B971501234568&name=lea").await;
    assert_eq!(other.json()["items"], json!([]));
}

/// A contact that is created with the number, and one that gets it later, even if that one wrote START since.
#[tokio::test]
async fn erased_person_who_wrote_stop_still_refuses() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (number, others) = ("+971501234567", ["+971501234568", "+971501234569"]);
    let mut erased = Contact::new(ContactId::new(aws.ids().ulid()), aws.now());
    erased.wish(OptFlag::Stop, "wrote STOP", aws.now());
    let known = [number, others[0], others[1]].map(|number| format!("phone:{number}"));
    let (store, salt) = (aws.store(), Salt::new([7; 32]));
    let remembered = store.remember_erased(town.home.scope(), &known, &erased.consent, salt, aws.now());
    remembered.await.unwrap();
    aws.pass(60);
    let agent = town.agent();
    let made = agent.post("/api/v1/contacts", json!({"phones": [number]})).await;
    let place = made.is(201).header("location");
    let source = &made.json()["opted_out"]["source"];
    assert_eq!(source, "before the data of this person was erased");
    let consent = agent.get(&format!("{place}/consent")).await.json();
    assert_eq!(consent["entries"].as_array().map(Vec::len), Some(1));
    assert_eq!(consent["entries"][0]["party"], "customer");
    for (other, starts) in others.into_iter().zip([false, true]) {
        let maya = agent.post("/api/v1/contacts", json!({"name": "Maya"})).await;
        assert_eq!(maya.is(201).json()["opted_out"], Value::Null);
        let place = maya.header("location");
        if starts {
            let start = json!({"choice": "granted", "party": "customer", "evidence": "wrote it"});
            agent.post(&format!("{place}/consent"), start).await.is(200);
        }
        let changed = agent.post(&format!("{place}/phones"), json!({"phone": other})).await;
        assert!(changed.is(200).json()["opted_out"].is_object(), "starts: {starts}");
    }
}
