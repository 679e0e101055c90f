//! Compression of answers: gzip, which every browser and most other clients accept.

use std::io::Write as _;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Response, header};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Minimum size of a body that is compressed, in bytes. A smaller one fits into a packet anyway.
const SMALLEST: usize = 1024;

/// Functions have a small share of a CPU: lower levels are a quarter longer, higher ones take twice the time for a twentieth less.
const LEVEL: Compression = Compression::new(3);

/// Marks an answer that is never compressed, because it holds a secret: its length would tell something about the secret to
/// somebody who sees it and chooses another part of the answer (BREACH). An extension of the response.
#[derive(Debug, Clone, Copy)]
pub struct Uncompressed;

/// Whether the caller accepts a coding, such as `gzip` or `br` (RFC 9110, 12.5.3).
pub fn accepts_coding(headers: &HeaderMap, coding: &str) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let accepted = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let (mut named, mut others) = (None, false);
    for accepted in accepted {
        let mut parts = accepted.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        let wanted = weight.is_none_or(|weight| weight > 0.0);
        match name {
            "*" => others = wanted,
            name if name.eq_ignore_ascii_case(coding) => named = Some(wanted),
            _ => {}
        }
    }
    named.unwrap_or(others)
}

/// Adds a request header to those that `Vary` names, because the answer depends on it.
fn vary(headers: &mut HeaderMap, by: &str) {
    let named = headers.get(header::VARY).and_then(|named| named.to_str().ok());
    let all = match named {
        None => by.to_owned(),
        Some(named) if named.split(',').any(|name| name.trim() == by) => return,
        Some(named) => format!("{named}, {by}"),
    };
    if let Ok(all) = HeaderValue::from_str(&all) {
        headers.insert(header::VARY, all);
    }
}

/// Whether the body is text, which becomes shorter.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/") || kind == "application/json" || kind.ends_with("+json")
}

/// Compresses an answer if that is worth it, the caller accepts it, and it has no coding yet. The `ETag` stays: it names the version of
/// what is answered, in whichever coding.
pub(crate) fn compress_answer(mut answer: Response<Bytes>, accepts_gzip: bool) -> Response<Bytes> {
    let bytes = answer.body().len();
    let marked = answer.extensions().get::<Uncompressed>().is_some();
    let coded = answer.headers().contains_key(header::CONTENT_ENCODING);
    if bytes < SMALLEST || marked || coded || !is_text(answer.headers()) {
        return answer;
    }
    vary(answer.headers_mut(), "accept-encoding");
    if !accepts_gzip {
        return answer;
    }
    match gzip(answer.body()) {
        Some(shorter) => {
            answer.headers_mut().remove(header::CONTENT_LENGTH);
            answer
                .headers_mut()
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            answer.map(|_| shorter)
        }
        None => answer,
    }
}

/// The body in gzip, if that is shorter.
fn gzip(body: &Bytes) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), LEVEL);
    encoder.write_all(body).ok()?;
    let shorter = encoder.finish().ok()?;
    (shorter.len() < body.len()).then(|| shorter.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(sent: &[&'static str]) -> bool {
        let sent = sent.iter().map(|value| HeaderValue::from_static(value));
        accepts_coding(&sent.map(|value| (header::ACCEPT_ENCODING, value)).collect(), "gzip")
    }

    #[test]
    fn gzip_is_accepted_by_name_or_by_star() {
        for fine in [
            &["gzip"][..],
            &["gzip, deflate, br, zstd"],
            &["br;q=1.0, GZIP;q=0.001"],
            &["*"],
            &["identity;q=0, *;q=0.5"],
            &["*;q=0, gzip"],
            &["br", "gzip"],
        ] {
            assert!(accepts(fine), "{fine:?}");
        }
        for other in [
            &[][..],
            &[""],
            &["identity"],
            &["br, deflate"],
            &["gzip;q=0"],
            &["gzip; q=0.0, *"],
            &["*;q=0"],
            &["gzipped"],
        ] {
            assert!(!accepts(other), "{other:?}");
        }
    }

    fn answer(kind: &'static str, body: Vec<u8>) -> Response<Bytes> {
        let answer = Response::builder()
            .header(header::CONTENT_TYPE, kind)
            .header(header::ETAG, "\"3\"");
        answer.body(body.into()).unwrap()
    }

    fn coding(answer: &Response<Bytes>) -> (bool, bool) {
        let has = |name| answer.headers().contains_key(name);
        (has(header::CONTENT_ENCODING), has(header::VARY))
    }

    #[test]
    fn long_texts_are_compressed_for_who_accepts_it() {
        for (kind, bytes, expected) in [
            ("application/json", 1024, (true, true)),
            ("application/problem+json", 5000, (true, true)),
            ("text/html; charset=utf-8", 5000, (true, true)),
            ("application/json", 1023, (false, false)),
            ("image/png", 5000, (false, false)),
        ] {
            let body = vec![b' '; bytes];
            let plain = compress_answer(answer(kind, body.clone()), false);
            assert_eq!(
                (coding(&plain), plain.body().to_vec()),
                ((false, expected.1), body.clone())
            );
            let short = compress_answer(answer(kind, body), true);
            assert_eq!(coding(&short), expected, "{kind} {bytes}");
            assert_eq!(short.body().len() < bytes, expected.0);
            assert_eq!(short.headers()[header::ETAG], "\"3\"");
        }
    }

    #[test]
    fn answers_with_a_coding_stay_as_they_are() {
        let mut coded = answer("text/javascript", vec![b' '; 5000]);
        let brotli = HeaderValue::from_static("br");
        coded.headers_mut().insert(header::CONTENT_ENCODING, brotli.clone());
        let coded = compress_answer(coded, true);
        assert_eq!(
            (coded.body().len(), &coded.headers()[header::CONTENT_ENCODING]),
            (5000, &brotli)
        );
    }

    #[test]
    fn every_header_that_an_answer_depends_on_is_named() {
        let mut page = answer("text/html", vec![b' '; 5000]);
        let language = HeaderValue::from_static("accept-language");
        page.headers_mut().insert(header::VARY, language);
        assert_eq!(
            compress_answer(page, true).headers()[header::VARY],
            "accept-language, accept-encoding"
        );
    }

    #[test]
    fn secrets_and_what_gets_no_shorter_stay_as_they_are() {
        let mut secret = answer("application/json", vec![b' '; 5000]);
        secret.extensions_mut().insert(Uncompressed);
        let secret = compress_answer(secret, true);
        assert_eq!((coding(&secret), secret.body().len()), ((false, false), 5000));
        // Nothing repeats in it.
        let mut state = 1_u32;
        let random = (0..2000).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        let random: Vec<u8> = random.collect();
        let random = compress_answer(answer("text/plain", random), true);
        assert_eq!((coding(&random), random.body().len()), ((false, true), 2000));
    }
}
