//! The lint of templates: what the provider would refuse, by field, and what it may judge otherwise than the author means.
//!
//! Sources of the rules: developers.facebook.com, "Message templates" and "Template management", with the subcodes of the errors that
//! break them; twilio.com/docs/content for templates that Twilio submits. Pure, and linear in the length of the draft.

use super::hints::hints;
use super::{
    MAX_BODY_LENGTH, MAX_HEADER_LENGTH, ParameterFormat, TemplateKey, Unfit, braces, check_value, fill_variables,
    variables_in,
};
use crate::media::{Asset, MediaKind};
use crate::templates::{Button, CodeOptions, Header, Press, TemplateCategory, TemplateContent};
use crate::terms::{Fact, Fault, FaultCode, FieldProblem, Findings, Warning};

/// Maximum length of a footer.
pub const MAX_FOOTER_LENGTH: usize = 60;
/// Maximum buttons at Meta.
pub const MAX_META_BUTTONS: usize = 10;
/// Maximum length of a label at Meta.
const MAX_LABEL_LENGTH: usize = 25;
/// Maximum links, numbers and codes among the buttons.
const MAX_LINKS: usize = 2;
const MAX_NUMBERS: usize = 1;
const MAX_CODES: usize = 1;
/// Maximum length of the sample of an offer's code.
const MAX_OFFER_CODE_LENGTH: usize = 15;
/// Maximum length of a link at Meta.
const MAX_URL_LENGTH: usize = 2_000;
/// Maximum size of the sample of a media header: it is uploaded within one request.
pub const LARGEST_SAMPLE: u64 = 16 * 1024 * 1024;

/// Twilio's limits: a label and a body beside links and numbers, a label of quick replies, a label of a card's buttons, a variable's
/// name.
const MAX_TWILIO_LABEL_LENGTH: usize = 20;
const MAX_CARD_LABEL_LENGTH: usize = 25;
const MAX_CALL_TO_ACTION_LENGTH: usize = 640;
const MAX_TWILIO_VARIABLES: usize = 100;

/// Who submits a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// We, to Meta.
    Meta,
    /// Twilio, for us.
    Twilio,
}

/// Findings about a draft.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lint {
    /// Problems that the provider would refuse it for, by field.
    pub problems: Vec<FieldProblem>,
    /// Doubts whether the provider agrees. They do not prevent submitting.
    pub warnings: Vec<Warning>,
}

/// Maximum reported problems, and warnings.
pub const MAX_FOUND: usize = 50;

/// Lints a draft. `sample`: the asset that its media header names, if it exists.
pub fn lint_draft(
    name: &str,
    language: &str,
    content: &TemplateContent,
    through: Through,
    sample: Option<&Asset>,
) -> Lint {
    let mut found = Findings::default();
    check_name_and_language(name, language, &mut found);
    if content.category == TemplateCategory::Authentication {
        code(content, through, &mut found);
    } else {
        let detail = "Only templates of the category authentication have these options.";
        left_out(content.code.is_none(), "code", detail, &mut found);
        header(content, through, sample, &mut found);
        body(content, through, &mut found);
        footer(content, &mut found);
        buttons(content, through, &mut found);
        if through == Through::Twilio {
            twilio(content, &mut found);
        }
    }
    let (mut problems, mut warnings) = (found.0, hints(content));
    problems.truncate(MAX_FOUND);
    warnings.truncate(MAX_FOUND);
    Lint { problems, warnings }
}

/// A name is `[a-z0-9_]{1,512}`; a language is Meta's code, such as `en_GB`.
fn check_name_and_language(name: &str, language: &str, found: &mut Findings) {
    let lower = name.bytes().all(|byte| !byte.is_ascii_uppercase());
    let detail = "A name has small letters a to z, digits and underscores, at most 512.";
    found.expect(
        lower && TemplateKey::new(name, "en").is_some(),
        "name",
        Fault::format("template_name", "missed_call_followup", detail),
    );
    let detail = "The language is Meta's code: two or three small letters, perhaps an underscore and a region.";
    found.expect(
        is_meta_language(language),
        "language",
        Fault::format("template_language", "en_GB", detail),
    );
}

/// Whether it has the form of Meta's codes of languages.
pub fn is_meta_language(code: &str) -> bool {
    let (language, region) = match code.split_once('_') {
        Some((language, region)) => (language, Some(region)),
        None => (code, None),
    };
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && region.is_none_or(|region| {
            (2..=3).contains(&region.len()) && region.bytes().all(|byte| byte.is_ascii_uppercase())
        })
}

