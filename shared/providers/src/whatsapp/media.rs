//! Media of the Graph API: what customers sent, by its id, and uploads of what is sent to them.
//! Source: developers.facebook.com, "Media" of the Cloud API.

use domain::terms::ProviderRef;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Body, Response, Url};
use serde_json::Value;

use super::client::{GraphClient, bearer, is_id};
use super::error;
use crate::http::{Answer, Incoming, retry_after};
use crate::media::{Download, MediaError, Outgoing, is_of, sha256};

/// The host of Meta's files, which wants the token, too.
const FILES: &str = "https://lookaside.fbsbx.com";

/// Meta's code for an object that does not exist, or that the token may not see.
const NO_OBJECT: i64 = 100;

/// Meta's code for a file that it cannot use.
const NO_MEDIA: i64 = 131053;

/// A file for Meta.
#[derive(Debug, Clone, Copy)]
pub struct Upload<'a> {
    pub content_type: &'a str,
    /// Name of the file, of letters, digits, dots, hyphens and underscores.
    pub name: &'a str,
    /// SHA-256 of the content in hexadecimal digits. What a file says of itself is not in it, so it separates the parts of the body.
    pub sha256: &'a str,
}

impl GraphClient {
    /// Opens a medium that a customer sent to this number. Its URL is asked for first: it is valid for five minutes, and only followed
    /// to the Graph API's own host and to that of Meta's files.
    ///
    /// # Errors
    /// When it is not to be had, or WhatsApp does not answer.
    pub async fn medium(
        &self,
        access_token: &str,
        phone_number_id: &str,
        media_id: &str,
    ) -> Result<Download, MediaError> {
        if !is_id(media_id) || !is_id(phone_number_id) {
            return Err(MediaError::Elsewhere);
        }
        let bearer = token(access_token)?;
        let place = format!("{}/{media_id}", self.base);
        let asked = self.http.send(|client| {
            let request = client.get(place).query(&[("phone_number_id", phone_number_id)]);
            request.header(AUTHORIZATION, bearer.clone())
        });
        let answer = asked.await?;
        if !answer.is_success() {
            return Err(error_of_answer(&answer));
        }
        let about: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = |name: &str| about[name].as_str();
        // Meta sends a number or a text.
        let bytes = about["file_size"].as_u64().or_else(|| text("file_size")?.parse().ok());
        let url = text("url").and_then(|url| Url::parse(url).ok());
        // Anywhere else, also within our own network, nobody gets the token.
        let url = url.filter(|url| is_of(&self.base, url) || is_of(FILES, url));
        let url = url.ok_or(MediaError::Failing {
            status: answer.status,
            retry_after: None,
        })?;
        let opened = self.http.open(|client| client.get(url).header(AUTHORIZATION, bearer));
        Ok(Download {
            mime: text("mime_type").map(str::to_owned),
            sha256: text("sha256").and_then(sha256),
            bytes,
            body: file(opened.await?)?,
        })
    }

    /// Uploads a file to a number. Returns its id, which is valid for thirty days.
    ///
    /// # Errors
    /// When WhatsApp does not take it, or does not answer.
    pub async fn upload_medium(
        &self,
        access_token: &str,
        phone_number_id: &str,
        upload: Upload<'_>,
        file: Outgoing,
    ) -> Result<ProviderRef, MediaError> {
        if !is_id(phone_number_id) {
            return Err(MediaError::Elsewhere);
        }
        let bearer = token(access_token)?;
        let Upload {
            content_type,
            name,
            sha256,
        } = upload;
        let boundary = format!("ringback-{sha256}");
        let field = |name: &str, value: &str| {
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let before = format!(
            "{}{}--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: {content_type}\r\n\r\n",
            field("messaging_product", "whatsapp"),
            field("type", content_type),
        );
        let file = file.within(before, format!("\r\n--{boundary}--\r\n"));
        let (length, url) = (file.length(), format!("{}/{phone_number_id}/media", self.base));
        let sent = self.http.send(|client| {
            let request = client.post(url).header(AUTHORIZATION, bearer);
            let request = request.header(CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"));
            request.header(CONTENT_LENGTH, length).body(Body::wrap(file))
        });
        let answer = sent.await?;
        if !answer.is_success() {
            let (code, _) = error::read(&answer.body);
            return Err(match code {
                Some(NO_MEDIA) => MediaError::NotTaken { code: NO_MEDIA },
                _ => error_of_answer(&answer),
            });
        }
        let about: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let id = match &about["id"] {
            Value::String(id) => id.parse().ok(),
            Value::Number(id) => id.to_string().parse().ok(),
            _ => None,
        };
        id.ok_or(MediaError::Failing {
            status: answer.status,
            retry_after: None,
        })
    }
}

fn token(access_token: &str) -> Result<HeaderValue, MediaError> {
    bearer(access_token).ok_or(MediaError::Refused { status: 401 })
}

/// The meaning of an unsuccessful answer of the Graph API. The code decides, because the HTTP status is not reliable.
fn error_of_answer(answer: &Answer) -> MediaError {
    let status = answer.status;
    match error::read(&answer.body).0 {
        Some(NO_OBJECT) => MediaError::Gone,
        Some(code) if error::denies(code) => MediaError::Refused { status },
        _ if matches!(status, 401 | 403) => MediaError::Refused { status },
        _ => MediaError::Failing {
            status,
            retry_after: answer.retry_after,
        },
    }
}

/// The file of an answer. Without one, its URL may have become invalid: the next attempt asks for another.
fn file(response: Response) -> Result<Incoming, MediaError> {
    match response.status().as_u16() {
        200 => Ok(Incoming::of(response)),
        status @ (401 | 403) => Err(MediaError::Refused { status }),
        status => Err(MediaError::Failing {
            status,
            retry_after: retry_after(response.headers()),
        }),
    }
}
