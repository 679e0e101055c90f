//! JSON log lines: ours from the configured level, those of libraries from `warn`. Each names its function, since functions share log
//! groups.

use std::any::Any;
use std::io::{self, Stdout, Write};

pub use store::chain;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

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
        .with_writer(Named::of(env.function()));
    // A second start in one process happens in tests only; the first one's logger stays.
    let _ = tracing_subscriber::registry().with(targets).with(lines).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, panic = panic_text(panic.payload()), "panicked");
    }));
    Ok(())
}

/// Writes lines with the function's name as their first field.
struct Named<W = Stdout> {
    field: String,
    to: W,
}

impl Named {
    /// Makes a writer for each line.
    fn of(function: &str) -> impl Fn() -> Self + Send + Sync + 'static {
        let field = format!(r#"{{"function":"{function}","#);
        move || Self {
            field: field.clone(),
            to: io::stdout(),
        }
    }
}

impl<W: Write> Write for Named<W> {
    /// A line comes as a whole, an object with several fields.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match line.strip_prefix(b"{") {
            Some(rest) => self.to.write_all(&[self.field.as_bytes(), rest].concat())?,
            None => self.to.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Message of a panic.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_names_its_function() {
        let mut named = Named {
            field: Named::of("send_message")().field,
            to: Vec::new(),
        };
        for line in ["{\"level\":\"WARN\",\"message\":\"{a}\"}\n", "no object\n"] {
            assert_eq!(named.write(line.as_bytes()).unwrap(), line.len());
        }
        let expected = "{\"function\":\"send_message\",\"level\":\"WARN\",\"message\":\"{a}\"}\nno object\n";
        assert_eq!(String::from_utf8(named.to).unwrap(), expected);
    }
}