/// The text of a one-time code is the provider's.
fn code(content: &TemplateContent, through: Through, found: &mut Findings) {
    let own = [
        ("header", content.header.is_some()),
        ("body", content.body.is_some()),
        ("footer", content.footer.is_some()),
        ("buttons", !content.buttons.is_empty()),
        ("samples", !content.samples.is_empty()),
    ];
    for (field, given) in own {
        let detail = "WhatsApp writes the text of one-time codes itself. Leave this out.";
        left_out(!given, field, detail, found);
    }
    match &content.code {
        None => {
            let detail = "A template for one-time codes needs these options.";
            found.add("code", Fault::new(FaultCode::Required, detail));
        }
        Some(CodeOptions { button, .. }) => {
            let most = match through {
                Through::Meta => MAX_LABEL_LENGTH,
                Through::Twilio => MAX_LABEL_LENGTH - 1,
            };
            line("code.button", button.as_str(), 1, most, found);
        }
    }
}

/// A text must be one line of so many characters.
fn line(field: &str, text: &str, least: usize, most: usize, found: &mut Findings) {
    let length = text.chars().count();
    if text.trim().is_empty() && least > 0 {
        found.add(
            field,
            Fault::length(0, least, most, format!("Expected {least} to {most} characters.")),
        );
    } else if length > most {
        let detail = format!("Expected at most {most} characters, got {length}.");
        found.add(field, Fault::length(length, least, most, detail));
    } else if text.contains(['\n', '\r', '\t']) {
        let detail = "It must be one line, without tabs.";
        found.add(field, Fault::new(FaultCode::ControlCharacters, detail));
    }
}

/// A variable may not stand here.
fn no_variables(field: &str, text: &str, found: &mut Findings) {
    left_out(!text.contains("{{"), field, "It cannot have variables.", found);
}

/// A field without a meaning here must be left out.
fn left_out(is_absent: bool, field: impl Into<String>, detail: &str, found: &mut Findings) {
    found.expect(is_absent, field, Fault::new(FaultCode::NotApplicable, detail));
}

/// Header: 60 characters with at most one variable (2388047), or a medium with a sample (2388273).
fn header(content: &TemplateContent, through: Through, sample: Option<&Asset>, found: &mut Findings) {
    let Some(header) = &content.header else {
        return;
    };
    match (&header.text, header.media) {
        (Some(_), Some(_)) => {
            let detail = "A header is a text or a medium. Remove one of them.";
            found.add("header.media", Fault::excludes(&["text"], detail));
        }
        (None, None) => {
            let detail = "A header is a text or a medium. Give one, or leave the header out.";
            found.add("header.text", Fault::requires(&["media"], detail));
        }
        (Some(text), None) => {
            line("header.text", text.as_str(), 1, MAX_HEADER_LENGTH, found);
            let names = well_formed("header.text", text.as_str(), content.parameter_format, found);
            if names.len() > 1 {
                let detail = "A header has at most one variable.";
                found.add("header.text", Fault::too_many(1, detail));
            }
            match (names.first(), &header.sample) {
                (Some(name), sample) => {
                    let sample = sample.as_ref().map(|sample| sample.as_str());
                    check_sample("header.sample", &braces(name), sample, found);
                }
                (None, Some(_)) => {
                    let detail = "The header has no variable, so there is no sample of it.";
                    found.add("header.sample", Fault::new(FaultCode::NotApplicable, detail));
                }
                (None, None) => {}
            }
            let detail = "Only a medium has an asset as its sample.";
            let is_absent = header.sample_asset_id.is_none();
            left_out(is_absent, "header.sample_asset_id", detail, found);
        }
        (None, Some(kind)) => media(header, kind, through, sample, found),
    }
}

/// Types of a sample, as the resumable upload takes them.
const SAMPLES: [(MediaKind, &[&str]); 3] = [
    (MediaKind::Image, &["image/jpeg", "image/png"]),
    (MediaKind::Video, &["video/mp4"]),
    (MediaKind::Document, &["application/pdf"]),
];

