//! People's files, against the emulator.

use std::time::Duration;

use domain::terms::{AssetId, AttachmentId, ContactId, MessageId, OperationId, RecordingId, TenantId};
use kit::files::{Appended, Piece};
use kit::{FileKey, Files, Folder};
use store::TenantScope;
use testkit::Aws;
use ulid::Ulid;

async fn world() -> (Aws, Files, TenantScope) {
    let aws = Aws::new().await;
    let files = Files::new(aws.env()).unwrap();
    let scope = aws.scope(TenantId::new(aws.ids().ulid()));
    (aws, files, scope)
}

const OPERATION: Ulid = Ulid::from_parts(1, 1);

/// Each step is made twice from the same checkpoint, as after a crash; so is the end.
#[tokio::test]
async fn a_file_grows_by_steps_that_may_be_made_twice() {
    let (aws, files, scope) = world().await;
    let files = files.in_parts_of(100);
    for (name, lengths) in [
        ("empty", &[][..]),
        ("short", &[3, 0, 40]),
        ("exact", &[100]),
        ("long", &[30, 90, 350, 1, 99, 7]),
    ] {
        let key = FileKey::result(&scope, OPERATION, name);
        let rest = |number: u32| FileKey::step(&scope, OPERATION, &format!("{name}-{number}"));
        let mut whole = Vec::new();
        let mut file = Appended::default();
        for (length, letter) in lengths.iter().zip(b'a'..) {
            let bytes = vec![letter; *length];
            let mut lost = file.clone();
            let other = vec![b'!'; length + 7];
            files.append(&key, rest, &mut lost, &other).await.unwrap();
            files.append(&key, rest, &mut file, &bytes).await.unwrap();
            whole.extend(bytes);
            // As it is stored with the operation.
            let stored = serde_json::to_value(&file).unwrap();
            file = serde_json::from_value(stored).unwrap();
        }
        assert_eq!(file.size(), whole.len() as u64);
        for _twice in 0..2 {
            files.complete(&key, rest, &file).await.unwrap();
        }
        let written = aws.files(key.as_str()).await.remove(key.as_str());
        assert_eq!(written, Some(whole), "{name}");
    }
}

/// Also more than are listed at a time, and nothing of anybody else.
#[tokio::test]
async fn a_folder_is_deleted_as_a_whole() {
    let (aws, files, scope) = world().await;
    let contact = |number| ContactId::new(Ulid::from_parts(1, number));
    let operation = OperationId::new(OPERATION);
    let other = Folder::of_archive(&scope, contact(2), operation).map(|folder| folder.file("1"));
    let export = FileKey::result(&scope, OPERATION, "contacts.csv");
    for key in other.iter().chain([&export]) {
        files.write(key, b"stays".to_vec()).await.unwrap();
    }
    let [work, results] = Folder::of_archive(&scope, contact(1), operation);
    for number in 0..105 {
        files
            .write(&work.file(&number.to_string()), b"goes".to_vec())
            .await
            .unwrap();
    }
    files.write(&results.file("1"), b"goes".to_vec()).await.unwrap();
    let recording = |number| FileKey::recording(&scope, contact(number), RecordingId::new(OPERATION));
    files.write(&recording(1), b"goes".to_vec()).await.unwrap();
    files.write(&recording(2), b"stays".to_vec()).await.unwrap();
    let medium = |number, index| FileKey::medium(&scope, MessageId::new(contact(number), OPERATION), index);
    for (key, content) in [(medium(1, 0), "goes"), (medium(1, 1), "goes"), (medium(2, 0), "stays")] {
        files.write(&key, content.into()).await.unwrap();
    }
    let attachment = |number| FileKey::asset(&scope, AttachmentId::new(contact(number), OPERATION));
    files.write(&attachment(1), b"goes".to_vec()).await.unwrap();
    files.write(&attachment(2), b"stays".to_vec()).await.unwrap();
    let [work, results, recordings, media, attachments] = Folder::of_contact(&scope, contact(1));
    assert_eq!(files.delete_some(&work).await.unwrap(), (100, true));
    assert_eq!(files.delete_some(&work).await.unwrap(), (5, false));
    assert_eq!(files.delete_some(&results).await.unwrap(), (1, false));
    assert_eq!(files.delete_some(&recordings).await.unwrap(), (1, false));
    assert_eq!(files.delete_some(&media).await.unwrap(), (2, false));
    assert_eq!(files.delete_some(&attachments).await.unwrap(), (1, false));
    let left: Vec<String> = aws.files("assets/").await.into_keys().collect();
    assert_eq!(left, [attachment(2).as_str()]);
    let left: Vec<String> = aws.files("media/").await.into_keys().collect();
    assert_eq!(left, [medium(2, 0).as_str()]);
    let left: Vec<String> = aws.files("recordings/").await.into_keys().collect();
    assert_eq!(left, [recording(2).as_str()]);
    assert_eq!(files.delete_some(&results).await.unwrap(), (0, false));
    let mut left = aws.files("steps/").await;
    left.extend(aws.files("results/").await);
    assert_eq!(left.len(), 3);
}

