//! Sockets: the functions behind a WebSocket API, and what is sent to its clients.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::error::SdkError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use domain::live::SocketId;
use domain::terms::IpRange;
use futures::FutureExt;
use serde::{Deserialize, Serialize};

use crate::invocation::{Invocation, Outcome};
use crate::log::panic_text;
use crate::proxy::TrustedProxy;
use crate::{ConfigError, Env, JobError, line, process_start};

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
    /// Network of the client. Behind a proxy, it is known only when the client connects.
    pub network: Option<IpRange>,
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
    /// Only of those who connect.
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    body: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawContext {
    connection_id: String,
    event_type: String,
    #[serde(default)]
    identity: RawIdentity,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawIdentity {
    #[serde(default)]
    source_ip: Option<String>,
}

/// The proxy that stands in front of sockets, if `LIVE_BASE_URL` names their domain: without it, clients come to API Gateway's own address.
///
/// # Errors
/// When the variable is no URL.
fn proxy_of_sockets(env: &Env) -> Result<Option<TrustedProxy>, ConfigError> {
    let own_domain = env.config().optional_url("LIVE_BASE_URL")?;
    Ok(own_domain.and(env.trusted_proxy()).cloned())
}

impl RawEvent {
    /// Address of the client: as API Gateway sees it or, when it connects through a proxy, as that says.
    fn address(&self, proxy: Option<&TrustedProxy>) -> Option<IpAddr> {
        let Some(proxy) = proxy else {
            return self.request_context.identity.source_ip.as_ref()?.parse().ok();
        };
        let given = self.headers.iter().flatten().filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        });
        proxy.viewer(&given.collect::<HeaderMap>())
    }

    /// `None`: it is none of a client, or of one that does not connect through the proxy.
    fn read(self, proxy: Option<&TrustedProxy>) -> Option<SocketEvent> {
        let address = self.address(proxy);
        let around = proxy.is_some() && address.is_none();
        if self.request_context.event_type == "CONNECT" && around {
            line::note("refused", "not through the proxy");
            return None;
        }
        let did = match self.request_context.event_type.as_str() {
            "CONNECT" => Did::Connect(self.query_string_parameters.unwrap_or_default()),
            "MESSAGE" => Did::Say(self.body.unwrap_or_default()),
            "DISCONNECT" => Did::Disconnect,
            _ => return None,
        };
        let id = SocketId::new(self.request_context.connection_id)?;
        let network = address.map(IpRange::network_of);
        if let Some(network) = network {
            line::note("network", network.to_string());
        }
        Some(SocketEvent { id, network, did })
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
    let proxy = proxy_of_sockets(&env)?;
    let (env, context, handle, proxy) = (&env, &context, &handle, proxy.as_ref());
    crate::block_on(async {
        let service = lambda_runtime::service_fn(async |event: lambda_runtime::LambdaEvent<RawEvent>| {
            let invocation = Invocation::begin(env);
            let result = match event.payload.read(proxy) {
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
    use access::token::sha256_hex;
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::{Clock, Config, Ids};

    fn read(value: serde_json::Value) -> Option<SocketEvent> {
        read_behind(None, value)
    }

    fn read_behind(proxy: Option<&TrustedProxy>, value: serde_json::Value) -> Option<SocketEvent> {
        serde_json::from_value::<RawEvent>(value).expect("an event").read(proxy)
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
            let network = None;
            assert_eq!(read(event), Some(SocketEvent { id, network, did }));
        }
        assert_eq!(read(json!({"requestContext": context("OTHER")})), None);
        let strange = json!({"requestContext": {"connectionId": "T#1", "eventType": "CONNECT"}});
        assert_eq!(read(strange), None);
    }

    const SECRET: &str = "the-secret-of-the-proxy";

    /// The proxy of sockets in an environment with a proxy before the API and this domain of sockets.
    fn proxy(domain: &str) -> Result<Option<TrustedProxy>, ConfigError> {
        let hash = sha256_hex(SECRET);
        let variables = [
            ("STAGE", "prod"),
            ("VIEWER_ADDRESS_HEADER", "x-viewer-address"),
            ("ORIGIN_SECRET_SHA256", hash.as_str()),
            ("LIVE_BASE_URL", domain),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ];
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let config = Config::from_variables(variables.map(own))?;
        let clock = Clock::new_fixed(Timestamp::UNIX_EPOCH);
        let env = Env::new("live_socket", config, clock.clone(), Ids::from_seed(clock, 1))?;
        proxy_of_sockets(&env)
    }

    /// Without a domain of their own, clients come to API Gateway's address, which no proxy stands before.
    #[test]
    fn only_sockets_with_a_domain_are_behind_the_proxy() {
        assert_eq!(proxy(""), Ok(None));
        assert!(proxy("https://live.example.com").unwrap().is_some());
        assert!(proxy("http://live.example.com").is_err());
    }

    #[test]
    fn whoever_connects_around_the_proxy_is_refused() {
        let event = |kind: &str, headers: serde_json::Value| {
            let identity = json!({"sourceIp": "198.51.100.7"});
            let context = json!({"connectionId": "a", "eventType": kind, "identity": identity});
            json!({"requestContext": context, "headers": headers})
        };
        let network = |event: Option<SocketEvent>| event.map(|event| event.network.map(|network| network.to_string()));
        let proxy = proxy("https://live.example.com").unwrap();
        let proxy = proxy.as_ref();
        let viewer = "203.0.113.7";
        let through = json!({"X-Origin-Secret": SECRET, "X-Viewer-Address": viewer});
        for (headers, expected) in [
            (through.clone(), Some(Some("203.0.113.0/24".to_owned()))),
            (json!({"X-Viewer-Address": viewer}), None),
            (json!({"X-Origin-Secret": "a guess", "X-Viewer-Address": viewer}), None),
            (json!({"X-Origin-Secret": SECRET}), None),
            (json!(null), None),
        ] {
            let connects = event("CONNECT", headers.clone());
            assert_eq!(network(read_behind(proxy, connects)), expected, "{headers}");
        }
        // Later events have no headers, and the proxy's address: only whoever was let in has any.
        assert_eq!(network(read_behind(proxy, event("MESSAGE", json!(null)))), Some(None));
        assert_eq!(
            network(read_behind(proxy, event("DISCONNECT", json!(null)))),
            Some(None)
        );
        // Without a proxy nobody names the viewer.
        let direct = network(read(event("CONNECT", through)));
        assert_eq!(direct, Some(Some("198.51.100.0/24".to_owned())));
    }
}
