use jobs::Mail;
use serde_json::json;
use testkit::{Answer, Call, Lossy};

use super::world::{PASSWORD, World, confirm, log_in, sign_up, sign_up_body, text, token_of};

#[tokio::test]
async fn a_sign_up_becomes_a_tenant_by_its_link_once() {
    let world = World::new().await;
    world.call(&sign_up("saffron", "Maya@Saffron.example")).await.is(202);
    // Nothing exists before the link is followed.
    world.call(&log_in("maya@saffron.example", PASSWORD)).await.is(401);
    let mailed = world.only_mail().await;
    assert_eq!(mailed.to, "maya@saffron.example");
    let Mail::VerifyEmail { link, business } = mailed.mail else {
        panic!("another mail");
    };
    assert_eq!(business, "Saffron Bakery");
    let url = link.url().expect("the link is open");
    let token = url
        .strip_prefix("https://app.example/verify-email?token=")
        .expect("a link to the app");
    let verify = confirm(token, PASSWORD);
    let answer = world.call(&verify).await;
    let body = answer.is(201).json();
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(900))
    );
    assert_eq!(body["user"]["email"], "maya@saffron.example");
    let place = &body["tenants"][0];
    assert_eq!(
        (&place["name"], &place["slug"], &place["role"]),
        (&json!("Saffron Bakery"), &json!("saffron"), &json!("admin"))
    );
    let me = world.get_as(&text(&body["access_token"]), "/api/v1/me").await;
    assert_eq!(me.is(200).json()["tenants"], body["tenants"]);
    world.call(&verify).await.is_refused(404, "link_not_valid");
    world.log_in("maya@saffron.example").await;
    let scope = world.aws.scope(text(&place["id"]).parse().expect("an id"));
    let tenant = world.aws.store().tenant(&scope).await.expect("the table answers");
    let tenant = tenant.expect("there is a tenant");
    assert_eq!((tenant.time_zone.name(), tenant.config_version), ("Asia/Dubai", 1));
}

/// As it is unless somebody opens it. A link that was mailed before does not work either. Existing accounts still log in.
#[tokio::test]
async fn nobody_signs_up_where_it_is_closed() {
    let world = World::new().await;
    let maya = world.newcomer("palm").await;
    world.call(&sign_up("saffron", "tom@saffron.example")).await.is(202);
    let token = world.link().await;
    for unless_open in ["closed", ""] {
        let closed = world.start_process(&[("SIGN_UP", unless_open)]);
        for call in [sign_up("oasis", "lea@oasis.example"), confirm(&token, PASSWORD)] {
            closed.call(&call).await.is_refused(403, "sign_up_closed");
        }
        assert_eq!(world.mails().await, []);
        closed.call(&log_in(&maya.email, PASSWORD)).await.is(200);
    }
}

#[tokio::test]
async fn concurrent_confirmations_create_one_tenant() {
    let world = World::new().await;
    world.call(&sign_up("saffron", "maya@saffron.example")).await;
    let verify = confirm(&world.link().await, PASSWORD);
    let statuses = world.statuses(vec![verify; 20]).await;
    assert_eq!(statuses, [(201, 1), (404, 19)].into());
}

#[tokio::test]
async fn sign_up_link_requires_the_password() {
    let world = World::new().await;
    let email = "maya@saffron.example";
    world.call(&sign_up("saffron", email)).await;
    let token = world.link().await;
    let bare = world.post("/api/v1/auth/verify-email", json!({"token": token})).await;
    bare.names_only(&["password"]);
    let wrong = confirm(&token, "not her password");
    let refused = world.call(&wrong).await;
    refused.is_refused(401, "wrong_credentials");
    let unknown = world.call(&log_in(email, "not her password")).await;
    assert_eq!(refused.text(), unknown.text(), "as a log-in");
    // Two tries were made, and it is the link's turn of fifty an hour from one address.
    let mut tried = 2;
    for _minute in 0..3 {
        world.aws.pass(60);
        tried += world.count(401, vec![wrong.clone(); 29]).await;
    }
    assert_eq!(tried, 50);
    let right = confirm(&token, PASSWORD);
    world.call(&right).await.is(429);
    // None of them used the link up.
    world.call(&right.from_address("10.5.0.1")).await.is(201);
}

