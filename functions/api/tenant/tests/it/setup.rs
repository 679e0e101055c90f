//! The progress of the set-up: working steps are done, and the problems of the others are named.

use domain::automations::Findings;
use domain::messages::{CallView, Material, World};
use domain::people::{Contact, Identity, Profile};
use domain::templates::TemplateDefinition;
use domain::tenants::{Account, CheckResult, Checkup, Connection, Health, TenantConfig, aircall, twilio};
use domain::terms::{
    CallId, Category, Channel, ConnectionId, ContactId, OneLine, ProductId, RuleId, unknown_line_type,
};
use serde_json::{Value, json};
use store::TenantScope;
use store::tenants::Configured;
use testkit::api::Town;
use testkit::business::{CUSTOMER, against_sms_rules, business, missed_call_facts, read, send_as};
use testkit::seed::TWILIO_NUMBER;
use testkit::{Aws, Seeded};

use super::SETUP;

const RECEPTION: &str = "line_00000000000000000000000001";

/// A business whose set-up is complete: WhatsApp through Meta, SMS through Twilio, a telephone system; all tested.
async fn complete(aws: &Aws) -> Seeded {
    let mut business = business(aws).await;
    for connection in &mut business.configured.connections {
        connection.name = connection.account.kind().to_owned();
        connection.checkup = Some(checkup_of_result(aws, CheckResult::Passed));
    }
    business
}

fn checkup_of_result(aws: &Aws, result: CheckResult) -> Checkup {
    Checkup::new(result, "The provider was asked.", aws.now())
}

/// The state of a step, and its sentences.
fn step(body: &Value, id: &str) -> (String, String) {
    let steps = body["steps"].as_array().expect("there are steps");
    let step = steps.iter().find(|step| step["id"] == id).expect("there is this step");
    let state = step["state"].as_str().unwrap_or_default().to_owned();
    (state, step["missing"].to_string())
}

/// The codes of a step's gaps, which are its sentences in another form.
fn gaps(body: &Value, id: &str) -> Vec<String> {
    let steps = body["steps"].as_array().expect("there are steps");
    let step = steps.iter().find(|step| step["id"] == id).expect("there is this step");
    let gaps = step["gaps"].as_array().expect("there are gaps");
    let sentences: Vec<&Value> = gaps.iter().map(|gap| &gap["detail"]).collect();
    assert_eq!(json!(sentences), step["missing"]);
    let codes = gaps.iter().map(|gap| gap["code"].as_str().expect("a code").to_owned());
    codes.collect()
}

/// Writes the business over the town's own, and returns the progress of its set-up.
async fn setup_of(town: &Town<'_>, configured: &Configured) -> Value {
    let mut configured = configured.clone();
    configured.tenant.id = town.home.tenant;
    let written = town.aws().store().write_config(town.home.scope(), &configured).await;
    written.expect("the configuration is written");
    let answer = town.viewer().get(SETUP).await;
    answer.is(200).json()
}

