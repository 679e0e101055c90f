//! Codes of sentences: the document's extension `x-codes`.

use domain::terms::{FaultCode, Reason};
use serde_json::{Value, json};

/// Value of `x-codes` in the document: the codes of wrong fields, and those of decisions and gaps in the set-up, each with its meaning
/// and the names of the facts that its sentence can have.
pub(crate) fn all() -> Value {
    let faults: Vec<_> = FaultCode::ALL
        .iter()
        .map(|code| of(code.as_str(), code.means(), code.facts()))
        .collect();
    let reasons: Vec<_> = Reason::ALL
        .iter()
        .map(|code| of(code.as_str(), code.means(), code.facts()))
        .collect();
    json!({"faults": faults, "reasons": reasons})
}

fn of(code: &str, means: &str, facts: &[&str]) -> Value {
    json!({"code": code, "means": means, "facts": facts})
}
