//! Requests to the API.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use domain::Timestamp;
use domain::campaigns::Campaign;
use domain::media::MediumState;
use domain::messages::MessageState;
use domain::terms::{CampaignState, Channel};
use serde_json::{Value, json};

use crate::contract::{Contract, Operation, PathValues};
use crate::endpoints::Login;
use crate::play::{Answer, Customer, Look, Play, new_phone, until};
use crate::secrets::random_hex;
use crate::totp;

/// Credentials of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// No credentials at all.
    Nothing,
    /// `Authorization: Bearer …`.
    Token(String),
    /// In the header `X-API-Key`.
    Key(String),
}

/// A body with its content type.
pub type Body = Option<(String, Value)>;

/// Logs a user in, with the second factor if there is one, and returns the access token. Works three times in half a minute,
/// because each code counts once.
pub async fn log_in(play: &Play, login: &Login) -> Result<String> {
    let codes: Vec<Option<String>> = match &login.totp_secret {
        Some(secret) => totp::codes(secret, Timestamp::now())?.map(Some).into(),
        None => vec![None],
    };
    let mut answer = None;
    for code in codes {
        let mut body = json!({ "email": login.email, "password": login.password });
        if let Some(code) = &code {
            body["code"] = code.as_str().into();
        }
        let body = Some(("application/json".to_owned(), body));
        let tried = ask(play, "post", "/api/v1/auth/log-in", &Proof::Nothing, None, &body).await?;
        if code.is_none() || kind(&tried) != "wrong_code" {
            let session = require_success(&tried, "logging in")?;
            return word(&session["access_token"]).context("the answer has no access token");
        }
        answer = Some(tried);
    }
    bail!("logging in with every code: {answer:?}")
}

/// Sends a request to the API; `tenant` is sent as `X-Tenant-ID`.
pub async fn ask(
    play: &Play,
    method: &str,
    path: &str,
    proof: &Proof,
    tenant: Option<&str>,
    body: &Body,
) -> Result<Answer> {
    let bearer;
    let mut headers = Vec::new();
    match proof {
        Proof::Nothing => {}
        Proof::Token(token) => {
            bearer = format!("Bearer {token}");
            headers.push(("authorization", bearer.as_str()));
        }
        Proof::Key(key) => headers.push(("x-api-key", key.as_str())),
    }
    headers.extend(tenant.map(|tenant| ("x-tenant-id", tenant)));
    let mut text = String::new();
    if let Some((content_type, body)) = body {
        headers.push(("content-type", content_type));
        text = body.to_string();
    }
    play.request(&method.to_uppercase(), path, &headers, text).await
}

/// The answer to a request with JSON, which must succeed.
pub async fn ask_for_json(play: &Play, proof: &Proof, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
    let body = body.map(|body| ("application/json".to_owned(), body));
    let answer = Box::pin(ask(play, method, path, proof, None, &body)).await?;
    require_success(&answer, path)
}

/// The id of the keeper's tenant.
async fn tenant_of(play: &Play, keeper: &Proof) -> Result<String> {
    let tenant = ask_for_json(play, keeper, "get", "/api/v1/tenant", None).await?;
    word(&tenant["id"]).context("a tenant has an id")
}

