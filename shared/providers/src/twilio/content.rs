//! Twilio's Content API: templates that Twilio submits to WhatsApp. Nothing is retried here. Source:
//! twilio.com/docs/content.
//!
//! Twilio numbers the variables of a template consecutively through header, body and buttons, in the order of the
//! values in messages. Our definitions start anew in each part.

use std::collections::BTreeMap;

use domain::templates::{
    ButtonKind, CODE_BODY, ParameterFormat, TemplateButton, TemplateContent, TemplateDefinition, TemplateStatus,
    TwilioType, fill_variables, reason_line, variables_in,
};
use domain::terms::{Api, Category};
use reqwest::{Client, RequestBuilder};
use serde_json::{Map, Value, json};

use super::client::{Credentials, is_sid};
use super::error;
use crate::http::Http;
use crate::templates::{MAX_PAGES, MAX_POSITION_LENGTH, NamePage, Submitted, TemplateError, TemplatePage};
use crate::{label, whatsapp};

/// A client of the Content API.
#[derive(Debug, Clone)]
pub struct ContentClient {
    http: Http,
    /// Base URL without a trailing slash.
    base: String,
}

const LIST: &str = "/v1/ContentAndApprovals";
/// Twilio allows 1,000, but no answer of more than 1 MB.
const PAGE: &str = "100";

/// Maximum length of a text that is taken over. Twilio's own limit is below.
const MAX_TEXT_LENGTH: usize = 4_000;
/// Maximum length of a sample that is taken over.
const MAX_SAMPLE_LENGTH: usize = 1_024;

impl ContentClient {
    /// A client of `base_url`, such as `https://content.twilio.com`.
    pub fn new(http: Http, base_url: &str) -> Self {
        Self {
            http,
            base: base_url.trim_end_matches('/').to_owned(),
        }
    }

