//! Creating the first administrator of the platform, in process against the emulator's table and queues.

use access::token;
use domain::accounts::{Account, Grant, SealedFactor, SecondFactor};
use domain::terms::UserId;
use jobs::{Mail, MailJob};
use kit::{Env, JobError};
use make_platform_admin::{Answer, Context, Request, handle};
use store::tenants::PlatformAct;
use testkit::Aws;

async fn invoke(aws: &Aws, request: serde_json::Value) -> Result<Answer, JobError> {
    invoke_in(
        &aws.env_with(&[("PUBLIC_BASE_URL", "https://api.example.com")]),
        request,
    )
    .await
}

async fn invoke_in(env: &Env, request: serde_json::Value) -> Result<Answer, JobError> {
    let ctx = Context::new(env).expect("a context");
    let request: Request = serde_json::from_value(request).expect("a request");
    handle(request, &ctx).await
}

async fn make(aws: &Aws, email: &str) -> Answer {
    let made = invoke(aws, serde_json::json!({"email": email})).await;
    made.expect("it is made")
}

async fn remove(aws: &Aws, email: &str) -> Answer {
    let removed = invoke(aws, serde_json::json!({"email": email, "remove": true})).await;
    removed.expect("it is removed")
}

/// The mails with a link to choose a password, and those that announce a grant or a revocation.
async fn mails(aws: &Aws) -> (Vec<MailJob>, Vec<bool>) {
    let (mut links, mut told) = (Vec::new(), Vec::new());
    for mail in aws.take_mails().await {
        match mail.mail {
            Mail::PlatformRight { given } => told.push(given),
            _ => links.push(mail),
        }
    }
    (links, told)
}

async fn is_admin(aws: &Aws, user: UserId) -> bool {
    aws.store().is_platform_admin(user).await.expect("the table answers")
}

/// Simulates that a person chooses a password.
async fn choose_password(aws: &Aws, user: UserId) {
    let (store, found) = (aws.store(), aws.store().account(user).await);
    let account = found.expect("the table answers").expect("an account");
    let chosen = Account {
        sessions_from: aws.now() + jiff::SignedDuration::from_secs(1),
        awaits_password: false,
        ..account.value
    };
    let written = store.write_account(&chosen, account.version).await;
    written.expect("nobody else changes it");
}

async fn acts(aws: &Aws) -> Vec<PlatformAct> {
    let month = aws.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let log = aws.store().platform_acts(month, None, 10).await;
    log.expect("the table answers").items
}

#[tokio::test]
async fn new_account_has_a_password_that_only_its_owner_chooses() {
    let aws = Aws::new().await;
    let made = make(&aws, "Op@Example.com").await;
    assert!(made.account_created);
    assert!(is_admin(&aws, made.user).await);
    assert!(made.second_factor_missing, "the right is of no use yet");
    let (links, told) = mails(&aws).await;
    assert_eq!(told, [true]);
    let [mail] = links.as_slice() else {
        panic!("{} mails", links.len());
    };
    assert_eq!(mail.to, "op@example.com");
    let Mail::ResetPassword { link } = &mail.mail else {
        panic!("another mail");
    };
    let link_token = link
        .url()
        .expect("the link is open")
        .strip_prefix("https://api.example.com/reset-password?token=")
        .expect("a link of the configured base");
    let grant = aws.store().grant(&token::sha256_hex(link_token), aws.now()).await;
    let account = aws.store().account(made.user).await;
    let account = account.expect("the table answers").expect("an account");
    assert_eq!(grant.expect("the table answers"), Some(Grant::reset(&account.value)));
}

/// Nobody is made an administrator twice. The link is mailed again until a password is chosen.
#[tokio::test]
async fn repeated_invocation_resends_only_the_pending_password_link() {
    let aws = Aws::new().await;
    let first = make(&aws, "op@example.com").await;
    let (links, told) = mails(&aws).await;
    assert_eq!((links.len(), told), (1, vec![true]));
    let again = make(&aws, "op@example.com").await;
    assert_eq!(again.user, first.user);
    assert!(!again.account_created && again.mailed && !again.told);
    let (links, told) = mails(&aws).await;
    assert_eq!((links.len(), told), (1, vec![]), "the right was given once");
    choose_password(&aws, first.user).await;
    let known = make(&aws, "op@example.com").await;
    assert_eq!(
        (known.user, known.account_created, known.mailed),
        (first.user, false, false)
    );
    assert_eq!(mails(&aws).await, (vec![], vec![]));
}

