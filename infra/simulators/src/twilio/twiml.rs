//! The supported TwiML verbs. Others are ignored, as are nouns and prompts inside `<Gather>`.

use roxmltree::{Document, Node};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verb {
    /// Say: how long the caller listens, in seconds.
    Listen(u32),
    Dial {
        timeout: u32,
        /// Relative to the document that contains it, as are the others.
        action: Option<String>,
    },
    Record {
        action: Option<String>,
        status_callback: Option<String>,
    },
    Reject {
        busy: bool,
    },
    Hangup,
}

/// Reads a TwiML document.
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
            "Say" => verbs.push(Verb::Listen(spoken_seconds(node.text().unwrap_or_default()))),
            "Dial" => verbs.push(Verb::Dial {
                timeout: number(node, "timeout").unwrap_or(30),
                action: url(node, "action"),
            }),
            "Record" => verbs.push(Verb::Record {
                action: url(node, "action"),
                status_callback: url(node, "recordingStatusCallback"),
            }),
            "Reject" => verbs.push(Verb::Reject {
                busy: node.attribute("reason") == Some("busy"),
            }),
            "Hangup" => verbs.push(Verb::Hangup),
            _ => {}
        }
    }
    Ok(verbs)
}

fn number(node: Node<'_, '_>, name: &str) -> Option<u32> {
    node.attribute(name)?.parse().ok()
}

fn url(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attribute(name).map(str::to_owned)
}

/// About two and a half words a second.
fn spoken_seconds(text: &str) -> u32 {
    let words = u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX);
    (words * 2 / 5).max(1)
}