/// Of a tenant that is deleted, a bounded number at a time; everything else goes by the rules of the bucket.
#[tokio::test]
async fn files_of_a_tenant_are_deleted_in_portions() {
    let (aws, files, scope) = world().await;
    let other = aws.scope(TenantId::new(aws.ids().ulid()));
    let asset = |scope: &TenantScope, number| FileKey::asset(scope, AssetId::new(Ulid::from_parts(1, number)));
    for number in 0..101 {
        files.write(&asset(&scope, number), b"goes".to_vec()).await.unwrap();
    }
    files.write(&asset(&other, 1), b"stays".to_vec()).await.unwrap();
    let [media, assets] = Folder::of_tenant(&scope);
    assert_eq!(files.delete_some(&media).await.unwrap(), (0, false));
    assert_eq!(files.delete_some(&assets).await.unwrap(), (100, true));
    assert_eq!(files.delete_some(&assets).await.unwrap(), (1, false));
    let left: Vec<String> = aws.files("assets/").await.into_keys().collect();
    assert_eq!(left, [asset(&other, 1).as_str()]);
}

/// Nobody can read it before it is complete.
#[tokio::test]
async fn a_copy_is_written_in_parts_as_it_arrives() {
    let (aws, files, scope) = world().await;
    let files = files.in_parts_of(100);
    let contact = ContactId::new(Ulid::from_parts(1, 1));
    for (number, lengths) in (1_u128..).zip([&[][..], &[3, 0, 40], &[100], &[30, 90, 350, 1, 99, 7]]) {
        let key = FileKey::recording(&scope, contact, RecordingId::new(Ulid::from_parts(1, number)));
        let (mut copy, mut whole) = (files.copy(key.clone()), Vec::new());
        for (length, letter) in lengths.iter().zip(b'a'..) {
            let bytes = vec![letter; *length];
            copy.add(&bytes).await.unwrap();
            whole.extend(bytes);
        }
        assert_eq!(copy.size(), whole.len() as u64);
        assert_eq!(files.facts(&key).await.unwrap(), None, "{number}");
        assert_eq!(copy.complete().await.unwrap(), whole.len() as u64);
        let written = aws.files(key.as_str()).await.remove(key.as_str());
        assert_eq!(written, Some(whole), "{number}");
        files.remove(&key).await.unwrap();
        files.remove(&key).await.unwrap();
        assert_eq!(files.facts(&key).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_discarded_file_leaves_nothing() {
    let (aws, files, scope) = world().await;
    let files = files.in_parts_of(100);
    let contact = ContactId::new(Ulid::from_parts(1, 1));
    let [work, results] = Folder::of_archive(&scope, contact, OperationId::new(OPERATION));
    let (key, rest) = (results.file("contact.json"), |number: u32| {
        work.file(&number.to_string())
    });
    let mut file = Appended::default();
    for length in [30, 90, 20] {
        files.append(&key, rest, &mut file, &vec![b'a'; length]).await.unwrap();
    }
    // A step that was not recorded.
    let mut lost = file.clone();
    files.append(&key, rest, &mut lost, b"lost").await.unwrap();
    files.complete(&key, rest, &file).await.unwrap();
    for _twice in 0..2 {
        files.discard(&key, rest, &file).await.unwrap();
        let mut left = aws.files("steps/").await;
        left.extend(aws.files("results/").await);
        assert_eq!(left.len(), 0, "{:?}", left.keys());
    }
}

#[tokio::test]
async fn a_piece_is_of_the_file_that_was_meant() {
    let (_aws, files, scope) = world().await;
    let key = FileKey::upload(&scope, OPERATION);
    assert_eq!(files.facts(&key).await.unwrap(), None);
    assert_eq!(files.piece(&key, "\"x\"", 0, 4).await.unwrap(), Piece::Changed);
    assert_eq!(files.read(&key).await.unwrap(), None);
    files.write(&key, b"0123456789".to_vec()).await.unwrap();
    let facts = files.facts(&key).await.unwrap().unwrap();
    assert_eq!(facts.size, 10);
    for (offset, length, expected) in [(0, 4, "0123"), (4, 4, "4567"), (8, 4, "89"), (10, 4, ""), (99, 1, "")] {
        let piece = files.piece(&key, &facts.etag, offset, length).await.unwrap();
        assert_eq!(piece, Piece::Bytes(expected.as_bytes().to_vec()), "{offset}");
    }
    files.write(&key, b"abcdefghij".to_vec()).await.unwrap();
    assert_eq!(files.piece(&key, &facts.etag, 0, 4).await.unwrap(), Piece::Changed);
}

#[tokio::test]
async fn links_work_without_credentials() {
    let (_aws, files, scope) = world().await;
    let key = FileKey::upload(&scope, OPERATION);
    let hour = Duration::from_secs(3_600);
    let upload = files.upload_link(&key, "text/csv", 5, hour).await.unwrap();
    // Another length has another signature.
    assert!(upload.url.contains("content-length"), "the length is signed");
    assert!(!format!("{upload:?}").contains("http"), "it is a secret");
    // Of which a page may ask.
    assert!(
        upload.url.starts_with(&format!("{}/", files.origin())),
        "{}",
        files.origin()
    );
    let http = reqwest::Client::new();
    let mut put = http.put(&upload.url);
    for (name, value) in &upload.headers {
        put = put.header(name, value);
    }
    let sent = put.body("hello").send().await.unwrap();
    assert!(sent.status().is_success(), "{}", sent.status());
    let download = files.download_link(&key, "contacts.csv", hour).await.unwrap();
    assert!(
        download.headers.is_empty(),
        "a browser sends none: {:?}",
        download.headers
    );
    let got = http.get(&download.url).send().await.unwrap();
    let disposition = got.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert_eq!(disposition, "attachment; filename=\"contacts.csv\"");
    assert_eq!(got.text().await.unwrap(), "hello");
    // A player asks for parts.
    let played = files.player_link(&key, "a.mp3", "audio/mpeg", hour).await.unwrap();
    let got = http.get(&played.url).header("range", "bytes=1-3").send().await.unwrap();
    let shown = ["content-type", "content-disposition", "cache-control", "content-range"];
    let shown = shown.map(|name| got.headers()[name].to_str().unwrap().to_owned());
    let expected = [
        "audio/mpeg",
        "attachment; filename=\"a.mp3\"",
        "private, no-store",
        "bytes 1-3/5",
    ];
    assert_eq!((got.status().as_u16(), shown), (206, expected.map(str::to_owned)));
    assert_eq!(got.text().await.unwrap(), "ell");
    // A name of any letters cannot leave its place in the header; one that is too long is left out.
    let long = "ß".repeat(241);
    for (chosen, told) in [
        (
            Some("Menü \"2\"\r\n; 100%.pdf"),
            "; filename*=UTF-8''Men%C3%BC%20%222%22%0D%0A%3B%20100%25.pdf",
        ),
        (Some(long.as_str()), ""),
        (None, ""),
    ] {
        let named = files
            .named_link(&key, "a.pdf", chosen, "application/pdf", hour)
            .await
            .unwrap();
        let got = http.get(&named.url).send().await.unwrap();
        let expected = format!("attachment; filename=\"a.pdf\"{told}");
        assert_eq!(got.headers()["content-disposition"], expected.as_str(), "{chosen:?}");
        assert_eq!(got.headers()["content-type"], "application/pdf");
    }
}