/// Another transaction conflicts with the confirmation.
#[tokio::test]
async fn lost_race_leaves_the_link_valid_and_is_retried() {
    let world = World::new().await;
    world.call(&sign_up("saffron", "maya@saffron.example")).await;
    let token = world.link().await;
    let lossy = Lossy::before(&world.aws);
    lossy.be_in_the_way_of("TransactWriteItems");
    let function = world.start_process(&[("AWS_ENDPOINT_URL", lossy.url())]);
    let answer = function.call(&confirm(&token, PASSWORD)).await;
    assert!(lossy.has_lost_all());
    answer.is(201);
}

/// After losing the mail, a person signs up again; the previous link stops working.
#[tokio::test]
async fn repeated_sign_up_replaces_the_link() {
    let world = World::new().await;
    let email = "maya@saffron.example";
    world.call(&sign_up("saffron", email)).await;
    let lost = world.link().await;
    let mut again = sign_up_body("saffron", email);
    again["password"] = json!("nine loud umbrellas");
    world.post("/api/v1/auth/sign-up", again).await.is(202);
    let token = world.link().await;
    // The name stays hers.
    is_taken(&world.call(&sign_up("saffron", "tom@saffron.example")).await);
    for password in [PASSWORD, "nine loud umbrellas"] {
        let over = world.call(&confirm(&lost, password)).await;
        over.is_refused(404, "link_not_valid");
    }
    let old = world.call(&confirm(&token, PASSWORD)).await;
    old.is_refused(401, "wrong_credentials");
    world.call(&confirm(&token, "nine loud umbrellas")).await.is(201);
    // A tenant has it.
    is_taken(&world.call(&sign_up("saffron", email)).await);
}

/// Flooding an address neither ends the link that its owner waits for nor reserves names.
#[tokio::test]
async fn sign_up_without_mail_reserves_no_name() {
    let world = World::with_high_limits().await;
    let email = "maya@saffron.example";
    world.call(&sign_up("saffron", email)).await;
    let link = world.link().await;
    for slug in ["a-bakery", "b-bakery", "c-bakery", "d-bakery"] {
        world.call(&sign_up(slug, email)).await.is(202);
    }
    assert_eq!(world.mails().await.len(), 4);
    for slug in ["saffron", "e-bakery"] {
        world.call(&sign_up(slug, email)).await.is(202);
    }
    assert!(world.mails().await.is_empty());
    // A name that somebody else has is refused as ever.
    world.newcomer("harbour").await;
    let taken = world.call(&sign_up("harbour", email)).await;
    taken.is_refused(409, "slug_taken");
    world.newcomer("e-bakery").await;
    world.call(&confirm(&link, PASSWORD)).await.is(201);
}

#[tokio::test]
async fn refused_sign_up_does_not_count_as_mail() {
    let world = World::with_high_limits().await;
    world.newcomer("harbour").await;
    let email = "maya@saffron.example";
    for _ in 0..6 {
        is_taken(&world.call(&sign_up("harbour", email)).await);
    }
    world.call(&sign_up("saffron", email)).await.is(202);
    world.link().await;
}

#[tokio::test]
async fn all_plus_addresses_of_a_mailbox_share_five_mails() {
    let world = World::with_high_limits().await;
    for n in 0..7 {
        let asked = sign_up(&format!("bakery-{n}"), &format!("maya+{n}@saffron.example"));
        world.call(&asked).await.is(202);
    }
    assert_eq!(world.mails().await.len(), 5);
    world.call(&sign_up("other", "may@saffron.example")).await;
    assert_eq!(world.mails().await.len(), 1);
}

/// However many addresses somebody has.
#[tokio::test]
async fn everybody_together_signs_up_a_hundred_times_an_hour() {
    let world = World::new().await;
    let one = |n: u32| {
        let call = sign_up(&format!("bakery-{n}"), &format!("maya@bakery-{n}.example"));
        call.from_address(&format!("10.9.{n}.1"))
    };
    let statuses = world.statuses((0..101).map(one)).await;
    assert_eq!(statuses, [(202, 100), (429, 1)].into());
    world.call(&one(101)).await.is(429);
    world.aws.pass(3600);
    world.call(&one(101)).await.is(202);
}

