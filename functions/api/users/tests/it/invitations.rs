use access::token::{Claims, link_token, sha256_hex};
use domain::accounts::{Account, Grant, Invitation, Member};
use domain::tenants::TenantStatus;
use domain::terms::{Actor, Email, InvitationId, TenantId};
use futures::future::join_all;
use jiff::SignedDuration;
use jobs::Mail;
use serde_json::{Value, json};
use testkit::api::{PASSWORD, sign};
use testkit::{Answer, Call, Function};

use super::*;

const INVITATIONS: &str = "/api/v1/users/invitations";
const ACCEPT: &str = "/api/v1/users/invitations/accept";
const SHOW: &str = "/api/v1/users/invitations/show";
const NEW: &str = "sami@elsewhere.example";

/// The token in the only mail that waits.
async fn token(aws: &Aws) -> String {
    let mails = aws.take_mails().await;
    assert_eq!(mails.len(), 1);
    let Mail::Invitation { link, .. } = &mails[0].mail else {
        panic!("{:?}", mails[0]);
    };
    let url = link.url().expect("a link that is open");
    url.split_once("?token=").expect("a link with a token").1.to_owned()
}

async fn invite(town: &Town<'_>, email: &str, role: &str) -> Value {
    let invitation = json!({"email": email, "role": role});
    let invited = town.admin().post(INVITATIONS, invitation).await;
    invited.is(201).json()
}

/// Invites somebody. Returns the token in their mail.
async fn token_for(town: &Town<'_>, email: &str, role: &str) -> String {
    invite(town, email, role).await;
    token(town.aws()).await
}

/// The path of an invitation.
fn path_of(invited: &Value) -> String {
    format!("{INVITATIONS}/{}", invited["id"].as_str().expect("an id"))
}

/// Follows the link with this token, as somebody without an account.
async fn accept(town: &Town<'_>, token: &str) -> Answer {
    town.anyone().post(ACCEPT, newcomer(token)).await
}

fn newcomer(token: &str) -> Value {
    json!({"token": token, "name": "Sami Nasser", "password": "seven quiet lanterns"})
}

fn invitation(aws: &Aws, email: &str, hours: i64) -> Invitation {
    let id = InvitationId::new(aws.ids().ulid());
    Invitation {
        id,
        email: email.parse().expect("an address"),
        name: None,
        language: None,
        role: Role::Viewer,
        invited_by: Actor::Operator,
        created_at: aws.now(),
        expires_at: aws.now() + SignedDuration::from_hours(hours),
        token_sha256: sha256_hex(&id.to_string()),
    }
}

/// Invites an administrator in somebody's name, without a mail. Returns the token.
async fn invite_admin(town: &Town<'_>, by: Actor, email: &str) -> String {
    let aws = town.aws();
    let invitation = Invitation {
        role: Role::Admin,
        invited_by: by,
        ..invitation(aws, email, 1)
    };
    let store = aws.store();
    let invited = store.invite(town.home.scope(), &invitation, &aws.stamp()).await;
    invited.expect("the invitation is written");
    invitation.id.to_string()
}

