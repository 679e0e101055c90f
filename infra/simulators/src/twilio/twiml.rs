//! The supported TwiML verbs. Others are ignored, as are nouns and prompts inside `<Gather>`.

use roxmltree::{Document, Node};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verb {
    /// Say, Play, Pause: how long the caller listens, in seconds.
    Listen(u32),
    Dial {
        timeout: u32,
        action: Option<Target>,
    },
    Record {
        action: Option<Target>,
        status_callback: Option<Target>,
    },
    Redirect(Target),
    Reject {
        busy: bool,
    },
    Hangup,
}

/// A URL to request, relative to the document that contains it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) get: bool,
}

/// Reads a TwiML document.
///
/// # Errors
/// When it is not XML or its root is not `Response`; the caller hears an application error then.
pub(crate) fn parse(xml: &str) -> Result<Vec<Verb>, String> {
    let document = Document::parse(xml.trim_start()).map_err(|error| format!("reading TwiML: {error}"))?;
    let root = document.root_element();
    if !root.has_tag_name("Response") {
        return Err(format!(
            "TwiML starts with <{}>, not <Response>",
            root.tag_name().name()
        ));
    }
    let mut verbs = Vec::new();
    for node in root.children().filter(Node::is_element) {
        match node.tag_name().name() {
            "Say" => verbs.push(Verb::Listen(spoken_seconds(text(node)))),
            // The recording's length is unknown here; ten seconds are assumed.
            "Play" => verbs.push(Verb::Listen(10)),
            "Pause" => verbs.push(Verb::Listen(number(node, "length").unwrap_or(1))),
            "Dial" => verbs.push(Verb::Dial {
                timeout: number(node, "timeout").unwrap_or(30),
                action: target(node, "action", "method"),
            }),
            "Record" => verbs.push(Verb::Record {
                action: target(node, "action", "method"),
                status_callback: target(node, "recordingStatusCallback", "recordingStatusCallbackMethod"),
            }),
            "Redirect" => {
                let get = node
                    .attribute("method")
                    .is_some_and(|method| method.eq_ignore_ascii_case("GET"));
                verbs.push(Verb::Redirect(Target {
                    url: text(node).trim().to_owned(),
                    get,
                }));
            }
            "Reject" => verbs.push(Verb::Reject {
                busy: node.attribute("reason") == Some("busy"),
            }),
            "Hangup" => verbs.push(Verb::Hangup),
            _ => {}
        }
    }
    Ok(verbs)
}

fn text<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default()
}

fn number(node: Node<'_, '_>, name: &str) -> Option<u32> {
    node.attribute(name)?.parse().ok()
}

fn target(node: Node<'_, '_>, url: &str, method: &str) -> Option<Target> {
    let get = node
        .attribute(method)
        .is_some_and(|method| method.eq_ignore_ascii_case("GET"));
    node.attribute(url).map(|url| Target {
        url: url.to_owned(),
        get,
    })
}

/// About two and a half words a second.
fn spoken_seconds(text: &str) -> u32 {
    let words = u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX);
    (words * 2 / 5).max(1)
}
