//! Media of customers' messages.

use domain::media::{InboundMedia, MediaKind, MediaReason, Medium, MediumState};
use domain::terms::{ConnectionId, MessageId, TenantId};
use jiff::SignedDuration;
use jobs::MediaJob;
use kit::{Done, FileKey, Files};
use serde_json::json;
use testkit::business::erase;
use testkit::file_host::{FileHost, Reply};
use testkit::seed::{PHONE_NUMBER_ID, TWILIO_ACCOUNT};

use super::world::{World, picture, sha256, video};

const DAY: i64 = 24 * 3_600;

/// Wait before a provider's answer is believed, in seconds.
const HOURS: i64 = 6 * 3_600;

fn stands(medium: &Medium) -> (MediumState, Option<MediaReason>) {
    (medium.state, medium.reason)
}

#[tokio::test]
async fn a_picture_by_whatsapp_is_fetched_once() {
    let (world, message) = World::with_picture().await;
    assert_eq!(world.fetch(message).await.unwrap(), Done::Now);
    let medium = world.medium(message).await;
    assert_eq!(stands(&medium), (MediumState::Ready, None));
    assert_eq!(medium.mime.as_deref(), Some("image/jpeg"));
    assert_eq!(
        (medium.bytes, medium.sha256),
        (Some(picture().len() as u64), Some(sha256(&picture())))
    );
    assert_eq!((medium.due, medium.attempts), (Some(medium.kept_until), 0));
    let stored = world.aws.files("media/").await;
    let key = FileKey::medium(world.business.scope(), message, 0);
    assert_eq!(stored.get(key.as_str()), Some(&picture()));
    let asked = world.host.take_requests();
    let paths: Vec<&str> = asked.iter().map(|asked| asked.path.as_str()).collect();
    let about = format!("/v25.0/7001?phone_number_id={PHONE_NUMBER_ID}");
    assert_eq!(paths, [about.as_str(), "/files/1?hash=a"]);
    for asked in &asked {
        assert_eq!(asked.authorization, "Bearer fixture-access-token");
    }
    // The job is delivered again.
    assert_eq!(world.fetch(message).await.unwrap(), Done::Already);
    assert!(world.host.take_requests().is_empty());
}

#[tokio::test]
async fn a_picture_through_twilio_is_fetched_from_the_api() {
    let world = World::new().await;
    world.has("image/jpeg", &picture());
    let message = world.sent_through_twilio("image/jpeg").await;
    assert_eq!(world.fetch(message).await.unwrap(), Done::Now);
    assert_eq!(stands(&world.medium(message).await), (MediumState::Ready, None));
    assert_eq!(world.files().await, [picture()]);
    let asked = world.host.take_requests();
    let path = format!("/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Messages/MM1/Media/ME1");
    assert_eq!((asked.len(), &asked[0].path), (1, &path));
    assert!(
        asked[0].authorization.starts_with("Basic "),
        "{}",
        asked[0].authorization
    );
}

/// Longer than a part of an upload, so it is not held in memory as a whole.
#[tokio::test]
async fn a_large_file_is_copied_in_parts() {
    let world = World::new().await;
    let video = video(15 * 1024 * 1024);
    world.has("video/mp4", &video);
    let message = world.message_with_medium(MediaKind::Video, "video/mp4").await;
    assert_eq!(world.fetch(message).await.unwrap(), Done::Now);
    let medium = world.medium(message).await;
    assert_eq!(
        (medium.state, medium.bytes),
        (MediumState::Ready, Some(15 * 1024 * 1024))
    );
    assert!(world.files().await == [video], "another file");
}

#[tokio::test]
async fn a_file_is_stored_as_what_it_is() {
    use MediaKind::{Audio, Document, Image, Sticker};
    const OCTETS: &str = "application/octet-stream";
    let world = World::new().await;
    let png = b"\x89PNG\r\n\x1a\n and more".to_vec();
    let page = b"<!doctype html><script>alert(1)</script>".to_vec();
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>".to_vec();
    let program = [b"\x7fELF".as_slice(), &[0; 60]].concat();
    for (kind, declared, file, expected) in [
        (Image, "image/jpeg", png, Some("image/png")),
        (Image, "image/jpeg", page.clone(), None),
        (Image, "image/svg+xml", svg.clone(), None),
        (Sticker, "image/webp", picture(), None),
        (Audio, "audio/ogg; codecs=opus", video(64), Some("audio/mp4")),
        (Audio, "audio/mpeg", picture(), None),
        (Document, "image/jpeg", picture(), Some("image/jpeg")),
        (Document, "application/pdf", page, Some(OCTETS)),
        (Document, "image/svg+xml", svg, Some(OCTETS)),
        (Document, "application/pdf", program, None),
    ] {
        world.has("text/html", &file);
        let message = world.message_with_medium(kind, declared).await;
        assert_eq!(world.fetch(message).await.unwrap(), Done::Now);
        let medium = world.medium(message).await;
        let refused = (MediumState::Refused, Some(MediaReason::WrongType));
        let stands_as = expected.map_or(refused, |_| (MediumState::Ready, None));
        assert_eq!(
            (stands(&medium), medium.mime.as_deref()),
            (stands_as, expected),
            "{kind:?} {declared}"
        );
        let key = FileKey::medium(world.business.scope(), message, 0);
        let stored = world.aws.files(key.as_str()).await;
        assert_eq!(stored.len(), usize::from(expected.is_some()), "{kind:?} {declared}");
    }
}