#[tokio::test]
async fn who_is_invited_gets_a_mail_and_a_place_by_its_link() {
    let aws = Aws::new().await;
    let env = aws.env_with(&[("APP_URL", "https://app.example")]);
    let town = Town::with_env(&aws, &env, users::routes).await;
    let invitation = json!({"email": NEW, "role": "agent", "name": "Sami", "language": "ar"});
    let invited = town.admin().post(INVITATIONS, invitation).await;
    let body = invited.is(201).json();
    assert_eq!((&body["name"], &body["language"]), (&json!("Sami"), &json!("ar")));
    assert_eq!(invited.header("location"), path_of(&body));
    assert_eq!((&body["email"], &body["role"]), (&json!(NEW), &json!("agent")));
    let sent = aws.take_mails().await;
    assert_eq!(
        (sent.len(), sent[0].to.as_str(), sent[0].tenant),
        (1, NEW, Some(town.home.tenant))
    );
    let Mail::Invitation {
        link,
        business,
        inviter,
        name: Some(name),
        role: Some(Role::Agent),
    } = &sent[0].mail
    else {
        panic!("{:?}", sent[0]);
    };
    assert_eq!((business.as_str(), inviter.as_str()), ("harbour-lane", "admin"));
    assert_eq!((name.as_str(), sent[0].language.as_str()), ("Sami", "ar"));
    let url = link.url().unwrap();
    let token = url
        .strip_prefix("https://app.example/accept-invitation?token=")
        .unwrap();
    assert!(!invited.text().contains(token) && !invited.text().contains(&sha256_hex(token)));
    let listed = town.manager().get(INVITATIONS).await;
    assert_eq!(listed.json()["items"], json!([body]));

    // The link shows who invites to what, as often as it is opened.
    let shown = json!({
        "business": "harbour-lane", "inviter": "admin", "email": NEW, "name": "Sami", "role": "agent", "language": "ar",
        "has_account": false
    });
    for _ in 0..2 {
        let opened = town.anyone().post(SHOW, json!({"token": token})).await;
        assert_eq!(opened.is(200).json(), shown);
    }

    // What is missing of who has no account is named, and uses up nothing.
    let short = town.anyone().post(ACCEPT, json!({"token": token})).await;
    short.names_field("name");
    short.names_field("password");
    let weak = json!({"token": token, "name": "Sami", "password": "password123"});
    town.anyone().post(ACCEPT, weak).await.names_field("password");
    let mut mumbling = newcomer(token);
    mumbling["language"] = json!("klingon");
    town.anyone().post(ACCEPT, mumbling).await.names_field("language");

    let accepted = accept(&town, token).await;
    let place = accepted.is(200).json();
    assert_eq!(
        (&place["business"], &place["role"], &place["new_account"]),
        (&json!("harbour-lane"), &json!("agent"), &json!(true))
    );
    let user = format!("{USERS}/{}", place["user"].as_str().unwrap());
    let user = town.admin().get(&user).await.json();
    assert_eq!(
        (&user["name"], &user["email"], &user["role"]),
        (&json!("Sami Nasser"), &json!(NEW), &json!("agent"))
    );
    assert_eq!(town.manager().get(INVITATIONS).await.json()["items"], json!([]));
    let known = aws.store().user_of_email(&sha256_hex(NEW)).await.unwrap().unwrap();
    let account = aws.store().account(known).await.unwrap().unwrap().value;
    assert!(access::password::is_right(
        "seven quiet lanterns",
        Some(&account.password)
    ));
    assert_eq!(account.tenants, [town.home.tenant]);
}

#[tokio::test]
async fn existing_user_joins_by_link_and_keeps_password() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let other = town.away.person(Role::Manager);
    let token = token_for(&town, other.email.as_str(), "viewer").await;
    let accepted = accept(&town, &token).await;
    assert_eq!(accepted.is(200).json()["new_account"], false);
    let account = aws.store().account(other.user).await.unwrap().unwrap().value;
    assert_eq!(account.tenants, [town.away.tenant, town.home.tenant]);
    assert!(access::password::is_right(PASSWORD, Some(&account.password)));
    // They are a manager there and a viewer here.
    let here = town.person(other, Some(town.away.tenant)).in_tenant(town.home.tenant);
    here.get(USERS).await.is(403);
    town.person(other, Some(town.away.tenant)).get(USERS).await.is(200);
    // Once a member, they cannot be invited again.
    let again = json!({"email": other.email.as_str(), "role": "admin"});
    let answer = town.admin().post(INVITATIONS, again).await;
    answer.is_refused(409, "already_member");
}

#[tokio::test]
async fn twenty_who_accept_one_invitation_at_once_are_one() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let token = token_for(&town, NEW, "admin").await;
    let anyone = town.anyone();
    let all = (0..20).map(|_| anyone.post(ACCEPT, newcomer(&token)).into_future());
    let answers = join_all(all).await;
    let won = answers.iter().filter(|answer| answer.status() == 200).count();
    assert_eq!(won, 1);
    for answer in answers.iter().filter(|answer| answer.status() != 200) {
        answer.is_refused(404, "link_not_valid");
    }
    let members = aws.store().page::<Member>(town.home.scope(), None, 100).await;
    assert_eq!(members.unwrap().items.len(), 5);
}

#[tokio::test]
async fn everybody_invited_can_come_at_the_same_time() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let mut tokens = Vec::new();
    for number in 0..8 {
        // Administrators all write the list of who administers.
        tokens.push(token_for(&town, &format!("sami{number}@elsewhere.example"), "admin").await);
    }
    let anyone = town.anyone();
    let all = tokens
        .iter()
        .map(|token| anyone.post(ACCEPT, newcomer(token)).into_future());
    for answer in join_all(all).await {
        answer.is(200);
    }
}

