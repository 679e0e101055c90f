//! The providers' side: Graph API, Twilio, telephone systems and SES, for local runs and tests.
//!
//! One process and one port. Ringback's functions use its URL instead of the providers'; the control API acts as
//! the customers. Nothing here is deployed to AWS.
#![expect(
    clippy::disallowed_methods,
    reason = "a simulator is the outside world: it has its own clock"
)]

mod clock;
pub mod config;
mod control;
mod delivery;
mod faults;
mod graph;
mod interference;
mod media;
pub mod outbox;
mod page;
pub mod phones;
mod push;
mod random;
mod receivers;
mod replies;
mod reviews;
mod ses;
pub mod signatures;
mod statuses;
mod twilio;
mod vendors;
mod world;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use config::Config;

use world::World;

/// Simulators that run in this process until they are stopped or dropped.
#[derive(Debug)]
pub struct Running {
    pub addr: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// Starts the simulators on `config.listen`.
///
/// # Errors
/// When the address cannot be listened on, or no TLS roots are found for the webhook client.
pub async fn start(config: Config) -> std::io::Result<Running> {
    // Webhooks go to the configured URL and nowhere else: no proxy, and a redirect is an answer that is not 2xx.
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(std::io::Error::other)?;
    let listener = TcpListener::bind(config.listen).await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let world = Arc::new(World::new(config, http, format!("http://{addr}"), stopped.clone()));
    let router = Router::new()
        .merge(page::routes())
        .merge(control::routes())
        .merge(replies::routes())
        .merge(reviews::routes())
        .merge(graph::routes())
        .merge(twilio::routes())
        .merge(vendors::routes())
        .merge(push::routes())
        .merge(ses::routes())
        .merge(receivers::routes())
        .layer(DefaultBodyLimit::max(media::BODY_LIMIT))
        .with_state(Arc::clone(&world));
    tokio::spawn(graph::keep_time(world));
    let listener = listener.tap_io(|stream| {
        // Small answers must not wait for Nagle's timer; a socket that refuses this is only slower.
        let _ = stream.set_nodelay(true);
    });
    let server = tokio::spawn(async move {
        let mut stopped = stopped;
        let until = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        // Serving ends with the signal; accepting cannot fail permanently.
        let _ = axum::serve(listener, router).with_graceful_shutdown(until).await;
    });
    Ok(Running { addr, stop, server })
}

impl Running {
    /// Where they listen, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops: answers open requests first, releases held ones, gives up undelivered webhooks.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.server).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

/// A lock whose data is always consistent, so a panic elsewhere is no reason to stop.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
