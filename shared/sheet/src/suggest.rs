//! Proposing which column is what, from the names of the columns and the first rows.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use domain::people::Stage;
use domain::terms::{Whole, fold};
use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

use crate::bounds::MAX_COLUMNS;
use crate::cell::{
    date, is_like_a_phone, is_like_an_email, may_be_phones, plain, shown_date_order, shown_decimal_sign, stated_consent,
};
use crate::mapping::{DateOrder, MappedColumn, Mapping, Target};
use crate::names::Named;
use crate::phone::phone;
use crate::record::{Record, value};
use crate::row::Context;
use crate::words::{
    EMPTY, NO_NUMBERS, OTHER_NUMBERS, comparable_name, consent, has_word, is_of_consent, meaning, place,
};

/// Digits of a number that no name calls one. An Emirates ID has 15, a card mostly 16.
const DIGITS: RangeInclusive<usize> = 7..=14;

/// A mapping for a person to correct. `samples` are the first rows, `stages` those of the tenant. The tenant's own
/// fields come first, if a column has exactly their name or key: a number behind it tells fields apart. Then come words
/// of five languages, then the looks of the cells. Columns of telephone numbers are in the order that people prefer, so
/// that a row's first number is that of a mobile.
pub fn suggest(samples: &[Record], stages: &[Stage], context: &Context<'_>) -> Mapping {
    let columns = samples
        .iter()
        .map(Record::len)
        .chain([context.dialect.header.len()])
        .max()
        .unwrap_or_default();
    let table = Table {
        samples,
        stages,
        context,
    };
    let targets = |by_cells: bool| -> Vec<Option<Target>> {
        let columns = 0..columns.min(MAX_COLUMNS);
        columns.map(|column| table.target(column, by_cells)).collect()
    };
    // Cells of ids look like numbers, too, so they count only if no column is called a number.
    let mut targets = match targets(false) {
        named if named.contains(&Some(Target::Phone)) => named,
        _ => targets(true),
    };
    settle_names(&mut targets);
    table.settle_days(&mut targets);
    let mut known: Vec<Target> = Vec::new();
    let mut mapped = Vec::new();
    for (column, target) in table.put_preferred_first(targets) {
        let same = known.iter().filter(|other| **other == target).count();
        let column = u32::try_from(column).ok().and_then(Whole::new);
        if let Some(column) = column.filter(|_| same < target.maximum_columns()) {
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

/// Names of columns that the mapping leaves out although their cells look like telephone numbers, such as those of faxes.
pub fn numbers_left_out(samples: &[Record], mapping: &Mapping, context: &Context<'_>) -> Vec<String> {
    left_out(samples, mapping, context, |table, column| {
        let name = table.name(column);
        let other = has_word(name, OTHER_NUMBERS) && table.is_mostly(column, may_be_phones);
        let is_number = || other || table.is_mostly(column, |cell| table.is_a_number(cell));
        !has_word(name, NO_NUMBERS) && is_number()
    })
}

/// Names of columns that the mapping leaves out although they say who agreed to messages, such as those of e-mail.
pub fn consents_left_out(samples: &[Record], mapping: &Mapping, context: &Context<'_>) -> Vec<String> {
    left_out(samples, mapping, context, |table, column| {
        is_of_consent(table.name(column)) && table.is_mostly(column, is_consent)
    })
}

/// Names of columns of this kind that the mapping leaves out.
fn left_out(
    samples: &[Record],
    mapping: &Mapping,
    context: &Context<'_>,
    is: impl Fn(Table<'_>, usize) -> bool,
) -> Vec<String> {
    let table = Table {
        samples,
        stages: &[],
        context,
    };
    let is_mapped = |column: usize| mapping.columns.iter().any(|mapped| mapped.index() == column);
    let columns = 0..context.dialect.columns.min(MAX_COLUMNS);
    columns
        .filter(|column| !is_mapped(*column) && is(table, *column))
        .map(|column| context.dialect.name(column))
        .collect()
}

/// The first rows of a table, with what is known about the tenant.
#[derive(Clone, Copy)]
struct Table<'a> {
    samples: &'a [Record],
    stages: &'a [Stage],
    context: &'a Context<'a>,
}

impl<'a> Table<'a> {
    fn name(self, column: usize) -> &'a str {
        self.context.dialect.header.get(column).map_or("", String::as_str)
    }

    /// The cells of a column that are not empty.
    fn cells(self, column: usize) -> impl Iterator<Item = &'a str> {
        let cells = self.samples.iter().map(move |record| value(record.cell(column)));
        cells.filter(|cell| !cell.is_empty())
    }

    fn is_mostly(self, column: usize, looks: impl Fn(&str) -> bool) -> bool {
        self.cells(column).filter(|cell| looks(cell)).count() * 2 > self.cells(column).count()
    }

    /// A column's probable target. `by_cells`: whether a column counts as one of telephone numbers if its cells are,
    /// whatever its name.
    fn target(self, column: usize, by_cells: bool) -> Option<Target> {
        let name = self.name(column);
        let own = comparable_name(name);
        let mut fields = self.context.fields.iter();
        let field = fields.find(|field| {
            let names = [field.name.as_str(), field.key.as_str()];
            !own.is_empty() && names.into_iter().any(|name| comparable_name(name) == own)
        });
        if let Some(field) = field {
            return Some(Target::Field(field.key.clone()));
        }
        let most = |looks: fn(&str) -> bool| self.is_mostly(column, looks);
        let any = |looks: fn(&str) -> bool| self.cells(column).next().is_none() || self.cells(column).any(looks);
        let numbers = || self.is_mostly(column, |cell| self.is_a_number(cell));
        let no_number = has_word(name, OTHER_NUMBERS) || has_word(name, NO_NUMBERS);
        match meaning(name) {
            // A column "Mobile" can say yes or no.
            Some(Some(Target::Phone)) => any(may_be_phones).then_some(Target::Phone),
            Some(Some(Target::Email)) => any(|cell| cell.contains('@')).then_some(Target::Email),
            // Only an address says which user is responsible.
            Some(Some(Target::Owner)) => any(is_like_an_email).then_some(Target::Owner),
            // A stage that does not exist would refuse the row.
            Some(Some(Target::Stage)) => self.has_stages(column).then_some(Target::Stage),
            Some(Some(Target::Name)) if numbers() => by_cells.then_some(Target::Phone),
            Some(Some(Target::Name)) if most(is_like_an_email) => Some(Target::Email),
            Some(known) => known.clone(),
            None if consent(name).is_some() && self.says_consent(column) => consent(name),
            None if most(is_like_an_email) => Some(Target::Email),
            None if by_cells && !no_number && numbers() => Some(Target::Phone),
            // Without a header, texts of words that differ are names.
            None if name.is_empty() && most(is_like_a_name) && differ(self.cells(column)) => Some(Target::Name),
            None => None,
        }
    }

    /// Whether the cells of a column say who agreed, or it has none.
    fn says_consent(self, column: usize) -> bool {
        self.cells(column).next().is_none() || self.is_mostly(column, is_consent)
    }

    /// A day alone is that of an opt-in, but beside columns of consent that are all left out, as those of e-mail are, it is theirs.
    fn settle_days(self, targets: &mut [Option<Target>]) {
        let mut known = targets.iter().flatten();
        let says = known.any(|target| *target != Target::OptedInAt && target.opts_in());
        let is_left_out = |column: usize| targets[column].is_none() && is_of_consent(self.name(column));
        if !says && (0..targets.len()).any(is_left_out) {
            for target in targets.iter_mut().filter(|target| **target == Some(Target::OptedInAt)) {
                *target = None;
            }
        }
    }

    fn has_stages(self, column: usize) -> bool {
        let stages = Named::of(self.stages.iter().map(|stage| (stage.name.as_str(), stage.id)));
        self.cells(column).next().is_some() && self.cells(column).all(|cell| stages.find(cell).is_some())
    }

    /// Whether a cell looks like a telephone number without a name that says so: one with a plus, or one of the business's country, with or
    /// without its code. An IP address has four groups with points.
    fn is_a_number(self, cell: &str) -> bool {
        let text = plain(cell);
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let grouped = text.chars().all(|sign| sign.is_ascii_digit() || " -".contains(sign));
        let is_date = |order| date(&text, order).is_ok();
        if !(grouped || is_like_a_phone(&text))
            || !DIGITS.contains(&digits)
            || text.split('.').count() == 4
            || is_date(DateOrder::DayFirst)
            || is_date(DateOrder::MonthFirst)
        {
            return false;
        }
        let own = || self.context.region?.parse::<Region>().ok();
        let code = || PHONE_NUMBER_UTIL.get_country_code_for_region(own()?);
        phone(&text, self.context.region, &|| false).is_ok_and(|found| {
            let national = || code().is_some_and(|code| found.phone.digits().starts_with(&code.to_string()));
            text.starts_with('+') || national()
        })
    }

    /// The columns with their targets. Those of telephone numbers change places, so that the preferred ones come first.
    fn put_preferred_first(self, targets: Vec<Option<Target>>) -> Vec<(usize, Target)> {
        let targets = targets.into_iter().enumerate();
        let mut columns: Vec<(usize, Target)> =
            targets.filter_map(|(column, target)| Some((column, target?))).collect();
        let is_phone = |(_, target): &&mut (usize, Target)| *target == Target::Phone;
        let mut phones: Vec<usize> = columns.iter_mut().filter(is_phone).map(|(column, _)| *column).collect();
        phones.sort_by_key(|column| place(self.name(*column)));
        for ((column, _), phone) in columns.iter_mut().filter(is_phone).zip(phones) {
            *column = phone;
        }
        columns
    }
}

fn is_consent(cell: &str) -> bool {
    stated_consent(cell, false).is_ok() || EMPTY.contains(&fold(cell).as_str())
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
