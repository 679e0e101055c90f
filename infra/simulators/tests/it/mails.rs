//! E-mail: what SES accepts, refuses and shows.

use reqwest::header::{AUTHORIZATION, CONTENT_SECURITY_POLICY};
use serde_json::{Value, json};

use crate::support::Stage;

const MAYA: &str = "maya+salon@salon.example";
const LINK: &str = "https://app.example/confirm?token=abc&lang=ar";

fn mail(to: &str) -> Value {
    let content = |data: &str| json!({"Data": data, "Charset": "UTF-8"});
    json!({
        "FromEmailAddress": "ringback@ringback.example",
        "Destination": {"ToAddresses": [to]},
        "Content": {"Simple": {
            "Subject": content("تأكيد بريدك"),
            "Body": {
                "Text": content(&format!("افتح:\n\n{LINK}\n")),
                "Html": content(&format!(
                    "<script>alert(1)</script><a href=\"{}\">x</a><a href=\"https://app.example/help\">y</a>",
                    LINK.replace('&', "&amp;")
                )),
            },
        }},
    })
}

fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIA/20261120/us-east-1/{service}/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, Signature={}",
        "0f".repeat(32)
    )
}

/// The status, the code and the body.
async fn send_as(stage: &Stage, authorization: Option<&str>, body: &Value) -> (u16, String, Value) {
    let mut request = stage
        .http
        .post(stage.url("/v2/email/outbound-emails"))
        .header("x-amz-date", "20261120T120000Z")
        .json(body);
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    let answer = request.send().await.expect("an answer");
    let code = answer.headers().get("x-amzn-errortype").cloned();
    let code = code
        .map(|code| code.to_str().expect("ASCII").to_owned())
        .unwrap_or_default();
    (answer.status().as_u16(), code, answer.json().await.unwrap_or_default())
}

async fn send(stage: &Stage, body: &Value) -> (u16, String, Value) {
    send_as(stage, Some(&authorization("ses")), body).await
}

#[tokio::test]
async fn accepted_mail_is_in_the_outbox_with_its_links() {
    let stage = Stage::set().await;
    let (status, _, taken) = send(&stage, &mail(MAYA)).await;
    assert_eq!(status, 200, "{taken}");
    send(&stage, &mail("tom@salon.example")).await;
    assert_eq!(stage.get("/mails").await.as_array().unwrap().len(), 2);
    // A literal plus, and an encoded one.
    for to in [MAYA.to_owned(), MAYA.to_uppercase().replace('+', "%2B")] {
        let found = stage.get(&format!("/mails?to={to}")).await;
        let found = found.as_array().unwrap();
        assert_eq!(found.len(), 1);
        let mail = &found[0];
        assert_eq!(mail["id"], taken["MessageId"]);
        assert_eq!(
            (&mail["to"], &mail["from"]),
            (&json!(MAYA), &json!("ringback@ringback.example"))
        );
        assert_eq!(mail["subject"], "تأكيد بريدك");
        assert_eq!(
            mail["links"],
            json!([LINK, "https://app.example/help"]),
            "each once, as it is meant"
        );
        assert!(mail["text"].as_str().unwrap().contains(LINK) && mail["html"].is_string() && mail["at"].is_string());
    }
}

#[tokio::test]
async fn mail_page_is_sandboxed() {
    let stage = Stage::set().await;
    let taken = send(&stage, &mail(MAYA)).await.2;
    let page = stage.url(&format!("/mails/{}/html", taken["MessageId"].as_str().unwrap()));
    let answer = stage.http.get(page).send().await.unwrap();
    let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    for wanted in ["default-src 'none'", "sandbox;", "form-action 'none'"] {
        assert!(policy.contains(wanted), "{policy}");
    }
    assert!(!policy.contains("allow-") && !policy.contains("script-src"), "{policy}");
    assert!(answer.text().await.unwrap().contains("<script>"), "shown as it came");
    let none = stage.http.get(stage.url("/mails/none/html")).send().await.unwrap();
    assert_eq!(none.status().as_u16(), 404);
    // The page frames it without permissions.
    let page = stage
        .http
        .get(stage.url("/"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("<iframe id=\"letter\" title=\"The e-mail\" sandbox></iframe>"));
}

#[tokio::test]
async fn invalid_mail_is_refused_as_by_ses() {
    let stage = Stage::set().await;
    let with = |pointer: &str, value: Value| {
        let mut mail = mail(MAYA);
        *mail.pointer_mut(pointer).unwrap() = value;
        mail
    };
    let mut unknown = mail(MAYA);
    unknown["FeedbackForwardingEmailAddress"] = json!(MAYA);
    for wrong in [
        with("/FromEmailAddress", json!("ringback")),
        with("/FromEmailAddress", Value::Null),
        with("/Destination/ToAddresses", json!([])),
        with("/Destination/ToAddresses/0", json!("maya @salon.example")),
        with("/Destination/ToAddresses/0", json!("maya@salon..example")),
        with("/Content/Simple/Subject/Data", json!("a\r\nBcc: b@c.example")),
        with("/Content/Simple/Body/Text", Value::Null),
        with("/Content/Simple/Body/Html/Data", json!("")),
        with("/Content/Simple", Value::Null),
        unknown,
        json!([]),
    ] {
        let (status, code, _) = send(&stage, &wrong).await;
        assert_eq!((status, code.as_str()), (400, "BadRequestException"), "{wrong}");
    }
    assert_eq!(stage.get("/mails").await, json!([]));
}
