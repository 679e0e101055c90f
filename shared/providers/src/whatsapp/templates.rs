//! Templates at Meta: list, create, change and delete them, and upload the samples of their headers. Nothing is retried here, except the
//! rest of an upload that broke off. Source: developers.facebook.com, "Message templates", "Template management" and "Resumable upload".

use std::collections::BTreeMap;

use domain::media::MediaKind;
use domain::templates::{
    ButtonKind, CODE_BODY, CodeOptions, MAX_STATUS_LENGTH, ParameterFormat, TemplateButton, TemplateDefinition,
    TemplateStatus, reason_line, variables_in,
};
use domain::terms::{Api, Category};
use futures::future::join;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue};
use reqwest::{Body, Client, RequestBuilder};
use serde_json::{Value, json};

use super::client::{GraphClient, bearer, is_id};
use super::error;
use crate::http::{Answer, Failure, Query};
use crate::label;
use crate::media::{Sending, outgoing};
use crate::templates::{MAX_PAGES, MAX_POSITION_LENGTH, NamePage, Submitted, TemplateError, TemplatePage};

const PAGE: &str = "100";
const FIELDS: &str = "id,name,language,status,category,parameter_format,quality_score,rejected_reason,components";
/// Fields of a list that only says what exists.
const NAMES: &str = "name,language";

/// Attempts to upload a sample: the first, and those that go on where it broke off.
const UPLOADS: usize = 3;

/// The app for uploads of samples: that of the token.
const APP: &str = "app";

/// Maximum length of an upload's id, and of a handle, in bytes.
const MAX_HANDLE_LENGTH: usize = 4_096;

/// A sample for a header.
#[derive(Debug, Clone, Copy)]
pub struct SampleFile<'a> {
    /// Name of the file.
    pub name: &'a str,
    pub mime: &'a str,
    /// Its length in bytes.
    pub bytes: u64,
}

impl GraphClient {
    async fn ask(
        &self,
        access_token: &str,
        prepare: impl FnOnce(&Client, HeaderValue) -> RequestBuilder,
    ) -> Result<Value, TemplateError> {
        let bearer = bearer(access_token).ok_or(TemplateError::BadCredentials)?;
        let answer = self.http.send(|client| prepare(client, bearer)).await?;
        read(&answer)
    }

    async fn list(
        &self,
        access_token: &str,
        waba_id: &str,
        query: &Query<'_>,
    ) -> Result<(Vec<Value>, Option<String>), TemplateError> {
        if !is_id(waba_id) {
            return Err(TemplateError::BadCredentials);
        }
        let url = format!("{}/{waba_id}/message_templates", self.base);
        let ask = self.ask(access_token, |client, bearer| {
            client.get(url).header(AUTHORIZATION, bearer).query(query)
        });
        let mut page = ask.await?;
        let Some(Value::Array(items)) = page.get_mut("data").map(Value::take) else {
            return Err(TemplateError::Unreadable);
        };
        // The cursor, never the address in `next`: our token is only sent to the configured host.
        let after = page["paging"]["next"].is_string();
        let after = after.then(|| page["paging"]["cursors"]["after"].as_str()).flatten();
        if after.is_some_and(|after| after.chars().count() > MAX_POSITION_LENGTH) {
            return Err(TemplateError::Unreadable);
        }
        Ok((items, after.map(str::to_owned)))
    }

    /// A page of an account's templates.
    pub async fn template_page(
        &self,
        access_token: &str,
        waba_id: &str,
        after: Option<&str>,
    ) -> Result<TemplatePage, TemplateError> {
        let mut query = vec![("limit", PAGE), ("fields", FIELDS)];
        query.extend(after.map(|after| ("after", after)));
        let (items, next) = self.list(access_token, waba_id, &query).await?;
        let templates: Vec<TemplateDefinition> = items.iter().filter_map(definition).collect();
        Ok(TemplatePage {
            skipped: u64::try_from(items.len() - templates.len()).unwrap_or_default(),
            templates,
            next,
        })
    }