    async fn ask(
        &self,
        credentials: Credentials<'_>,
        prepare: impl FnOnce(&Client) -> RequestBuilder,
    ) -> Result<Value, TemplateError> {
        if !is_sid(credentials.account_sid) {
            return Err(TemplateError::BadCredentials);
        }
        let sent = self
            .http
            .send(|client| prepare(client).basic_auth(credentials.api_key_sid, Some(credentials.api_key_secret)));
        let answer = sent.await?;
        if !answer.is_success() {
            let code = error::code(&answer.body);
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let told = body["message"].as_str().map(whatsapp::presentable);
            let told = told.as_deref();
            return Err(TemplateError::of_refusal(Api::Twilio, &answer, code, None, told));
        }
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).map_err(|_| TemplateError::Unreadable)
    }

    async fn list(
        &self,
        credentials: Credentials<'_>,
        after: Option<&str>,
    ) -> Result<(Vec<Value>, Option<String>), TemplateError> {
        let path = after.unwrap_or(LIST);
        // Whoever keeps a position keeps one of ours.
        if !is_position(path) {
            return Err(TemplateError::Unreadable);
        }
        let url = format!("{}{path}", self.base);
        let first = after.is_none();
        let ask = self.ask(credentials, |client| {
            let request = client.get(url);
            if first {
                request.query(&[("PageSize", PAGE)])
            } else {
                request
            }
        });
        let mut page = ask.await?;
        let Some(Value::Array(items)) = page.get_mut("contents").map(Value::take) else {
            return Err(TemplateError::Unreadable);
        };
        // Path and query of the next page: credentials are sent to the configured host only.
        let next = page["meta"]["next_page_url"].as_str().filter(|next| !next.is_empty());
        let next = next.map(|next| next.find(LIST).and_then(|at| next.get(at..)).unwrap_or_default());
        if next.is_some_and(|next| !is_position(next)) {
            return Err(TemplateError::Unreadable);
        }
        Ok((items, next.map(str::to_owned)))
    }

    /// A page of an account's templates that were submitted to WhatsApp. `after`: [`TemplatePage::next`] of the page before.
    pub async fn template_page(
        &self,
        credentials: Credentials<'_>,
        after: Option<&str>,
    ) -> Result<TemplatePage, TemplateError> {
        let (items, next) = self.list(credentials, after).await?;
        let submitted: Vec<&Value> = items.iter().filter(|item| approval(item).is_some()).collect();
        let templates: Vec<TemplateDefinition> = submitted.iter().filter_map(|item| definition(item)).collect();
        Ok(TemplatePage {
            skipped: u64::try_from(submitted.len() - templates.len()).unwrap_or_default(),
            templates,
            next,
        })
    }

    /// Name, language and id of the submitted templates on a page of the list.
    pub(crate) async fn names(
        &self,
        credentials: Credentials<'_>,
        after: Option<&str>,
    ) -> Result<NamePage, TemplateError> {
        let (mut items, next) = self.list(credentials, after).await?;
        items.retain(|item| approval(item).is_some());
        let name = |item: &Value| {
            let name = approval(item)?["name"].as_str()?.to_owned();
            Some((name, item["language"].as_str()?.to_owned()))
        };
        Ok(NamePage {
            names: items.iter().filter_map(name).collect(),
            contents: items.iter().filter_map(sid).collect(),
            next,
        })
    }

    /// The SID of a content with the name, the language and all parts of this template, submitted or not. A name may have been given to
    /// several contents, by anybody.
    ///
    /// # Errors
    /// When a page cannot be retrieved or parsed, or the list does not end.
    pub async fn find(
        &self,
        credentials: Credentials<'_>,
        template: &TemplateDefinition,
    ) -> Result<Option<String>, TemplateError> {
        let parts = comparable_types(&content(template)["types"]);
        let mut after = None::<String>;
        for _ in 0..MAX_PAGES {
            let (items, next) = self.list(credentials, after.as_deref()).await?;
            let mut own = items.iter().filter(|item| {
                let named = item["friendly_name"] == template.name && item["language"] == template.language;
                named && comparable_types(&item["types"]) == parts
            });
            if let Some(sid) = own.find_map(sid) {
                return Ok(Some(sid));
            }
            after = next;
            if after.is_none() {
                return Ok(None);
            }
        }
        Err(TemplateError::TooMany)
    }

    /// Creates a content. Returns its SID. WhatsApp does not know it before it is submitted.
    ///
    /// # Errors
    /// When Twilio refuses it or does not answer.
    pub async fn create(
        &self,
        credentials: Credentials<'_>,
        template: &TemplateDefinition,
    ) -> Result<String, TemplateError> {
        let body = content(template);
        let url = format!("{}/v1/Content", self.base);
        let made = self.ask(credentials, |client| client.post(url).json(&body));
        sid(&made.await?).ok_or(TemplateError::Unreadable)
    }

    /// Replaces a content that was never submitted.
    ///
    /// # Errors
    /// When Twilio refuses it or does not answer.
    pub async fn replace(
        &self,
        credentials: Credentials<'_>,
        sid: &str,
        template: &TemplateDefinition,
    ) -> Result<(), TemplateError> {
        let body = content(template);
        let url = self.place(sid)?;
        self.ask(credentials, |client| client.put(url).json(&body))
            .await
            .map(drop)
    }

    /// Submits a content to WhatsApp under the template's name.
    ///
    /// # Errors
    /// When Twilio refuses it or does not answer.
    pub async fn submit(
        &self,
        credentials: Credentials<'_>,
        sid: &str,
        template: &TemplateDefinition,
    ) -> Result<Submitted, TemplateError> {
        let category = match template.category {
            Category::Utility | Category::Service => "UTILITY",
            Category::Marketing => "MARKETING",
            Category::Authentication => "AUTHENTICATION",
        };
        let body = json!({ "name": template.name, "category": category });
        let url = format!("{}/ApprovalRequests/whatsapp", self.place(sid)?);
        let answer = self.ask(credentials, |client| client.post(url).json(&body)).await?;
        Ok(submission_of(&answer))
    }

    /// A submitted content, with its state at WhatsApp; `None`: it was never submitted.
    ///
    /// # Errors
    /// When Twilio refuses it or does not answer, or it is one that our definitions cannot represent.
    pub async fn find_submitted(
        &self,
        credentials: Credentials<'_>,
        sid: &str,
    ) -> Result<Option<TemplateDefinition>, TemplateError> {
        let place = self.place(sid)?;
        let url = format!("{place}/ApprovalRequests");
        let mut answer = self.ask(credentials, |client| client.get(url)).await?;
        let own = answer.get_mut("whatsapp").map(Value::take).unwrap_or_default();
        if own["status"].as_str().is_none_or(|word| word == UNSUBMITTED) {
            return Ok(None);
        }
        let content = self.ask(credentials, |client| client.get(place)).await?;
        let Value::Object(mut content) = content else {
            return Err(TemplateError::Unreadable);
        };
        content.insert("approval_requests".to_owned(), own);
        let found = definition(&content.into());
        found.map(Some).ok_or(TemplateError::Unreadable)
    }

    /// Deletes a content, also at WhatsApp.
    ///
    /// # Errors
    /// When Twilio refuses it or does not answer.
    pub async fn delete(&self, credentials: Credentials<'_>, sid: &str) -> Result<(), TemplateError> {
        let url = self.place(sid)?;
        let query = [("deleteInWaba", "true")];
        self.ask(credentials, |client| client.delete(url).query(&query))
            .await
            .map(drop)
    }

    fn place(&self, sid: &str) -> Result<String, TemplateError> {
        if !is_sid(sid) {
            return Err(TemplateError::BadCredentials);
        }
        Ok(format!("{}/v1/Content/{sid}", self.base))
    }
}