#[tokio::test]
async fn invalid_links_all_get_the_same_answer() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let store = aws.store();
    let used = token_for(&town, NEW, "viewer").await;
    accept(&town, &used).await.is(200);
    let withdrawn = invite(&town, "b@elsewhere.example", "viewer").await;
    let withdrawn_token = token(&aws).await;
    let path = path_of(&withdrawn);
    town.admin().delete(&path).await.is(204);
    town.admin().delete(&path).await.is(404);
    let expired = token_for(&town, "c@elsewhere.example", "viewer").await;
    let reset = link_token([7; 32]);
    let admin = store.account(town.home.person(Role::Admin).user).await.unwrap();
    let grant = Grant::reset(&admin.unwrap().value);
    aws.pass(7 * 24 * 3600);
    let (hash, hour) = (sha256_hex(&reset), SignedDuration::from_hours(1));
    store.put_grant(&grant, &hash, aws.now(), hour).await.unwrap();
    let mut answers = Vec::new();
    for token in [
        &used,
        &withdrawn_token,
        &expired,
        &reset,
        &link_token([9; 32]),
        "",
        "nonsense",
    ] {
        let answer = accept(&town, token).await;
        answer.is_refused(404, "link_not_valid");
        answers.push(answer.text().to_owned());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    // The reset link is not used up by the wrong door.
    assert_eq!(store.grant(&sha256_hex(&reset), aws.now()).await.unwrap(), Some(grant));
}

#[tokio::test]
async fn resent_invitation_replaces_the_link() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let invited = invite(&town, NEW, "viewer").await;
    let old = token(&aws).await;
    aws.pass(3600);
    let path = format!("{}/resend", path_of(&invited));
    town.foreign_admin().post(&path, json!({})).await.is(404);
    town.manager().post(&path, json!({})).await.is(403);
    let sent = town.admin().post(&path, json!({})).await;
    assert!(sent.is(200).json()["expires_at"].as_str() > invited["expires_at"].as_str());
    let new = token(&aws).await;
    accept(&town, &old).await.is_refused(404, "link_not_valid");
    accept(&town, &new).await.is(200);
    town.admin().post(&path, json!({})).await.is(404);
}

#[tokio::test]
async fn one_address_gets_five_invitations_an_hour_over_all_tenants() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let invited = invite(&town, NEW, "viewer").await;
    let path = format!("{}/resend", path_of(&invited));
    let mut last = token(&aws).await;
    for _ in 0..3 {
        town.admin().post(&path, json!({})).await.is(200);
        last = token(&aws).await;
    }
    let invitation = json!({"email": NEW, "role": "agent"});
    town.foreign_admin().post(INVITATIONS, invitation).await.is(201);
    assert_eq!(aws.take_mails().await.len(), 1);
    // The address has had its five: answered as before, and nothing is sent.
    aws.pass(60);
    let calls = (0..40).map(|_| town.admin().post(&path, json!({})).into_future());
    for answer in join_all(calls).await {
        assert!(matches!(answer.status(), 200 | 409), "{}", answer.text());
    }
    let answer = town.admin().post(&path, json!({})).await;
    assert_eq!(answer.is(200).json()["expires_at"], "2026-11-27T12:01:00Z");
    assert!(aws.take_mails().await.is_empty());
    // Nor does anything end the link that it got.
    accept(&town, &last).await.is(200);
    // Others are invited as ever.
    invite(&town, "eve@elsewhere.example", "viewer").await;
    assert_eq!(aws.take_mails().await.len(), 1);
}

#[tokio::test]
async fn a_refused_invitation_takes_nothing_of_the_five_mails() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    invite(&town, NEW, "viewer").await;
    let again = json!({"email": NEW, "role": "viewer"});
    for _ in 0..6 {
        let answer = town.admin().post(INVITATIONS, again.clone()).await;
        answer.is_refused(409, "already_invited");
    }
    assert_eq!(aws.take_mails().await.len(), 1);
    town.foreign_admin().post(INVITATIONS, again).await.is(201);
    assert_eq!(aws.take_mails().await.len(), 1);
}

/// Somebody who lost the right may have invited themselves before.
#[tokio::test]
async fn an_invitation_goes_with_its_inviters_platform_right() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let store = aws.store();
    let mut tokens = Vec::new();
    for email in [NEW, "eve@elsewhere.example"] {
        tokens.push(invite_admin(&town, Actor::Platform(town.platform.user), email).await);
    }
    accept(&town, &tokens[0]).await.is(200);
    let act = store::tenants::PlatformAct {
        action: "platform_admin_removed".to_owned(),
        tenant: None,
        by: aws.stamp(),
        detail: json!({}),
    };
    assert!(store.take_platform_right(town.platform.user, &act, "1").await.unwrap());
    accept(&town, &tokens[1]).await.is_refused(404, "link_not_valid");
}

