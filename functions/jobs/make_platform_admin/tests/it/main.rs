//! Making the first administrator of the platform, in process against the emulator's table and queues.

use access::token;
use domain::account::{Account, Grant};
use jobs::{Mail, MailJob};
use kit::QueueName;
use make_platform_admin::{Answer, Context, Request, handle};
use testkit::Aws;

async fn make(aws: &Aws, email: &str) -> Answer {
    let env = aws.env_with(&[("PUBLIC_BASE_URL", "https://api.example.com")]);
    let ctx = Context::new(&env).expect("a context");
    let request: Request = serde_json::from_value(serde_json::json!({"email": email})).expect("a request");
    handle(request, &ctx).await.expect("it is made")
}

async fn mails(aws: &Aws) -> Vec<MailJob> {
    aws.take_jobs(QueueName::Mails).await
}

#[tokio::test]
async fn who_has_no_account_gets_one_whose_password_only_they_choose() {
    let aws = Aws::new().await;
    let made = make(&aws, "Op@Example.com").await;
    assert!(made.account_created);
    assert!(
        aws.store()
            .is_platform_admin(made.user)
            .await
            .expect("the table answers")
    );
    let mails = mails(&aws).await;
    let [mail] = mails.as_slice() else {
        panic!("{} mails", mails.len());
    };
    assert_eq!(mail.to, "op@example.com");
    let Mail::ResetPassword { link } = &mail.mail else {
        panic!("another mail");
    };
    let link_token = link
        .strip_prefix("https://api.example.com/reset-password?token=")
        .expect("a link of the configured base");
    let grant = aws.store().grant(&token::sha256_hex(link_token), aws.now()).await;
    let account = aws.store().account(made.user).await;
    let account = account.expect("the table answers").expect("an account");
    assert_eq!(grant.expect("the table answers"), Some(Grant::reset(&account.value)));
}

#[tokio::test]
async fn invoked_again_nobody_is_made_twice_and_the_mail_comes_again_until_a_password_is_chosen() {
    let aws = Aws::new().await;
    let first = make(&aws, "op@example.com").await;
    assert_eq!(mails(&aws).await.len(), 1);
    let again = make(&aws, "op@example.com").await;
    assert_eq!(again.user, first.user);
    assert!(!again.account_created && again.mailed);
    assert_eq!(mails(&aws).await.len(), 1);
    let (store, found) = (aws.store(), aws.store().account(first.user).await);
    let account = found.expect("the table answers").expect("an account");
    // As a new password does.
    let chosen = Account {
        sessions_from: aws.now() + jiff::SignedDuration::from_secs(1),
        ..account.value
    };
    store
        .write_account(&chosen, account.version)
        .await
        .expect("nobody else changes it");
    let known = make(&aws, "op@example.com").await;
    assert_eq!(
        (known.user, known.account_created, known.mailed),
        (first.user, false, false)
    );
    assert!(mails(&aws).await.is_empty());
}

#[tokio::test]
async fn where_no_link_can_be_made_nothing_is() {
    let aws = Aws::new().await;
    let nowhere = Context::new(&aws.env_with(&[("PUBLIC_BASE_URL", ""), ("APP_URL", "")])).expect("a context");
    let request = serde_json::from_value(serde_json::json!({"email": "op@example.com"})).expect("a request");
    let refused = handle(request, &nowhere)
        .await
        .expect_err("there is no link")
        .to_string();
    assert!(refused.contains("PublicBaseUrl"), "{refused}");
    assert_eq!(aws.row_count().await, 0);
    assert!(make(&aws, "op@example.com").await.account_created);
}

#[tokio::test]
async fn every_making_stands_in_the_platforms_log() {
    let aws = Aws::new().await;
    let made = make(&aws, "op@example.com").await;
    let month = aws.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let log = aws
        .store()
        .platform_acts(month, None, 10)
        .await
        .expect("the table answers");
    let [act] = log.items.as_slice() else {
        panic!("{} acts", log.items.len());
    };
    assert_eq!(
        (act.action.as_str(), act.by.actor.to_string().as_str()),
        ("platform_admin_made", "operator")
    );
    assert_eq!(act.detail["user"], made.user.to_string());
}

#[test]
fn a_request_with_an_unknown_field_or_no_address_is_refused() {
    for wrong in [
        r#"{}"#,
        r#"{"email": "nobody"}"#,
        r#"{"email": "a@example.com", "password": "x"}"#,
    ] {
        assert!(serde_json::from_str::<Request>(wrong).is_err(), "{wrong}");
    }
}
