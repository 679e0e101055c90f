//! Proposing which column is what, from the names of the columns and the first rows.

use std::collections::HashSet;

use domain::{base::bounded::Whole, contacts::field::Field};

use crate::{
    bounds::MAX_COLUMNS,
    cell::{is_like_a_phone, is_like_an_email, may_be_phones, shown_date_order, shown_decimal_sign},
    mapping::{MappedColumn, Mapping, Target},
    record::{Record, value},
    words::{meaning, spelled},
};

/// A mapping for a person to correct. `header` has the names of the columns, `samples` the first rows, `fields` the tenant's
/// fields. The tenant's own fields come first, if a column has exactly their name or key: a number behind it tells fields apart.
/// Then come words of five languages, then what the cells look like.
pub fn suggest(header: &[String], samples: &[Record], fields: &[Field]) -> Mapping {
    let columns = samples
        .iter()
        .map(Record::len)
        .chain([header.len()])
        .max()
        .unwrap_or_default();
    let targets = (0..columns.min(MAX_COLUMNS)).map(|column| {
        let name = header.get(column).map_or("", String::as_str);
        target(name, column, samples, fields)
    });
    let mut targets: Vec<Option<Target>> = targets.collect();
    settle_names(&mut targets);
    let mut known: Vec<Target> = Vec::new();
    let mut mapped = Vec::new();
    for (column, target) in targets.into_iter().enumerate() {
        let Some(target) = target else { continue };
        let same = known.iter().filter(|other| **other == target).count();
        let column = u32::try_from(column).ok().and_then(Whole::new);
        if let Some(column) = column.filter(|_| same < target.most()) {
            known.push(target.clone());
            mapped.push(MappedColumn { column, target });
        }
    }
    let cells = |wanted: fn(&Target) -> bool| {
        let columns = mapped.iter().filter(move |column| wanted(&column.target));
        columns.flat_map(|column| samples.iter().map(|record| record.cell(column.index())))
    };
    let numbers = |target: &Target| matches!(target, Target::Value | Target::Field(_));
    let dates = |target: &Target| matches!(target, Target::OptedInAt | Target::Field(_));
    Mapping {
        dates: cells(dates).find_map(shown_date_order).unwrap_or_default(),
        decimals: cells(numbers).find_map(shown_decimal_sign).unwrap_or_default(),
        currency: None,
        columns: mapped.into(),
    }
}

fn target(name: &str, column: usize, samples: &[Record], fields: &[Field]) -> Option<Target> {
    let own = spelled(name);
    let is_own = |field: &&Field| {
        let names = [field.name.as_str(), field.key.as_str()];
        !own.is_empty() && names.into_iter().any(|name| spelled(name) == own)
    };
    if let Some(field) = fields.iter().find(is_own) {
        return Some(Target::Field(field.key.clone()));
    }
    let cells = || {
        samples
            .iter()
            .map(|record| value(record.cell(column)))
            .filter(|cell| !cell.is_empty())
    };
    let filled = cells().count();
    let most = |looks: fn(&str) -> bool| filled > 0 && cells().filter(|cell| looks(cell)).count() * 2 > filled;
    let any = |looks: fn(&str) -> bool| filled == 0 || cells().any(looks);
    match meaning(name) {
        // A column "Mobile" can say yes or no.
        Some(Some(Target::Phone)) => any(may_be_phones).then_some(Target::Phone),
        Some(Some(Target::Email)) => any(|cell| cell.contains('@')).then_some(Target::Email),
        // Only an address says which user is responsible.
        Some(Some(Target::Owner)) => any(is_like_an_email).then_some(Target::Owner),
        Some(Some(Target::Name)) if most(is_like_a_phone) => Some(Target::Phone),
        Some(Some(Target::Name)) if most(is_like_an_email) => Some(Target::Email),
        Some(known) => known.clone(),
        None if most(is_like_an_email) => Some(Target::Email),
        None if most(is_like_a_phone) => Some(Target::Phone),
        // Without a header, texts of words that differ are names.
        None if name.is_empty() && most(is_like_a_name) && differ(cells()) => Some(Target::Name),
        None => None,
    }
}

fn is_like_a_name(cell: &str) -> bool {
    let letters = cell
        .chars()
        .all(|sign| sign.is_alphabetic() || " .'-’".contains(sign) || !sign.is_ascii());
    letters && cell.chars().any(char::is_alphabetic) && cell.chars().count() <= 60
}

fn differ<'a>(cells: impl Iterator<Item = &'a str>) -> bool {
    let cells: Vec<&str> = cells.collect();
    let different: HashSet<&str> = cells.iter().copied().collect();
    different.len() * 2 > cells.len()
}

/// "Name" beside a first name is the last name, as "Nom" beside "Prénom", and beside a last name the first, as "Nombre" beside
/// "Apellidos". Beside both, it is the whole.
fn settle_names(targets: &mut [Option<Target>]) {
    let has =
        |targets: &[Option<Target>], wanted: &Target| targets.iter().any(|target| target.as_ref() == Some(wanted));
    if !has(targets, &Target::Name) {
        return;
    }
    let first = has(targets, &Target::FirstName);
    let whole = !(first ^ has(targets, &Target::LastName));
    let last = has(targets, &Target::LastName);
    for target in targets {
        *target = match target.take() {
            Some(Target::Name) if first && !last => Some(Target::LastName),
            Some(Target::Name) if last && !first => Some(Target::FirstName),
            Some(Target::FirstName | Target::LastName) if first && last => None,
            Some(Target::MiddleName) if whole => None,
            other => other,
        };
    }
}