/// Path and query of a page of the list.
fn is_position(text: &str) -> bool {
    let rest = text.strip_prefix(LIST).unwrap_or("!");
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=&%+.~".contains(&byte);
    let query = rest.strip_prefix('?').unwrap_or(rest);
    text.len() <= MAX_POSITION_LENGTH && query.bytes().all(fine)
}

fn sid(item: &Value) -> Option<String> {
    let sid = item["sid"].as_str()?;
    (sid.len() == 34 && sid.starts_with("HX") && is_sid(sid)).then(|| sid.to_owned())
}

const UNSUBMITTED: &str = "unsubmitted";

/// The approval of a listed content, if it was submitted.
fn approval(item: &Value) -> Option<&Value> {
    let approval = &item["approval_requests"];
    let word = approval["status"].as_str()?;
    (word != UNSUBMITTED && approval["name"].as_str().is_some_and(|name| !name.is_empty())).then_some(approval)
}

/// Meta's word for a state of Twilio's.
fn status(word: &str) -> TemplateStatus {
    match word {
        "received" | "pending" => TemplateStatus::pending(),
        other => TemplateStatus(label(other).to_ascii_uppercase()),
    }
}

fn submission_of(approval: &Value) -> Submitted {
    Submitted {
        id: None,
        status: approval["status"].as_str().map_or_else(TemplateStatus::pending, status),
        category: approval["category"].as_str().and_then(whatsapp::category),
    }
}

/// The text with its numbers raised by so many.
fn raise_numbers(text: &str, by: usize) -> String {
    let number = |name: &str| {
        name.parse::<usize>()
            .ok()
            .map(|number| format!("{{{{{}}}}}", number + by))
    };
    fill_variables(text, |name| {
        Some(number(name).unwrap_or_else(|| format!("{{{{{name}}}}}")))
    })
}

/// The text with its numbers lowered by so many; `None` if one of them is no number of this part.
fn lower_numbers(text: &str, by: usize, count: usize) -> Option<String> {
    let own = variables_in(text).into_iter().all(|name| {
        let number: Option<usize> = name.parse().ok();
        number.is_some_and(|number| (by + 1..=by + count).contains(&number))
    });
    own.then(|| {
        fill_variables(text, |name| {
            let number = name.parse::<usize>().ok()?;
            Some(format!("{{{{{}}}}}", number - by))
        })
    })
}

