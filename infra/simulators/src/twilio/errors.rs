//! Twilio's error bodies, as in `fixtures/twilio/send/response`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

const TABLE: &[(u32, u16, &str)] = &[
    (20001, 400, "Invalid parameter"),
    (20003, 401, "Authenticate"),
    (20404, 404, "The requested resource was not found"),
    (20429, 429, "Too Many Requests"),
    (20500, 500, "Internal Server Error"),
    (20503, 503, "Service unavailable"),
    (21602, 400, "Message body is required."),
    (21603, 400, "A 'From' or 'MessagingServiceSid' parameter is required"),
    (21604, 400, "A 'To' phone number is required."),
    (
        21606,
        400,
        "The 'From' phone number provided is not a valid, message-capable phone number for this destination",
    ),
    (
        21612,
        400,
        "Message cannot be sent with the current combination of 'To' and/or 'From' parameters",
    ),
    (21657, 400, "The Sender ID is invalid for this destination"),
    (21610, 400, "Attempt to send to unsubscribed recipient"),
    (21614, 400, "'To' number is not a valid mobile number"),
    (
        21617,
        400,
        "The concatenated message body exceeds the 1600 character limit",
    ),
    (21620, 400, "Invalid media URL(s)"),
    (21654, 400, "A ContentSid is required for this request"),
    (21655, 400, "The ContentSid parameter is invalid"),
    (21656, 400, "The ContentVariables parameter is invalid"),
    (35_127, 400, "Body and ContentVariables cannot be used together"),
    (
        63007,
        400,
        "Twilio could not find a Channel with the specified From address",
    ),
    (
        63016,
        400,
        "Failed to send freeform message because you are outside the allowed window",
    ),
];

#[derive(Debug)]
pub(crate) struct TwilioError {
    code: u32,
    message: String,
}

impl TwilioError {
    pub(crate) fn new(code: u32) -> Self {
        let message = TABLE.iter().find(|row| row.0 == code).map_or("Error", |row| row.2);
        Self::with(code, message)
    }

    fn with(code: u32, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message }
    }

    /// A content that breaks a rule. Twilio's own code is not known.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::with(20001, message)
    }

    pub(crate) fn no_content(sid: &str) -> Self {
        Self::with(20404, format!("The requested resource /Content/{sid} was not found"))
    }

    pub(crate) fn invalid_from(from: &str) -> Self {
        Self::with(21212, format!("Invalid From Number (caller ID): {from}"))
    }

    pub(crate) fn invalid_to(to: &str) -> Self {
        Self::with(21211, format!("Invalid 'To' Phone Number: {to}"))
    }
}

impl From<TwilioError> for Response {
    fn from(error: TwilioError) -> Self {
        error.into_response()
    }
}

impl IntoResponse for TwilioError {
    fn into_response(self) -> Response {
        let status = TABLE.iter().find(|row| row.0 == self.code).map_or(400, |row| row.1);
        let body = json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": status,
        });
        (
            StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            Json(body),
        )
            .into_response()
    }
}