#[tokio::test]
async fn what_a_file_is_can_end_its_fetching() {
    let world = World::new().await;
    let about = |file: &[u8]| world.about(file);
    let endless = json!({"url": format!("{}/files/1", world.host.url())});
    for (what, kind, about, reply, reason) in [
        (
            "empty",
            MediaKind::Image,
            about(b""),
            Reply::File("image/jpeg", Vec::new()),
            MediaReason::Empty,
        ),
        (
            "endless, and no picture",
            MediaKind::Image,
            endless,
            Reply::Endless,
            MediaReason::WrongType,
        ),
    ] {
        world.host.tell(200, &about.to_string());
        world.host.answer(reply);
        let message = world.message_with_medium(kind, "image/jpeg").await;
        assert_eq!(world.fetch(message).await.unwrap(), Done::Now, "{what}");
        let medium = world.medium(message).await;
        assert_eq!(stands(&medium), (MediumState::Refused, Some(reason)), "{what}");
        assert_eq!((medium.due, medium.expires_at()), (None, medium.kept_until), "{what}");
        assert!(world.files().await.is_empty(), "{what}");
    }
    // Ids that are none, and addresses of somebody else.
    let (whatsapp, twilio) = (world.business.whatsapp, world.business.twilio);
    drop(world.host.take_requests());
    for (source, connection) in [
        ("../me", whatsapp),
        ("https://169.254.169.254/latest", whatsapp),
        ("https://169.254.169.254/latest", twilio),
        (
            "https://api.twilio.com/2010-04-01/Accounts/AC9/Messages/MM1/Media/ME1",
            twilio,
        ),
        ("", twilio),
    ] {
        let message = world
            .receive_media(vec![InboundMedia::new(source.to_owned())], connection)
            .await;
        world.fetch(message).await.unwrap();
        let medium = world.medium(message).await;
        assert_eq!(
            stands(&medium),
            (MediumState::Refused, Some(MediaReason::Elsewhere)),
            "{source}"
        );
    }
    assert!(world.host.take_requests().is_empty());
}

