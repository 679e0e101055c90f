//! Assets, in process against the emulator, from the callers' point of view.

mod attachments;

use domain::accounts::{Permission, Role};
use domain::media::{Asset, AssetState, MediaReason};
use domain::tenants::Limits;
use domain::terms::AssetId;
use kit::{FileKey, Files};
use serde_json::{Value, json};
use store::Versioned;
use store::table::rates::Limit;
use testkit::api::{Caller, Town, repeat_interrupted_request};
use testkit::{Answer, Aws, Lossy, texts};

const ASSETS: &str = "/api/v1/assets";

/// Begins as a JPEG does.
fn picture() -> Vec<u8> {
    [b"\xff\xd8\xff\xe0\0\x10JFIF\0".as_slice(), &[7; 500]].concat()
}

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, assets::routes).await
}

/// SHA-256 of `secret`.
const SCANNER_SHA256: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

/// A platform with a scanner.
async fn scanned_town(aws: &Aws) -> Town<'_> {
    let env = aws.env_with(&[("MEDIA_SCANNER", "guard"), ("SCANNER_SECRET_SHA256", SCANNER_SHA256)]);
    Town::with_env(aws, &env, assets::routes).await
}

fn new(content_type: &str, bytes: usize) -> Value {
    json!({"name": "cake.jpg", "content_type": content_type, "bytes": bytes})
}

/// Uploads a file as an answer says. Returns the status.
async fn upload(answer: &Answer, file: Vec<u8>) -> u16 {
    let upload = answer.json()["upload"].clone();
    assert_eq!(upload["method"], "PUT");
    let mut put = reqwest::Client::new().put(upload["url"].as_str().unwrap());
    for (name, value) in upload["headers"].as_object().unwrap() {
        put = put.header(name, value.as_str().unwrap());
    }
    put.body(file).send().await.unwrap().status().as_u16()
}

/// Creates an asset and uploads its file, as a client does. Returns its path.
async fn upload_asset(caller: &Caller<'_>, content_type: &str, file: Vec<u8>) -> String {
    let created = caller.post(ASSETS, new(content_type, file.len())).await;
    assert_eq!(upload(created.is(201), file).await, 200);
    created.header("location").to_owned()
}

/// The problem of a refused check of a file.
async fn refusal(caller: &Caller<'_>, place: &str) -> String {
    let refused = complete(caller, place).await;
    refused.is_refused(409, "asset_refused").detail()
}

async fn complete(caller: &Caller<'_>, place: &str) -> Answer {
    caller.post(&format!("{place}/complete"), json!({})).raw_body("").await
}

/// An asset that is ready. Returns its path.
async fn ready(caller: &Caller<'_>) -> String {
    let place = upload_asset(caller, "image/jpeg", picture()).await;
    assert_eq!(complete(caller, &place).await.is(200).json()["state"], "ready");
    place
}

fn id(place: &str) -> AssetId {
    place.rsplit('/').next().unwrap().parse().unwrap()
}

async fn row(town: &Town<'_>, place: &str) -> Option<Versioned<Asset>> {
    let store = town.aws().store();
    store.asset(town.home.scope(), id(place)).await.unwrap()
}

#[tokio::test]
async fn a_file_is_uploaded_checked_and_linked() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (manager, viewer) = (town.manager(), town.viewer());
    let created = manager.post(ASSETS, new("image/jpeg", picture().len())).await;
    let place = created.is(201).has_version(1).header("location").to_owned();
    let mut shown = created.json();
    let headers = shown["upload"]["headers"].take();
    assert_eq!(headers["content-length"], picture().len().to_string());
    assert_eq!(headers["content-type"], "image/jpeg");
    shown["upload"].take();
    assert_eq!(
        shown,
        json!({
            "id": id(&place), "name": "cake.jpg", "kind": "image", "content_type": "image/jpeg",
            "bytes": picture().len(), "sha256": null, "state": "awaiting_upload", "reason": null, "upload": null,
            "download": null, "created_at": aws.now(), "updated_at": aws.now(),
        })
    );
    complete(&manager, &place).await.is_refused(409, "not_uploaded");
    // Whoever may change it, gets the request for the upload again.
    assert!(viewer.get(&place).await.is(200).json()["upload"].is_null());
    let again = manager.get(&place).await;
    assert_eq!(upload(again.is(200), picture()).await, 200);
    aws.pass(1);
    let done = complete(&manager, &place).await;
    let after = done.is(200).has_version(2).json();
    assert_eq!((&after["state"], &after["upload"]), (&json!("ready"), &Value::Null));
    assert_eq!(after["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(after["updated_at"], json!(aws.now()));
    let link = viewer.get(&place).await.is(200).json()["download"]["url"].clone();
    let got = reqwest::get(link.as_str().unwrap()).await.unwrap();
    assert_eq!(got.headers()["content-type"], "image/jpeg");
    let disposition = format!("inline; filename=\"{}.jpg\"", id(&place));
    assert_eq!(got.headers()["content-disposition"], disposition.as_str());
    assert_eq!(got.bytes().await.unwrap(), picture());
    // Lists show no links.
    let listed = viewer.get(ASSETS).await.items();
    assert!(listed[0]["download"].is_null() && listed[0]["state"] == "ready");
}

/// WhatsApp does not take every file of these types.
#[tokio::test]
async fn opus_and_moving_stickers_are_taken() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let opus = [b"OggS\0\x02".as_slice(), &[0; 20], b"\x01\x13OpusHead\x01\x01"].concat();
    let moving = [b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02".as_slice(), &[0; 400 * 1024]].concat();
    for (stated, file) in [("audio/ogg", opus), ("image/webp", moving)] {
        let place = upload_asset(&manager, stated, file).await;
        let shown = complete(&manager, &place).await.is(200).json();
        assert_eq!(shown["state"], "ready", "{stated}");
    }
}

/// Another length or type has another signature.
#[tokio::test]
async fn the_stated_length_and_type_are_signed() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let created = town.manager().post(ASSETS, new("image/jpeg", 9)).await;
    let url = created.is(201).json()["upload"]["url"].as_str().unwrap().to_owned();
    for header in ["content-length", "content-type"] {
        assert!(url.contains(header), "{header} is not signed");
    }
    assert!(url.contains("/uploads/"), "an upload is deleted after a day");
}