#[tokio::test]
async fn what_keeps_a_step_from_being_done_is_said() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let whole = complete(&aws).await;
    let body = setup_of(&town, &whole.configured).await;
    assert_eq!(body["ready"], true, "{body}");

    // What breaks it, the step that says so, its code, and a word of what it says.
    type Change<'a> = Box<dyn Fn(&mut Configured) + 'a>;
    let connection = |kind: &'static str, change: fn(&Aws, &mut Connection)| -> Change<'_> {
        let aws = &aws;
        Box::new(move |configured| {
            let mut all = configured.connections.iter_mut();
            change(aws, all.find(|one| one.account.kind() == kind).expect("there is one"));
        })
    };
    let unhealthy: fn(&Aws, &mut Connection) = |aws, connection| {
        connection.health = Health::Unhealthy {
            since: aws.now(),
            reason: "the access token has expired".to_owned(),
            tried_at: aws.now(),
        };
    };
    let cases: Vec<(Change<'_>, &str, &str, &str)> = vec![
        (
            connection("whatsapp", unhealthy),
            "whatsapp",
            "connection_broken",
            "the access token has expired",
        ),
        (
            // Calls from another one still arrive.
            connection("twilio", unhealthy),
            "telephone_line",
            "connection_broken",
            "the access token has expired",
        ),
        (
            connection("whatsapp", |aws, one| {
                one.checkup = Some(checkup_of_result(aws, CheckResult::Failed))
            }),
            "whatsapp",
            "test_failed",
            "failed",
        ),
        (
            connection("whatsapp", |aws, one| {
                one.checkup = Some(checkup_of_result(aws, CheckResult::Unclear))
            }),
            "whatsapp",
            "test_unclear",
            "did not answer",
        ),
        (
            connection("whatsapp", |_, one| one.checkup = None),
            "whatsapp",
            "not_tested",
            "has not been tested",
        ),
        (
            // The only telephone line left, made before its webhook.
            Box::new(|configured: &mut Configured| {
                configured.rules[0].then.channels = vec![Channel::WhatsApp].into();
                configured.connections.retain(|one| one.account.kind() != "twilio");
                let line = configured
                    .connections
                    .iter_mut()
                    .find(|one| one.account.kind() == "telephony");
                let line = line.expect("there is one");
                line.account = Account::Aircall(aircall::Account { numbers: Vec::new() });
                line.awaits_secret = true;
                line.checkup = Some(checkup_of_result(&aws, CheckResult::Waiting));
            }),
            "telephone_line",
            "no_webhook_secret",
            "so no report is accepted",
        ),
        (
            Box::new(|configured: &mut Configured| configured.templates[0].status.0 = "PAUSED".to_owned()),
            "template",
            "none_approved",
            "No template is approved",
        ),
        (
            // Another one is approved.
            Box::new(|configured: &mut Configured| {
                let mut other = configured.templates[0].clone();
                other.name = "another".to_owned();
                configured.templates[0].status.0 = "PAUSED".to_owned();
                configured.templates.push(other);
            }),
            "template",
            "rule_obstacle",
            "is PAUSED",
        ),
        (
            // WhatsApp by Twilio alone, which knows templates by an id of its own.
            Box::new(|configured: &mut Configured| {
                configured.templates[0].content_sid = None;
                configured.connections.retain(|one| one.account.kind() != "whatsapp");
                for one in &mut configured.connections {
                    if let Account::Twilio(account) = &mut one.account {
                        account.whatsapp_sender = TWILIO_NUMBER.parse().ok();
                    }
                }
            }),
            "template",
            "rule_obstacle",
            "has no content_sid",
        ),
        (
            Box::new(|configured: &mut Configured| {
                configured.rules[0].when.lines = vec![RECEPTION.parse().expect("an id")].into();
            }),
            "rule",
            "rule_invalid",
            "There is no line",
        ),
        (
            Box::new(|configured: &mut Configured| {
                let line = json!({
                    "id": RECEPTION, "name": "Reception",
                    "whatsapp": "conn_00000000000000000000000009",
                });
                configured.lines = vec![read(line)];
            }),
            "telephone_line",
            "line_problem",
            "Reception: whatsapp: No connection",
        ),
        (
            // The number was removed from the only connection that reports calls.
            Box::new(|configured: &mut Configured| {
                configured.connections.retain(|one| one.account.kind() != "telephony");
                let line = json!({"id": RECEPTION, "name": "Reception", "number": "+15005550099"});
                configured.lines = vec![read(line)];
            }),
            "telephone_line",
            "line_problem",
            "Reception: number: No connection has the number",
        ),
        (
            Box::new(|configured: &mut Configured| configured.rules[0].then.sms_text = None),
            "rule",
            "rule_invalid",
            "SMS needs a text",
        ),
        (
            Box::new(|configured: &mut Configured| {
                configured.rules[0].then.sms_text = Some(read(json!("Look at {{tenant.website}}")));
            }),
            "rule",
            "rule_obstacle",
            "nothing is known for tenant.website",
        ),
    ];
    for (change, id, code, word) in cases {
        let mut configured = whole.configured.clone();
        change(&mut configured);
        let body = setup_of(&town, &configured).await;
        let (state, missing) = step(&body, id);
        assert_eq!(
            (body["ready"].clone(), state.as_str()),
            (json!(false), "attention"),
            "{word}: {body}"
        );
        assert!(missing.contains(word), "{word}: {missing}");
        assert_eq!(gaps(&body, id), [code], "{word}: {body}");
        let rule = &configured.rules[0].name;
        assert!(
            missing.matches(rule.as_str()).count() <= 1,
            "a rule is named once: {missing}"
        );
    }
}

/// The templates of every rule are examined, however many there are.
#[tokio::test]
async fn rule_of_the_country_keeps_the_step_open_only_if_it_refuses() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let mut configured = complete(&aws).await.configured;
    for connection in &mut configured.connections {
        if let Account::Twilio(twilio) = &mut connection.account {
            twilio.confirmed_rules = read(json!([]));
        }
    }
    for (region, state) in [("TR", "done"), ("AE", "attention"), ("IN", "attention")] {
        configured.tenant.default_region = Some(region.to_owned());
        let body = setup_of(&town, &configured).await;
        assert_eq!(step(&body, "rule").0, state, "{region}: {body}");
        let (by, number) = match region {
            "AE" => ("number", json!("7726")),
            "TR" => ("elsewhere", Value::Null),
            _ => ("reply", Value::Null),
        };
        assert_eq!(body["sms_opt_out"], json!({"by": by, "number": number}));
    }
}