fn media(header: &Header, kind: MediaKind, through: Through, sample: Option<&Asset>, found: &mut Findings) {
    if through == Through::Twilio {
        let detail =
            "Templates with media are not submitted through Twilio. Use a text, or a connection to WhatsApp itself.";
        found.add(
            "header.media",
            Fault::new(FaultCode::NotApplicable, detail).and("kind", "twilio"),
        );
        return;
    }
    let Some((_, types)) = SAMPLES.iter().find(|(known, _)| *known == kind) else {
        let known: Vec<&str> = SAMPLES.iter().map(|(kind, _)| kind.as_str()).collect();
        let detail = format!("A header has an {}.", known.join(", "));
        let fault = Fault::new(FaultCode::NotOneOf, detail).and("expected", known.into_iter().collect::<Fact>());
        found.add("header.media", fault);
        return;
    };
    let detail = "Only a text has a sample in words.";
    left_out(header.sample.is_none(), "header.sample", detail, found);
    let field = "header.sample_asset_id";
    let Some(id) = header.sample_asset_id else {
        let detail = "WhatsApp reviews a medium by a sample. Name an asset.";
        found.add(field, Fault::new(FaultCode::Required, detail));
        return;
    };
    let Some(sample) = sample.filter(|sample| sample.id == id.into()) else {
        let fault = Fault::new(FaultCode::NotFound, "There is no such asset.");
        found.add(field, fault.and("id", id.to_string()));
        return;
    };
    if let Err(why) = sample.usable(kind) {
        found.add(field, Fault::new(FaultCode::Invalid, format!("{}.", why.sentence)));
    } else if !types.contains(&sample.content_type.as_str()) {
        let detail = format!("A sample of this kind is of the type {}.", types.join(" or "));
        let fault = Fault::new(FaultCode::NotOneOf, detail);
        found.add(field, fault.and("expected", types.iter().collect::<Fact>()));
    } else if sample.bytes > LARGEST_SAMPLE {
        let detail = format!("A sample has at most {LARGEST_SAMPLE} bytes.");
        let fault = Fault::new(FaultCode::TooLarge, detail);
        found.add(
            field,
            fault.and("bytes", sample.bytes).and("maximum_bytes", LARGEST_SAMPLE),
        );
    }
}

/// The variables of a text, which are closed, named in the format, and, if numbers, without gaps.
fn well_formed<'a>(field: &str, text: &'a str, format: ParameterFormat, found: &mut Findings) -> Vec<&'a str> {
    let names = variables_in(text);
    // The text beside the variables has no braces.
    let plain = fill_variables(text, |_| Some("x".to_owned()));
    if plain.contains("{{") || plain.contains("}}") || names.iter().any(|name| name.contains('{')) {
        let detail = "A {{ is not closed by }}, or the reverse.";
        found.add(field, Fault::format("variable", "{{1}}", detail));
        return names;
    }
    match format {
        ParameterFormat::Positional => {
            let numbers: Vec<String> = (1..=names.len()).map(|number| number.to_string()).collect();
            let complete = numbers.iter().all(|number| names.contains(&number.as_str()));
            let detail = "Variables are numbers from {{1}} on, without a gap.";
            found.expect(complete, field, Fault::format("variable", "{{1}}", detail));
        }
        ParameterFormat::Named => {
            let plain = |name: &&str| {
                name.starts_with(|first: char| first.is_ascii_lowercase())
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
                    && name.len() <= 64
            };
            let detail = "Names of variables have small letters, digits and underscores, and begin with a letter.";
            found.expect(
                names.iter().all(plain),
                field,
                Fault::format("variable", "{{first_name}}", detail),
            );
        }
    }
    names
}

/// A sample is a value that a message could have.
fn check_sample(field: &str, variable: &str, sample: Option<&str>, found: &mut Findings) {
    let Some(sample) = sample else {
        let detail = format!("WhatsApp reviews a template by samples. Give one for {variable}.");
        found.add(field, Fault::new(FaultCode::Required, detail));
        return;
    };
    if let Err(super::Misfit::Value { what, .. }) = check_value(variable, sample) {
        let code = match what {
            Unfit::Empty => FaultCode::Required,
            Unfit::LineBreak => FaultCode::ControlCharacters,
            Unfit::Spaces | Unfit::JoinedCode => FaultCode::Invalid,
        };
        found.add(
            field,
            Fault::new(code, format!("WhatsApp refuses this sample: it {what}.")),
        );
    }
}