/// A value for the parameter `name` of an operation's path: the id of an object created for it alone by the document's example,
/// so that no other object is changed or deleted; if none can be created, a listed one. `None` if there is none, or no list.
/// `known` are the values of the parameters before it.
pub async fn object_for(
    play: &Play,
    contract: &Contract,
    keeper: &Proof,
    operation: &Operation<'_>,
    name: &str,
    known: &PathValues<'_>,
) -> Result<Option<String>> {
    let Some((list, _)) = operation.path.split_once(&format!("/{{{name}}}")) else {
        return Ok(None);
    };
    if list == OPERATIONS {
        return start_operation(play, contract, keeper).await.map(Some);
    }
    if operation.path.starts_with(PREFLIGHTS) && name == "campaign_id" {
        return whole_campaign(play, keeper).await.map(Some);
    }
    if operation.path.starts_with(ENROLLMENTS) && name == "campaign_id" {
        let drip = drip(play, keeper).await?;
        begin(play, keeper, &drip).await?;
        let contact = known.iter().find(|(name, _)| *name == "contact_id");
        if let Some((_, contact)) = contact.filter(|_| operation.id() != "enroll_contact") {
            let enroll = format!("/api/v1/contacts/{contact}/campaigns/{drip}/enroll");
            ask_for_json(play, keeper, "post", &enroll, None).await?;
        }
        return Ok(Some(drip));
    }
    if OF_DRIPS.contains(&operation.path) {
        return drip(play, keeper).await.map(Some);
    }
    if operation.path.starts_with(RECORDINGS) {
        return match known.iter().find(|(name, _)| *name == "call_id") {
            None => record_voicemail(play, keeper).await.map(Some),
            Some((_, call)) => recording_of(play, keeper, call).await,
        };
    }
    if operation.path.starts_with(MEDIA) {
        return match name {
            "message_id" => send_picture(play, keeper).await.map(Some),
            _ => Ok(Some("0".to_owned())),
        };
    }
    if HAPPENINGS.contains(&list) {
        return find_or_make_entry(play, keeper, list).await.map(Some);
    }
    let create = contract
        .operations()
        .find(|other| other.path == list && other.method == "post");
    if let Some(create) = create {
        let made = make(play, contract, keeper, &create, known).await?;
        let place = made.header("location").and_then(|place| place.rsplit('/').next());
        return Ok(place.map(str::to_owned));
    }
    let lists = |other: &Operation<'_>| other.path == list && other.method == "get";
    if !contract.operations().any(|other| lists(&other)) {
        return Ok(None);
    }
    let listed = ask_for_json(play, keeper, "get", &fill_path(list, known), None).await?;
    // The last administrator cannot be changed.
    let mut items = listed["items"].as_array().into_iter().flatten();
    let one = items.find(|item| item["role"] != "admin");
    // What has no id has a field of the parameter's name, such as a version.
    Ok(one.and_then(|item| word(&item["id"]).or_else(|| word(&item[name]))))
}

/// A text or a number as it stands in a path.
pub fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A body that creates one more by the document's example: with values of its own where they must be unique.
fn new_body(contract: &Contract, create: &Operation<'_>) -> Result<Body> {
    let mut body = contract.example_body(create);
    if let Some((_, body)) = &mut body {
        let mail = "@example.test";
        for (field, end) in [("slug", ""), ("email", mail), ("admin_email", mail)] {
            if !body[field].is_null() {
                body[field] = format!("made-{}{end}", random_hex(8)?).into();
            }
        }
        // Lists of orders show the last days.
        if let Some(placed_at) = body.pointer_mut("/contents/placed_at") {
            *placed_at = json!(Timestamp::now());
        }
        for (field, schema) in contract.unique_fields(create) {
            let is_list = schema["items"].is_object();
            let one = if is_list { &schema["items"] } else { schema };
            let like = one["example"].as_str().unwrap_or_default();
            let own: Value = if like.starts_with('+') {
                json!(new_phone()?)
            } else if like.contains('@') {
                format!("made-{}@example.test", random_hex(8)?).into()
            } else {
                // Also an identifier, which has no hyphens.
                format!("made_{}", random_hex(8)?).into()
            };
            body[field] = if is_list { json!([own]) } else { own };
        }
    }
    Ok(body)
}

/// The list of operations, which other resources start.
pub const OPERATIONS: &str = "/api/v1/operations";

/// Starts an operation: a contact is created and erased. Returns its id.
pub async fn start_operation(play: &Play, contract: &Contract, keeper: &Proof) -> Result<String> {
    let mut all = contract.operations();
    let create = all.find(|operation| operation.id() == "create_contact");
    let made = make(play, contract, keeper, &create.context("contacts are created")?, &[]).await?;
    let contact = made.header("location").context("it says where it is")?;
    let started = ask_for_json(play, keeper, "post", &format!("{contact}/erase"), None).await?;
    word(&started["id"]).context("an operation has an id")
}

/// The lists of calls, messages and conversations: what customers do fills them.
pub const HAPPENINGS: [&str; 3] = ["/api/v1/calls", "/api/v1/messages", "/api/v1/conversations"];

const EVENT_MESSAGES: &str = "/api/v1/event-messages";

const AUTOMATIONS: &str = "/api/v1/automations";

