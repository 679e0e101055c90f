//! Media: limits, validity, downloads with everything that can be wrong with them, and resumable uploads.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Answer, MAYA, Stage, assert_answer, assert_shape, send_for_json, send_without_redirects};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn code(answer: Answer) -> (u16, Value) {
    let (status, body) = answer;
    (status, body["error"]["code"].clone())
}

/// Describes a file of a customer and fetches it with the token.
async fn download(stage: &Stage, id: &str) -> reqwest::Result<(u16, Vec<u8>)> {
    let (_, described) = send_for_json(stage.meta("GET", id)).await;
    let url = described["url"].as_str().expect("a URL").to_owned();
    let answer = stage.http.get(url).bearer_auth("token-a").send().await?;
    Ok((answer.status().as_u16(), answer.bytes().await?.to_vec()))
}

/// The media id in the webhook of what Maya sends.
async fn sent_by_maya(stage: &Stage, media: Value) -> (String, Value) {
    let (webhook, _) = stage.maya_sends(json!({ "media": media })).await;
    let message = webhook.value()["messages"][0].clone();
    let kind = message["type"].as_str().expect("a type").to_owned();
    let part = message[&kind].clone();
    (part["id"].as_str().expect("an id").to_owned(), part)
}

#[tokio::test]
async fn files_have_limits_by_type() {
    let stage = Stage::set().await;
    let mib = 1024 * 1024;
    for (kind, size, accepted) in [
        ("image/png", 5 * mib, true),
        ("image/png", 5 * mib + 1, false),
        ("audio/mpeg", 16 * mib + 1, false),
        ("image/webp", 100 * 1024, true),
        ("image/webp", 100 * 1024 + 1, false),
        ("application/pdf", 100 * mib + 1, false),
        ("image/jpeg", 0, false),
    ] {
        let (status, answer) = stage.upload(kind, &vec![b'x'; size]).await;
        assert_eq!(status == 200, accepted, "{kind} of {size} bytes: {answer}");
        assert!(accepted || answer["error"]["code"] == 131053, "{answer}");
    }
    // An animated sticker may be larger.
    let mut sticker = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0".to_vec();
    sticker.resize(400 * 1024, 0);
    assert_eq!(stage.upload("image/webp", &sticker).await.0, 200);
    assert_eq!(code(stage.upload("image/gif", b"GIF89a").await), (400, json!(100)));
}

#[tokio::test]
async fn ids_and_urls_expire_by_the_clock() {
    let stage = Stage::set().await;
    let uploaded = stage.upload_file("image/png", b"picture").await;
    let (received, _) = sent_by_maya(&stage, json!({"mime": "image/png"})).await;
    let (_, described) = send_for_json(stage.meta("GET", &received)).await;
    assert_shape(&described, "whatsapp/media/get_url_response");
    let url = described["url"].as_str().unwrap();
    assert_eq!(
        send_for_json(stage.http.get(url)).await.0,
        401,
        "a download needs the token"
    );
    let fetch = async || send_for_json(stage.http.get(url).bearer_auth("token-a")).await.0;
    assert_eq!(fetch().await, 200);
    let forged = stage.http.get(url.replace("hash=", "hash=0"));
    assert_eq!(send_for_json(forged.bearer_auth("token-a")).await.0, 404);
    stage.forward(SignedDuration::from_mins(5)).await;
    assert_eq!(fetch().await, 404, "after five minutes");
    let describe = async |id: &str| send_for_json(stage.meta("GET", id)).await;
    assert_eq!(describe(&received).await.0, 200, "but the id is still valid");
    stage.forward(HOUR * 24 * 7).await;
    assert_eq!(describe(&received).await.0, 404, "for seven days");
    assert_eq!(describe(&uploaded).await.0, 200);
    stage.forward(HOUR * 24 * 23).await;
    // An uploaded one is valid for thirty.
    assert_answer(&describe(&uploaded).await, 404, "whatsapp/media/get_url_error_404");
}

