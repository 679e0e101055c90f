//! Searches: the conditions of a query as a filter.

use domain::{
    field::{Field, FieldType, FieldValue, Written},
    filter::{Driver, Filter, Test},
    ids::FieldId,
    listing::Word,
    text::OneLine,
};
use kit::Problem;

use crate::models::ContactQuery;

/// A filter, and the list that it reads.
pub(crate) struct Search {
    pub(crate) filter: Filter,
    pub(crate) driver: Driver,
}

impl Search {
    /// The search that a query asks for.
    ///
    /// # Errors
    /// 422 that names the parameter; 400 if no condition has a list.
    pub(crate) fn of(query: ContactQuery, definitions: &[Field]) -> Result<Self, Problem> {
        let field = condition(&query, definitions)?;
        let name = query.name.as_ref().map(OneLine::as_str);
        let words = name.map(Word::of).unwrap_or_default();
        if name.is_some() && words.is_empty() {
            return Err(Problem::field("name", "A name is searched by its letters and digits."));
        }
        let filter = Filter {
            phone: query.phone,
            email: query.email,
            digits: query.digits,
            name: words,
            tag: query.tag,
            field,
            stage: query.stage,
            owner: query.owner,
            source: query.source,
            language: query.language,
            deleted: query.deleted.unwrap_or_default(),
        };
        let driver = filter.driver().ok_or_else(|| {
            Problem::bad_request(
                "No list has these contacts. Add at least one of the conditions `phone`, `email`, `digits`, `name`, `tag`, \
                 `stage`, or `field` with `value`, `from`, `to` or `day`.",
            )
        })?;
        Ok(Self { filter, driver })
    }
}

/// The condition on a field.
fn condition(query: &ContactQuery, definitions: &[Field]) -> Result<Option<(FieldId, Test)>, Problem> {
    let Some(key) = &query.field else {
        let given = [
            ("value", query.value.is_some()),
            ("from", query.from.is_some()),
            ("to", query.to.is_some()),
            ("day", query.day.is_some()),
        ];
        return match given.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Problem::field(name, "Say in `field` which field is meant.")),
            None => Ok(None),
        };
    };
    let Some(field) = definitions.iter().find(|field| field.key == *key && field.searchable) else {
        let keys: Vec<&str> = definitions
            .iter()
            .filter(|field| field.searchable)
            .map(|field| field.key.as_str())
            .collect();
        let detail = if keys.is_empty() {
            "No field is searchable. Create one with `searchable`.".to_owned()
        } else {
            format!("Not a searchable field. Those are: {}.", keys.join(", "))
        };
        return Err(Problem::field("field", detail));
    };
    let value = |name: &str, text: &Option<OneLine<1, 500>>| {
        let read = text.as_ref().map(|text| value(field, text));
        read.transpose().map_err(|detail| Problem::field(name, detail))
    };
    let (equal, from, to) = (
        value("value", &query.value)?,
        value("from", &query.from)?,
        value("to", &query.to)?,
    );
    let test = match (equal, from, to, query.day) {
        (Some(value), None, None, None) => Test::Equals(value),
        (None, None, None, Some(_)) if field.kind != FieldType::Date => {
            return Err(Problem::field("day", "Only a field of the type `date` has days."));
        }
        (None, None, None, Some(day)) => Test::OnDay(day),
        (None, None, None, None) => {
            return Err(Problem::field("field", "Add `value`, `from`, `to` or `day`."));
        }
        (None, from, to, None) => Test::Between(from, to),
        _ => {
            let detail = "Send either `value`, or `day`, or `from` and `to`.";
            return Err(Problem::field("field", detail));
        }
    };
    Ok(Some((field.id, test)))
}

/// The value of a field in a parameter, which is always a text.
fn value(field: &Field, text: &OneLine<1, 500>) -> Result<FieldValue, String> {
    let written = match field.kind {
        FieldType::Number => text.as_str().parse().ok().map(Written::Number),
        FieldType::YesNo => text.as_str().parse().ok().map(Written::YesNo),
        FieldType::Text | FieldType::Date | FieldType::Choice => None,
    };
    let written = written.unwrap_or_else(|| Written::Text(text.clone()));
    field.value(&written).map_err(|detail| format!("The value {detail}."))
}