    /// Name and language of the templates on a page of an account's list. `after`: [`NamePage::next`] of the page before.
    pub async fn template_names(
        &self,
        access_token: &str,
        waba_id: &str,
        after: Option<&str>,
    ) -> Result<NamePage, TemplateError> {
        let mut query = vec![("limit", PAGE), ("fields", NAMES)];
        query.extend(after.map(|after| ("after", after)));
        let (items, next) = self.list(access_token, waba_id, &query).await?;
        let word = |item: &Value, name: &str| item[name].as_str().map(str::to_owned);
        let names = items
            .iter()
            .filter_map(|item| Some((word(item, "name")?, word(item, "language")?)))
            .collect();
        Ok(NamePage {
            names,
            contents: Vec::new(),
            next,
        })
    }

    /// Finds a template, if it exists and our definitions can represent it.
    ///
    /// # Errors
    /// When a page cannot be retrieved or parsed, or the list does not end.
    pub async fn template_named(
        &self,
        access_token: &str,
        waba_id: &str,
        name: &str,
        language: &str,
    ) -> Result<Option<TemplateDefinition>, TemplateError> {
        let mut after = None::<String>;
        for _ in 0..MAX_PAGES {
            // Meta searches names by part, so others may fill whole pages.
            let mut query = vec![
                ("limit", PAGE),
                ("fields", FIELDS),
                ("name", name),
                ("language", language),
            ];
            query.extend(after.as_deref().map(|after| ("after", after)));
            let (items, next) = self.list(access_token, waba_id, &query).await?;
            let mut found = items.iter().filter_map(definition);
            let found = found.find(|template| template.name == name && template.language == language);
            after = next;
            if found.is_some() || after.is_none() {
                return Ok(found);
            }
        }
        Err(TemplateError::TooMany)
    }

    /// Submits a new template with the content of this definition. `handle`: the sample of a media header.
    ///
    /// # Errors
    /// When Meta refuses it or does not answer. [`TemplateError::is_unknown`] says whether it may exist nevertheless.
    pub async fn create_template(
        &self,
        access_token: &str,
        waba_id: &str,
        template: &TemplateDefinition,
        handle: Option<&str>,
    ) -> Result<Submitted, TemplateError> {
        if !is_id(waba_id) {
            return Err(TemplateError::BadCredentials);
        }
        let body = json!({
            "name": template.name,
            "language": template.language,
            "category": word(template.category),
            "parameter_format": match template.parameter_format {
                ParameterFormat::Positional => "POSITIONAL",
                ParameterFormat::Named => "NAMED",
            },
            "components": components(template, handle),
        });
        let url = format!("{}/{waba_id}/message_templates", self.base);
        let ask = self.ask(access_token, |client, bearer| {
            client.post(url).header(AUTHORIZATION, bearer).json(&body)
        });
        let answer = ask.await?;
        let id = id_of(&answer["id"]).ok_or(TemplateError::Unreadable)?;
        Ok(Submitted {
            id: Some(id),
            status: answer["status"].as_str().map_or_else(TemplateStatus::pending, status),
            category: answer["category"].as_str().and_then(super::category),
        })
    }

    /// Replaces the content of a template. Its category can change only while it is not approved.
    pub async fn edit_template(
        &self,
        access_token: &str,
        id: &str,
        template: &TemplateDefinition,
        category: Option<Category>,
        handle: Option<&str>,
    ) -> Result<(), TemplateError> {
        if !is_id(id) {
            return Err(TemplateError::BadCredentials);
        }
        let mut body = json!({ "components": components(template, handle) });
        if let Some(category) = category {
            body["category"] = word(category).into();
        }
        let url = format!("{}/{id}", self.base);
        let ask = self.ask(access_token, |client, bearer| {
            client.post(url).header(AUTHORIZATION, bearer).json(&body)
        });
        require_success(&ask.await?)
    }

    /// Deletes one language of a template.
    ///
    /// # Errors
    /// When Meta refuses it or does not answer.
    pub async fn delete_template(
        &self,
        access_token: &str,
        waba_id: &str,
        name: &str,
        id: &str,
    ) -> Result<(), TemplateError> {
        if !is_id(waba_id) || !is_id(id) {
            return Err(TemplateError::BadCredentials);
        }
        let url = format!("{}/{waba_id}/message_templates", self.base);
        // Without the id, all languages of the name.
        let query = [("name", name), ("hsm_id", id)];
        let ask = self.ask(access_token, |client, bearer| {
            client.delete(url).header(AUTHORIZATION, bearer).query(&query)
        });
        require_success(&ask.await?)
    }