fn content(template: &TemplateDefinition) -> Value {
    let written = TemplateContent::of(template);
    let in_header = template
        .header
        .as_deref()
        .map_or(0, |header| variables_in(header).len());
    let in_body = variables_in(&template.body).len();
    let mut samples = Map::new();
    if let (1.., Some(sample)) = (in_header, &template.header_sample) {
        samples.insert("1".to_owned(), sample.as_str().into());
    }
    for (name, sample) in &template.samples {
        if let Ok(number) = name.parse::<usize>() {
            samples.insert((number + in_header).to_string(), sample.as_str().into());
        }
    }
    let body = raise_numbers(&template.body, in_header);
    let mut next = in_header + in_body;
    let actions: Vec<Value> = (0..)
        .zip(&template.buttons)
        .map(|(place, button)| action(place, button, &mut next, &mut samples))
        .collect();
    let kind = TwilioType::of(&written);
    let types = match kind {
        TwilioType::Text => json!({ "twilio/text": { "body": body } }),
        TwilioType::QuickReply => json!({ "twilio/quick-reply": { "body": body, "actions": actions } }),
        TwilioType::CallToAction => json!({ "twilio/call-to-action": { "body": body, "actions": actions } }),
        TwilioType::Card => {
            let mut card = json!({ "body": body });
            let footer = template.footer.as_deref().map(Value::from);
            let header = template.header.as_deref().map(Value::from);
            let actions = (!actions.is_empty()).then(|| Value::from(actions));
            for (name, part) in [("header_text", header), ("footer", footer), ("actions", actions)] {
                if let Some(part) = part {
                    card[name] = part;
                }
            }
            json!({ "whatsapp/card": card })
        }
        TwilioType::Authentication => {
            let mut code = json!({
                "add_security_recommendation": template.code.as_ref().is_some_and(|code| code.security_advice),
                "actions": [{
                    "type": "COPY_CODE",
                    "copy_code_text": template.code.as_ref().map(|code| code.button.as_str()),
                }],
            });
            if let Some(minutes) = template.code.as_ref().and_then(|code| code.valid_minutes) {
                code["code_expiration_minutes"] = minutes.get().into();
            }
            json!({ AUTHENTICATION: code })
        }
    };
    let mut content = json!({ "friendly_name": template.name, "language": template.language, "types": types });
    if !samples.is_empty() && kind != TwilioType::Authentication {
        content["variables"] = samples.into();
    }
    content
}

/// Types of a content as they can be compared: without what Twilio adds to them, and with its name for a telephone number.
fn comparable_types(types: &Value) -> Value {
    match types {
        Value::Object(parts) => {
            let parts = parts.iter().filter(|(_, part)| !part.is_null());
            let renamed = |name: &str| match name {
                "phone_number" => "phone".to_owned(),
                name => name.to_owned(),
            };
            let part = |name: &str, part: &Value| {
                let mut part = comparable_types(part);
                // The text of a code is WhatsApp's.
                if let (AUTHENTICATION, Some(code)) = (name, part.as_object_mut()) {
                    code.remove("body");
                }
                part
            };
            let parts: Map<String, Value> = parts.map(|(name, own)| (renamed(name), part(name, own))).collect();
            parts.into()
        }
        Value::Array(parts) => parts.iter().map(comparable_types).collect(),
        plain => plain.clone(),
    }
}

/// An action of a content. A link's variable gets the next number.
fn action(place: usize, button: &TemplateButton, next: &mut usize, samples: &mut Map<String, Value>) -> Value {
    match button.kind {
        ButtonKind::Url => {
            let url = button.url.as_deref().unwrap_or_default();
            let url = if button.needs_value() {
                let before = url.split("{{").next().unwrap_or_default();
                *next += 1;
                let end = button.sample.as_deref().and_then(|sample| sample.strip_prefix(before));
                if let Some(end) = end {
                    samples.insert(next.to_string(), end.into());
                }
                format!("{before}{{{{{next}}}}}")
            } else {
                url.to_owned()
            };
            json!({ "type": "URL", "title": button.text, "url": url })
        }
        ButtonKind::PhoneNumber => {
            json!({ "type": "PHONE_NUMBER", "title": button.text, "phone": button.phone_number })
        }
        ButtonKind::QuickReply | ButtonKind::OfferCode | ButtonKind::OneTimeCode | ButtonKind::Other => {
            json!({ "type": "QUICK_REPLY", "title": button.text, "id": format!("button_{place}") })
        }
    }
}

const AUTHENTICATION: &str = "whatsapp/authentication";

