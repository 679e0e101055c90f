//! Customers who send files during the storm, while their provider delivers something else, or nothing, and the function that fetches them
//! is killed. Afterwards each file is stored as it was sent, and served so. Nothing is refused, pending, gone, or left over in the bucket.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    Timestamp,
    calls::Received,
    media::{Medium, MediumState},
    terms::{Channel, Phone},
};
use futures::future::try_join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Ground, Size,
    shop::{Shop, until},
    storm::TIMES,
};
use crate::{api, aws::output, endpoints::Tenant, play::Customer, random::Random};

/// Faults of files, and the provider that has them. They end before the storm does: a file is asked for ever less often.
const FAULTS: [(&str, f64, Option<&str>); 9] = [
    ("media_unavailable", 0.1, None),
    ("media_truncated", 0.05, None),
    ("media_redirect", 0.05, None),
    ("media_wrong_type", 0.05, None),
    ("media_wrong_length", 0.05, Some("graph")),
    // Twilio names no hash: nobody could know.
    ("media_wrong_hash", 0.05, Some("graph")),
    ("media_empty", 0.05, None),
    ("media_too_large", 0.02, None),
    // Through Twilio nothing says how long a file is, and 100 MB of each such document would keep the emulator from all else.
    ("media_endless", 0.02, Some("graph")),
];

/// Share of the storm when files of the provider are wrong.
const FAULTY: f64 = 0.8;

/// Share of the storm when customers send.
const BEGIN: f64 = 0.6;

/// Time until a customer repeats a message that did not arrive: Twilio gives a webhook up after some attempts.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Each file of this number is longer than a part of an upload.
const LARGE_EVERY: usize = 100;

const LARGE: usize = 9 * 1024 * 1024;

const SMALL: usize = 60_000;