/// Others are told where texts are written.
#[tokio::test]
async fn each_kind_of_rule_that_refuses_keeps_the_step_open() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let whole = complete(&aws).await.configured;
    for against in against_sms_rules() {
        let mut configured = whole.clone();
        send_as(&mut configured, &against);
        configured.tenant.default_region = read(against["country"].clone());
        let then = &mut configured.rules[0].then;
        (then.channels, then.template) = (vec![Channel::Sms].into(), None);
        then.category = read(against["category"].clone());
        then.sms_text = read(against["text"].clone());
        let body = setup_of(&town, &configured).await;
        let refused = against["applies"] == "refuse";
        let expected: &[&str] = if refused { &["rule_obstacle"] } else { &[] };
        assert_eq!(gaps(&body, "rule"), expected, "{against}");
        let missing = step(&body, "rule").1;
        assert_eq!(
            missing.contains(against["sentence"].as_str().expect("one")),
            refused,
            "{missing}"
        );
    }
}

/// Its sender may have the mark of promotion, and letters get no replies.
#[tokio::test]
async fn sender_of_sms_is_looked_at() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let with = |configured: &Configured, change: fn(&mut twilio::Account)| {
        let mut configured = configured.clone();
        for connection in &mut configured.connections {
            if let Account::Twilio(twilio) = &mut connection.account {
                change(twilio);
            }
        }
        configured
    };
    let mut configured = complete(&aws).await.configured;
    let then = &mut configured.rules[0].then;
    then.category = Category::Marketing;
    then.channels = vec![Channel::Sms].into();
    then.template = None;
    let by_service = with(&configured, |twilio| {
        twilio.messaging_service_sid = Some("MG00000000000000000000000000000001".to_owned());
        twilio.confirmed_rules = read(json!([]));
    });
    let body = setup_of(&town, &by_service).await;
    assert_eq!(gaps(&body, "rule"), [""; 0], "{body}");
    configured.tenant.default_region = Some("GB".to_owned());
    let by_letters = with(&configured, |twilio| {
        twilio.letters = read(json!([{"country": "GB", "sender": "SAFFRON"}]));
    });
    for (configured, by) in [(configured, "reply"), (by_letters, "elsewhere")] {
        let body = setup_of(&town, &configured).await;
        assert_eq!(body["sms_opt_out"]["by"], by);
    }
}

#[tokio::test]
async fn templates_and_products_of_all_rules_are_found() {
    const RULES: usize = 130;
    const WITH_PRODUCT: usize = 30;
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let mut configured = complete(&aws).await.configured;
    let (rule, template) = (configured.rules.remove(0), configured.templates.remove(0));
    for number in 0..RULES {
        let name = format!("template_{number:03}");
        let mut rule = rule.clone();
        rule.id = RuleId::new(aws.ids().ulid());
        rule.then.template.as_mut().expect("it has one").name = OneLine::from_stored(&name);
        if number < WITH_PRODUCT {
            let text = format!("Look at {{{{product.sku-{number}.name}}}}");
            rule.then.sms_text = Some(read(json!(text)));
            let id = ProductId::new(aws.ids().ulid());
            let product = json!({"id": id, "name": "Cake", "sku": format!("sku-{number}")});
            configured.products.push(read(product));
        }
        configured.rules.push(rule);
        configured.templates.push(TemplateDefinition {
            name,
            ..template.clone()
        });
    }
    let body = setup_of(&town, &configured).await;
    assert_eq!(body["ready"], true, "{body}");

    configured.templates[RULES - 1].status.0 = "PAUSED".to_owned();
    let body = setup_of(&town, &configured).await;
    let (state, missing) = step(&body, "template");
    let steps = body["steps"].as_array().expect("there are steps");
    let gap = steps
        .iter()
        .find_map(|step| step["gaps"].get(0).filter(|_| step["id"] == "template"));
    let facts = &gap.expect("there is a gap")["facts"];
    assert_eq!(
        (
            &facts["whatsapp_problem"],
            &facts["whatsapp_template"],
            &facts["whatsapp_status"]
        ),
        (
            &json!("template_not_approved"),
            &json!("template_129"),
            &json!("PAUSED")
        )
    );
    assert_eq!(state, "attention");
    assert!(
        missing.contains("template_129") && missing.contains("is PAUSED"),
        "{missing}"
    );
}

