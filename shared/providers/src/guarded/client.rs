//! The client that sends requests to addresses which tenants name.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Method, RequestBuilder};

use super::rules::{Guard, Refused};
use crate::http::{Failure, Http, Incoming, retry_after};

/// Maximum bytes that are read of an answer.
pub const MAX_ANSWER: usize = 64 * 1024;

/// Sends requests to addresses that tenants name, each once.
#[derive(Clone)]
pub struct GuardedClient {
    names: Arc<GuardedNames>,
    http: Http,
}

/// An answer, of which only the beginning is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardedAnswer {
    /// The status.
    pub status: u16,
    /// Time for which the receiver wants no further request.
    pub retry_after: Option<SignedDuration>,
    /// Content type without its parameters, in lower case; empty if the answer says none.
    pub content_type: String,
    /// The first bytes of the body, at most [`MAX_ANSWER`]. Those that came, if the rest did not come in time.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unreached {
    /// No request may go to the address. Nothing was sent.
    #[error("the address is not allowed")]
    Refused(#[source] Refused),
    /// The request failed.
    #[error("the request failed")]
    Failed(#[source] Failure),
}

impl GuardedClient {
    /// With these rules, this `User-Agent`, and at most this time for a whole answer.
    pub fn new(guard: Guard, user_agent: String, timeout: Duration) -> Self {
        Self::with_names(guard, user_agent, timeout, Arc::new(SystemNames))
    }

    /// A client that resolves names otherwise than the system.
    pub fn with_names(guard: Guard, user_agent: String, timeout: Duration, names: Arc<dyn Resolve>) -> Self {
        let names = Arc::new(GuardedNames { guard, names });
        Self {
            http: Http::with_names(user_agent, timeout, names.clone()),
            names,
        }
    }

    /// Checks an address that somebody names: whether its URL keeps to the rules, and whether its host has only public addresses now. Hosts that
    /// an operator admitted are not looked up.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn check(&self, address: &str) -> Result<(), Refused> {
        let url = self.names.guard.check_url(address)?;
        if self.names.guard.admits(&url) {
            return Ok(());
        }
        let name = url.host_str().and_then(|host| host.parse().ok());
        let found = self.names.look_up(name.ok_or(Refused::NotAUrl)?);
        match tokio::time::timeout(self.http.timeout(), found).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(refusal_in(&*error).unwrap_or(Refused::NoAddress)),
            Err(_) => Err(Refused::NoAddress),
        }
    }

    /// Sends a request, with what `prepare` adds to it, once.
    ///
    /// # Errors
    /// [`Unreached`].
    pub async fn send(
        &self,
        method: Method,
        address: &str,
        prepare: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<GuardedAnswer, Unreached> {
        let url = self.names.guard.check_url(address).map_err(Unreached::Refused)?;
        let sent = self.http.open(|client| prepare(client.request(method, url))).await;
        let response = sent.map_err(|failure| match refusal_in(&failure) {
            Some(refused) => Unreached::Refused(refused),
            None => Unreached::Failed(failure),
        })?;
        let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
        let mut incoming = Incoming::of(response);
        Ok(GuardedAnswer {
            status,
            retry_after,
            content_type: incoming.content_type(),
            body: read_beginning(&mut incoming).await,
        })
    }
}

async fn read_beginning(incoming: &mut Incoming) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER {
        let Ok(Some(chunk)) = incoming.chunk().await else { break };
        body.extend(chunk);
    }
    body.truncate(MAX_ANSWER);
    body
}

/// The refusal that caused an error, if one did.
fn refusal_in(error: &(dyn Error + 'static)) -> Option<Refused> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref() {
            return Some(*refused);
        }
        cause = error.source();
    }
    None
}

/// Resolves names for connections, and leaves no address that may not be reached.
struct GuardedNames {
    guard: Guard,
    names: Arc<dyn Resolve>,
}

type Found = Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>>;

impl GuardedNames {
    fn look_up(&self, name: Name) -> impl Future<Output = Found> + Send + use<> {
        let (host, guard) = (name.as_str().to_owned(), self.guard.clone());
        let found = self.names.resolve(name);
        async move {
            let found: Vec<SocketAddr> = found.await?.collect();
            let addresses: Vec<IpAddr> = found.iter().map(SocketAddr::ip).collect();
            guard.check_addresses(&host, &addresses)?;
            Ok(found)
        }
    }
}

impl Resolve for GuardedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.look_up(name);
        Box::pin(async move { Ok(Box::new(found.await?.into_iter()) as Addrs) })
    }
}

/// The addresses that the system knows. The port is the connection's.
#[derive(Debug, Clone, Copy)]
pub struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let looked_up = tokio::task::spawn_blocking(move || (name.as_str(), 0).to_socket_addrs());
            let found = looked_up.await.map_err(io::Error::other)??;
            Ok(Box::new(found) as Addrs)
        })
    }
}