    /// Uploads the sample of a header, piece by piece. `feed` adds its bytes from an offset on: if the upload breaks off, it goes on where
    /// Meta has arrived. Returns the handle of the sample.
    ///
    /// # Errors
    /// When Meta refuses it or does not answer, or the bytes end too early.
    pub async fn upload_sample<F: Future<Output = ()>>(
        &self,
        access_token: &str,
        file: SampleFile<'_>,
        feed: impl Fn(u64, Sending) -> F,
    ) -> Result<String, TemplateError> {
        let mut token = HeaderValue::from_str(&format!("OAuth {access_token}"))
            .ok()
            .filter(|_| !access_token.is_empty())
            .ok_or(TemplateError::BadCredentials)?;
        token.set_sensitive(true);
        let length = file.bytes.to_string();
        let query = [
            ("file_name", file.name),
            ("file_length", length.as_str()),
            ("file_type", file.mime),
        ];
        let open = format!("{}/{APP}/uploads", self.base);
        let opened = self
            .http
            .send(|client| client.post(open).header(AUTHORIZATION, token.clone()).query(&query));
        let opened = read(&opened.await?)?;
        let id = opened["id"]
            .as_str()
            .filter(|id| is_upload(id))
            .ok_or(TemplateError::Unreadable)?;
        // It may have a query of its own.
        let url = format!("{}/{id}", self.base);
        let mut offset = 0;
        for attempt in 1..=UPLOADS {
            let left = file.bytes.saturating_sub(offset);
            let (sending, body) = outgoing(left);
            let sent = self.http.send(|client| {
                client
                    .post(&url)
                    .header(AUTHORIZATION, token.clone())
                    .header("file_offset", offset.to_string())
                    .header(CONTENT_LENGTH, left)
                    .body(Body::wrap(body))
            });
            let ((), sent) = join(Box::pin(feed(offset, sending)), Box::pin(sent)).await;
            match sent {
                Ok(answer) => return handle(&read(&answer)?),
                Err(Failure::Broken(_) | Failure::NotConnected(_)) if attempt < UPLOADS => {}
                Err(failure) => return Err(failure.into()),
            }
            let asked = self
                .http
                .send(|client| client.get(&url).header(AUTHORIZATION, token.clone()));
            let stored = read(&asked.await?)?["file_offset"].as_u64();
            offset = stored
                .filter(|stored| *stored < file.bytes)
                .ok_or(TemplateError::Unreadable)?;
        }
        Err(TemplateError::NoSample)
    }
}

fn read(answer: &Answer) -> Result<Value, TemplateError> {
    if answer.is_success() {
        return serde_json::from_slice(&answer.body).map_err(|_| TemplateError::Unreadable);
    }
    let (code, details) = error::read(&answer.body);
    let told = error::words_for_people(&answer.body).or(details);
    let subcode = error::subcode(&answer.body);
    Err(TemplateError::of_refusal(
        Api::WhatsAppCloud,
        answer,
        code,
        subcode,
        told.as_deref(),
    ))
}

fn require_success(answer: &Value) -> Result<(), TemplateError> {
    if answer["success"] == true {
        Ok(())
    } else {
        Err(TemplateError::Unreadable)
    }
}

/// Of a long file, it may have several lines, which belong together.
fn handle(answer: &Value) -> Result<String, TemplateError> {
    let handle = answer["h"]
        .as_str()
        .filter(|handle| (1..=MAX_HANDLE_LENGTH).contains(&handle.len()));
    handle.map(str::to_owned).ok_or(TemplateError::Unreadable)
}

/// True for the id of an upload, which becomes part of the URL: nothing in it leads elsewhere.
fn is_upload(id: &str) -> bool {
    let opaque = id.strip_prefix("upload:").unwrap_or_default();
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=?&%+:.".contains(&byte);
    (1..=MAX_HANDLE_LENGTH).contains(&opaque.len()) && opaque.bytes().all(fine) && !opaque.contains("..")
}

/// Meta's id of a template, which webhooks write as a number.
pub(super) fn id_of(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (id.len() <= 32 && is_id(&id)).then_some(id)
}

/// Meta's word for a state, made suitable for rows.
pub(super) fn status(word: &str) -> TemplateStatus {
    let word = label(word);
    TemplateStatus(word.chars().take(MAX_STATUS_LENGTH).collect())
}

