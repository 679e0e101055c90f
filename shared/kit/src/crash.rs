//! Crashes on purpose, in the local stage only. The chaos test places them between a write and the next step.

use std::sync::OnceLock;

use crate::{ConfigError, Env, Ids, Stage};

static POINTS: OnceLock<Points> = OnceLock::new();

#[derive(Debug)]
struct Points {
    chances: Vec<(String, f64)>,
    ids: Ids,
}

/// Takes the points from `CRASH_POINTS`, such as `process_call.committed=0.05,send_message.claimed=0.02`.
pub(crate) fn init(env: &Env) -> Result<(), ConfigError> {
    if env.stage() != Stage::Local {
        return Ok(());
    }
    let chances = parse(env.config().optional("CRASH_POINTS").unwrap_or_default())?;
    if !chances.is_empty() {
        let ids = env.ids().clone();
        // A second start in one process happens in tests only, which set none.
        let _ = POINTS.set(Points { chances, ids });
    }
    Ok(())
}

fn parse(text: &str) -> Result<Vec<(String, f64)>, ConfigError> {
    let wrong = || ConfigError::new("CRASH_POINTS", "must look like point=0.05,other=0.1");
    text.split(',')
        .filter(|part| !part.trim().is_empty())
        .map(|part| {
            let (name, chance) = part.split_once('=').ok_or_else(wrong)?;
            let chance: f64 = chance.trim().parse().map_err(|_| wrong())?;
            if (0.0..=1.0).contains(&chance) {
                Ok((name.trim().to_owned(), chance))
            } else {
                Err(wrong())
            }
        })
        .collect()
}

/// Ends the process here with the configured probability, like a power failure: nothing unwinds and nothing is answered.
pub fn point(name: &str) {
    let Some(points) = POINTS.get() else { return };
    for (known, chance) in &points.chances {
        if known == name && points.ids.fraction() < *chance {
            eprintln!(r#"{{"level":"warn","message":"crashed on purpose","point":"{name}"}}"#);
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crash_points_are_parsed_with_their_probability() {
        assert_eq!(
            parse("a=0.5, b.c=1"),
            Ok(vec![("a".to_owned(), 0.5), ("b.c".to_owned(), 1.0)])
        );
        assert_eq!(parse(""), Ok(vec![]));
        for wrong in ["a", "a=2", "a=x", "a=-0.1", "a=NaN"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