#[tokio::test]
async fn a_file_that_is_not_what_was_stated_is_refused() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let files = Files::new(aws.env()).unwrap();
    let page = b"<!doctype html><script>alert(1)</script>".to_vec();
    let png = b"\x89PNG\r\n\x1a\n and more".to_vec();
    let program = [b"\x7fELF".as_slice(), &[0; 60]].concat();
    let vorbis = [b"OggS\0\x02".as_slice(), &[0; 20], b"\x01\x1e\x01vorbis"].concat();
    let still = [b"RIFF\0\0\0\0WEBPVP8 ".as_slice(), &[0; 100 * 1024]].concat();
    for (stated, file, reason) in [
        ("image/jpeg", page.clone(), MediaReason::WrongType),
        ("image/jpeg", png, MediaReason::WrongType),
        ("application/pdf", page.clone(), MediaReason::WrongType),
        ("text/plain", page, MediaReason::WrongType),
        ("video/mp4", picture(), MediaReason::WrongType),
        ("application/pdf", program, MediaReason::WrongType),
        ("audio/ogg", vorbis, MediaReason::WrongType),
        ("image/webp", still, MediaReason::TooLarge),
    ] {
        let place = upload_asset(&manager, stated, file).await;
        for _twice in 0..2 {
            let detail = refusal(&manager, &place).await;
            assert!(detail.starts_with(reason.sentence()), "{stated}: {detail}");
        }
        let shown = manager.get(&place).await.is(200).json();
        assert_eq!((&shown["state"], &shown["reason"]), (&json!("refused"), &json!(reason)));
        assert!(shown["download"].is_null() && shown["upload"].is_null());
    }
    assert!(aws.files("assets/").await.is_empty());
    // What a signed link cannot upload.
    for length in [0, picture().len() - 1] {
        let created = manager.post(ASSETS, new("image/jpeg", picture().len())).await;
        let place = created.is(201).header("location").to_owned();
        let key = FileKey::upload(town.home.scope(), id(&place).ulid());
        files.write(&key, picture()[..length].to_vec()).await.unwrap();
        let detail = refusal(&manager, &place).await;
        let expected = MediaReason::WrongSize.sentence();
        assert!(detail.starts_with(expected), "{length}: {detail}");
    }
    // A hash that was stated.
    let mut body = new("image/jpeg", picture().len());
    body["sha256"] = json!("ab".repeat(32));
    let created = manager.post(ASSETS, body).await;
    assert_eq!(upload(created.is(201), picture()).await, 200);
    let detail = refusal(&manager, created.header("location")).await;
    assert!(detail.starts_with(MediaReason::WrongHash.sentence()), "{detail}");
}

#[tokio::test]
async fn every_text_and_number_is_bounded() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    for (field, value) in [
        ("name", json!("x".repeat(241))),
        ("name", json!("../etc/passwd")),
        ("name", json!("a\nb")),
        ("name", json!("")),
        ("content_type", json!("image/svg+xml")),
        ("content_type", json!("text/html")),
        ("content_type", json!("IMAGE/JPEG")),
        ("bytes", json!(0)),
        ("bytes", json!(-1)),
        ("bytes", json!(5 * 1024 * 1024 + 1)),
        ("bytes", json!(200 * 1024 * 1024)),
        ("sha256", json!("AB".repeat(32))),
        ("sha256", json!("ab")),
        ("kind", json!("image")),
    ] {
        let mut body = new("image/jpeg", 9);
        body[field] = value;
        town.manager().post(ASSETS, body).await.names_only(&[field]);
    }
    let document = new("application/pdf", 100 * 1024 * 1024);
    town.manager().post(ASSETS, document).await.is(201);
}

