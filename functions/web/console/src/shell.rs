//! The shell: the one document of the console, with the visitor's language and theme in it before any script runs.
//!
//! Both are words of ours, so the page never holds anything that a request brought.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::{Build, HTML, text};

/// The shell in a build.
pub(crate) const FILE: &str = "index.html";

/// How it begins there.
const BEGINS: &str = r#"<html lang="en" dir="ltr" data-theme="system">"#;

/// The link to what the installed app is called, in the language of [`BEGINS`].
const MANIFEST: &str = "/app/en.webmanifest";

/// How the script in the page itself begins.
const SCRIPT: &str = r#"<script type="module">"#;

/// Cookie of the visitor's choice, such as `ar.dark`.
const COOKIE: &str = "rb_ui";

/// The first one is for whoever wants none of them.
const LANGUAGES: [&str; 2] = ["en", "ar"];

/// The first one is the machine's own.
const THEMES: [&str; 3] = ["system", "light", "dark"];

pub(crate) struct Shell(String);

impl Shell {
    /// The document of a build, if there is one.
    pub(crate) fn of(build: Build) -> Option<Self> {
        let file = build.get(FILE)?;
        Some(Self(String::from_utf8_lossy(&file.data).into_owned()))
    }

    /// The source of the script in the page itself, as a policy names it; none if the page has no such script.
    pub(crate) fn script_source(&self) -> Option<String> {
        let (_, rest) = self.0.split_once(SCRIPT)?;
        let (script, _) = rest.split_once("</script>")?;
        Some(format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script))))
    }

    /// The page for a visitor.
    pub(crate) fn page(&self, sent: &HeaderMap) -> Response {
        let (language, theme) = language_and_theme(sent).unwrap_or_else(|| (preferred_language(sent), THEMES[0]));
        let direction = if language == "ar" { "rtl" } else { "ltr" };
        let begins = format!(r#"<html lang="{language}" dir="{direction}" data-theme="{theme}">"#);
        let manifest = format!("/app/{language}.webmanifest");
        let page = self.0.replacen(BEGINS, &begins, 1).replacen(MANIFEST, &manifest, 1);
        let mut answer = text(sent, HTML, page);
        let fixed = [
            (header::CONTENT_LANGUAGE, language),
            (header::VARY, "accept-language, cookie"),
        ];
        answer
            .headers_mut()
            .extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
        answer
    }
}

/// Language and theme by the cookie.
fn language_and_theme(sent: &HeaderMap) -> Option<(&'static str, &'static str)> {
    let cookies = sent.get(header::COOKIE)?.to_str().ok()?;
    let mut cookies = cookies.split(';').filter_map(|cookie| cookie.trim().split_once('='));
    let (_, choice) = cookies.find(|(name, _)| *name == COOKIE)?;
    let (language, theme) = choice.split_once('.')?;
    let language = LANGUAGES.into_iter().find(|known| *known == language)?;
    Some((language, THEMES.into_iter().find(|known| *known == theme)?))
}

/// The language that the browser prefers.
fn preferred_language(sent: &HeaderMap) -> &'static str {
    let header = sent
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|header| header.to_str().ok());
    let accepted = header.and_then(|header| kit::accepted_language(header, &LANGUAGES));
    accepted.unwrap_or(LANGUAGES[0])
}