/// Webhooks write the hash in base64, descriptions in hexadecimal digits.
#[tokio::test]
async fn a_customers_file_has_the_hash_of_its_bytes() {
    let stage = Stage::set().await;
    let size = 3 * 1024 * 1024 + 7;
    let media = json!({"mime": "application/pdf", "size": size, "file_name": "big.pdf"});
    let (id, part) = sent_by_maya(&stage, media).await;
    let (status, bytes) = download(&stage, &id).await.unwrap();
    assert_eq!((status, bytes.len()), (200, size));
    assert!(bytes.starts_with(b"%PDF-"), "the first bytes are those of the type");
    let hash: [u8; 32] = Sha256::digest(&bytes).into();
    let (_, described) = send_for_json(stage.meta("GET", &id)).await;
    assert_eq!(described["sha256"], hex::encode(hash));
    assert_eq!(described["file_size"], size.to_string());
    let written = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash);
    assert_eq!(part["sha256"], written);

    let (id, _) = sent_by_maya(&stage, json!({"mime": "image/jpeg", "bytes": "cGljdHVyZQ=="})).await;
    assert_eq!(download(&stage, &id).await.unwrap(), (200, b"picture".to_vec()));
}

#[tokio::test]
async fn downloads_go_wrong_as_told() {
    let stage = Stage::set().await;
    let size = 300_000;
    let media = json!({"mime": "image/png", "size": size});
    let (id, _) = sent_by_maya(&stage, media).await;
    let whole = download(&stage, &id).await.unwrap().1;
    let fault = async |kind: &str| {
        let rule = json!({"kind": kind, "api": "graph", "number": MAYA});
        stage.faults(json!([rule])).await;
    };

    fault("media_unavailable").await;
    assert_eq!(send_for_json(stage.meta("GET", &id)).await.0, 503);
    fault("media_empty").await;
    assert_eq!(download(&stage, &id).await.unwrap(), (200, Vec::new()));
    fault("media_truncated").await;
    assert!(download(&stage, &id).await.is_err(), "broken off");
    fault("media_wrong_hash").await;
    let (_, other) = download(&stage, &id).await.unwrap();
    assert_eq!(other.len(), whole.len());
    assert_ne!(other, whole);
    fault("media_wrong_type").await;
    assert!(download(&stage, &id).await.unwrap().1.starts_with(b"<!doctype html>"));
    fault("media_too_large").await;
    assert_eq!(download(&stage, &id).await.unwrap().1.len(), 100 * 1024 * 1024 + 1);
    fault("media_wrong_length").await;
    let (_, described) = send_for_json(stage.meta("GET", &id)).await;
    assert_eq!(described["file_size"], (size + 1).to_string());

    stage.faults(json!([])).await;
    let (_, described) = send_for_json(stage.meta("GET", &id)).await;
    let open = async || {
        let request = stage.http.get(described["url"].as_str().unwrap());
        send_without_redirects(request.bearer_auth("token-a")).await
    };
    fault("media_redirect").await;
    let answer = open().await;
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()["location"], "http://169.254.169.254/latest/meta-data/");
    fault("media_endless").await;
    let (mut answer, mut read) = (open().await, 0);
    assert_eq!(answer.content_length(), None);
    while read < 4 * size {
        read += answer.chunk().await.unwrap().expect("no end").len();
    }
    drop(answer);

    stage.faults(json!([])).await;
    assert_eq!(download(&stage, &id).await.unwrap(), (200, whole));
}

#[tokio::test]
async fn a_fault_can_end_by_the_clock() {
    let stage = Stage::set().await;
    let (id, _) = sent_by_maya(&stage, json!({"mime": "image/png"})).await;
    let now: jiff::Timestamp = stage.get("/clock").await["now"].as_str().unwrap().parse().unwrap();
    let rule = json!({"kind": "media_unavailable", "until": now + HOUR});
    stage.faults(json!([rule])).await;
    assert_eq!(send_for_json(stage.meta("GET", &id)).await.0, 503);
    stage.forward(HOUR * 2).await;
    assert_eq!(send_for_json(stage.meta("GET", &id)).await.0, 200);
}

