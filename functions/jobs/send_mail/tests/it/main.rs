//! Sending e-mails, in process, against a stand-in for SES.

use std::io::Write;
use std::sync::{Mutex, Once};

use aws_lambda_events::sqs::SqsEvent;
use jobs::{FactorChange, Mail, MailJob};
use kit::queue::work_batch;
use kit::{Clock, Config, Done, Env, Ids, Job, JobError, Mails, QueueName};
use send_mail::{Context, handle};
use serde_json::{Value, json};
use testkit::Aws;
use testkit::provider::{Provider, Reply};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

const MAYA: &str = "maya@salon.example";
const FROM: &str = "ringback@ringback.example";
const LINK: &str = "https://app.example/reset#token-canary";

/// The function's environment as the template sets it, with these changes; an empty value counts as missing.
fn env(ses: &Provider, changes: &[(&str, &str)]) -> Env {
    let given = [
        ("STAGE", "local"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        // The emulator's endpoint, where no mail may be sent.
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("MAIL_FROM", FROM),
        // Used only to open sealed links.
        ("MAIL_SECRET_ID", "none"),
        ("SES_ENDPOINT_URL", ses.url()),
        ("APP_URL", "https://app.example"),
        ("PUBLIC_BASE_URL", "https://api.example"),
    ];
    log_everything();
    let all = given.iter().chain(changes);
    let config = Config::from_variables(all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).unwrap();
    let clock = Clock::new_fixed("2026-11-20T12:00:00Z".parse().unwrap());
    Env::new("send_mail", config, clock.clone(), Ids::from_seed(clock, 1)).unwrap()
}

fn context(ses: &Provider) -> Context {
    Context::new(&env(ses, &[])).unwrap()
}

fn mail(id: &str) -> MailJob {
    MailJob {
        tenant: None,
        correlation_id: format!("req-{id}"),
        id: id.to_owned(),
        to: MAYA.to_owned(),
        language: "en".to_owned(),
        mail: Mail::ResetPassword {
            link: LINK.to_owned().into(),
        },
    }
}

async fn work(mail: MailJob, receive_count: u32, ctx: &Context) -> Result<Done, JobError> {
    Box::pin(handle(Job::new(mail, receive_count), ctx)).await
}

#[tokio::test]
async fn mail_is_sent_once_from_our_address() {
    let ses = Provider::start();
    let ctx = context(&ses);
    assert_eq!(work(mail("1"), 1, &ctx).await.unwrap(), Done::Now);
    let sends = ses.sends();
    assert_eq!(sends.len(), 1);
    assert_eq!(sends[0].path, "/v2/email/outbound-emails");
    assert!(
        sends[0].authorization.starts_with("AWS4-HMAC-SHA256 Credential=test/")
            && sends[0].authorization.contains("/us-east-1/ses/aws4_request"),
        "{}",
        sends[0].authorization
    );
    let body = sends[0].json();
    assert_eq!(body["FromEmailAddress"], FROM);
    assert_eq!(body["Destination"], json!({"ToAddresses": [MAYA]}));
    let simple = &body["Content"]["Simple"];
    assert_eq!(
        simple["Subject"],
        json!({"Charset": "UTF-8", "Data": "Choose a new password"})
    );
    for part in ["Text", "Html"] {
        assert!(simple["Body"][part]["Data"].as_str().unwrap().contains(LINK), "{part}");
    }
    // The queue delivers it again: its deletion was lost, or somebody queued it twice.
    assert_eq!(work(mail("1"), 2, &ctx).await.unwrap(), Done::Already);
    assert_eq!(work(mail("1"), 1, &ctx).await.unwrap(), Done::Already);
    assert_eq!(ses.sends().len(), 1);
    assert_eq!(work(mail("2"), 1, &ctx).await.unwrap(), Done::Now);
    assert_eq!(ses.sends().len(), 2);
}

/// The simulators know SES from its documentation, not from our client.
#[tokio::test]
async fn simulated_ses_accepts_mails_and_its_errors_are_retried() {
    let simulators = simulators::start(simulators::Config::default()).await.unwrap();
    let provider = Provider::start();
    let ctx = Context::new(&env(&provider, &[("SES_ENDPOINT_URL", &simulators.url())])).unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let faults = format!("{}/faults", simulators.url());
    for kind in [
        "throttled",
        "server_error",
        "bad_credentials",
        "mail_rejected",
        "mail_unverified",
    ] {
        let fault = json!({"api": "ses", "kind": kind, "number": MAYA, "times": 1});
        http.post(&faults).json(&fault).send().await.unwrap();
        assert!(work(mail("1"), 1, &ctx).await.is_err(), "{kind}");
    }
    assert_eq!(work(mail("1"), 6, &ctx).await.unwrap(), Done::Now);
    let mails = http
        .get(format!("{}/mails?to={MAYA}", simulators.url()))
        .send()
        .await
        .unwrap();
    let mails: Value = mails.json().await.unwrap();
    assert_eq!(mails.as_array().unwrap().len(), 1);
    assert_eq!((&mails[0]["from"], &mails[0]["links"]), (&json!(FROM), &json!([LINK])));
    simulators.stop().await;
}

#[tokio::test]
async fn arabic_mail_is_written_right_to_left() {
    let ses = Provider::start();
    let mut mail = mail("1");
    mail.language = "ar-AE".to_owned();
    mail.mail = Mail::EmailFactorChanged {
        what: FactorChange::TurnedOn,
    };
    work(mail, 1, &context(&ses)).await.unwrap();
    let simple = ses.sends()[0].json()["Content"]["Simple"].clone();
    assert_eq!(simple["Subject"]["Data"], "تم تفعيل تسجيل الدخول بخطوتين");
    assert!(simple["Body"]["Html"]["Data"].as_str().unwrap().contains("dir=\"rtl\""));
}

#[tokio::test]
async fn throttling_and_outages_are_retried_by_the_queue_only() {
    let ses = Provider::start();
    let ctx = context(&ses);
    let outages = [
        Reply::ses(429, "TooManyRequestsException", "Maximum sending rate exceeded."),
        Reply::ses(500, "InternalServiceErrorException", ""),
        Reply::Answer(503, Vec::new(), Value::Null),
        Reply::Break,
    ];
    for (tried, reply) in (1_u32..).zip(outages) {
        ses.reply(reply);
        let error = work(mail("1"), tried, &ctx).await.unwrap_err();
        assert_eq!(ses.sends().len(), usize::try_from(tried).unwrap(), "{error}");
    }
    assert_eq!(work(mail("1"), 5, &ctx).await.unwrap(), Done::Now);
}

#[tokio::test]
async fn error_that_an_operator_can_fix_never_drops_a_mail() {
    let ses = Provider::start();
    let ctx = context(&ses);
    let unverified = "Email address is not verified. The following identities failed the check in region US-EAST-1: \
                      maya@salon.example";
    let refusals = [
        ("MessageRejected", unverified),
        ("MailFromDomainNotVerifiedException", ""),
        ("SendingPausedException", ""),
        ("AccountSuspendedException", ""),
        (
            "AccessDeniedException",
            "User is not authorized to perform ses:SendEmail",
        ),
        ("SomethingNew", "maya@salon.example"),
    ];
    for (code, words) in refusals {
        for receive_count in [1, 20] {
            ses.reply(Reply::ses(400, code, words));
            let error = work(mail("1"), receive_count, &ctx).await.unwrap_err();
            assert!(!error.to_string().contains('@'), "{error}");
        }
    }
    assert_eq!(work(mail("1"), 20, &ctx).await.unwrap(), Done::Now);
}

#[tokio::test]
async fn address_refused_repeatedly_is_given_up() {
    for (code, words) in [
        ("BadRequestException", "Domain contains control or whitespace"),
        ("MessageRejected", "Email contains a virus"),
    ] {
        let ses = Provider::start();
        let ctx = context(&ses);
        for receive_count in 1..=3 {
            ses.reply(Reply::ses(400, code, words));
            let outcome = work(mail("1"), receive_count, &ctx).await;
            assert_eq!(outcome.is_ok(), receive_count == 3, "{code} at receive {receive_count}");
        }
    }
}

#[tokio::test]
async fn without_a_sender_every_mail_stays_for_redrive() {
    let ses = Provider::start();
    let ctx = Context::new(&env(&ses, &[("MAIL_FROM", ""), ("SES_ENDPOINT_URL", "")])).unwrap();
    let error = work(mail("1"), 20, &ctx).await.unwrap_err();
    assert!(error.to_string().contains("MailFrom"), "{error}");
    assert!(ses.sends().is_empty());
}

#[tokio::test]
async fn link_to_another_host_is_not_sent() {
    let ses = Provider::start();
    let with = |link: &str| MailJob {
        mail: Mail::ResetPassword {
            link: link.to_owned().into(),
        },
        ..mail(link)
    };
    for link in [
        "https://evil.example/reset#t",
        "https://app.example.evil.example/reset#t",
        "https://app.example@evil.example/reset#t",
        "http://app.example/reset#t",
        "https://api.example/reset#t",
        "https://app.example/reset\" onclick=\"x",
        "javascript:alert(1)",
    ] {
        let error = work(with(link), 1, &context(&ses)).await.unwrap_err();
        assert!(!error.to_string().contains("://"), "{error}");
    }
    assert!(ses.sends().is_empty());
    // Without a console, links lead to the API's host.
    let api = Context::new(&env(&ses, &[("APP_URL", "")])).unwrap();
    work(with("https://api.example/reset#t"), 1, &api).await.unwrap();
    assert!(work(with(LINK), 1, &api).await.is_err());
    let neither = Context::new(&env(&ses, &[("APP_URL", ""), ("PUBLIC_BASE_URL", "")])).unwrap();
    work(with(LINK), 1, &neither).await.unwrap();
    assert!(work(with("http://app.example/reset#t"), 1, &neither).await.is_err());
}

#[test]
fn a_local_stack_never_mails_through_aws() {
    let ses = Provider::start();
    let error = Context::new(&env(&ses, &[("SES_ENDPOINT_URL", "")])).err().unwrap();
    assert!(error.to_string().contains("SES_ENDPOINT_URL"), "{error}");
}

/// Everything that these tests have logged.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Logs as the kit does, but including all of our messages.
fn log_everything() {
    static BEGIN: Once = Once::new();
    BEGIN.call_once(|| {
        let ours = ["access", "jobs", "kit", "providers", "send_mail", "store"];
        let targets = Targets::new()
            .with_default(tracing::Level::WARN)
            .with_targets(ours.map(|target| (target, tracing::Level::TRACE)));
        let lines = tracing_subscriber::fmt::layer().json().with_writer(|| Log);
        let subscriber = tracing_subscriber::registry().with(targets).with(lines);
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// In row and queue: whoever queues a mail seals its link, and only `send_mail` opens it.
#[tokio::test]
async fn link_is_sealed_in_the_queue_and_open_in_the_mail() {
    let aws = Aws::new().await;
    let ses = Provider::start();
    let env = aws.env_with(&[
        ("MAIL_FROM", FROM),
        ("SES_ENDPOINT_URL", ses.url()),
        ("APP_URL", "https://app.example"),
    ]);
    let mails = Mails::new(&env).unwrap();
    mails.send(vec![mail("1")]).await.unwrap();
    let bodies = aws.drain(QueueName::Mails).await;
    assert_eq!(bodies.len(), 1);
    let text = bodies[0].to_string();
    assert!(
        !text.contains("token-canary") && !text.contains("app.example"),
        "{text}"
    );
    let ctx = Context::new(&env).unwrap();
    let sealed: MailJob = serde_json::from_value(bodies[0].clone()).unwrap();
    assert_eq!(work(sealed.clone(), 1, &ctx).await.unwrap(), Done::Now);
    assert!(ses.sends()[0].body.contains("token-canary"));
    // In another mail, for another reader or as another kind of mail, it cannot be opened.
    let mut moved = vec![sealed.clone(), sealed.clone(), sealed.clone()];
    "2".clone_into(&mut moved[0].id);
    "tom@salon.example".clone_into(&mut moved[1].to);
    let Mail::ResetPassword { link } = sealed.mail else {
        panic!("another mail");
    };
    moved[2].mail = Mail::VerifyEmail {
        link,
        business: "Salon".to_owned(),
    };
    for mail in moved {
        // Another process, since this one remembers by id what it sent.
        let ctx = Context::new(&env).unwrap();
        assert!(work(mail, 1, &ctx).await.is_err());
    }
    // A job from before links were sealed is still sent.
    assert_eq!(work(mail("3"), 1, &ctx).await.unwrap(), Done::Now);
    assert_eq!(ses.sends().len(), 2);
}

#[tokio::test]
async fn no_log_line_holds_an_address_a_link_or_a_name() {
    let ses = Provider::start();
    let (with, without) = (env(&ses, &[]), env(&ses, &[("MAIL_FROM", "")]));
    let invitation = MailJob {
        mail: Mail::Invitation {
            link: LINK.to_owned().into(),
            business: "Business-canary".to_owned(),
            inviter: "Inviter-canary".to_owned(),
            name: Some("Guest-canary".to_owned()),
            role: None,
        },
        ..mail("2")
    };
    let words = format!("Email address is not verified: {MAYA}");
    let replies = [
        Reply::Accept,
        Reply::ses(400, "MessageRejected", &words),
        Reply::ses(400, "BadRequestException", &words),
        Reply::ses(400, MAYA, &words),
        Reply::ses(503, "", &words),
        Reply::Break,
    ];
    for reply in replies {
        ses.reply(reply);
        let ctx = Context::new(&with).unwrap();
        work_batch(&with, event(&invitation, 3), &ctx, &handle).await;
    }
    let ctx = Context::new(&without).unwrap();
    work_batch(&without, event(&mail("1"), 3), &ctx, &handle).await;
    // An invalid job.
    let broken = json!({"type": "mail", "to": MAYA, "mail": {"kind": "reset_password", "link": LINK}});
    work_batch(&with, record(&broken, 1), &ctx, &handle).await;

    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    for expected in [
        "NotVerified",
        "MailFrom",
        "will never send",
        "unreadable job",
        "HTTP 400",
    ] {
        assert!(log.contains(expected), "{expected} is not in the log:\n{log}");
    }
    for canary in [
        "maya",
        "salon",
        "token-canary",
        "app.example",
        "Business-canary",
        "Inviter-canary",
        "Guest-canary",
    ] {
        assert!(!log.contains(canary), "{canary} is in the log:\n{log}");
    }
}

fn event(mail: &MailJob, receive_count: u32) -> SqsEvent {
    record(&serde_json::to_value(mail).unwrap(), receive_count)
}

fn record(body: &Value, receive_count: u32) -> SqsEvent {
    let attributes = json!({"ApproximateReceiveCount": receive_count.to_string()});
    let record = json!({"messageId": "m1", "body": body.to_string(), "attributes": attributes});
    serde_json::from_value(json!({"Records": [record]})).unwrap()
}