/// Maximum wait for a message, enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// The id of a call or message in a list of the keeper's tenant. If there is none, a customer calls, and gets the message that follows,
/// and reads it if it is a WhatsApp message, so that nothing of it changes any more.
pub async fn find_or_make_entry(play: &Play, keeper: &Proof, list: &str) -> Result<String> {
    let newest = async || -> Result<Option<String>> {
        let listed = ask_for_json(play, keeper, "get", list, None).await?;
        Ok(word(&listed["items"][0]["id"]))
    };
    if let Some(id) = newest().await? {
        return Ok(id);
    }
    // The examples of changes have quiet hours, of the tenant and of a rule, after which a message by SMS would wait for the morning.
    let awake = json!({ "quiet_hours": null });
    ask_for_json(play, keeper, "patch", "/api/v1/tenant", Some(awake.clone())).await?;
    let rules = ask_for_json(play, keeper, "get", AUTOMATIONS, None).await?;
    let ids = rules["items"].as_array().into_iter().flatten();
    for id in ids.filter_map(|rule| rule["id"].as_str()) {
        let then = Some(json!({ "then": awake }));
        ask_for_json(play, keeper, "patch", &format!("{AUTOMATIONS}/{id}"), then).await?;
    }
    let (tenant, from) = (tenant_of(play, keeper).await?, new_phone()?);
    play.call(&tenant, &from, "missed", json!({})).await?;
    let is_done = |customer: &Customer| {
        let message = customer.messages.last()?;
        let last = match message.current_leg().map(|leg| leg.channel) {
            Some(Channel::Sms) => MessageState::Delivered,
            _ => MessageState::Read,
        };
        (message.state() == last).then_some(())
    };
    play.wait_for_customer(&tenant, &from, PATIENCE, "a message that arrived", is_done)
        .await?;
    let found = newest().await?;
    found.with_context(|| format!("{list} does not list what a customer did"))
}

/// Paths of the pre-flights of a campaign.
const PREFLIGHTS: &str = "/api/v1/campaigns/{campaign_id}/preflight/";

/// Creates an object with these fields. Returns its id.
async fn create_object(play: &Play, keeper: &Proof, path: &str, fields: Value) -> Result<String> {
    let made = ask_for_json(play, keeper, "post", path, Some(fields)).await?;
    word(&made["id"]).with_context(|| format!("{path} gives an id"))
}

const CAMPAIGNS: &str = "/api/v1/campaigns";

/// Creates a campaign that lacks nothing. Returns its id.
async fn whole_campaign(play: &Play, keeper: &Proof) -> Result<String> {
    let everybody = json!({ "name": "Everybody", "filter": {} });
    let segment = create_object(play, keeper, "/api/v1/segments", everybody).await?;
    let campaign = json!({
        "type": "broadcast", "name": "Offer", "audience": { "segment": segment },
        "message": { "channels": ["sms"], "category": "marketing", "sms_text": "20% off until Sunday" },
    });
    create_object(play, keeper, CAMPAIGNS, campaign).await
}

/// Paths that only drips have.
const OF_DRIPS: [&str; 2] = [
    "/api/v1/campaigns/{campaign_id}/steps",
    "/api/v1/campaigns/{campaign_id}/enrollments",
];

/// Paths of a contact's enrolment in a drip.
const ENROLLMENTS: &str = "/api/v1/contacts/{contact_id}/campaigns/{campaign_id}";

/// Creates a drip with steps. Returns its id.
async fn drip(play: &Play, keeper: &Proof) -> Result<String> {
    let id = create_object(play, keeper, CAMPAIGNS, json!({ "type": "drip", "name": "Welcome" })).await?;
    let message = json!({ "channels": ["sms"], "category": "utility", "sms_text": "Welcome" });
    let steps = json!([{ "name": "welcome", "does": { "type": "message", "message": message } }]);
    let path = format!("{CAMPAIGNS}/{id}/steps");
    ask_for_json(play, keeper, "post", &path, Some(json!({ "steps": steps }))).await?;
    Ok(id)
}

/// Starts a drip, and waits until it has begun.
async fn begin(play: &Play, keeper: &Proof, id: &str) -> Result<()> {
    ask_for_json(play, keeper, "post", &format!("{CAMPAIGNS}/{id}/start"), None).await?;
    let scope = access::operator::scope(tenant_of(play, keeper).await?.parse()?);
    until(PATIENCE, "a drip that has begun", async || {
        let known = play.store.get::<Campaign>(&scope, &id).await?;
        let state = known.map(|known| known.value.state);
        Ok(Look::when(state == Some(CampaignState::Running), || {
            format!("{state:?}")
        }))
    })
    .await
}

const RECORDINGS: &str = "/api/v1/calls/{call_id}/recordings/";

/// Id of the first recording of a call.
async fn recording_of(play: &Play, keeper: &Proof, call: &str) -> Result<Option<String>> {
    let shown = ask_for_json(play, keeper, "get", &format!("/api/v1/calls/{call}"), None).await?;
    Ok(word(&shown["recordings"][0]["id"]))
}