#[tokio::test]
async fn revoked_right_ends_at_once_and_its_holder_is_told() {
    let aws = Aws::new().await;
    let made = make(&aws, "op@example.com").await;
    let other = make(&aws, "other@example.com").await;
    mails(&aws).await;
    let removed = remove(&aws, "Op@Example.com").await;
    assert_eq!(
        (removed.user, removed.removed, removed.told, removed.mailed),
        (made.user, true, true, false)
    );
    assert!(!is_admin(&aws, made.user).await && is_admin(&aws, other.user).await);
    let told = aws.take_mails().await;
    assert_eq!((told.len(), told[0].to.as_str()), (1, "op@example.com"));
    assert_eq!(told[0].mail, Mail::PlatformRight { given: false });
    let last = acts(&aws).await;
    assert!(
        last.iter()
            .any(|act| act.action == "platform_admin_removed" && act.detail["user"] == made.user.to_string())
    );
    // A repetition revokes nothing and announces nothing.
    let again = remove(&aws, "op@example.com").await;
    assert!(!again.removed && !again.told);
    assert!(aws.take_mails().await.is_empty());
    assert_eq!(acts(&aws).await.len(), last.len());
    // The account remains, and the right can be granted again.
    let given = make(&aws, "op@example.com").await;
    assert!(!given.account_created && given.told && is_admin(&aws, made.user).await);
    let events = aws.store().security_events(made.user, None, 10, aws.now()).await;
    let mut events: Vec<_> = events
        .expect("the table answers")
        .items
        .iter()
        .map(|noted| noted.event.what.as_str())
        .collect();
    events.sort_unstable();
    assert_eq!(
        events,
        ["platform_right_given", "platform_right_given", "platform_right_taken"]
    );
}

/// Anybody who knows the password could switch on a second factor of their own, and use the right.
#[tokio::test]
async fn account_without_second_factor_is_not_given_the_right() {
    let aws = Aws::new().await;
    let made = make(&aws, "op@example.com").await;
    remove(&aws, "op@example.com").await;
    choose_password(&aws, made.user).await;
    mails(&aws).await;
    let request = serde_json::json!({"email": "op@example.com"});
    let refused = invoke(&aws, request).await.expect_err("no factor").to_string();
    assert!(refused.contains("second factor"), "{refused}");
    assert!(!is_admin(&aws, made.user).await);
    assert_eq!(mails(&aws).await, (vec![], vec![]));
    let (store, found) = (aws.store(), aws.store().account(made.user).await);
    let mut account = found.expect("the table answers").expect("an account");
    account.value.second_factor = Some(SecondFactor {
        secret: SealedFactor(String::new()),
        last_step: 0,
        recovery_codes: Vec::new(),
        enabled_at: aws.now(),
        wrong_codes: 0,
    });
    let written = store.write_account(&account.value, account.version).await;
    written.expect("nobody else changes it");
    assert!(make(&aws, "op@example.com").await.told && is_admin(&aws, made.user).await);
}

/// Another request is just writing or reading the same row, which does not tell whether the right exists.
#[tokio::test]
async fn right_is_revoked_despite_a_concurrent_write() {
    let aws = Aws::new().await;
    let made = make(&aws, "op@example.com").await;
    let lossy = testkit::Lossy::before(&aws);
    lossy.be_in_the_way_of("TransactWriteItems");
    let request = serde_json::json!({"email": "op@example.com", "remove": true});
    let removed = invoke_in(&aws.env_behind(lossy.url()), request).await;
    let removed = removed.expect("it is removed");
    assert!(lossy.has_lost_all() && removed.removed);
    assert!(!is_admin(&aws, made.user).await);
}

#[tokio::test]
async fn removing_an_unknown_person_is_refused() {
    let aws = Aws::new().await;
    let request = serde_json::json!({"email": "nobody@example.com", "remove": true});
    let refused = invoke(&aws, request).await.expect_err("there is nobody").to_string();
    assert!(refused.contains("nobody"), "{refused}");
    assert_eq!(aws.row_count().await, 0);
}

#[tokio::test]
async fn right_is_revoked_even_if_no_mail_can_be_queued() {
    let aws = Aws::new().await;
    let made = make(&aws, "op@example.com").await;
    let nowhere = [("MAILS_QUEUE_URL", "http://127.0.0.1:9/000000000000/none")];
    let request = serde_json::json!({"email": "op@example.com", "remove": true});
    let removed = invoke_in(&aws.env_with(&nowhere), request).await;
    let removed = removed.expect("it is removed");
    assert!(removed.removed && !removed.told && !is_admin(&aws, made.user).await);
}

#[tokio::test]
async fn without_a_link_nothing_is_written() {
    let aws = Aws::new().await;
    let nowhere = aws.env_with(&[("PUBLIC_BASE_URL", ""), ("APP_URL", "")]);
    let refused = invoke_in(&nowhere, serde_json::json!({"email": "op@example.com"})).await;
    let refused = refused.expect_err("there is no link").to_string();
    assert!(refused.contains("PublicBaseUrl"), "{refused}");
    assert_eq!(aws.row_count().await, 0);
    assert!(make(&aws, "op@example.com").await.account_created);
}

#[tokio::test]
async fn grant_is_logged_once() {
    let aws = Aws::new().await;
    let made = make(&aws, "op@example.com").await;
    make(&aws, "op@example.com").await;
    let acts = acts(&aws).await;
    let [act] = acts.as_slice() else {
        panic!("{} acts", acts.len());
    };
    assert_eq!(
        (act.action.as_str(), act.by.actor.to_string().as_str()),
        ("platform_admin_made", "operator")
    );
    assert_eq!(act.detail["user"], made.user.to_string());
}

#[test]
fn a_request_with_an_unknown_field_or_no_address_is_refused() {
    assert!(serde_json::from_str::<Request>(r#"{"email": "a@example.com", "remove": true}"#).is_ok());
    for wrong in [
        r#"{}"#,
        r#"{"email": "nobody"}"#,
        r#"{"email": "a@example.com", "password": "x"}"#,
    ] {
        assert!(serde_json::from_str::<Request>(wrong).is_err(), "{wrong}");
    }
}