/// Nothing is left of an attempt, and a later one works.
#[tokio::test]
async fn failures_of_the_provider_are_waited_for() {
    let world = World::new().await;
    let elsewhere = FileHost::start(Reply::File("image/jpeg", picture()));
    let other = |status, headers: &str| Reply::Other(status, headers.to_owned(), "");
    let to = |url: &str| other(302, &format!("location: {url}/files/1\r\n"));
    let good = Reply::File("image/jpeg", picture());
    let known = || world.about(&picture());
    let with = |name: &str, value: serde_json::Value| {
        let mut about = known();
        about[name] = value;
        (200, about)
    };
    let code = |status, code| (status, json!({"error": {"code": code}}));
    let unsized_file = || with("file_size", json!(null));
    let page = b"<!doctype html><title>Log in</title>".to_vec();
    let long_page = [page.clone(), vec![b' '; 20_000]].concat();
    let private = "http://169.254.169.254";
    for (what, about, reply, wait) in [
        ("forgotten", code(400, 100), good.clone(), 30),
        ("failing", code(500, 1), good.clone(), 30),
        ("wrong token", code(401, 190), good.clone(), 900),
        ("no address", (200, json!({})), good.clone(), 30),
        (
            "elsewhere",
            with("url", json!(format!("{}/files/1", elsewhere.url()))),
            good.clone(),
            30,
        ),
        (
            "within AWS",
            with("url", json!(format!("{private}/files/1"))),
            good.clone(),
            30,
        ),
        ("in a file", with("url", json!("file:///etc/passwd")), good.clone(), 30),
        ("shorter than said", with("file_size", json!("512")), good.clone(), 30),
        ("another file", with("sha256", json!("ab".repeat(32))), good.clone(), 30),
        // Neither is what the customer has sent.
        ("nothing", unsized_file(), Reply::File("image/jpeg", Vec::new()), 30),
        ("a page", unsized_file(), Reply::File("text/html", page), 30),
        ("a long page", unsized_file(), Reply::File("text/html", long_page), 30),
        ("endless", (200, known()), Reply::Endless, 30),
        ("gone", (200, known()), other(404, ""), 30),
        ("not allowed", (200, known()), other(403, ""), 900),
        ("busy", (200, known()), other(503, "retry-after: 600\r\n"), 600),
        ("redirected", (200, known()), to(elsewhere.url()), 30),
        ("redirected to AWS", (200, known()), to(private), 30),
        ("broken off", (200, known()), Reply::Short, 30),
    ] {
        world.host.tell(about.0, &about.1.to_string());
        world.host.answer(reply);
        let message = world.message_with_medium(MediaKind::Image, "image/jpeg").await;
        assert_eq!(world.fetch(message).await.unwrap(), Done::Now, "{what}");
        let medium = world.medium(message).await;
        assert_eq!(stands(&medium), (MediumState::Pending, None), "{what}");
        let due = world.aws.now() + SignedDuration::from_secs(wait);
        assert_eq!((medium.attempts, medium.due), (1, Some(due)), "{what}");
        assert!(world.files().await.is_empty(), "{what}");
        world.has("image/jpeg", &picture());
        world.fetch(message).await.unwrap();
        assert_eq!(world.medium(message).await.state, MediumState::Ready, "{what}");
        assert_eq!(world.files().await, [picture()], "{what}");
        let key = FileKey::medium(world.business.scope(), message, 0);
        Files::new(world.aws.env()).unwrap().remove(&key).await.unwrap();
    }
    assert!(elsewhere.take_requests().is_empty());
}

/// It is a verdict on a file only if its hash is known, or if it is repeated for hours.
#[tokio::test]
async fn a_bad_answer_says_nothing_of_a_file() {
    const LARGE: u64 = 5 * 1024 * 1024 + 1;
    let world = World::new().await;
    let jpeg = &b"\xff\xd8\xff\xe0"[..];
    let sound = [b"ID3\x04\0\0".as_slice(), &[0; 90]].concat();
    let (image, audio) = (("image/jpeg", picture()), ("audio/mpeg", sound));
    let with = |file: &[u8], size: serde_json::Value| {
        let mut about = world.about(file);
        about["file_size"] = size;
        about
    };
    let nothing = Reply::Other(200, String::new(), "");
    for (what, file, about, reply, reason) in [
        (
            "empty by WhatsApp",
            &image,
            Some(with(&image.1, json!(null))),
            Reply::File("image/jpeg", Vec::new()),
            MediaReason::Empty,
        ),
        (
            "said to be too large",
            &image,
            Some(with(&image.1, json!(LARGE))),
            Reply::File("image/jpeg", picture()),
            MediaReason::TooLarge,
        ),
        (
            "endless by WhatsApp",
            &audio,
            Some(with(&audio.1, json!(null))),
            Reply::Endless,
            MediaReason::TooLarge,
        ),
        (
            "empty",
            &image,
            None,
            Reply::File("image/jpeg", Vec::new()),
            MediaReason::Empty,
        ),
        ("empty without a type", &image, None, nothing, MediaReason::Empty),
        (
            "too large",
            &image,
            None,
            Reply::Long("image/jpeg", jpeg, LARGE),
            MediaReason::TooLarge,
        ),
        ("endless", &audio, None, Reply::Endless, MediaReason::TooLarge),
    ] {
        let (mime, good) = (file.0, &file.1);
        let send = async || match &about {
            Some(_) => world.message_with_medium(MediaKind::of(mime).unwrap(), mime).await,
            None => world.sent_through_twilio(mime).await,
        };
        let bad = || {
            if let Some(about) = &about {
                world.host.tell(200, &about.to_string());
            }
            world.host.answer(reply.clone());
        };
        bad();
        let message = send().await;
        world.fetch(message).await.unwrap();
        let medium = world.medium(message).await;
        assert_eq!(stands(&medium), (MediumState::Pending, None), "{what}");
        assert_eq!((medium.attempts, medium.mismatches), (1, 1), "{what}");
        world.has(mime, good);
        world.fetch(message).await.unwrap();
        assert_eq!(world.medium(message).await.state, MediumState::Ready, "{what}");
        // It has been so for hours.
        bad();
        let message = send().await;
        world.change_medium(message, |medium| medium.mismatches = 4).await;
        world.aws.pass(HOURS);
        world.fetch(message).await.unwrap();
        let medium = world.medium(message).await;
        assert_eq!(stands(&medium), (MediumState::Refused, Some(reason)), "{what}");
    }
}

