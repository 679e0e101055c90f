//! Meta's library of ready templates: a few entries in the shape of `fixtures/whatsapp/upload/library_response.json`.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{cursor, list, place_of};
use crate::graph::errors::GraphError;
use crate::graph::looking;
use crate::world::Sims;

struct Entry {
    name: &'static str,
    language: &'static str,
    topic: &'static str,
    usecase: &'static str,
    industry: &'static str,
    body: &'static str,
    samples: &'static [&'static str],
    types: &'static [&'static str],
    /// Label of its button, which opens a URL.
    button: Option<&'static str>,
}

const ENTRIES: &[Entry] = &[
    Entry {
        name: "appointment_reminder_sample",
        language: "en_GB",
        topic: "APPOINTMENTS",
        usecase: "APPOINTMENT_REMINDER",
        industry: "BEAUTY",
        body: "Hello {{1}}, a reminder of your visit to {{2}} on {{3}}.",
        samples: &["Maya", "Fixture Hair", "2 November"],
        types: &["TEXT", "TEXT", "DATE"],
        button: Some("View details"),
    },
    Entry {
        name: "appointment_reminder_sample",
        language: "ar",
        topic: "APPOINTMENTS",
        usecase: "APPOINTMENT_REMINDER",
        industry: "BEAUTY",
        body: "مرحبا {{1}}، نذكّرك بموعدك لدى {{2}} يوم {{3}}.",
        samples: &["مايا", "عيادة النخيل", "2 نوفمبر"],
        types: &["TEXT", "TEXT", "DATE"],
        button: Some("عرض التفاصيل"),
    },
    Entry {
        name: "order_delivered_sample",
        language: "en_GB",
        topic: "ORDER_MANAGEMENT",
        usecase: "ORDER_DELIVERED",
        industry: "RETAIL",
        body: "Hello {{1}}, your order {{2}} was delivered today.",
        samples: &["Maya", "1042"],
        types: &["TEXT", "TEXT"],
        button: None,
    },
    Entry {
        name: "payment_received_sample",
        language: "en_GB",
        topic: "PAYMENTS",
        usecase: "PAYMENT_CONFIRMATION",
        industry: "RETAIL",
        body: "Hello {{1}}, we have received your payment of {{2}}. Thank you.",
        samples: &["Maya", "£40.00"],
        types: &["TEXT", "AMOUNT"],
        button: None,
    },
    Entry {
        name: "feedback_survey_sample",
        language: "en_GB",
        topic: "CUSTOMER_FEEDBACK",
        usecase: "FEEDBACK_SURVEY",
        industry: "BEAUTY",
        body: "Hello {{1}}, how was your visit to {{2}}? Your answer helps us.",
        samples: &["Maya", "Fixture Hair"],
        types: &["TEXT", "TEXT"],
        button: Some("Give feedback"),
    },
];

#[derive(Debug, Deserialize)]
pub(in crate::graph) struct LibraryQuery {
    search: Option<String>,
    name: Option<String>,
    topic: Option<String>,
    usecase: Option<String>,
    industry: Option<String>,
    language: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

/// `GET /{version}/message_template_library`.
pub(in crate::graph) async fn list_library(
    State(world): State<Sims>,
    Path(version): Path<String>,
    Query(query): Query<LibraryQuery>,
    headers: HeaderMap,
) -> Response {
    let config = world.config();
    match looking(&world, &config, &headers, &version).await {
        Ok(_) => page(&query).map_or_else(GraphError::into_response, |answer| answer.into_response()),
        Err(refused) => refused,
    }
}

fn page(query: &LibraryQuery) -> Result<Json<Value>, GraphError> {
    let is = |filter: &Option<String>, value: &str| filter.as_deref().is_none_or(|filter| filter == value);
    let found: Vec<Value> = ENTRIES
        .iter()
        .enumerate()
        .filter(|(_, entry)| {
            let part =
                |part: &str| entry.name.contains(part) || entry.body.to_lowercase().contains(&part.to_lowercase());
            query.search.as_deref().is_none_or(part)
                && is(&query.name, entry.name)
                && is(&query.topic, entry.topic)
                && is(&query.usecase, entry.usecase)
                && is(&query.industry, entry.industry)
                && is(&query.language, entry.language)
        })
        .map(|(place, entry)| shown(place, entry))
        .collect();
    let start = query.after.as_deref().map_or(Ok(0), place_of)?.min(found.len());
    let end = (start + query.limit.unwrap_or(25).clamp(1, 100)).min(found.len());
    Ok(Json(json!({
        "data": found[start..end],
        "paging": {"cursors": {"before": cursor(start), "after": cursor(end)}},
    })))
}

fn shown(place: usize, entry: &Entry) -> Value {
    let mut shown = json!({
        "id": format!("82{:013}", place + 1),
        "name": entry.name,
        "language": entry.language,
        "category": "UTILITY",
        "topic": entry.topic,
        "usecase": entry.usecase,
        "industry": [entry.industry],
        "body": entry.body,
        "body_params": entry.samples,
        "body_param_types": entry.types,
    });
    if let Some(label) = entry.button {
        shown["buttons"] = json!([{"type": "URL", "text": label, "url": "https://www.example.com"}]);
    }
    shown
}

/// The components of a template that takes over an entry: its text is fixed, its buttons get the account's addresses.
pub(super) fn adopt(name: &str, language: &str, input: &Value) -> Result<Vec<Value>, GraphError> {
    let refused = |text: String| GraphError::template(None, "Invalid template", text);
    if input.get("components").is_some() {
        return Err(refused(
            "A template of the library has no components of its own.".to_owned(),
        ));
    }
    let entry = ENTRIES
        .iter()
        .find(|entry| entry.name == name && entry.language == language);
    let entry = entry.ok_or_else(|| refused(format!("The library has no template {name} in {language}.")))?;
    let sample = json!({"body_text": [entry.samples]});
    let mut components = vec![json!({"type": "BODY", "text": entry.body, "example": sample})];
    if let Some(label) = entry.button {
        let inputs = list(&input["library_template_button_inputs"]);
        let url = inputs.iter().find(|one| one["type"] == "URL").map(|one| &one["url"]);
        let address = url.and_then(|url| url["base_url"].as_str());
        let Some(address) = address else {
            return Err(refused(
                "library_template_button_inputs needs the URL of the button.".to_owned(),
            ));
        };
        let mut button = json!({"type": "URL", "text": label, "url": address});
        if let Some(sample) = url.and_then(|url| url["url_suffix_example"].as_str()) {
            button["example"] = json!([sample]);
        }
        components.push(json!({"type": "BUTTONS", "buttons": [button]}));
    }
    Ok(components)
}