/// Types of content, the richest first: WhatsApp gets it.
const TYPES: [&str; 6] = [
    AUTHENTICATION,
    "whatsapp/card",
    "twilio/quick-reply",
    "twilio/call-to-action",
    "twilio/media",
    "twilio/text",
];

/// A text of at most this many characters.
fn text_within(value: &Value, most: usize) -> Option<String> {
    let text = value.as_str().filter(|text| text.chars().count() <= most);
    text.map(str::to_owned)
}

/// Parses a submitted content. `None` for one that our definitions cannot represent, so that it cannot be sent: whose variables are named or
/// not counted in reading order, or whose medium depends on one.
fn definition(item: &Value) -> Option<TemplateDefinition> {
    let approval = approval(item)?;
    let kind = TYPES.into_iter().find(|kind| item["types"][*kind].is_object())?;
    let own = &item["types"][kind];
    let text = |value: &Value| text_within(value, MAX_TEXT_LENGTH);
    let media = own["media"].as_array().into_iter().flatten();
    if media.filter_map(Value::as_str).any(|medium| medium.contains("{{")) {
        return None;
    }
    let sample = |number: usize| text_within(&item["variables"][number.to_string()], MAX_SAMPLE_LENGTH);
    let reason = approval["rejection_reason"].as_str();
    let mut definition = TemplateDefinition {
        name: approval["name"].as_str()?.to_owned(),
        language: item["language"].as_str()?.to_owned(),
        category: approval["category"].as_str().and_then(whatsapp::category)?,
        status: status(approval["status"].as_str()?),
        parameter_format: ParameterFormat::Positional,
        rejected_reason: reason.and_then(reason_line),
        content_sid: Some(sid(item)?),
        ..TemplateDefinition::empty()
    };
    let is_code = kind == AUTHENTICATION;
    let header = text(&own["header_text"]);
    let body = if is_code {
        CODE_BODY.to_owned()
    } else {
        text(&own["body"])?
    };
    let in_header = header.as_deref().map_or(0, |header| variables_in(header).len());
    let in_body = variables_in(&body).len();
    if in_header > 0 {
        definition.header_sample = sample(1);
    }
    definition.header = match header {
        Some(header) => Some(lower_numbers(&header, 0, in_header.min(1))?),
        None => None,
    };
    definition.body = lower_numbers(&body, in_header, in_body)?;
    definition.samples = (1..=in_body)
        .filter_map(|number| Some((number.to_string(), sample(number + in_header)?)))
        .collect::<BTreeMap<_, _>>();
    definition.footer = text(&own["footer"]);
    let mut next = in_header + in_body;
    for action in own["actions"].as_array().into_iter().flatten() {
        definition.buttons.push(button(action, is_code, &mut next, sample)?);
    }
    Some(definition)
}

fn button(
    action: &Value,
    is_code: bool,
    next: &mut usize,
    sample: impl Fn(usize) -> Option<String>,
) -> Option<TemplateButton> {
    let text = |name: &str| text_within(&action[name], MAX_TEXT_LENGTH);
    let kind = match action["type"].as_str()? {
        "QUICK_REPLY" => ButtonKind::QuickReply,
        "URL" => ButtonKind::Url,
        "PHONE_NUMBER" | "PHONE" => ButtonKind::PhoneNumber,
        "COPY_CODE" if is_code => ButtonKind::OneTimeCode,
        "COPY_CODE" | "VOICE_CALL" => ButtonKind::Other,
        _ => return None,
    };
    let mut button = TemplateButton {
        kind,
        text: text("title").or_else(|| text("copy_code_text")).unwrap_or_default(),
        url: text("url"),
        sample: None,
        phone_number: text("phone").or_else(|| text("phone_number")),
    };
    if kind == ButtonKind::Url
        && let Some(url) = &button.url
        && url.contains("{{")
    {
        *next += 1;
        let (before, variable) = url.split_once("{{")?;
        if variable.trim_end_matches("}}").trim() != next.to_string() || !variable.ends_with("}}") {
            return None;
        }
        button.sample = sample(*next).map(|end| format!("{before}{end}"));
        button.url = Some(format!("{before}{{{{1}}}}"));
    }
    Some(button)
}