/// Twilio names no hash, and as documents, pages are stored.
#[tokio::test]
async fn an_excuse_is_not_stored_as_a_document() {
    const PDF: &str = "application/pdf";
    const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    const OCTETS: &str = "application/octet-stream";
    let world = World::new().await;
    let page = b"<!doctype html><title>Sorry</title>".to_vec();
    let long_page = [page.clone(), vec![b' '; 20_000]].concat();
    let error = b"{\"code\": 20503}".to_vec();
    let (pdf, docx) = (b"%PDF-1.7\n1 0 obj".to_vec(), b"PK\x03\x04\x14\0\0\0\x08\0".to_vec());
    for (declared, file) in [(PDF, pdf), (DOCX, docx)] {
        for (delivered, excuse) in [
            ("text/html", &page),
            ("text/html", &long_page),
            (declared, &page),
            ("application/json", &error),
            (OCTETS, &error),
        ] {
            world.host.answer(Reply::File(delivered, excuse.clone()));
            let message = world.sent_through_twilio(declared).await;
            world.fetch(message).await.unwrap();
            let medium = world.medium(message).await;
            assert_eq!(
                (stands(&medium), medium.mismatches),
                ((MediumState::Pending, None), 1),
                "{declared} {delivered}"
            );
            let key = FileKey::medium(world.business.scope(), message, 0);
            assert!(world.aws.files(key.as_str()).await.is_empty(), "{declared} {delivered}");
            // The server does not know its type, but the webhook does.
            world.host.answer(Reply::File(OCTETS, file.clone()));
            world.fetch(message).await.unwrap();
            let medium = world.medium(message).await;
            assert_eq!(stands(&medium), (MediumState::Ready, None), "{declared} {delivered}");
            assert_eq!(medium.mime.as_deref(), Some(declared), "{delivered}");
        }
    }
    // A text that was sent as one.
    for declared in ["text/plain", "text/csv"] {
        world.host.answer(Reply::File("text/plain", b"1,2\n3,4".to_vec()));
        let message = world.sent_through_twilio(declared).await;
        world.fetch(message).await.unwrap();
        assert_eq!(world.medium(message).await.state, MediumState::Ready, "{declared}");
    }
}

/// Twilio names no hash, but a page is of another type than the webhook has said.
#[tokio::test]
async fn a_page_instead_of_twilios_file_is_waited_for() {
    let world = World::new().await;
    let page = b"<!doctype html><title>Sorry</title>".to_vec();
    world.host.answer(Reply::File("text/html", page));
    let message = world.sent_through_twilio("image/jpeg").await;
    world.fetch(message).await.unwrap();
    let medium = world.medium(message).await;
    assert_eq!((stands(&medium), medium.mismatches), ((MediumState::Pending, None), 1));
    world.has("image/jpeg", &picture());
    world.fetch(message).await.unwrap();
    assert_eq!(world.medium(message).await.state, MediumState::Ready);
    // The customer has sent it as a picture, and no server says a document.
    world
        .host
        .answer(Reply::File("image/jpeg", b"%PDF-1.7\n1 0 obj".to_vec()));
    let message = world.sent_through_twilio("image/jpeg").await;
    world.fetch(message).await.unwrap();
    let refused = (MediumState::Refused, Some(MediaReason::WrongType));
    assert_eq!(stands(&world.medium(message).await), refused);
}

/// A provider's answer about a file (status, body), and the answer with the file itself.
type Failure<'a> = (u16, &'a str, Reply);

const BACK_SOON: &[u8] = b"<html>Back soon</html>";

/// In another way with every attempt.
#[tokio::test]
async fn a_provider_that_fails_for_an_hour_loses_nothing() {
    let world = World::new().await;
    let down = Reply::Other(503, String::new(), "");
    let known = world.about(&picture()).to_string();
    let known = known.as_str();
    let failures = [
        (503, "{}", down.clone()),
        (200, known, Reply::Other(503, "retry-after: 120\r\n".to_owned(), "")),
        (200, known, Reply::Short),
        (200, "<html>", Reply::File("text/html", BACK_SOON.to_vec())),
        (200, known, down),
    ];
    fails_for_an_hour(&world, &failures).await;
}