#[tokio::test]
async fn concurrent_sign_ups_of_an_address_leave_one_link() {
    let world = World::new().await;
    let calls = vec![sign_up("saffron", "maya@saffron.example"); 5];
    assert_eq!(world.statuses(calls).await, [(202, 5)].into());
    let mails = world.mails().await.into_iter();
    let links = mails.map(|mail| confirm(&token_of(&mail), PASSWORD));
    assert_eq!(world.statuses(links).await, [(201, 1), (404, 4)].into());
}

#[tokio::test]
async fn sign_up_link_and_name_expire_after_a_day() {
    let world = World::new().await;
    world.call(&sign_up("saffron", "maya@saffron.example")).await;
    let token = world.link().await;
    world.aws.pass(24 * 3600 - 1);
    let other = sign_up("saffron", "tom@saffron.example");
    is_taken(&world.call(&other).await);
    world.aws.pass(1);
    let answer = world.call(&confirm(&token, PASSWORD)).await;
    answer.is_refused(404, "link_not_valid");
    world.call(&other).await.is(202);
}

#[track_caller]
fn is_taken(answer: &Answer) {
    assert_eq!(answer.is_refused(409, "slug_taken").fields(), ["slug"]);
}

#[tokio::test]
async fn one_of_a_hundred_sign_ups_of_a_name_wins() {
    let world = World::with_high_limits().await;
    let one = |n: u32| sign_up("saffron", &format!("maya{n}@saffron.example"));
    let answers = world.all((0..100).map(one)).await;
    let lost = answers.iter().filter(|answer| answer.status() != 202);
    assert_eq!(lost.inspect(|answer| is_taken(answer)).count(), 99);
    assert_eq!(world.mails().await.len(), 1);
}

#[tokio::test]
async fn a_sign_up_does_not_tell_whether_the_address_has_an_account() {
    let (world, maya) = World::with_newcomer().await;
    let known = world.call(&sign_up("second", &maya.email)).await;
    let unknown = world.call(&sign_up("third", "tom@saffron.example")).await;
    assert_eq!(known.is(202).text(), unknown.text());
    assert_eq!(headers(&known), headers(&unknown));
    let mails = world.mails().await;
    let mail_of = |to: &str| mails.iter().find(|mail| mail.to == to).map(|mail| mail.mail.clone());
    assert!(matches!(
        mail_of(&maya.email),
        Some(Mail::AccountExists { log_in_link, .. }) if log_in_link.url() == Some("https://app.example/log-in")
    ));
    assert!(matches!(mail_of("tom@saffron.example"), Some(Mail::VerifyEmail { .. })));
    // Who asks again is told no more, either.
    let known = world.call(&sign_up("second", &maya.email)).await;
    let unknown = world.call(&sign_up("third", "tom@saffron.example")).await;
    assert_eq!(known.is(202).text(), unknown.text());
    assert_eq!(headers(&known), headers(&unknown));
    // Both names are held, and who asks for one with a known address learns no more than others.
    for (slug, email) in [("second", "ann@saffron.example"), ("third", maya.email.as_str())] {
        is_taken(&world.call(&sign_up(slug, email)).await);
    }
}

fn headers(answer: &Answer) -> Vec<String> {
    let names = [
        "content-type",
        "content-length",
        "cache-control",
        "set-cookie",
        "retry-after",
    ];
    names.iter().map(|name| answer.header(name).to_owned()).collect()
}

/// An address that got an account since the sign-up cannot create a second one.
#[tokio::test]
async fn address_with_new_account_cannot_confirm_sign_up() {
    let world = World::new().await;
    let email = "maya@saffron.example";
    world.call(&sign_up("saffron", email)).await;
    let first = world.link().await;
    world.call(&sign_up("saffron-2", email)).await;
    let second = world.link().await;
    let verify = async |token: String| world.call(&confirm(&token, PASSWORD)).await;
    verify(first).await.is(201);
    verify(second).await.is_refused(409, "account_exists");
}