#[tokio::test]
async fn samples_are_uploaded_in_parts() {
    let stage = Stage::set().await;
    let open =
        async |path: &str, query: &str| send_for_json(stage.meta("POST", &format!("{path}/uploads?{query}"))).await;
    let query = "file_name=offer.jpg&file_length=10&file_type=image%2Fjpeg";
    let session = open("670843887433847", query).await;
    assert_answer(&session, 200, "whatsapp/upload/session_response");
    let session = session.1["id"].as_str().unwrap().to_owned();
    let send = async |offset: &str, bytes: &'static str| {
        let url = stage.url(&format!("/v26.0/{session}"));
        let request = stage.http.post(url).header("authorization", "OAuth token-a");
        send_for_json(request.header("file_offset", offset).body(bytes)).await
    };
    assert_eq!(code(send("4", "456789").await), (400, json!(100)), "a wrong offset");
    assert_eq!(code(send("0", "01234").await), (400, json!(100)), "it is not complete");
    let (_, state) = send_for_json(stage.meta("GET", &session)).await;
    assert_shape(&state, "whatsapp/upload/resume_query_response");
    assert_eq!(state["file_offset"], 5, "but what came is kept");
    let handle = send("5", "56789").await;
    assert_answer(&handle, 200, "whatsapp/upload/upload_response_handle");
    assert!(handle.1["h"].as_str().unwrap().starts_with("4::aW1hZ2UvanBlZw==:"));

    assert_eq!(open("1", query).await.0, 404, "another app");
    let nobody = stage.http.post(stage.url(&format!("/v26.0/app/uploads?{query}")));
    assert_answer(&send_for_json(nobody).await, 401, "whatsapp/upload/401_error_token");
}

#[tokio::test]
async fn messages_carry_files_that_fit() {
    let stage = Stage::set().await;
    stage.maya_writes("tnt_a", "whatsapp").await;
    let picture = stage.upload_file("image/png", b"picture").await;
    let send = async |kind: &str, part: Value| {
        let message = json!({"messaging_product": "whatsapp", "to": MAYA, "type": kind, kind: part});
        code(stage.send_whatsapp(&message).await)
    };
    for (kind, part, expected) in [
        ("image", json!({"id": picture, "caption": "our map"}), 0),
        ("audio", json!({"id": picture}), 131053),
        ("image", json!({"id": "1"}), 131009),
        ("image", json!({"link": "ftp://media.example.test/a.png"}), 131009),
        ("image", json!({}), 131008),
    ] {
        let (status, code) = send(kind, part.clone()).await;
        match expected {
            0 => assert_eq!(status, 200, "{kind} {part}"),
            expected => assert_eq!((status, code), (400, json!(expected)), "{kind} {part}"),
        }
    }
    let sent = &stage.outbox("").await[0];
    let image = json!({"id": picture, "caption": "our map"});
    assert_eq!(sent["other"], json!({"type": "image", "image": image}));
    let phone = stage.get(&format!("/phones/{MAYA}")).await;
    let item = &phone["chats"][0]["whatsapp"][1];
    assert_eq!(
        (&item["text"], &item["media"]["kind"]),
        (&json!("our map"), &json!("image"))
    );
    let path = format!("/{}", item["media"]["url"].as_str().unwrap());
    let shown = stage.http.get(stage.url(&path)).send().await.unwrap();
    let policy = &shown.headers()["content-security-policy"];
    assert_eq!(policy, "default-src 'none'; sandbox");
    assert_eq!(shown.bytes().await.unwrap(), "picture");
    stage.forward(HOUR * 24 * 30).await;
    stage.maya_writes("tnt_a", "whatsapp").await;
    let (_, code) = send("image", json!({"id": picture})).await;
    assert_eq!(code, 131009, "a file is sent for thirty days");
}
