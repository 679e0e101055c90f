//! The Graph API's error bodies, as in `fixtures/whatsapp/send/response`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

/// Code, HTTP status, and what Meta calls it. HTTP statuses are plausible, not confirmed.
const TABLE: &[(u32, u16, &str)] = &[
    (1, 500, "An unknown error occurred"),
    (2, 503, "Service temporarily unavailable"),
    (100, 400, "Invalid parameter"),
    (190, 401, "Error validating access token: Session has expired"),
    (
        80008,
        400,
        "There have been too many calls to this WhatsApp Business account. Wait a bit and try again.",
    ),
    (130429, 429, "Rate limit hit"),
    (131000, 500, "Something went wrong"),
    (131008, 400, "Required parameter is missing"),
    (131009, 400, "Parameter value is not valid"),
    (131016, 500, "Service unavailable"),
    (131021, 400, "Recipient cannot be sender"),
    (131026, 400, "Message undeliverable"),
    (131047, 400, "Re-engagement message"),
    (
        131049,
        400,
        "This message was not delivered to maintain healthy ecosystem engagement.",
    ),
    (
        131050,
        400,
        "Unable to deliver the message. This recipient has chosen to stop receiving marketing messages",
    ),
    (131051, 400, "Unsupported message type"),
    (131053, 400, "Media upload error"),
    (131055, 400, "Method not allowed"),
    (
        131062,
        400,
        "Business-scoped User ID (BSUID) recipients are not supported for this message",
    ),
    (131063, 400, "Marketing messages are disabled on Cloud API"),
    (
        132000,
        400,
        "Number of parameters does not match the expected number of params",
    ),
    (132001, 404, "Template name does not exist in the translation"),
    (132005, 400, "Translated text too long"),
    (132007, 400, "Template content policy violation"),
    (
        132012,
        400,
        "Parameter format does not match format in the created template",
    ),
    (132015, 400, "Template is paused"),
    (132016, 400, "Template is disabled"),
    (132018, 400, "There is an issue with the parameters in your template"),
    (134102, 400, "Template is unavailable for use"),
];

/// Codes whose message Meta does not start with the number.
const WITHOUT_NUMBER: &[u32] = &[1, 2, 190];

#[derive(Clone, Debug)]
pub(crate) struct GraphError {
    pub(crate) code: u32,
    details: String,
    subcode: Option<u32>,
    /// Title and text for a person, of errors in the management of templates.
    user: Option<(&'static str, String)>,
    message: Option<&'static str>,
}

/// A text that a request must have.
pub(crate) fn require_text<'a>(value: &'a Value, name: &str) -> Result<&'a str, GraphError> {
    value.as_str().ok_or_else(|| GraphError::missing(name))
}

pub(crate) fn title(code: u32) -> &'static str {
    TABLE
        .iter()
        .find(|row| row.0 == code)
        .map_or("Unknown error", |row| row.2)
}

impl GraphError {
    pub(crate) fn new(code: u32, details: impl Into<String>) -> Self {
        Self {
            code,
            details: details.into(),
            subcode: None,
            user: None,
            message: None,
        }
    }

    pub(crate) fn missing(what: &str) -> Self {
        Self::new(131008, format!("Missing {what}"))
    }

    /// A refused template, in the shape of `fixtures/whatsapp/templates/create_error_name_exists.json`.
    pub(crate) fn template(subcode: u32, title: &'static str, text: impl Into<String>) -> Self {
        Self {
            subcode: Some(subcode),
            user: Some((title, text.into())),
            ..Self::new(100, "")
        }
    }

    /// A request that Meta cannot read the token of (`fixtures/whatsapp/upload/401_error_token.json`).
    pub(crate) fn unreadable_token() -> Self {
        Self {
            message: Some("Invalid OAuth access token - Cannot parse access token"),
            ..Self::new(190, "")
        }
    }

    pub(crate) fn token() -> Self {
        Self {
            subcode: Some(463),
            ..Self::new(190, "")
        }
    }

    /// Also the answer for another tenant's object: Meta does not tell the two apart.
    pub(crate) fn no_object(id: &str) -> Self {
        Self {
            subcode: Some(33),
            ..Self::new(100, id)
        }
    }

    fn body(&self) -> Value {
        let mut error = json!({"type": "OAuthException", "code": self.code, "fbtrace_id": "ASimulatedTraceId00001"});
        let details = &self.details;
        error["message"] = if self.user.is_some() {
            json!("Invalid parameter")
        } else if let Some(message) = self.message {
            json!(message)
        } else if self.subcode == Some(33) {
            json!(format!(
                "(#100) Unsupported get request. Object with ID '{details}' does not exist"
            ))
        } else if WITHOUT_NUMBER.contains(&self.code) {
            json!(title(self.code))
        } else {
            json!(format!("(#{}) {}", self.code, title(self.code)))
        };
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        if let Some((title, text)) = &self.user {
            error["error_user_title"] = json!(title);
            error["error_user_msg"] = json!(text);
        }
        if self.user.is_some() || self.message.is_some() {
            error["is_transient"] = json!(false);
        } else if self.code == 2 {
            error["is_transient"] = json!(true);
        } else if self.subcode.is_none() && !WITHOUT_NUMBER.contains(&self.code) {
            error["error_data"] = json!({"messaging_product": "whatsapp", "details": details});
        }
        json!({ "error": error })
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        let status = TABLE.iter().find(|row| row.0 == self.code).map_or(400, |row| row.1);
        let status = if self.subcode == Some(33) { 404 } else { status };
        (
            StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            Json(self.body()),
        )
            .into_response()
    }
}

impl From<GraphError> for Response {
    fn from(error: GraphError) -> Self {
        error.into_response()
    }
}

/// A failure of the Graph API, which can also be HTML.
pub(crate) fn server_error(dice: u64) -> Response {
    match dice % 5 {
        0 => GraphError::new(1, "").into_response(),
        1 => GraphError::new(2, "").into_response(),
        2 => GraphError::new(131000, "Unknown error").into_response(),
        3 => GraphError::new(131016, "Temporarily unavailable").into_response(),
        _ => {
            let page = "<html><head><title>502</title></head><body>Bad gateway</body></html>";
            (StatusCode::BAD_GATEWAY, Html(page)).into_response()
        }
    }
}