#[tokio::test]
async fn bad_input_is_refused_by_its_field_and_leaves_nothing() {
    let world = World::new().await;
    let rows = world.aws.row_count().await;
    let body = || sign_up_body("saffron", "maya@saffron.example");
    let long = "a".repeat(101);
    for (field, value) in [
        // Cyrillic а, fullwidth s, a zero-width joiner, an accent.
        ("slug", json!("s\u{430}ffron")),
        ("slug", json!("\u{ff53}affron")),
        ("slug", json!("saf\u{200d}fron")),
        ("slug", json!("saffr\u{f6}n")),
        ("slug", json!("Saffron")),
        ("slug", json!("sa")),
        ("slug", json!("platform")),
        ("slug", json!(7)),
        ("email", json!("maya")),
        ("email", json!("m\u{430}ya@saffron.example")),
        ("business", json!(" ")),
        ("business", json!("a\nb")),
        // What turns the direction of writing, has no width, or is not seen.
        ("business", json!("Saffron\u{202e}yrekaB")),
        ("name", json!("Ma\u{200b}ya")),
        ("name", json!("Maya\u{feff}")),
        ("name", json!("\u{2066}Maya\u{2069}")),
        ("name", json!("\u{3164}")),
        ("name", json!(long)),
        ("time_zone", json!("Asia/Atlantis")),
        ("language", json!("English")),
        // Of a form that settings refuse.
        ("language", json!("zh-yue")),
        ("password", json!("short")),
        ("password", json!("password123456")),
        ("password", json!("maya@saffron.example")),
        ("password", json!(null)),
        ("plan", json!("all")),
    ] {
        let mut body = body();
        body[field] = value.clone();
        let answer = world.post("/api/v1/auth/sign-up", body).await;
        // Weak passwords count as tries.
        world.aws.pass(3600);
        let said = answer.names_only(&[field]).text();
        assert!(
            !value.as_str().is_some_and(|sent| sent.len() > 5 && said.contains(sent)),
            "{said}"
        );
    }
    for field in ["slug", "email", "business", "name", "password", "time_zone"] {
        let mut body = body();
        body.as_object_mut().expect("an object").remove(field);
        world.post("/api/v1/auth/sign-up", body).await.names_only(&[field]);
    }
    let path = "/api/v1/auth/sign-up";
    for (call, status) in [
        (Call::json(path, "{"), 400),
        (Call::json(path, vec![b' '; 1024 * 1024 + 1]), 413),
        (Call::form(path, "slug=saffron"), 415),
    ] {
        world.call(&call).await.is(status);
    }
    assert!(world.mails().await.is_empty());
    let table = world.table().await;
    assert!(!table.contains("SLUG#") && !table.contains("TOKEN#"), "{table}");
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn name_is_released_if_the_mail_fails() {
    let world = World::new().await;
    let nowhere = world.start_process(&[("MAILS_QUEUE_URL", "http://127.0.0.1:9/000000000000/none")]);
    let call = sign_up("saffron", "maya@saffron.example");
    nowhere.call(&call).await.is(503);
    world.call(&call).await.is(202);
}

#[tokio::test]
async fn sign_ups_are_limited_by_address_and_by_account() {
    let world = World::new().await;
    let from_one = |n: u32| sign_up(&format!("saffron-{n}"), &format!("maya{n}@saffron.example"));
    let answers = world.all((0..14).map(from_one)).await;
    let (sent, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() == 202);
    assert_eq!((sent.len(), refused.len()), (10, 4));
    for answer in refused {
        assert_eq!(answer.is(429).header("retry-after"), "3600");
    }
    let to_one = |n: u32| sign_up(&format!("bakery-{n}"), "tom@saffron.example").from_address(&format!("10.0.0.{n}"));
    let statuses = world.statuses((0..8).map(to_one)).await;
    assert_eq!(statuses, [(202, 5), (429, 3)].into());
    world.aws.pass(3600);
    world.call(&from_one(77)).await.is(202);
}