/// Meta's word for a category. None is of the category service.
const fn word(category: Category) -> &'static str {
    match category {
        Category::Utility | Category::Service => "UTILITY",
        Category::Marketing => "MARKETING",
        Category::Authentication => "AUTHENTICATION",
    }
}

/// The components of a new template.
fn components(template: &TemplateDefinition, handle: Option<&str>) -> Value {
    if let Some(code) = &template.code {
        return code_components(code);
    }
    let mut components = Vec::new();
    let named = template.parameter_format == ParameterFormat::Named;
    if let Some(text) = &template.header {
        let mut header = json!({ "type": "HEADER", "format": "TEXT", "text": text });
        if let (Some(name), Some(sample)) = (variables_in(text).first(), &template.header_sample) {
            header["example"] = if named {
                json!({ "header_text_named_params": [{ "param_name": name, "example": sample }] })
            } else {
                json!({ "header_text": [sample] })
            };
        }
        components.push(header);
    } else if let Some(format) = template.header_media.and_then(format) {
        let handles: Vec<&str> = handle.into_iter().collect();
        components.push(json!({ "type": "HEADER", "format": format, "example": { "header_handle": handles } }));
    }
    let mut body = json!({ "type": "BODY", "text": template.body });
    let names = template.body_variables().unwrap_or_default();
    if !names.is_empty() {
        let sample = |name: &String| template.samples.get(name).cloned().unwrap_or_default();
        body["example"] = if named {
            let all = names
                .iter()
                .map(|name| json!({ "param_name": name, "example": sample(name) }));
            json!({ "body_text_named_params": all.collect::<Vec<_>>() })
        } else {
            json!({ "body_text": [names.iter().map(sample).collect::<Vec<_>>()] })
        };
    }
    components.push(body);
    if let Some(footer) = &template.footer {
        components.push(json!({ "type": "FOOTER", "text": footer }));
    }
    if !template.buttons.is_empty() {
        let buttons: Vec<Value> = template.buttons.iter().map(new_button).collect();
        components.push(json!({ "type": "BUTTONS", "buttons": buttons }));
    }
    components.into()
}

/// The text of one-time codes is Meta's.
fn code_components(code: &CodeOptions) -> Value {
    let mut components = vec![json!({ "type": "BODY", "add_security_recommendation": code.security_advice })];
    if let Some(minutes) = code.valid_minutes {
        components.push(json!({ "type": "FOOTER", "code_expiration_minutes": minutes.get() }));
    }
    let button = json!({ "type": "OTP", "otp_type": "COPY_CODE", "text": code.button.as_str() });
    components.push(json!({ "type": "BUTTONS", "buttons": [button] }));
    components.into()
}

const fn format(kind: MediaKind) -> Option<&'static str> {
    match kind {
        MediaKind::Image => Some("IMAGE"),
        MediaKind::Video => Some("VIDEO"),
        MediaKind::Document => Some("DOCUMENT"),
        MediaKind::Audio | MediaKind::Sticker => None,
    }
}

fn new_button(button: &TemplateButton) -> Value {
    match button.kind {
        ButtonKind::Url => {
            let mut link = json!({ "type": "URL", "text": button.text, "url": button.url });
            if let (true, Some(sample)) = (button.needs_value(), &button.sample) {
                link["example"] = json!([sample]);
            }
            link
        }
        ButtonKind::PhoneNumber => {
            json!({ "type": "PHONE_NUMBER", "text": button.text, "phone_number": button.phone_number })
        }
        // Meta writes the label.
        ButtonKind::OfferCode => json!({ "type": "COPY_CODE", "example": button.sample }),
        ButtonKind::QuickReply | ButtonKind::OneTimeCode | ButtonKind::Other => {
            json!({ "type": "QUICK_REPLY", "text": button.text })
        }
    }
}

/// Maximum length of a text of a template, and of a sample, that is taken over. Meta's own limits are far below.
const MAX_TEXT_LENGTH: usize = 4_000;
const MAX_SAMPLE_LENGTH: usize = 1_024;
/// Maximum buttons and samples that are taken over.
const MAX_BUTTONS: usize = 20;
const MAX_SAMPLES: usize = 50;

fn text_within(text: &str, most: usize) -> Option<String> {
    (text.chars().count() <= most).then(|| text.to_owned())
}