#[tokio::test]
async fn plan_limits_the_bytes_of_all_assets() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let limits = Limits {
        asset_megabytes: Some(1),
        ..Limits::default()
    };
    aws.limit(town.home.scope(), limits).await;
    let agent = town.manager();
    let first = agent.post(ASSETS, new("image/jpeg", 600_000)).await;
    let second = agent.post(ASSETS, new("image/jpeg", 400_001)).await;
    second.is_refused(409, "limit_reached");
    agent.post(ASSETS, new("image/jpeg", 400_000)).await.is(201);
    agent.delete(first.is(201).header("location")).await.is(204);
    agent.post(ASSETS, new("image/jpeg", 600_000)).await.is(201);
}

#[tokio::test]
async fn assets_need_permissions() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let place = ready(&town.manager()).await;
    let (verdict, clean) = (format!("{place}/verdict"), json!({"verdict": "clean"}));
    for role in Role::ALL {
        let (caller, writes) = (town.role(role), role >= Role::Manager);
        let of = |may: bool, status: u16| if may { status } else { 403 };
        caller.get(ASSETS).await.is(200);
        caller.get(&place).await.is(200);
        caller.post(ASSETS, new("image/jpeg", 9)).await.is(of(writes, 201));
        caller.patch(&place, json!({"name": "b.jpg"})).await.is(of(writes, 200));
        complete(&caller, &place).await.is(of(writes, 200));
        let judged = caller.post(&verdict, clean.clone()).await;
        judged.is(of(role == Role::Admin, 200));
        if !writes {
            caller.delete(&place).await.is(403);
        }
    }
    let (_, reader) = town.new_key(Role::Admin, &[Permission::AssetsRead]).await;
    let reader = town.api_key(&reader);
    reader.get(&place).await.is(200);
    reader.delete(&place).await.is(403);
    complete(&reader, &place).await.is(403);
    let (_, scanner) = town.new_key(Role::Admin, &[Permission::MediaScan]).await;
    let scanner = town.api_key(&scanner);
    scanner.get(&place).await.is(403);
    scanner.post(&verdict, clean).await.is(200);
    town.anyone().get(&place).await.is_refused(401, "unauthorized");
}

#[tokio::test]
async fn an_asset_is_the_tenants_own() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let place = ready(&town.manager()).await;
    let foreign = town.foreign_admin();
    for asked in [
        foreign.get(&place),
        foreign.patch(&place, json!({"name": "b.jpg"})),
        foreign.delete(&place),
        foreign.post(&format!("{place}/complete"), json!({})).raw_body(""),
        foreign.post(&format!("{place}/verdict"), json!({"verdict": "harmful"})),
    ] {
        asked.await.is_refused(404, "not_found");
    }
    assert_eq!(foreign.get(ASSETS).await.items(), Vec::<Value>::new());
    assert_eq!(aws.files("assets/").await.len(), 1);
    assert_eq!(row(&town, &place).await.unwrap().value.state, AssetState::Ready);
}

#[tokio::test]
async fn assets_are_renamed_under_their_version() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let place = ready(&manager).await;
    let renamed = manager.patch(&place, json!({"name": "menu.jpg"})).if_match(2).await;
    let after = renamed.is(200).has_version(3).json();
    assert_eq!((&after["name"], &after["state"]), (&json!("menu.jpg"), &json!("ready")));
    let late = manager.patch(&place, json!({"name": "late.jpg"})).if_match(2).await;
    late.is_refused(412, "stale");
    for field in ["state", "content_type", "bytes", "handles", "id"] {
        let changed = json!({field: after[field]});
        manager.patch(&place, changed).await.names_field(field);
    }
    manager.delete(&place).if_match(2).await.is_refused(412, "stale");
    assert_eq!(aws.files("assets/").await.len(), 1);
}

#[tokio::test]
async fn the_file_is_deleted_with_its_asset() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let place = ready(&manager).await;
    assert_eq!(aws.files("assets/").await.len(), 1);
    manager.delete(&place).await.is(204);
    assert!(aws.files("assets/").await.is_empty());
    manager.get(&place).await.is_refused(404, "not_found");
    complete(&manager, &place).await.is_refused(404, "not_found");
    // A request that was interrupted between the two is repeated.
    let key = FileKey::asset(town.home.scope(), id(&place));
    Files::new(aws.env()).unwrap().write(&key, picture()).await.unwrap();
    manager.delete(&place).await.is_refused(404, "not_found");
    assert!(aws.files("assets/").await.is_empty());
}