/// Nor does one that means every one of its answers wrong, or a token that lacks its permission for so long.
#[tokio::test]
async fn an_hour_of_the_same_answer_loses_nothing() {
    let no_object = r#"{"error": {"code": 100, "message": "missing permissions"}}"#;
    for (denial, reply) in [
        (Some(no_object), Reply::Other(404, String::new(), "")),
        (None, Reply::File("text/html", BACK_SOON.to_vec())),
        (None, Reply::File("image/jpeg", Vec::new())),
        (None, Reply::Short),
    ] {
        let world = World::new().await;
        // Without its size, only the hash tells.
        let mut about = world.about(&picture());
        about["file_size"] = json!(null);
        let about = about.to_string();
        let said = denial.map_or((200, about.as_str()), |denial| (400, denial));
        fails_for_an_hour(&world, &[(said.0, said.1, reply)]).await;
    }
}

/// By the clock: every attempt is made when it is due.
async fn fails_for_an_hour(world: &World, failures: &[Failure<'_>]) {
    const HOUR: SignedDuration = SignedDuration::from_hours(1);
    let began = world.aws.now();
    let mut messages = Vec::new();
    for _customer in 0..4 {
        messages.push(world.message_with_medium(MediaKind::Image, "image/jpeg").await);
        messages.push(world.sent_through_twilio("image/jpeg").await);
    }
    let mut rounds = 0;
    loop {
        let mut due = Vec::new();
        for message in &messages {
            let medium = world.medium(*message).await;
            if medium.state == MediumState::Pending {
                due.push((medium.due.unwrap(), *message));
            }
        }
        let Some((first, _)) = due.iter().min().copied() else {
            break;
        };
        let now = world.aws.now();
        world.aws.pass(first.duration_since(now).as_secs().max(0));
        let (now, failure) = (world.aws.now(), &failures[rounds % failures.len()]);
        if now < began + HOUR {
            world.host.tell(failure.0, failure.1);
            world.host.answer(failure.2.clone());
        } else {
            world.has("image/jpeg", &picture());
        }
        for (_, message) in due.into_iter().filter(|(at, _)| *at <= now) {
            assert_eq!(world.fetch(message).await.unwrap(), Done::Now);
        }
        rounds += 1;
        assert!(rounds < 20, "it does not end");
    }
    assert!(world.aws.now() > began + HOUR, "nothing failed");
    assert!(world.aws.now() <= began + HOUR * 2, "it took too long afterwards");
    for message in &messages {
        let medium = world.medium(*message).await;
        assert_eq!(
            (stands(&medium), medium.sha256),
            ((MediumState::Ready, None), Some(sha256(&picture())))
        );
        assert_eq!(world.fetch(*message).await.unwrap(), Done::Already);
    }
    assert_eq!(world.files().await, vec![picture(); messages.len()]);
    // A description and a file for each attempt at WhatsApp, a file at Twilio.
    let asked = world.host.take_requests().len();
    assert!(asked <= messages.len() * rounds * 2, "{asked} requests");
}

/// From the request to the stored file.
#[tokio::test]
async fn a_file_of_twilios_file_server_is_stored() {
    let world = World::new().await;
    world.host.answer(Reply::Moved("image/jpeg", picture()));
    let message = world.sent_through_twilio("image/jpeg").await;
    assert_eq!(world.fetch(message).await.unwrap(), Done::Now);
    assert_eq!(stands(&world.medium(message).await), (MediumState::Ready, None));
    assert_eq!(world.files().await, [picture()]);
    let asked = world.host.take_requests();
    let known: Vec<bool> = asked.iter().map(|asked| !asked.authorization.is_empty()).collect();
    assert_eq!(known, [true, false]);
}

#[tokio::test]
async fn twilio_is_followed_only_to_its_own_addresses() {
    let world = World::new().await;
    let elsewhere = FileHost::start(Reply::File("image/jpeg", picture()));
    let place = format!("/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Messages/MM1/Media/ME1");
    for to in [
        elsewhere.url(),
        "http://169.254.169.254",
        "http://localhost:1",
        "https://[::1]",
        // Without end.
        world.host.url(),
    ] {
        let reply = Reply::Other(307, format!("location: {to}{place}\r\n"), "");
        world.host.answer(reply);
        let message = world.sent_through_twilio("image/jpeg").await;
        world.fetch(message).await.unwrap();
        assert_eq!(world.medium(message).await.state, MediumState::Pending, "{to}");
        let asked = world.host.take_requests();
        let followed = asked.iter().skip(1);
        assert!(followed.clone().count() <= 3, "{to}");
        for asked in followed {
            assert_eq!(asked.authorization, "", "credentials are not repeated");
        }
    }
    assert!(elsewhere.take_requests().is_empty());
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_given_up() {
    let world = World::new().await;
    world.host.answer(Reply::Silence);
    let hurried = world.with_short_timeout();
    let message = world.sent_through_twilio("image/jpeg").await;
    assert_eq!(world.fetch_of(message, &hurried).await.unwrap(), Done::Now);
    let medium = world.medium(message).await;
    assert_eq!((medium.state, medium.attempts), (MediumState::Pending, 1));
    assert!(world.files().await.is_empty());
}

/// A webhook can be faster than its file, and a token can lack its permission for some time.
#[tokio::test]
async fn denials_are_believed_after_some_hours() {
    let world = World::new().await;
    world.host.tell(400, r#"{"error": {"code": 100}}"#);
    let message = world.message_with_medium(MediaKind::Image, "image/jpeg").await;
    for _attempt in 0..4 {
        world.fetch(message).await.unwrap();
        assert_eq!(world.medium(message).await.state, MediumState::Pending);
    }
    world.aws.pass(HOURS);
    world.fetch(message).await.unwrap();
    let medium = world.medium(message).await;
    assert_eq!(stands(&medium), (MediumState::Gone, Some(MediaReason::Deleted)));
    assert_eq!(world.fetch(message).await.unwrap(), Done::Already);
}

#[tokio::test]
async fn a_hash_that_stays_wrong_is_refused() {
    let world = World::new().await;
    let mut about = world.about(&picture());
    about["sha256"] = json!("ab".repeat(32));
    world.host.tell(200, &about.to_string());
    let message = world.message_with_medium(MediaKind::Image, "image/jpeg").await;
    for _attempt in 0..5 {
        world.fetch(message).await.unwrap();
        assert_eq!(world.medium(message).await.state, MediumState::Pending);
    }
    world.aws.pass(HOURS);
    world.fetch(message).await.unwrap();
    let medium = world.medium(message).await;
    assert_eq!(stands(&medium), (MediumState::Refused, Some(MediaReason::WrongHash)));
    assert!(world.files().await.is_empty());
}

/// Queues deliver at least once, and the dispatcher queues what may have got lost.
#[tokio::test]
async fn a_job_that_comes_twice_is_one_attempt() {
    let world = World::new().await;
    world.host.tell(503, "{}");
    let message = world.message_with_medium(MediaKind::Image, "image/jpeg").await;
    world.fetch(message).await.unwrap();
    drop(world.host.take_requests());
    let failed = world.medium(message).await;
    let job = MediaJob::fetch(world.business.tenant(), &failed);
    world.aws.pass(29);
    assert_eq!(world.work(job.clone(), 2, &world.ctx).await.unwrap(), Done::Already);
    assert!(world.host.take_requests().is_empty());
    assert_eq!(world.medium(message).await, failed);
    world.aws.pass(1);
    assert_eq!(world.work(job, 1, &world.ctx).await.unwrap(), Done::Now);
    assert_eq!(world.medium(message).await.attempts, 2);
}

/// The dispatcher queues a file again that nobody has tried yet, while its first job waits among others.
#[tokio::test]
async fn a_job_waits_for_the_one_that_fetches() {
    let (world, message) = World::with_picture().await;
    world.host.answer(Reply::Held("image/jpeg", picture()));
    world.change_medium(message, |medium| medium.dispatches = 1).await;
    let second = async {
        let done = world.fetch(message).await;
        assert!(done.is_err(), "{done:?}");
    };
    assert_eq!(world.fetch_while(message, second).await, Done::Now);
    let medium = world.medium(message).await;
    assert_eq!((medium.state, medium.taken_until), (MediumState::Ready, None));
    assert_eq!(world.host.take_requests().len(), 2, "about the file, and the file");
    assert_eq!(world.fetch(message).await.unwrap(), Done::Already);
}

/// Its worker was killed.
#[tokio::test]
async fn a_file_is_not_taken_for_ever() {
    let (world, message) = World::with_picture().await;
    let take = |medium: &mut Medium| {
        medium.dispatches = 1;
        assert!(medium.take(world.aws.now()));
    };
    world.change_medium(message, take).await;
    assert!(world.fetch(message).await.is_err());
    world.aws.pass(120);
    assert_eq!(world.fetch(message).await.unwrap(), Done::Now);
    assert_eq!(world.files().await, [picture()]);
}

#[tokio::test]
async fn two_workers_that_fail_at_once_are_one_attempt() {
    let world = World::new().await;
    world
        .host
        .answer(Reply::Held("text/html", b"<html>Sorry</html>".to_vec()));
    let message = world.sent_through_twilio("image/jpeg").await;
    let fail = |medium: &mut Medium| medium.is_mismatched(MediaReason::WrongType, world.aws.now());
    let failing = world.change_medium(message, fail);
    assert_eq!(world.fetch_while(message, failing).await, Done::Already);
    let medium = world.medium(message).await;
    assert_eq!((medium.attempts, medium.mismatches), (1, 1));
}

/// Whatever else failed before, and however often.
#[tokio::test]
async fn denials_and_wrong_hashes_are_counted_alone() {
    let world = World::new().await;
    let message = world.message_with_medium(MediaKind::Image, "image/jpeg").await;
    let mut about = world.about(&picture());
    about["sha256"] = json!("ab".repeat(32));
    for (status, about, times) in [
        (503, "{}".to_owned(), 6),
        (400, r#"{"error": {"code": 100}}"#.to_owned(), 2),
        (200, about.to_string(), 4),
    ] {
        world.host.tell(status, &about);
        for _attempt in 0..times {
            world.fetch(message).await.unwrap();
        }
        let medium = world.medium(message).await;
        assert_eq!(stands(&medium), (MediumState::Pending, None), "{status} {about}");
    }
    world.has("image/jpeg", &picture());
    world.fetch(message).await.unwrap();
    assert_eq!(world.medium(message).await.state, MediumState::Ready);
}

/// A worker was killed behind its copy, and the provider has lost the file since: nothing would ever delete it.
#[tokio::test]
async fn the_file_of_a_killed_worker_does_not_stay() {
    let world = World::new().await;
    let files = Files::new(world.aws.env()).unwrap();
    let message = world.message_with_medium(MediaKind::Image, "image/jpeg").await;
    let key = FileKey::medium(world.business.scope(), message, 0);
    files.write(&key, picture()).await.unwrap();
    world.host.tell(400, r#"{"error": {"code": 100}}"#);
    for wait in [0, 0, HOURS] {
        world.aws.pass(wait);
        assert_eq!(world.fetch(message).await.unwrap(), Done::Now);
    }
    assert_eq!(world.medium(message).await.state, MediumState::Gone);
    assert!(world.files().await.is_empty());
    // The next one was killed behind its write.
    files.write(&key, picture()).await.unwrap();
    assert_eq!(world.fetch(message).await.unwrap(), Done::Already);
    assert!(world.files().await.is_empty());
}

/// The other worker was faster, and so was the scanner.
#[tokio::test]
async fn a_file_found_harmful_meanwhile_is_dropped() {
    let world = World::with(&[("MEDIA_SCANNER", "guard")]).await;
    world.has("image/jpeg", &picture());
    world.host.answer(Reply::Held("image/jpeg", picture()));
    let message = world.message_with_medium(MediaKind::Image, "image/jpeg").await;
    let judging = world.change_medium(message, |medium| {
        medium.record_stored("image/jpeg", 510, sha256(&picture()), true);
        medium.refuse(MediaReason::Harmful);
    });
    assert_eq!(world.fetch_while(message, judging).await, Done::Already);
    let refused = (MediumState::Refused, Some(MediaReason::Harmful));
    assert_eq!(stands(&world.medium(message).await), refused);
    assert!(world.files().await.is_empty());
}

/// Then nobody knows which of the two is there.
#[tokio::test]
async fn two_workers_with_different_files_store_none() {
    let world = World::new().await;
    world.host.answer(Reply::Held("image/jpeg", picture()));
    let message = world.sent_through_twilio("image/jpeg").await;
    let storing = world.change_medium(message, |medium| {
        medium.record_stored("image/jpeg", 9, "0f".repeat(32), false);
    });
    assert_eq!(world.fetch_while(message, storing).await, Done::Now);
    let refused = (MediumState::Refused, Some(MediaReason::WrongHash));
    assert_eq!(stands(&world.medium(message).await), refused);
    assert!(world.files().await.is_empty());
}

#[tokio::test]
async fn a_file_that_stays_away_is_gone_after_a_week() {
    let world = World::new().await;
    world.host.tell(500, "{}");
    let message = world.message_with_medium(MediaKind::Image, "image/jpeg").await;
    world.fetch(message).await.unwrap();
    world.aws.pass(7 * DAY);
    world.fetch(message).await.unwrap();
    let medium = world.medium(message).await;
    assert_eq!(stands(&medium), (MediumState::Gone, Some(MediaReason::Expired)));
}

#[tokio::test]
async fn without_its_connection_a_file_is_not_to_be_had() {
    let world = World::new().await;
    let unknown = ConnectionId::new(world.aws.ids().ulid());
    for connection in [unknown, world.business.telephony] {
        let message = world
            .receive_media(vec![InboundMedia::new("7001".to_owned())], connection)
            .await;
        world.fetch(message).await.unwrap();
        let medium = world.medium(message).await;
        let expected = if connection == unknown {
            (MediumState::Gone, Some(MediaReason::Disconnected))
        } else {
            // It has no credentials yet.
            (MediumState::Pending, None)
        };
        assert_eq!(stands(&medium), expected);
    }
    assert!(world.host.take_requests().is_empty());
}

#[tokio::test]
async fn with_a_scanner_a_file_waits_for_its_verdict() {
    let world = World::with(&[("MEDIA_SCANNER", "guard")]).await;
    world.has("image/jpeg", &picture());
    let message = world.message_with_medium(MediaKind::Image, "image/jpeg").await;
    world.fetch(message).await.unwrap();
    let medium = world.medium(message).await;
    assert_eq!(
        (medium.state, medium.due),
        (MediumState::Scanning, Some(medium.kept_until))
    );
    assert_eq!(world.files().await.len(), 1);
}

#[tokio::test]
async fn the_file_goes_with_its_message() {
    let (world, message) = World::with_picture().await;
    world.fetch(message).await.unwrap();
    world.aws.pass(90 * DAY - 1);
    assert_eq!(world.fetch(message).await.unwrap(), Done::Already);
    assert_eq!(world.files().await.len(), 1);
    world.aws.pass(1);
    let medium = world.medium(message).await;
    let job = MediaJob::fetch(world.business.tenant(), &medium);
    for done in [Done::Now, Done::Already] {
        assert_eq!(world.work(job.clone(), 1, &world.ctx).await.unwrap(), done);
        assert!(world.files().await.is_empty());
        let store = world.aws.store();
        let known = store.medium(world.business.scope(), message, 0, world.aws.now()).await;
        assert_eq!(known.unwrap(), None);
    }
}

/// An erasure deletes the rows and the files: what comes later must not stay.
#[tokio::test]
async fn a_file_of_a_contact_erased_meanwhile_is_dropped() {
    let (world, message) = World::with_picture().await;
    world.host.answer(Reply::Held("image/jpeg", picture()));
    let (store, scope) = (world.aws.store(), world.business.scope());
    let erasing = Box::pin(erase(&store, scope, message.contact(), world.aws.now()));
    assert_eq!(world.fetch_while(message, erasing).await, Done::Already);
    assert!(world.files().await.is_empty());
}

#[tokio::test]
async fn two_workers_store_one_file() {
    let (world, message) = World::with_picture().await;
    let (one, two) = tokio::join!(world.fetch(message), world.fetch(message));
    let mut done = [one.unwrap(), two.unwrap()];
    done.sort_by_key(|done| *done == Done::Already);
    assert_eq!(done, [Done::Now, Done::Already]);
    assert_eq!(world.medium(message).await.state, MediumState::Ready);
    assert_eq!(world.files().await, [picture()]);
}

/// The retention of its message is longer since.
#[tokio::test]
async fn a_row_changed_meanwhile_is_read_again() {
    let (world, message) = World::with_picture().await;
    world.host.answer(Reply::Held("image/jpeg", picture()));
    let later = world.aws.now() + SignedDuration::from_hours(365 * 24);
    let changing = world.change_medium(message, |medium| medium.kept_until = later);
    assert_eq!(world.fetch_while(message, changing).await, Done::Now);
    let medium = world.medium(message).await;
    assert_eq!((medium.state, medium.due), (MediumState::Ready, Some(later)));
}

#[tokio::test]
async fn a_job_of_another_tenant_touches_nothing() {
    let (world, message) = World::with_picture().await;
    world.fetch(message).await.unwrap();
    let before = world.medium(message).await;
    drop(world.host.take_requests());
    let mut job = MediaJob::fetch(TenantId::new(world.aws.ids().ulid()), &before);
    assert_eq!(world.work(job, 1, &world.ctx).await.unwrap(), Done::Already);
    job = MediaJob::Fetch {
        tenant: world.business.tenant(),
        correlation_id: "cor".to_owned(),
        message: MessageId::new(message.contact(), world.aws.ids().ulid()),
        index: 0,
    };
    assert_eq!(world.work(job, 1, &world.ctx).await.unwrap(), Done::Already);
    assert_eq!(
        (world.medium(message).await, world.files().await),
        (before, vec![picture()])
    );
    assert!(world.host.take_requests().is_empty());
}