fn sample(value: &Value) -> Option<String> {
    value.as_str().and_then(|text| text_within(text, MAX_SAMPLE_LENGTH))
}

/// Parses a template. `None` for one that our definitions cannot represent and that therefore cannot be sent: with a location as its
/// header, with cards, or with a button that needs another value than a link's end or a code.
pub(super) fn definition(item: &Value) -> Option<TemplateDefinition> {
    let name = |name: &str| item[name].as_str().map(ToOwned::to_owned);
    let format = match item["parameter_format"].as_str() {
        Some(format) if format.eq_ignore_ascii_case("named") => ParameterFormat::Named,
        _ => ParameterFormat::Positional,
    };
    let reason = item["rejected_reason"].as_str().filter(|reason| *reason != "NONE");
    let mut definition = TemplateDefinition {
        name: name("name")?,
        language: name("language")?,
        category: super::category(item["category"].as_str()?)?,
        status: status(item["status"].as_str()?),
        parameter_format: format,
        provider_id: id_of(&item["id"]),
        quality: item["quality_score"]["score"].as_str().map(super::quality),
        rejected_reason: reason.and_then(reason_line),
        ..TemplateDefinition::empty()
    };
    for component in item["components"].as_array().into_iter().flatten() {
        let text = component["text"].as_str();
        let text = || text.and_then(|text| text_within(text, MAX_TEXT_LENGTH));
        match component["type"].as_str()? {
            "HEADER" => header(component, text(), &mut definition)?,
            "BODY" => {
                definition.body = text().unwrap_or_default();
                definition.samples = samples(&component["example"], &definition);
            }
            "FOOTER" => definition.footer = text(),
            "BUTTONS" => {
                let buttons = component["buttons"].as_array()?;
                let buttons = buttons.iter().take(MAX_BUTTONS + 1).map(button);
                definition.buttons = buttons.collect::<Option<Vec<_>>>()?;
                if definition.buttons.len() > MAX_BUTTONS {
                    return None;
                }
            }
            _ => return None,
        }
    }
    // Meta shows the text of codes; right after the creation, it may not.
    if definition.category == Category::Authentication && definition.body.is_empty() {
        CODE_BODY.clone_into(&mut definition.body);
    }
    Some(definition)
}

fn header(component: &Value, text: Option<String>, definition: &mut TemplateDefinition) -> Option<()> {
    let example = &component["example"];
    match component["format"].as_str()? {
        "TEXT" => {
            definition.header = Some(text?);
            let named = || sample(&example["header_text_named_params"][0]["example"]);
            definition.header_sample = sample(&example["header_text"][0]).or_else(named);
        }
        // The example is a preview of Meta's, which cannot be sent.
        "IMAGE" => definition.header_media = Some(MediaKind::Image),
        "VIDEO" => definition.header_media = Some(MediaKind::Video),
        "DOCUMENT" => definition.header_media = Some(MediaKind::Document),
        _ => return None,
    }
    Some(())
}

/// Samples of the body's variables.
fn samples(example: &Value, definition: &TemplateDefinition) -> BTreeMap<String, String> {
    if definition.parameter_format == ParameterFormat::Named {
        let named = example["body_text_named_params"].as_array().into_iter().flatten();
        let named = named.filter_map(|one| Some((one["param_name"].as_str()?.to_owned(), sample(&one["example"])?)));
        return named.take(MAX_SAMPLES).collect();
    }
    let counted = example["body_text"][0].as_array().into_iter().flatten();
    let counted = (1..).zip(counted);
    let counted = counted.filter_map(|(number, one): (u32, _)| Some((number.to_string(), sample(one)?)));
    counted.take(MAX_SAMPLES).collect()
}

fn button(item: &Value) -> Option<TemplateButton> {
    let text = |name: &str| item[name].as_str().and_then(|text| text_within(text, MAX_TEXT_LENGTH));
    let kind = super::button_kind(item["type"].as_str()?)?;
    let example = &item["example"];
    Some(TemplateButton {
        kind,
        text: text("text").or_else(|| (kind == ButtonKind::OfferCode).then(String::new))?,
        url: text("url"),
        sample: sample(example).or_else(|| sample(&example[0])),
        phone_number: text("phone_number"),
    })
}