/// Body: at most 1,024 characters (2388040, 2388072), no variable at either end (2388299), enough words (2388293), a sample of each.
fn body(content: &TemplateContent, through: Through, found: &mut Findings) {
    let text = content.body_text();
    let length = text.chars().count();
    if text.trim().is_empty() {
        found.add("body", Fault::length(0, 1, MAX_BODY_LENGTH, "A template needs a body."));
        return;
    }
    if length > MAX_BODY_LENGTH {
        let detail = format!("Expected at most {MAX_BODY_LENGTH} characters, got {length}.");
        found.add("body", Fault::length(length, 1, MAX_BODY_LENGTH, detail));
    }
    let names = well_formed("body", text, content.parameter_format, found);
    let ends = text.trim();
    if ends.starts_with("{{") || ends.ends_with("}}") {
        let detail = "A variable cannot stand at the beginning or the end. Put words before and after it.";
        found.add("body", Fault::new(FaultCode::Invalid, detail));
    }
    let least = 2 * names.len() + 1;
    if !names.is_empty() && words(text) < least {
        let detail = format!(
            "There are too many variables for so few words: for {}, write at least {least} words.",
            names.len()
        );
        found.add("body", Fault::new(FaultCode::TooFew, detail).and("minimum", least));
    }
    if through == Through::Twilio && adjacent(text) {
        let detail = "Two variables cannot stand side by side. Put a word between them.";
        found.add("body", Fault::new(FaultCode::Invalid, detail));
    }
    for name in &names {
        let sample = content.samples.get(*name).map(|sample| sample.as_str());
        check_sample(&format!("samples.{name}"), &braces(name), sample, found);
    }
    for other in content.samples.keys().filter(|other| !names.contains(&other.as_str())) {
        let detail = format!("The body has no {}. Remove its sample.", braces(other));
        let fault = Fault::new(FaultCode::Unknown, detail).and("expected", names.iter().collect::<Fact>());
        found.add(format!("samples.{other}"), fault);
    }
}

/// The number of words beside the variables.
fn words(text: &str) -> usize {
    let plain = fill_variables(text, |_| Some(" ".to_owned()));
    let word = |part: &&str| part.chars().any(char::is_alphanumeric);
    plain.split_whitespace().filter(word).count()
}

/// Whether two variables have nothing but spaces between them.
fn adjacent(text: &str) -> bool {
    let mut between = text.split("}}").skip(1);
    between.any(|part| part.split_once("{{").is_some_and(|(words, _)| words.trim().is_empty()))
}

/// Footer: 60 characters without variables (2388073).
fn footer(content: &TemplateContent, found: &mut Findings) {
    if let Some(footer) = &content.footer {
        line("footer", footer.as_str(), 1, MAX_FOOTER_LENGTH, found);
        no_variables("footer", footer.as_str(), found);
    }
}

/// Buttons: at most ten, of them two links, one number and one code; quick replies side by side; labels of 25 characters.
fn buttons(content: &TemplateContent, through: Through, found: &mut Findings) {
    let all = &content.buttons;
    if all.len() > MAX_META_BUTTONS {
        let detail = format!("A template has at most {MAX_META_BUTTONS} buttons.");
        found.add("buttons", Fault::too_many(MAX_META_BUTTONS, detail));
    }
    for (kind, most, what) in [
        (Press::Url, MAX_LINKS, "links"),
        (Press::PhoneNumber, MAX_NUMBERS, "telephone number"),
        (Press::OfferCode, MAX_CODES, "code"),
    ] {
        if all.iter().filter(|button| button.kind == kind).count() > most {
            let detail = format!("The buttons of a template have at most {most} {what}.");
            found.add("buttons", Fault::too_many(most, detail));
        }
    }
    let groups = all.chunk_by(|one, other| (one.kind == Press::QuickReply) == (other.kind == Press::QuickReply));
    if groups
        .filter(|group| group.first().is_some_and(|button| button.kind == Press::QuickReply))
        .count()
        > 1
    {
        let detail = "Quick replies stand together, before or after the other buttons.";
        found.add("buttons", Fault::new(FaultCode::WrongOrder, detail));
    }
    for (place, button) in all.iter().enumerate() {
        let field = format!("buttons[{place}]");
        // One label twice cannot be told apart in an answer.
        let twice = all[..place].iter().any(|other| other.text == button.text);
        let detail = "Another button has this label.";
        found.expect(
            !twice,
            format!("{field}.text"),
            Fault::new(FaultCode::GivenTwice, detail),
        );
        line(
            &format!("{field}.text"),
            button.text.as_str(),
            1,
            MAX_LABEL_LENGTH,
            found,
        );
        no_variables(&format!("{field}.text"), button.text.as_str(), found);
        parts(&field, button, through, found);
    }
}

