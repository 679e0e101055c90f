//! Sockets: the functions behind a WebSocket API, and what is sent to its clients.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::error::SdkError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use domain::live::SocketId;
use futures::FutureExt;
use serde::{Deserialize, Serialize};

use crate::invocation::{Invocation, Outcome};
use crate::log::panic_text;
use crate::{ConfigError, Env, JobError, process_start};

/// Sends to the clients of a WebSocket API.
#[derive(Debug, Clone)]
pub struct Sockets(Client);

/// The reason why a client could not be reached.
#[derive(Debug, thiserror::Error)]
pub enum NotReached {
    /// It is not connected any more.
    #[error("the client is gone")]
    Gone,
    /// It could not be reached now.
    #[error("the client cannot be reached")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Sockets {
    /// Sockets of the API with the URL in this variable.
    ///
    /// # Errors
    /// When the variable is missing or no URL.
    pub fn of(env: &Env, variable: &str) -> Result<Self, ConfigError> {
        Ok(Self(env.connections(env.config().url(variable)?)))
    }

    /// Sends this to a client, as JSON.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn post(&self, id: &SocketId, what: &impl Serialize) -> Result<(), NotReached> {
        let json = serde_json::to_vec(what).map_err(|error| NotReached::Failed(error.into()))?;
        let request = self.0.post_to_connection().connection_id(id.as_str());
        let sent = request.data(Blob::new(json)).send().await;
        sent.map(drop)
            .map_err(|error| not_reached(error, |error| error.is_gone_exception()))
    }

    /// Closes the connection of a client.
    ///
    /// # Errors
    /// When it is gone, or API Gateway does not answer.
    pub async fn close(&self, id: &SocketId) -> Result<(), NotReached> {
        let closed = self.0.delete_connection().connection_id(id.as_str()).send().await;
        closed
            .map(drop)
            .map_err(|error| not_reached(error, |error| error.is_gone_exception()))
    }
}

fn not_reached<E, R>(error: SdkError<E, R>, is_gone: impl Fn(&E) -> bool) -> NotReached
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    if error.as_service_error().is_some_and(is_gone) {
        NotReached::Gone
    } else {
        NotReached::Failed(error.into())
    }
}

/// Something that a client did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    /// It connects, with these parameters of the URL's query. Nothing can be sent to it before the answer.
    Connect(BTreeMap<String, String>),
    /// It said this.
    Say(String),
    /// It is gone. Now and then nobody tells.
    Disconnect,
}

/// An action of a client on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketEvent {
    pub id: SocketId,
    /// Action of the client.
    pub did: Did,
}

/// The answer to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The client may connect, or was heard.
    Taken,
    /// The client may not connect.
    Refused,
}

/// An event of API Gateway, with only the fields that we use.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEvent {
    request_context: RawContext,
    #[serde(default)]
    query_string_parameters: Option<BTreeMap<String, String>>,
    #[serde(default)]
    body: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawContext {
    connection_id: String,
    event_type: String,
}

impl RawEvent {
    /// `None`: it is none of a client.
    fn read(self) -> Option<SocketEvent> {
        let did = match self.request_context.event_type.as_str() {
            "CONNECT" => Did::Connect(self.query_string_parameters.unwrap_or_default()),
            "MESSAGE" => Did::Say(self.body.unwrap_or_default()),
            "DISCONNECT" => Did::Disconnect,
            _ => return None,
        };
        let id = SocketId::new(self.request_context.connection_id)?;
        Some(SocketEvent { id, did })
    }
}

/// An answer without a body: with one, some gateways would send it to the client.
#[derive(Debug, Serialize)]
struct RawAnswer {
    #[serde(rename = "statusCode")]
    status: u16,
}

/// Runs a function behind a WebSocket API. `build` creates its context once per process.
#[expect(
    clippy::needless_pass_by_value,
    reason = "main hands over a function, and it is never used again"
)]
pub fn serve_socket<C, H>(
    function: &'static str,
    build: impl FnOnce(&Env) -> Result<C, ConfigError>,
    handle: H,
) -> Result<(), lambda_runtime::Error>
where
    H: AsyncFn(SocketEvent, &C) -> Result<Answer, JobError>,
{
    let (env, context) = process_start(function, build)?;
    let (env, context, handle) = (&env, &context, &handle);
    crate::block_on(async {
        let service = lambda_runtime::service_fn(async |event: lambda_runtime::LambdaEvent<RawEvent>| {
            let invocation = Invocation::begin(env);
            let result = match event.payload.read() {
                Some(event) => AssertUnwindSafe(handle(event, context)).catch_unwind().await,
                None => Ok(Ok(Answer::Refused)),
            };
            let result =
                result.unwrap_or_else(|panic| Err(JobError::new(format!("panicked: {}", panic_text(&*panic)))));
            let (status, outcome) = match result {
                Ok(Answer::Taken) => (200, Outcome::Done),
                Ok(Answer::Refused) => (403, Outcome::Refused),
                Err(error) => {
                    tracing::error!(%error, "event of a socket failed");
                    (500, Outcome::Error)
                }
            };
            invocation.finish(env, outcome);
            Ok::<_, lambda_runtime::Error>(RawAnswer { status })
        });
        lambda_runtime::run(service).await
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: serde_json::Value) -> Option<SocketEvent> {
        serde_json::from_value::<RawEvent>(value).expect("an event").read()
    }

    /// As AWS's documentation shows them; the emulator's have no query rather than an empty one.
    #[test]
    fn events_of_a_web_socket_api_are_read() {
        let context = |kind: &str| json!({"connectionId": "DEMOconn00001=", "eventType": kind, "routeKey": "$default"});
        let id = SocketId::new("DEMOconn00001=".to_owned()).unwrap();
        for (event, did) in [
            (
                json!({"requestContext": context("CONNECT"), "queryStringParameters": {"ticket": "a"}}),
                Did::Connect([("ticket".to_owned(), "a".to_owned())].into()),
            ),
            (
                json!({"requestContext": context("CONNECT"), "queryStringParameters": null}),
                Did::Connect(BTreeMap::new()),
            ),
            (
                json!({"requestContext": context("MESSAGE"), "body": "{}", "isBase64Encoded": false}),
                Did::Say("{}".to_owned()),
            ),
            (json!({"requestContext": context("DISCONNECT")}), Did::Disconnect),
        ] {
            let id = id.clone();
            assert_eq!(read(event), Some(SocketEvent { id, did }));
        }
        assert_eq!(read(json!({"requestContext": context("OTHER")})), None);
        let strange = json!({"requestContext": {"connectionId": "T#1", "eventType": "CONNECT"}});
        assert_eq!(read(strange), None);
    }
}