/// The message that follows a missed call reported by this connection.
async fn follows(
    aws: &Aws,
    scope: &TenantScope,
    config: &TenantConfig,
    reported_by: &Connection,
    language: Option<&str>,
) -> bool {
    let facts = missed_call_facts(CUSTOMER);
    let customer = CUSTOMER.parse().expect("it is a number");
    let id = ContactId::new(aws.ids().ulid());
    let mut contact = Contact::first_seen(id, &Identity::Phone(customer), aws.now());
    contact.language = language.map(str::to_owned);
    let call = CallView {
        id: CallId::new(id, aws.ids().ulid()),
        connection: reported_by.id,
        facts: &facts,
        outcome: domain::telephony::Outcome::Missed,
        started_at: aws.now(),
    };
    let world = World {
        config,
        material: Material::NONE,
        contact: &contact,
        profile: &Profile::default(),
        open: &[],
        now: aws.now(),
        line_type: &unknown_line_type,
    };
    let needs = Findings::of(&call, &world).needs(&world);
    let material = aws.store().material(scope, &needs, &store::Along::default()).await;
    let material = &material.expect("the table answers");
    let world = World { material, ..world };
    let decision = Findings::of(&call, &world).decide(&world);
    decision.follow_up.is_ok()
}

#[tokio::test]
async fn who_is_ready_follows_up_every_missed_call() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let whole = complete(&aws).await;
    let (mut ready, mut all) = (0, 0);
    for place in 0..64_u32 {
        let bit = |at: u32| place & (1 << at) != 0;
        let mut configured = whole.configured.clone();
        for one in &mut configured.connections {
            if let Account::Twilio(account) = &mut one.account {
                account.whatsapp_sender = if bit(0) { TWILIO_NUMBER.parse().ok() } else { None };
            }
        }
        if bit(1) {
            configured.connections.retain(|one| one.account.kind() != "whatsapp");
        }
        let mut arabic = configured.templates[0].clone();
        arabic.language = "ar".to_owned();
        arabic.content_sid = bit(2).then(|| "HX00000000000000000000000000000001".to_owned());
        configured.templates.push(arabic);
        configured.templates[0].content_sid = bit(3).then(|| "HX00000000000000000000000000000002".to_owned());
        if bit(4) {
            configured.rules[0].then.channels = vec![Channel::WhatsApp].into();
        }
        let template = configured.rules[0].then.template.as_mut().expect("it has one");
        template.by_contact_language = bit(5);
        let body = setup_of(&town, &configured).await;
        all += 1;
        if body["ready"] != true {
            continue;
        }
        ready += 1;
        let config = super::config(&town).await;
        for reported_by in configured
            .connections
            .iter()
            .filter(|one| one.account.kind() != "whatsapp")
        {
            for language in [None, Some("ar"), Some("fr")] {
                assert!(
                    follows(&aws, town.home.scope(), &config, reported_by, language).await,
                    "{} {language:?}: {body}",
                    reported_by.name
                );
            }
        }
    }
    assert!(ready > 8 && ready < all, "{ready} of {all}");
}

/// Unless the connection has the number by now, takes all calls, or is gone, or the call was more than a day ago.
#[tokio::test]
async fn called_numbers_that_a_connection_lacks_are_listed() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let mut whole = complete(&aws).await;
    let line = json!({"id": RECEPTION, "name": "Reception", "number": "+15005550098"});
    whole.configured.lines = vec![read(line)];
    let gone = ConnectionId::new(aws.ids().ulid());
    let mut at = Vec::new();
    for (minutes, connection, number) in [
        (0, whole.twilio, "+15005550097"),
        (60, whole.twilio, "+15005550098"),
        (1, whole.twilio, "+15005550099"),
        (1, whole.twilio, TWILIO_NUMBER),
        (1, whole.telephony, "+15005550099"),
        (1, gone, "+15005550099"),
    ] {
        aws.pass(minutes * 60);
        at.push(aws.now());
        let (store, number) = (aws.store(), number.parse().expect("a number"));
        let noted = store.note_unknown_number(town.home.scope(), connection, &number, aws.now());
        noted.await.expect("it is noted");
    }
    aws.pass(23 * 3600);
    let unknown = setup_of(&town, &whole.configured).await["unknown_numbers"].clone();
    let shown = |place: usize, number: &str, line: Option<&str>| {
        json!({
            "number": number, "at": at[place], "connection_id": whole.twilio, "connection_name": "twilio", "line_id": line,
        })
    };
    let expected = [
        shown(2, "+15005550099", None),
        shown(1, "+15005550098", Some(RECEPTION)),
    ];
    assert_eq!(unknown, json!(expected));
}