/// A button must have the parts of its kind, and no others.
fn parts(field: &str, button: &Button, through: Through, found: &mut Findings) {
    let given = [
        ("url", button.url.is_some(), button.kind == Press::Url),
        (
            "phone_number",
            button.phone_number.is_some(),
            button.kind == Press::PhoneNumber,
        ),
    ];
    for (part, given, belongs) in given {
        let field = format!("{field}.{part}");
        match (given, belongs) {
            (false, true) => found.add(
                field,
                Fault::new(FaultCode::Required, "A button of this kind needs it."),
            ),
            (true, false) => {
                let detail = "A button of this kind does not have it.";
                found.add(field, Fault::new(FaultCode::NotApplicable, detail));
            }
            _ => {}
        }
    }
    let sample = button.sample.as_ref().map(|sample| sample.as_str());
    match (button.kind, &button.url) {
        (Press::Url, Some(url)) => link(field, url.as_str(), sample, through, found),
        (Press::OfferCode, _) => {
            let field = format!("{field}.sample");
            check_sample(&field, "the code", sample, found);
            let length = sample.map_or(0, |sample| sample.chars().count());
            if length > MAX_OFFER_CODE_LENGTH {
                let detail = format!("Expected at most {MAX_OFFER_CODE_LENGTH} characters, got {length}.");
                found.add(field, Fault::length(length, 1, MAX_OFFER_CODE_LENGTH, detail));
            }
        }
        _ => {
            let detail = "A button of this kind has no sample.";
            let is_absent = sample.is_none() || button.kind == Press::Url;
            left_out(is_absent, format!("{field}.sample"), detail, found);
        }
    }
}

/// A link is one of the web, perhaps with one variable at its end, and a sample that completes it.
fn link(field: &str, url: &str, sample: Option<&str>, through: Through, found: &mut Findings) {
    let (of_url, of_sample) = (format!("{field}.url"), format!("{field}.sample"));
    let length = url.chars().count();
    let web = (url.starts_with("https://") || url.starts_with("http://")) && !url.contains(char::is_whitespace);
    let host = url
        .split("//")
        .nth(1)
        .and_then(|rest| rest.split(['/', '?', '#']).next());
    let named = host.is_some_and(|host| !host.is_empty() && !host.contains("{{"));
    if length > MAX_URL_LENGTH {
        let detail = format!("Expected at most {MAX_URL_LENGTH} characters, got {length}.");
        found.add(&*of_url, Fault::length(length, 1, MAX_URL_LENGTH, detail));
    }
    let wrong_form = |detail: &str| Fault::format("url", "https://book.example.com/{{1}}", detail);
    let detail = "Expected the address of a web page. A variable can stand at its end only, behind the host.";
    found.expect(web && named, &*of_url, wrong_form(detail));
    match url.split_once("{{") {
        None => {
            let detail = "The link has no variable, so there is no sample of it.";
            left_out(sample.is_none(), of_sample, detail, found);
        }
        Some((before, variable)) => {
            let detail = "A link has one variable, {{1}}, at its end.";
            found.expect(variable == "1}}", &*of_url, wrong_form(detail));
            if through == Through::Twilio {
                let detail = "At Twilio, a variable stands behind a slash.";
                found.expect(before.ends_with('/'), &*of_url, wrong_form(detail));
            }
            check_sample(&of_sample, "the link", sample, found);
            let complete = sample.is_none_or(|sample| sample.len() > before.len() && sample.starts_with(before));
            let detail = "The sample is the whole link, with a value in place of the variable.";
            found.expect(
                complete,
                of_sample,
                Fault::format("url", "https://book.example.com/b/marina", detail),
            );
        }
    }
}

/// The type of content that Twilio has for a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TwilioType {
    /// `twilio/text`.
    Text,
    /// `twilio/quick-reply`.
    QuickReply,
    /// `twilio/call-to-action`.
    CallToAction,
    /// `whatsapp/card`.
    Card,
    /// `whatsapp/authentication`.
    Authentication,
}

impl TwilioType {
    /// The type for this content: the plainest one that can show all of it.
    pub fn of(content: &TemplateContent) -> Self {
        let quick = |button: &Button| button.kind == Press::QuickReply;
        let short = content
            .buttons
            .iter()
            .all(|button| button.text.as_str().chars().count() <= MAX_TWILIO_LABEL_LENGTH);
        let small = content.body_text().chars().count() <= MAX_CALL_TO_ACTION_LENGTH;
        if content.category == TemplateCategory::Authentication {
            Self::Authentication
        } else if content.header.is_some() || content.footer.is_some() {
            Self::Card
        } else if content.buttons.is_empty() {
            Self::Text
        } else if content.buttons.iter().all(quick) && short {
            Self::QuickReply
        } else if !content.buttons.iter().any(quick) && short && small {
            Self::CallToAction
        } else {
            Self::Card
        }
    }
}