/// A customer leaves a voicemail in the business's own call flow at Twilio. Returns the id of the call, once its recording is known.
pub async fn record_voicemail(play: &Play, keeper: &Proof) -> Result<String> {
    let (tenant, from) = (tenant_of(play, keeper).await?, new_phone()?);
    let own = json!({ "via": "twilio", "own_flow": true });
    play.call(&tenant, &from, "voicemail", own).await?;
    let with_recording = |customer: &Customer| {
        let mut calls = customer.calls.iter();
        let found = calls.find(|call| !call.facts.recordings.is_empty())?;
        Some(found.id.to_string())
    };
    play.wait_for_customer(&tenant, &from, PATIENCE, "a call with its recording", with_recording)
        .await
}

const MEDIA: &str = "/api/v1/messages/{message_id}/media/";

/// A customer sends a picture by WhatsApp. Returns the id of the message, once the picture is stored.
async fn send_picture(play: &Play, keeper: &Proof) -> Result<String> {
    let (tenant, from) = (tenant_of(play, keeper).await?, new_phone()?);
    let picture = json!({ "mime": "image/png", "caption": "This is the dent." });
    let reply = json!({ "tenant": tenant, "from": from, "channel": "whatsapp", "media": picture });
    play.post("/replies", &reply).await?;
    let with_picture = |customer: &Customer| {
        let mut received = customer.received.iter();
        let found = received.find(|received| !received.message.media.is_empty())?;
        Some(found.id)
    };
    let message = play.wait_for_customer(&tenant, &from, PATIENCE, "a message with a picture", with_picture);
    let message = message.await?;
    let scope = access::operator::scope(tenant.parse()?);
    until(PATIENCE, "a picture that is stored", async || {
        let known = play.store.medium(&scope, message, 0, Timestamp::now()).await?;
        let state = known.map(|known| known.medium.state);
        Ok(Look::when(state == Some(MediumState::Ready), || format!("{state:?}")))
    })
    .await?;
    Ok(message.to_string())
}

/// Uploads a file as the API says: `upload` has a URL, and the headers of the request. Returns the status of the answer.
pub async fn upload(play: &Play, upload: &Value, file: String) -> Result<reqwest::StatusCode> {
    let url = upload["url"].as_str().context("an upload has a URL")?;
    let mut put = play.http.put(url);
    for (name, value) in upload["headers"].as_object().into_iter().flatten() {
        put = put.header(name, value.as_str().unwrap_or_default());
    }
    Ok(put.body(file).send().await?.status())
}

/// A path with these values for its parameters.
pub fn fill_path(path: &str, values: &PathValues<'_>) -> String {
    let fill = |path: String, (name, value): &(&str, String)| path.replace(&format!("{{{name}}}"), value);
    values.iter().fold(path.to_owned(), fill)
}

/// Creates an object by the document's example of this operation. `known` are the values of its path's parameters.
pub async fn make(
    play: &Play,
    contract: &Contract,
    keeper: &Proof,
    create: &Operation<'_>,
    known: &PathValues<'_>,
) -> Result<Answer> {
    let body = new_body(contract, create)?;
    let path = fill_path(create.path, known);
    let mut made = ask(play, create.method, &path, keeper, None, &body).await?;
    if path == EVENT_MESSAGES && kind(&made) == "taken" {
        // There is one for each event. The one that there is was made for something else, which is over.
        let listed = ask_for_json(play, keeper, "get", &path, None).await?;
        for id in listed["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| word(&item["id"]))
        {
            let one = format!("{path}/{id}");
            require_success(
                &ask(play, "delete", &one, keeper, None, &None).await?,
                "deleting an event message",
            )?;
        }
        made = ask(play, create.method, &path, keeper, None, &body).await?;
    }
    let what = format!("creating one by the document's example of {}", create.id());
    require_success(&made, &what)?;
    Ok(made)
}

/// An answer's body; null if it is not JSON.
pub fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_default()
}

/// The last word of a problem's type, such as `not_found`; empty if it is not a problem.
pub fn kind(answer: &Answer) -> String {
    let body = json(answer);
    let kind = body["type"].as_str().and_then(|kind| kind.rsplit(':').next());
    kind.unwrap_or_default().to_owned()
}

/// Requires a status of 2xx.
pub fn require_success(answer: &Answer, what: &str) -> Result<Value> {
    if !(200..300).contains(&answer.status) {
        bail!("{what}: {} {}", answer.status, answer.body);
    }
    Ok(json(answer))
}