/// Files that customers send: type, channel, and beginning of the file.
const KINDS: [(&str, Channel, &[u8]); 4] = [
    ("application/pdf", Channel::WhatsApp, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
    ("image/jpeg", Channel::WhatsApp, b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
    ("image/jpeg", Channel::Sms, b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
    ("application/pdf", Channel::Sms, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
];

/// A file that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Planned {
    from: Phone,
    mime: &'static str,
    channel: Channel,
    file: Vec<u8>,
}

/// A file that a customer has sent.
#[derive(Debug, Clone)]
pub(super) struct Attached {
    pub(super) from: Phone,
    mime: &'static str,
    channel: Channel,
    bytes: u64,
    sha256: String,
    /// Number of times it was sent.
    said: usize,
}

/// The faults of a tenant's requests and files, until their provider works again by the simulators' clock.
pub(super) async fn faults(
    ground: &Ground<'_>,
    size: Size,
    tenant: &Tenant,
    requests: Vec<Value>,
) -> Result<Vec<Value>> {
    let clock: Value = ground.play.get("/clock").await?;
    let now: Timestamp = clock["now"].as_str().context("a clock has a time")?.parse()?;
    let until = now + SignedDuration::try_from(size.storm.mul_f64(FAULTY))?;
    let of_files = FAULTS.iter().map(|(kind, probability, api)| {
        let mut fault = json!({ "tenant": tenant.id, "kind": kind, "probability": probability, "times": TIMES });
        if let Some(api) = api {
            fault["api"] = (*api).into();
        }
        fault
    });
    let mut all: Vec<Value> = requests.into_iter().chain(of_files).collect();
    for fault in &mut all {
        fault["until"] = until.to_string().into();
    }
    Ok(all)
}

fn plans(count: usize, random: &mut Random) -> Result<Vec<Planned>> {
    let numbers = random.phones(count)?;
    let plan = |(place, from): (usize, Phone)| {
        let is_large = place % LARGE_EVERY == 0;
        // Large ones are documents: pictures have at most 5 MB.
        let (mime, channel, begin) = KINDS[if is_large { 0 } else { place % KINDS.len() }];
        let length = if is_large { LARGE } else { 1 + random.below(SMALL) };
        let letters = random.letters(64).into_bytes();
        let rest = letters.iter().copied().cycle().take(length);
        Planned {
            from,
            mime,
            channel,
            file: begin.iter().copied().chain(rest).collect(),
        }
    };
    Ok(numbers.into_iter().enumerate().map(plan).collect())
}

/// Lets customers send files, spread over the storm.
pub(super) async fn send(ground: &Ground<'_>, size: Size, tenant: &Tenant, seed: u64) -> Result<Vec<Attached>> {
    let shop = Shop { ground, tenant };
    let plans = plans(size.media, &mut Random::new(seed))?;
    let all = plans.into_iter().enumerate().map(|(place, planned)| async move {
        tokio::time::sleep(size.storm.mul_f64(BEGIN * place as f64 / size.media as f64)).await;
        let from = planned.from.clone();
        let sent = Box::pin(send_until_stored(shop, planned)).await;
        sent.with_context(|| format!("{from} sends a file"))
    });
    try_join_all(all).await
}

/// Sends a file until its message is stored.
async fn send_until_stored(shop: Shop<'_>, planned: Planned) -> Result<Attached> {
    let reply = json!({
        "tenant": shop.tenant.id, "from": planned.from, "channel": planned.channel, "repeat": 3,
        "media": { "mime": planned.mime, "bytes": STANDARD.encode(&planned.file) },
    });
    let (mut last, mut said): (Option<Instant>, usize) = (None, 0);
    until("a message with a file", async || {
        let customer = shop.ground.play.customer(&shop.tenant.id, &planned.from).await?;
        if customer.is_some_and(|customer| !customer.received.is_empty()) {
            return Ok(Some(()));
        }
        if last.is_none_or(|at| at.elapsed() > AGAIN_AFTER) {
            shop.ground.play.post("/replies", &reply).await?;
            (last, said) = (Some(Instant::now()), said + 1);
        }
        Ok(None)
    })
    .await?;
    Ok(Attached {
        from: planned.from,
        mime: planned.mime,
        channel: planned.channel,
        bytes: planned.file.len() as u64,
        sha256: hex::encode(Sha256::digest(&planned.file)),
        said,
    })
}

/// Findings about all files.
#[derive(Debug, Default)]
pub(super) struct Found {
    stored: usize,
    /// Attempts to fetch them that failed.
    failed: u64,
}

/// Checks the messages of a customer, and the files that are served for them. Returns what is wrong.
pub(super) async fn check(
    ground: &Ground<'_>,
    tenant: &Tenant,
    attached: &Attached,
    customer: &Customer,
    found: &mut Found,
) -> Result<Vec<String>> {
    let scope = access::operator::scope(tenant.id.parse()?);
    let media = ground.play.store.media_of(&scope, &customer.received, Timestamp::now());
    let media = media.await?;
    let mut broken: Vec<String> = messages(attached, &customer.received, &media).into_iter().collect();
    for medium in &media {
        broken.extend(judge(attached, medium));
        found.failed += u64::from(medium.attempts);
        if medium.state == MediumState::Ready {
            found.stored += 1;
            broken.extend(find_served_difference(ground, tenant, attached, medium).await?);
        }
    }
    let way = attached.channel.as_str();
    let of = |what: String| format!("the file of {} by {way}: {what}", attached.from);
    Ok(broken.into_iter().map(of).collect())
}

/// However often its webhook was delivered, each message is stored once, with one file.
fn messages(attached: &Attached, received: &[Received], media: &[Medium]) -> Option<String> {
    let files = received.iter().map(|received| received.message.media.len());
    let (said, files, rows) = (received.len(), files.sum::<usize>(), media.len());
    let holds = (1..=attached.said).contains(&said) && files == said && rows == files;
    (!holds).then(|| {
        format!(
            "said {} times, it is in {said} messages with {files} files, of which {rows} have rows",
            attached.said
        )
    })
}

/// Difference between a row and what the customer sent.
fn judge(attached: &Attached, medium: &Medium) -> Option<String> {
    let Attached {
        mime, bytes, sha256, ..
    } = attached;
    let stored = (medium.mime.as_deref(), medium.bytes, medium.sha256.as_ref());
    let holds = medium.state == MediumState::Ready && stored == (Some(*mime), Some(*bytes), Some(sha256));
    (!holds).then(|| format!("{attached:?} became {medium:?}"))
}

/// Difference between the served files and the sent ones.
async fn find_served_difference(
    ground: &Ground<'_>,
    tenant: &Tenant,
    attached: &Attached,
    medium: &Medium,
) -> Result<Option<String>> {
    let shop = Shop { ground, tenant };
    let path = format!("/api/v1/messages/{}/media/{}", medium.message, medium.index);
    let answer = shop.get(&path).await?;
    let link = api::json(&answer);
    let Some(url) = link["url"].as_str().filter(|_| answer.status == 200) else {
        return Ok(Some(format!("no link: {} {}", answer.status, answer.body)));
    };
    let file = ground.play.http.get(url).send().await?;
    let (status, file) = (file.status().as_u16(), file.bytes().await?);
    let sha256 = hex::encode(Sha256::digest(&file));
    let holds = status == 200 && sha256 == attached.sha256;
    Ok((!holds).then(|| format!("served with {status}, {} bytes of the hash {sha256}", file.len())))
}

impl Found {
    /// Fault of all files together: the bucket has other files than the stored ones.
    pub(super) async fn check(&self, ground: &Ground<'_>, tenant: &Tenant) -> Result<Option<String>> {
        let bucket = output(&ground.town.outputs, "PeopleFilesName")?;
        let own = tenant.id.strip_prefix("tnt_").context("a tenant's id")?;
        let session = ground.aws.session()?;
        let objects = session.objects(bucket, &format!("media/{own}/")).await?.len();
        let stored = self.stored;
        Ok((objects != stored).then(|| format!("{stored} files are stored, and the bucket has {objects}")))
    }

    pub(super) fn summary(&self) -> String {
        let Self { stored, failed } = self;
        format!("{stored} stored, after {failed} attempts that failed")
    }
}

pub(super) fn kinds() -> [&'static str; FAULTS.len()] {
    FAULTS.map(|(kind, ..)| kind)
}

#[cfg(test)]
mod tests {
    use domain::{
        media::{InboundMedia, MediaReason},
        terms::{ContactId, MessageId},
    };
    use ulid::Ulid;

    use std::collections::BTreeSet;

    use super::*;

    fn attached_file(channel: Channel) -> Attached {
        Attached {
            from: "+971501234567".parse().expect("a number"),
            mime: "image/jpeg",
            channel,
            bytes: 9,
            sha256: "0f".repeat(32),
            said: 1,
        }
    }

    fn medium() -> Medium {
        let message = MessageId::new(ContactId::new(Ulid::from_parts(1, 2)), Ulid::from_parts(3, 4));
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().expect("a time");
        let reported = InboundMedia::new("1".to_owned());
        Medium::pending(message, 0, &reported, "1", now, now, SignedDuration::ZERO)
    }

    #[test]
    fn file_that_is_not_as_it_was_sent_is_detected() {
        let stored = |mime: &str, bytes: u64, digits: &str| {
            let mut medium = medium();
            medium.record_stored(mime, bytes, digits.repeat(32), false);
            medium
        };
        let refused = |reason: MediaReason| {
            let mut medium = medium();
            medium.refuse(reason);
            medium
        };
        let mut gone = medium();
        gone.lose(MediaReason::Expired);
        for (channel, medium, fine) in [
            (Channel::WhatsApp, stored("image/jpeg", 9, "0f"), true),
            (Channel::WhatsApp, stored("image/png", 9, "0f"), false),
            (Channel::WhatsApp, stored("image/jpeg", 8, "0f"), false),
            (Channel::Sms, stored("image/jpeg", 9, "0e"), false),
            (Channel::Sms, refused(MediaReason::Empty), false),
            (Channel::WhatsApp, refused(MediaReason::WrongHash), false),
            (Channel::Sms, medium(), false),
            (Channel::Sms, gone, false),
        ] {
            let found = judge(&attached_file(channel), &medium);
            assert_eq!(found.is_none(), fine, "{found:?}");
        }
    }

    #[test]
    fn lost_row_of_a_file_is_detected() {
        assert!(messages(&attached_file(Channel::Sms), &[], &[]).is_some());
        assert!(messages(&attached_file(Channel::Sms), &[], &[medium()]).is_some());
    }

    #[test]
    fn files_come_by_every_way_and_differ() {
        let plans = |seed: u64| plans(40, &mut Random::new(seed)).expect("numbers");
        assert_eq!(plans(7), plans(7));
        for (mime, channel, _) in KINDS {
            let found = plans(7).into_iter();
            let found = found.filter(|plan| (plan.mime, plan.channel) == (mime, channel));
            assert!(found.count() >= 10, "{mime}");
        }
        assert_eq!(plans(7).iter().filter(|plan| plan.file.len() > LARGE).count(), 1);
        let files: BTreeSet<Vec<u8>> = plans(7).into_iter().map(|plan| plan.file).collect();
        assert_eq!(files.len(), 40);
    }
}