/// Rules of Twilio's types of content.
fn twilio(content: &TemplateContent, found: &mut Findings) {
    if content.parameter_format == ParameterFormat::Named {
        let detail = "Twilio submits templates with numbers as variables: {{1}}, {{2}}.";
        let fault = Fault::new(FaultCode::NotOneOf, detail).and("expected", ["positional"].iter().collect::<Fact>());
        found.add("parameter_format", fault);
    }
    let places =
        variables_in(content.body_text()).len() + content.buttons.len() + usize::from(content.header.is_some());
    if places > MAX_TWILIO_VARIABLES {
        let detail = format!("A template has at most {MAX_TWILIO_VARIABLES} variables.");
        found.add("body", Fault::too_many(MAX_TWILIO_VARIABLES, detail));
    }
    for (place, button) in content.buttons.iter().enumerate() {
        let detail =
            "The code of an offer is not submitted through Twilio, which cannot change it from message to message.";
        let fault = Fault::new(FaultCode::NotApplicable, detail).and("kind", "twilio");
        found.expect(button.kind != Press::OfferCode, format!("buttons[{place}].kind"), fault);
    }
    if TwilioType::of(content) == TwilioType::Card {
        let has_header = content.header.as_ref().is_some_and(|header| header.text.is_some());
        let detail = "At Twilio, a template with a footer, with both quick replies and other buttons, or with long labels needs a \
                      text header.";
        found.expect(has_header, "header", Fault::new(FaultCode::Required, detail));
        for (place, button) in content.buttons.iter().enumerate() {
            line(
                &format!("buttons[{place}].text"),
                button.text.as_str(),
                0,
                MAX_CARD_LABEL_LENGTH,
                found,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn good() -> Value {
        json!({
            "category": "utility",
            "header": {"text": "Missed call"},
            "body": "Hello {{1}}, sorry we missed your call to {{2}} today. How can we help?",
            "footer": "Reply STOP to opt out",
            "buttons": [
                {"kind": "quick_reply", "text": "Call me back"},
                {"kind": "url", "text": "Book online", "url": "https://book.example.test/{{1}}",
                    "sample": "https://book.example.test/b/tnt_a"},
            ],
            "samples": {"1": "Maya", "2": "Fixture Hair"},
        })
    }

    fn problems(content: Value, through: Through) -> Vec<(String, &'static str)> {
        let content: TemplateContent = from_value(content).unwrap();
        let found = lint_draft("missed_call_followup", "en_GB", &content, through, None);
        let found = found.problems.into_iter();
        found.map(|problem| (problem.field, problem.code.as_str())).collect()
    }

    #[test]
    fn hints_are_warnings_and_no_problems() {
        let content = from_value(json!({"category": "utility", "body": "Enjoy 20% off today!"})).unwrap();
        let found = lint_draft("missed_call_followup", "en_GB", &content, Through::Meta, None);
        assert_eq!((found.problems.len(), found.warnings.len()), (0, 1));
    }

    fn changed_content(path: &str, value: Value) -> Value {
        let mut content = good();
        *content.pointer_mut(path).unwrap() = value;
        content
    }

    #[test]
    fn requests_of_the_fixtures_pass() {
        assert_eq!(problems(good(), Through::Meta), []);
        assert_eq!(problems(good(), Through::Twilio), []);
        let named = json!({
            "category": "utility", "parameter_format": "named",
            "body": "Hello {{first_name}}, sorry we missed your call to {{business}} today.",
            "samples": {"first_name": "Maya", "business": "Fixture Hair"},
        });
        assert_eq!(problems(named.clone(), Through::Meta), []);
        assert_eq!(
            problems(named, Through::Twilio),
            [("parameter_format".to_owned(), "not_one_of")]
        );
        let code = json!({"category": "authentication", "code": {"security_advice": true, "button": "Copy code"}});
        assert_eq!(problems(code.clone(), Through::Meta), []);
        assert_eq!(problems(code, Through::Twilio), []);
    }

    /// The table of what is refused, with its field and code.
    #[test]
    fn each_rule_is_a_problem_of_its_field() {
        let link = |url: &str, sample: &str| json!({"kind": "url", "text": "Book", "url": url, "sample": sample});
        let reply = |text: &str| json!({"kind": "quick_reply", "text": text});
        let web = || json!({"kind": "url", "text": "Web", "url": "https://a.example"});
        let (long_body, long_line) = ("word ".repeat(205), "x".repeat(61));
        for (path, value, field, code) in [
            ("/header", json!({}), "header.text", "requires"),
            ("/header", json!({"text": long_line}), "header.text", "too_long"),
            ("/header", json!({"text": "a\nb"}), "header.text", "control_characters"),
            ("/header", json!({"text": "Of {{1}}"}), "header.sample", "required"),
            (
                "/header",
                json!({"text": "Of {{1}} {{2}}", "sample": "x"}),
                "header.text",
                "too_many",
            ),
            (
                "/header",
                json!({"text": "Plain", "sample": "x"}),
                "header.sample",
                "not_applicable",
            ),
            (
                "/header",
                json!({"media": "image"}),
                "header.sample_asset_id",
                "required",
            ),
            ("/header", json!({"media": "audio"}), "header.media", "not_one_of"),
            (
                "/header",
                json!({"media": "image", "text": "x"}),
                "header.media",
                "excludes",
            ),
            ("/body", json!(" "), "body", "too_short"),
            (
                "/body",
                json!(format!("{{{{1}}}} and {{{{2}}}} {long_body}")),
                "body",
                "too_long",
            ),
            (
                "/body",
                json!("{{1}}, we missed your call to {{2}} this very day."),
                "body",
                "invalid",
            ),
            (
                "/body",
                json!("Hello {{1}}, we missed your call today to {{2}}"),
                "body",
                "invalid",
            ),
            ("/body", json!("Hello {{1}}, thanks {{2}} now."), "body", "too_few"),
            (
                "/body",
                json!("Hello {{1}}, we missed your call to {{3}} this very day."),
                "body",
                "format",
            ),
            (
                "/body",
                json!("Hello {{1}}, we missed your call to {{2} this very day."),
                "body",
                "format",
            ),
            ("/samples", json!({"1": "Maya"}), "samples.2", "required"),
            (
                "/samples",
                json!({"1": "Maya", "2": "a\nb"}),
                "samples.2",
                "control_characters",
            ),
            (
                "/samples",
                json!({"1": "Maya", "2": "b", "3": "c"}),
                "samples.3",
                "unknown",
            ),
            ("/footer", json!("x".repeat(61)), "footer", "too_long"),
            ("/footer", json!("By {{1}}"), "footer", "not_applicable"),
            ("/buttons", json!(vec![web(); 3]), "buttons", "too_many"),
            ("/buttons/0", reply(&"x".repeat(26)), "buttons[0].text", "too_long"),
            ("/buttons/0", reply(""), "buttons[0].text", "too_short"),
            ("/buttons/0", reply("{{1}}"), "buttons[0].text", "not_applicable"),
            ("/buttons/0", reply("Book online"), "buttons[1].text", "given_twice"),
            (
                "/buttons",
                json!([reply("a"), web(), reply("b")]),
                "buttons",
                "wrong_order",
            ),
            (
                "/buttons/1",
                json!({"kind": "url", "text": "Book"}),
                "buttons[1].url",
                "required",
            ),
            ("/buttons/1", link("ftp://a.example", "x"), "buttons[1].url", "format"),
            (
                "/buttons/1",
                link("https://{{1}}", "https://a"),
                "buttons[1].url",
                "format",
            ),
            (
                "/buttons/1",
                link("https://a.example/{{1}}/b", "https://a.example/x/b"),
                "buttons[1].url",
                "format",
            ),
            (
                "/buttons/1",
                link("https://a.example/{{1}}", "https://b.example/x"),
                "buttons[1].sample",
                "format",
            ),
            (
                "/buttons/1",
                json!({"kind": "phone_number", "text": "Call"}),
                "buttons[1].phone_number",
                "required",
            ),
            (
                "/buttons/1",
                json!({"kind": "offer_code", "text": "Copy"}),
                "buttons[1].sample",
                "required",
            ),
            (
                "/buttons/1",
                json!({"kind": "offer_code", "text": "Copy", "sample": "x".repeat(16)}),
                "buttons[1].sample",
                "too_long",
            ),
            (
                "/body",
                json!("Hello }}{{ we missed your call this very day."),
                "body",
                "format",
            ),
            ("/category", json!("authentication"), "code", "required"),
        ] {
            let found = problems(changed_content(path, value), Through::Meta);
            assert!(found.contains(&(field.to_owned(), code)), "{field} {code}: {found:?}");
        }
        let eleven: Vec<Value> = (0..11).map(|number| reply(&format!("Reply {number}"))).collect();
        let found = problems(changed_content("/buttons", json!(eleven)), Through::Meta);
        assert_eq!(found, [("buttons".to_owned(), "too_many")]);
        let content: TemplateContent = from_value(good()).unwrap();
        for (name, language, field) in [
            ("Missed", "en", "name"),
            ("", "en", "name"),
            ("a-b", "en", "name"),
            (&*"x".repeat(513), "en", "name"),
            ("a", "EN", "language"),
            ("a", "en-GB", "language"),
            ("a", "english", "language"),
        ] {
            let found = lint_draft(name, language, &content, Through::Meta, None).problems;
            assert!(found.iter().any(|problem| problem.field == field), "{name} {language}");
        }
    }

    #[test]
    fn twilio_has_rules_of_its_own() {
        let refused = |path: &str, value: Value, field: &str, code: &'static str| {
            let content = changed_content(path, value);
            let own = (field.to_owned(), code);
            assert!(
                !problems(content.clone(), Through::Meta).contains(&own),
                "{field}: not of Meta"
            );
            let found = problems(content, Through::Twilio);
            assert!(found.contains(&own), "{field} {code}: {found:?}");
        };
        refused("/header", Value::Null, "header", "required");
        refused("/header", json!({"media": "image"}), "header.media", "not_applicable");
        let side_by_side = "Hello dear {{1}} {{2}}, sorry we missed your call today.";
        refused("/body", json!(side_by_side), "body", "invalid");
        let query = json!({"kind": "url", "text": "Book", "url": "https://a.example/?b={{1}}", "sample": "https://a.example/?b=c"});
        refused("/buttons/1", query, "buttons[1].url", "format");
        let of = |content: Value| TwilioType::of(&from_value(content).unwrap());
        let plain = |buttons: Value| json!({"category": "utility", "body": "Hello there", "buttons": buttons});
        let (reply, web) = (
            json!({"kind": "quick_reply", "text": "Yes"}),
            json!({"kind": "url", "text": "Web", "url": "https://a.example"}),
        );
        assert_eq!(of(plain(json!([]))), TwilioType::Text);
        assert_eq!(of(plain(json!([reply]))), TwilioType::QuickReply);
        assert_eq!(of(plain(json!([web]))), TwilioType::CallToAction);
        assert_eq!(of(plain(json!([reply, web]))), TwilioType::Card);
        assert_eq!(of(good()), TwilioType::Card);
    }

    #[test]
    fn names_of_variables_have_at_most_64_characters() {
        for (length, expected) in [(64, true), (65, false)] {
            let text = format!("Hello {{{{{}}}}}, sorry we missed your call today.", "n".repeat(length));
            let content = json!({"category": "utility", "parameter_format": "named", "body": text});
            let found = problems(content, Through::Meta);
            assert_eq!(
                !found.contains(&("body".to_owned(), "format")),
                expected,
                "{length}: {found:?}"
            );
        }
    }

    mod any_draft {
        use proptest::prelude::*;

        use super::*;

        proptest! {
            /// Whatever somebody writes is linted, and a message can be made of what passes.
            #[test]
            fn that_passes_has_a_schema(
                body in "([a-z]{1,6} |\\{\\{[123]\\}\\} ){0,12}[a-z.]{0,4}",
                count in 0_usize..4,
            ) {
                let samples: serde_json::Map<String, Value> =
                    (1..=count).map(|number| (number.to_string(), json!("x"))).collect();
                let content: TemplateContent =
                    from_value(json!({"category": "utility", "body": body, "samples": samples})).unwrap();
                let found = lint_draft("a", "en", &content, Through::Meta, None);
                if found.problems.is_empty() {
                    let key = TemplateKey::new("a", "en").unwrap();
                    let connection = "conn_00000000000000000000000002".parse().unwrap();
                    let at = jiff::Timestamp::UNIX_EPOCH;
                    let made = crate::templates::TemplateDefinition::new_draft(connection, &key, &content, at);
                    prop_assert_eq!(made.body_variables().unwrap().len(), count);
                }
            }
        }
    }
}
