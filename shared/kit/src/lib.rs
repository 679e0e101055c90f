//! Common parts of all functions: start-up, configuration, logging, metrics, problems, queues and spill.
//!
//! A function's library names its handler once, by [`function!`], for one of [`serve_http`], [`serve_queue`], [`serve_stream`],
//! [`serve_schedule`], [`serve_operation`], [`serve_socket`] and [`serve_invoke`].

#![expect(
    clippy::disallowed_methods,
    reason = "the one crate that reads the clock, randomness and the environment, to hand them on as values"
)]

mod aws;
pub mod bus;
pub mod clock;
pub mod config;
pub mod crash;
mod encoding;
pub mod enqueue;
mod env;
pub mod files;
pub mod html;
pub mod http;
pub mod ids;
mod invocation;
mod invoke;
mod language;
mod late_store;
mod limit;
pub mod line;
mod links;
mod log;
mod mails;
pub mod metric;
pub mod operation;
pub mod problem;
mod process;
mod proxy;
pub mod queue;
mod queue_name;
mod queues;
pub mod schedule;
mod secret_hashes;
mod seldom;
mod slots;
pub mod sockets;
pub mod spill;
mod store_and_clock;
pub mod stream;
pub mod turns;
pub mod webhook;

pub use bus::Bus;
pub use clock::Clock;
pub use config::{Config, ConfigError, Stage};
pub use enqueue::{Entry, Queue};
pub use env::Env;
pub use files::{FileKey, Files, Folder};
pub use http::serve_http;
pub use ids::Ids;
pub use invoke::serve_invoke;
pub use lambda_runtime::Error;
pub use language::accepted_language;
pub use late_store::LateStore;
pub use limit::{TimeLimit, TimeUp};
pub use links::{Links, Pages};
pub use log::chain;
pub use mails::{Mails, MailsError, SealedLinks};
pub use operation::serve_operation;
pub use problem::Problem;
pub use queue::{Done, Job, JobError, NoScope, serve_queue};
pub use queue_name::QueueName;
pub use queues::Queues;
pub use schedule::serve_schedule;
pub use secret_hashes::SecretHashes;
pub use seldom::Seldom;
pub use sockets::{Sockets, serve_socket};
pub use spill::{RawBucket, Spilled};
pub use store_and_clock::StoreAndClock;
pub use stream::serve_stream;
pub use webhook::Webhook;

/// Defines the crate's `serve()`: what the function's own binary runs, and locally the program that all functions share.
///
/// ```ignore
/// kit::function!(serve_queue, Context::new, handle);
/// ```
#[macro_export]
macro_rules! function {
    ($serve:ident, $($part:expr),+) => {
        /// Serves the function until its process ends.
        pub fn serve() -> Result<(), $crate::Error> {
            $crate::$serve(env!("CARGO_PKG_NAME"), $($part),+)
        }
    };
}

/// A function's name, and what serves it.
pub type Function = (&'static str, fn() -> Result<(), Error>);

/// Lists the functions of a folder. Their programs of tests, `tests/it/main.rs` and others by their paths, are modules of each one's module.
#[macro_export]
macro_rules! functions {
    ($($function:ident $(, $other:ident = $path:literal)*;)+) => {
        /// The functions of this folder.
        pub const FUNCTIONS: &[$crate::Function] = &[$((stringify!($function), ::$function::serve)),+];

        $(
            #[cfg(test)]
            mod $function {
                #[path = "tests/it/main.rs"]
                mod it;
                $(
                    #[path = $path]
                    mod $other;
                )*
            }
        )+
    };
}

/// Steps before the first event: configuration, log, crash points, then the function's own context.
fn process_start<C>(
    function: &'static str,
    build: impl FnOnce(&Env) -> Result<C, ConfigError>,
) -> Result<(Env, C), ConfigError> {
    let env = Env::from_process(function)?;
    log::init(&env)?;
    crash::init(&env)?;
    let context = build(&env)?;
    Ok((env, context))
}

/// Runs on a single thread: Lambda serves one invocation at a time, and a thread pool costs start-up time and memory.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the operating system gives a process its event loop")
        .block_on(future)
}