#[tokio::test]
async fn an_invitation_without_a_mail_waits_for_another() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let email: Email = NEW.parse().unwrap();
    let api = api::Api::new(aws.env()).unwrap();
    while api.may_mail(&email).await.unwrap() {}
    let invited = invite(&town, NEW, "viewer").await;
    assert!(aws.take_mails().await.is_empty());
    aws.pass(3600);
    let path = format!("{}/resend", path_of(&invited));
    town.admin().post(&path, json!({})).await.is(200);
    let link = token(&aws).await;
    accept(&town, &link).await.is(200);
}

#[tokio::test]
async fn an_invitation_of_another_tenant_is_not_there() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let invited = invite(&town, NEW, "viewer").await;
    let path = path_of(&invited);
    town.foreign_admin().delete(&path).await.is(404);
    assert_eq!(town.foreign_admin().get(INVITATIONS).await.json()["items"], json!([]));
    town.admin().delete(&path).await.is(204);
}

#[tokio::test]
async fn what_is_wrong_with_an_invitation_is_named_and_sends_no_mail() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    for (wrong, field) in [
        (json!({"email": "nobody", "role": "viewer"}), "email"),
        (json!({"email": "jöe@example.com", "role": "viewer"}), "email"),
        (json!({"email": NEW, "role": "owner"}), "role"),
        (json!({"email": NEW}), "role"),
        (json!({"email": NEW, "role": "viewer", "tenant": "x"}), "tenant"),
        (json!({"email": NEW, "role": "viewer", "language": "x"}), "language"),
        (
            json!({"email": NEW, "role": "viewer", "language": "zh-yue"}),
            "language",
        ),
    ] {
        town.admin().post(INVITATIONS, wrong).await.names_field(field);
    }
    invite(&town, NEW, "viewer").await;
    let again = json!({"email": NEW.to_uppercase(), "role": "admin"});
    let answer = town.admin().post(INVITATIONS, again).await;
    answer.is_refused(409, "already_invited");
    assert_eq!(aws.take_mails().await.len(), 1);
}

#[tokio::test]
async fn a_repeated_request_invites_once() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let body = || json!({"email": NEW, "role": "viewer"});
    let first = town.admin().post_once(INVITATIONS, "k1", body()).await;
    let second = town.admin().post_once(INVITATIONS, "k1", body()).await;
    assert_eq!((first.status(), second.status()), (201, 201), "{}", second.text());
    assert_eq!(
        (first.text(), second.header("idempotency-replayed")),
        (second.text(), "true")
    );
    assert_eq!(aws.take_mails().await.len(), 1);
}

/// An invitation whose mail was lost is sent by the same request.
#[tokio::test]
async fn repeated_invitation_sends_the_lost_mail() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let nowhere = aws.env_with(&[("MAILS_QUEUE_URL", "http://127.0.0.1:9/000000000000/nowhere")]);
    let broken = Function::new(&nowhere, users::routes);
    let admin = town.home.person(Role::Admin);
    let claims = Claims::new(admin.user, admin.session, Some(town.home.tenant), aws.now());
    let body = || json!({"email": NEW, "role": "viewer"});
    let call = Call::json(INVITATIONS, body().to_string()).header("idempotency-key", "k1");
    let call = call.header("authorization", &format!("Bearer {}", sign(&claims)));
    broken.call(&call).await.is(503);
    town.admin().post_once(INVITATIONS, "k1", body()).await.is(201);
    accept(&town, &token(&aws).await).await.is(200);
    assert_eq!(town.admin().get(INVITATIONS).await.json()["items"], json!([]));
}

#[tokio::test]
async fn no_more_are_invited_than_the_limit_however_many_ask_at_once() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let stamp = aws.stamp();
    for number in 0..97 {
        let invitation = invitation(&aws, &format!("p{number}@elsewhere.example"), 1);
        let invited = aws.store().invite(town.home.scope(), &invitation, &stamp).await;
        invited.unwrap();
    }
    let admin = town.admin();
    let one = |number: u32| {
        let body = json!({"email": format!("q{number}@elsewhere.example"), "role": "viewer"});
        admin.post(INVITATIONS, body).into_future()
    };
    let answers = join_all((0..10).map(one)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 201).count(), 3);
    for answer in answers.iter().filter(|answer| answer.status() != 201) {
        answer.is_refused(409, "too_many_invitations");
    }
    // Those whose time is over take no place.
    aws.pass(3601);
    invite(&town, NEW, "viewer").await;
}

