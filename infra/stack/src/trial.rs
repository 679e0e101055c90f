//! The dry run of a call, as a table for people.

use serde_json::Value;

/// Width of the first column.
const FIRST: usize = 18;
/// Width of the others.
const FURTHER: usize = 17;
/// Characters of a message that are shown.
const SHOWN: usize = 76;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A result of a check, in words.
fn verdict(check: &Value) -> &str {
    if check["passed"] == true {
        "passed"
    } else {
        text(&check["reason"])
    }
}

fn beginning(message: &str) -> String {
    match message.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

fn row(first: &str, others: impl IntoIterator<Item = String>) -> String {
    let mut line = format!("{first:FIRST$}");
    for other in others {
        line.push_str(&format!("{other:FURTHER$}"));
    }
    line.trim_end().to_owned()
}

/// The answer to a dry run: the rules with what does not hold, the message, and each check with its verdict, when the message is planned
/// and before each channel.
pub fn table(run: &Value) -> Vec<String> {
    let mut lines = vec![row("rule", ["this call".to_owned()])];
    for rule in list(&run["automations"]) {
        let told = match (rule["passed"] == true, rule["decides"] == true) {
            (true, true) => "matches, and decides",
            (true, false) => "matches",
            (false, _) => text(&rule["reason"]),
        };
        lines.push(row(text(&rule["name"]), [told.to_owned()]));
    }
    lines.push(row("decision", [text(&run["decision"]).to_owned()]));
    let message = &run["message"];
    let channels: Vec<&Value> = list(&message["channels"]).collect();
    for channel in &channels {
        let content = channel["text"].as_str().map_or_else(
            || text(&channel["reason"]).to_owned(),
            |content| format!("{:?}", beginning(content)),
        );
        lines.push(row(text(&channel["channel"]), [content]));
    }
    let before = channels.iter().map(|channel| text(&channel["channel"]));
    let before = before.map(|channel| format!("before {channel}"));
    let heads = ["when planned".to_owned()].into_iter().chain(before);
    lines.push(row("check", heads));
    let checked = || [message].into_iter().chain(channels.iter().copied());
    let mut names: Vec<&str> = Vec::new();
    for check in checked().flat_map(|of| list(&of["checks"])) {
        let name = text(&check["check"]);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let verdicts = checked().map(|of| {
            let own = list(&of["checks"]).find(|check| check["check"] == name);
            own.map(verdict).unwrap_or_default().to_owned()
        });
        lines.push(row(&name.replace('_', " "), verdicts));
    }
    lines
}
