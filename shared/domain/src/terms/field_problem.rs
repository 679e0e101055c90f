//! Problems of the fields of an object, and warnings.

use std::collections::HashSet;
use std::fmt;

use crate::terms::{Facts, Fault, FaultCode, Piece, Refusal, Source, is_language, placeholders};

/// A problem of a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldProblem {
    /// The field as it is written in JSON: `holidays[3].to`.
    pub field: String,
    /// The problem, and what would be correct.
    pub detail: String,
    /// Its code.
    pub code: FaultCode,
    pub facts: Facts,
}

impl FieldProblem {
    /// A problem of this field.
    pub fn new(field: impl Into<String>, fault: impl Into<Fault>) -> Self {
        let Fault { code, facts, detail } = fault.into();
        Self {
            field: field.into(),
            detail,
            code,
            facts,
        }
    }

    /// Puts the problem into an object that is itself a field, such as `filter`.
    pub fn within(self, object: &str) -> Self {
        Self {
            field: format!("{object}.{}", self.field),
            ..self
        }
    }
}

/// An allowed value that is perhaps a mistake: it may keep a rule from doing its work at present, or a template from being approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The field that it is about, such as `then.template`.
    pub field: String,
    /// The reason: one sentence, a code and facts.
    pub why: Refusal,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.why)
    }
}

/// Problems that a change adds. Values that were valid when they were stored prevent no other change.
pub fn added_problems(before: &[FieldProblem], mut after: Vec<FieldProblem>) -> Vec<FieldProblem> {
    let known: HashSet<_> = before.iter().collect();
    after.retain(|problem| !known.contains(problem));
    after
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.detail)
    }
}

#[derive(Debug, Default)]
pub struct Findings(pub Vec<FieldProblem>);

impl Findings {
    /// Adds a problem of a field.
    pub fn add(&mut self, field: impl Into<String>, fault: impl Into<Fault>) {
        self.0.push(FieldProblem::new(field, fault));
    }

    /// Adds a problem of a field, unless it is right.
    pub fn expect(&mut self, right: bool, field: impl Into<String>, fault: impl Into<Fault>) {
        if !right {
            self.add(field, fault);
        }
    }

    /// Adds what is wrong with the text of a message in one language, as far as its author alone causes it. Returns the sources of
    /// its values.
    pub(crate) fn text(&mut self, field: &str, language: Option<&str>, text: &str) -> Vec<Source> {
        if language.is_some_and(|language| !is_language(language)) {
            let detail = "The name of a text is a language tag such as en, ar or pt-BR.";
            self.add(field, Fault::format("language", "pt-BR", detail));
        }
        match placeholders(text) {
            Ok(pieces) => {
                let sources = pieces.into_iter().filter_map(|piece| match piece {
                    Piece::Value { source, .. } => Some(source),
                    Piece::Text(_) => None,
                });
                sources.inspect(|source| self.link(field, source)).collect()
            }
            Err(error) => {
                let detail = format!("A placeholder is wrong: {error}.");
                let fault = Fault::format("placeholder", "{{contact.first_name|there}}", detail);
                self.add(field, fault);
                Vec::new()
            }
        }
    }

    /// Adds what is wrong with a tracked link that somebody writes. Links of before may lead to such pages.
    pub(crate) fn link(&mut self, place: &str, source: &Source) {
        if let Source::Link(target) | Source::LinkCode(target) = source
            && target.is_plain()
        {
            let detail =
                "A tracked link leads to a page with https://; write another page as it stands, without {{link:…}}.";
            self.add(
                place,
                Fault::format("placeholder", "{{link:https://saffron.example/cake}}", detail),
            );
        }
    }

    /// Whether there are few enough to check them one by one.
    pub(crate) fn at_most(&mut self, field: &str, length: usize, most: usize) -> bool {
        if length > most {
            let detail = format!("Expected at most {most} entries, got {length}.");
            self.add(field, Fault::too_many(most, detail));
        }
        length <= most
    }
}