#[tokio::test]
async fn a_person_belongs_to_a_bounded_number_of_tenants() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let person = town.away.person(Role::Agent);
    let before = aws.store().account(person.user).await.unwrap().unwrap();
    let mut account = before.value;
    account.tenants = (0..Account::MAX_TENANTS)
        .map(|_| TenantId::new(aws.ids().ulid()))
        .collect();
    aws.store().write_account(&account, before.version).await.unwrap();
    let token = token_for(&town, person.email.as_str(), "viewer").await;
    let answer = town.anyone().post(ACCEPT, json!({"token": token})).await;
    answer.is_refused(409, "too_many_tenants");
}

#[tokio::test]
async fn platform_invitation_makes_a_member_administrator() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let store = aws.store();
    let by_platform =
        async |email: &str| json!({"token": invite_admin(&town, Actor::Platform(town.platform.user), email).await});
    let agent = town.home.person(Role::Agent);
    let (path, old_token) = (of_home(&town, Role::Agent), town.agent());
    let joined_at = town.admin().get(&path).await.json()["joined_at"].clone();
    aws.pass(60);
    change_user(&town, &path, json!({"status": "deactivated"})).await;
    let token = by_platform(agent.email.as_str()).await;
    let accepted = town.anyone().post(ACCEPT, token.clone()).await;
    assert_eq!(accepted.is(200).json()["role"], "admin");
    let answer = town.anyone().post(ACCEPT, token).await;
    answer.is_refused(404, "link_not_valid");
    let user = town.agent().get(&path).await.json();
    assert_eq!(
        (&user["role"], &user["status"], &user["joined_at"]),
        (&json!("admin"), &json!("active"), &joined_at)
    );
    let desk = store.desk(town.home.scope(), agent.user, aws.now()).await;
    assert!(desk.unwrap().value.takes(), "their place in the inbox is theirs again");
    assert_eq!(old_token.get(USERS).await.status(), 401, "a token of before");
    let account = store.account(agent.user).await.unwrap().unwrap().value;
    assert_eq!(account.tenants, [town.home.tenant]);
    // They count as an administrator: the one before may go now.
    let former = of_home(&town, Role::Admin);
    town.agent().patch(&former, json!({"role": "viewer"})).await.is(200);
    // Who is an active administrator already loses nothing.
    let token = by_platform(agent.email.as_str()).await;
    town.anyone().post(ACCEPT, token).await.is(200);
    let answer = town.agent().patch(&path, json!({"role": "viewer"})).await;
    answer.is_refused(409, "last_admin");
    // Nobody but the platform lets in who belongs to the tenant.
    let manager = town.home.person(Role::Manager);
    let token = invite_admin(&town, Actor::User(agent.user), manager.email.as_str()).await;
    let token = json!({"token": token});
    let answer = town.anyone().post(ACCEPT, token).await;
    answer.is_refused(409, "already_member");
}

#[tokio::test]
async fn nobody_joins_a_suspended_tenant() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let token = token_for(&town, NEW, "viewer").await;
    let store = aws.store();
    let mut tenant = store.tenant(town.home.scope()).await.unwrap().unwrap();
    let before = tenant.clone();
    tenant.status = TenantStatus::Suspended;
    tenant.config_version = before.config_version;
    let act = store::tenants::PlatformAct {
        action: "tenant_suspended".to_owned(),
        tenant: Some(tenant.id),
        by: aws.stamp(),
        detail: json!({}),
    };
    let changed = store.change_tenant_for_platform(town.home.scope(), &before, &tenant, &act, "1");
    changed.await.unwrap();
    accept(&town, &token).await.is_refused(403, "tenant_suspended");
    // Its own people are turned away too, and counted.
    aws.pass(60);
    let admin = town.admin();
    let answers = join_all((0..101).map(|_| admin.get(USERS).into_future())).await;
    let away = answers.iter().filter(|answer| answer.status() == 403).count();
    let counted = answers.iter().filter(|answer| answer.status() == 429).count();
    assert_eq!((away, counted), (100, 1));
}

#[tokio::test]
async fn guessing_links_is_limited_by_address() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let guess = || town.anyone().post(ACCEPT, newcomer("guess"));
    for _ in 0..60 {
        guess().from_address("203.0.113.7").await.is(404);
    }
    let limited = guess().from_address("203.0.113.7").await;
    assert!(!limited.is(429).header("retry-after").is_empty());
    guess().from_address("203.0.113.8").await.is(404);
}
