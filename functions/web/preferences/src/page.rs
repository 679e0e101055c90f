//! The pages, and the headers that they are sent with.

use std::sync::LazyLock;

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::destinations::WayOut;
use domain::people::{Contact, Topic, TopicState, refuses_everything, topic_state, wishes_mark};
use sha2::{Digest, Sha256};

use crate::words::{Named, Notice, Words};

/// Inline, so that a page is one request. Its hash is in the policy, which allows no other style.
const STYLE: &str = include_str!("../templates/page.css");

/// A page loads nothing, runs nothing, and sends its forms to its own origin.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
});

/// Message of a page above the choices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    text: &'static str,
    class: &'static str,
    role: &'static str,
}

impl Note {
    /// The choices are saved.
    pub(crate) const fn for_saved_choices(words: &Words) -> Self {
        Self {
            text: words.saved,
            class: "ok",
            role: "status",
        }
    }

    /// Nothing was saved, because the page was old.
    pub(crate) const fn for_old_page(words: &Words) -> Self {
        Self {
            text: words.changed,
            class: "warn",
            role: "alert",
        }
    }
}

/// A statement to tick.
struct Choice {
    field: &'static str,
    label: Named,
    wanted: bool,
    withheld: bool,
}

/// The statements about one channel.
struct Channel {
    name: &'static str,
    choices: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "preferences.html")]
struct Preferences<'a> {
    words: &'static Words,
    style: &'static str,
    title: String,
    business: &'a str,
    number: Option<String>,
    note: Option<Note>,
    stopped: bool,
    way_out: Named,
    network_number: Option<&'static str>,
    action: String,
    seen: String,
    channels: Vec<Channel>,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Said {
    words: &'static Words,
    style: &'static str,
    notice: Notice,
}

/// The page of a contact.
pub(crate) fn preferences(
    words: &'static Words,
    business: &str,
    contact: &Contact,
    action: String,
    note: Option<Note>,
) -> Response {
    let wishes = &contact.consent;
    let topics = Topic::ALL.into_iter().zip(words.topics);
    let mut channels: Vec<Channel> = words
        .channels
        .map(|name| Channel {
            name,
            choices: Vec::new(),
        })
        .into();
    for (topic, label) in topics {
        let state = topic_state(wishes, topic);
        let own = usize::from(topic.channel != Topic::ALL[0].channel);
        channels[own].choices.push(Choice {
            field: topic.as_str(),
            label,
            wanted: state == TopicState::Wanted,
            withheld: state == TopicState::Withheld,
        });
    }
    let (way_out, network_number) = match WayOut::of(contact.recipient().country()) {
        WayOut::Reply => (words.without, None),
        WayOut::Number(number) => (words.without_replies, Some(number)),
        WayOut::Elsewhere => (words.without_replies, None),
    };
    let title = words.title.with_isolated_name(business);
    let page = Preferences {
        words,
        style: STYLE,
        title: note.map_or_else(|| title.clone(), |note| format!("{} {title}", note.text)),
        business,
        number: contact.phone().map(domain::terms::Phone::masked_number),
        note,
        stopped: refuses_everything(wishes),
        way_out,
        network_number,
        action,
        seen: wishes_mark(wishes),
        channels,
    };
    answer(words, StatusCode::OK, &page)
}

/// A page that only says something.
pub(crate) fn notice(words: &'static Words, status: StatusCode, notice: Notice) -> Response {
    let page = Said {
        words,
        style: STYLE,
        notice,
    };
    answer(words, status, &page)
}

fn answer(words: &'static Words, status: StatusCode, page: &impl Template) -> Response {
    let Ok(page) = page.render() else {
        // Writing to a text cannot fail.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut answer = (status, Html(page)).into_response();
    guard(&mut answer);
    let language = HeaderValue::from_static(words.lang);
    answer.headers_mut().insert(header::CONTENT_LANGUAGE, language);
    answer
}

/// Adds the headers that every answer has: nobody keeps, frames, indexes or passes on what a link shows.
pub(crate) fn guard(answer: &mut Response) {
    let fixed = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let robots = HeaderValue::from_static("noindex, nofollow");
    answer.headers_mut().insert("x-robots-tag", robots);
    answer
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
}