/// The upload link works for an hour, even after the file was checked.
#[tokio::test]
async fn a_later_upload_does_not_change_a_checked_file() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let created = manager.post(ASSETS, new("image/jpeg", picture().len())).await;
    assert_eq!(upload(&created, picture()).await, 200);
    let place = created.header("location");
    let done = complete(&manager, place).await.is(200).json();
    let mut other = picture();
    *other.last_mut().unwrap() = 8;
    assert_eq!(upload(&created, other).await, 200);
    let again = complete(&manager, place).await.is(200).json();
    assert_eq!(again["sha256"], done["sha256"]);
    let kept: Vec<_> = aws.files("assets/").await.into_values().collect();
    assert_eq!(kept, [picture()]);
}

/// Longer than a part of an upload, so it is not held in memory as a whole.
#[tokio::test]
async fn a_large_file_is_copied_in_parts() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let mut video = vec![5; 15 * 1024 * 1024];
    video[..24].copy_from_slice(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom");
    let place = upload_asset(&town.manager(), "video/mp4", video.clone()).await;
    assert_eq!(complete(&town.manager(), &place).await.is(200).json()["state"], "ready");
    let kept: Vec<_> = aws.files("assets/").await.into_values().collect();
    assert!(kept == [video], "another file");
}

#[tokio::test]
async fn with_a_scanner_an_asset_waits_for_its_verdict() {
    let aws = Aws::new().await;
    let town = scanned_town(&aws).await;
    let (manager, admin) = (town.manager(), town.admin());
    let judge = async |place: &str, verdict: &str| {
        let path = format!("{place}/verdict");
        // The tenant itself cannot pass its files.
        for secret in ["", "guess", SCANNER_SHA256] {
            let clean = admin
                .post(&path, json!({"verdict": "clean"}))
                .header("x-scanner-secret", secret);
            let detail = clean.await.is_refused(403, "forbidden").detail();
            assert!(detail.contains("`X-Scanner-Secret`"), "{detail}");
        }
        let asked = admin.post(&path, json!({"verdict": verdict}));
        if verdict == "harmful" {
            asked.await
        } else {
            asked.header("x-scanner-secret", "secret").await
        }
    };
    let place = upload_asset(&manager, "image/jpeg", picture()).await;
    judge(&place, "clean").await.is_refused(409, "not_uploaded");
    let done = complete(&manager, &place).await.is(200).json();
    assert_eq!((&done["state"], &done["download"]), (&json!("scanning"), &Value::Null));
    for _twice in 0..2 {
        assert_eq!(judge(&place, "clean").await.is(200).json()["state"], "ready");
    }
    assert!(manager.get(&place).await.is(200).json()["download"]["url"].is_string());
    // Viruses are known later than they are written.
    for _twice in 0..2 {
        let refused = judge(&place, "harmful").await.is(200).json();
        let (state, reason) = (&refused["state"], &refused["reason"]);
        assert_eq!((state, reason), (&json!("refused"), &json!("harmful")));
        assert!(aws.files("assets/").await.is_empty());
    }
    judge(&place, "clean").await.is_refused(409, "asset_refused");
    complete(&manager, &place).await.is_refused(409, "asset_refused");
    judge(&place, "dirty").await.names_field("verdict");
}

#[tokio::test]
async fn assets_are_limited_and_listed_page_by_page() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    for _one in 0..3 {
        manager.post(ASSETS, new("image/jpeg", 9)).await.is(201);
    }
    let listed = manager.get(ASSETS).await.items();
    assert_eq!(texts(&manager.all(ASSETS, 2).await, "id"), texts(&listed, "id"));
    assert_eq!(listed.len(), 3);
    town.fill_counter("asset", Asset::MAX).await;
    let refused = manager.post(ASSETS, new("image/jpeg", 9)).await;
    refused.is_refused(409, "limit_reached");
    let (store, scope) = (aws.store(), town.home.scope());
    for _other in 0..196 {
        let taken = store.take(scope, "ASSETS", Limit::per_hour(200), aws.now()).await;
        assert!(taken.unwrap().is_within());
    }
    let refused = manager.post(ASSETS, new("image/jpeg", 9)).await;
    refused.is_refused(429, "too_many_requests");
}

/// The row was written, but the answer was lost. The request is repeated.
#[tokio::test]
async fn an_asset_is_created_once_though_interrupted() {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let town = Town::with_env(&aws, &aws.env_behind(lossy.url()), assets::routes).await;
    let ask = || town.manager().post_once(ASSETS, "k1", new("image/jpeg", 9));
    let made = repeat_interrupted_request(&aws, &lossy, ask).await;
    let listed = texts(&town.manager().get(ASSETS).await.items(), "id");
    assert_eq!(listed, [made.json()["id"].as_str().unwrap()]);
}
