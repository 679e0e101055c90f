//! JSON log lines: ours from the configured level, those of libraries from `warn`.

use std::any::Any;

pub use store::chain;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{ConfigError, Env};

pub(crate) fn init(env: &Env) -> Result<(), ConfigError> {
    let level: LevelFilter = env
        .config()
        .optional("LOG_LEVEL")
        .unwrap_or("info")
        .parse()
        .map_err(|_| ConfigError::new("LOG_LEVEL", "must be error, warn, info, debug or trace"))?;
    let ours = ["access", "jobs", "kit", "providers", "store", env.function()];
    let targets = Targets::new()
        .with_default(LevelFilter::WARN.min(level))
        .with_targets(ours.map(|target| (target, level)));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(std::io::stdout);
    // A second start in one process happens in tests only; the first one's logger stays.
    let _ = tracing_subscriber::registry().with(targets).with(lines).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, panic = panic_text(panic.payload()), "panicked");
    }));
    Ok(())
}

/// Message of a panic.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
