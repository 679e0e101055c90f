//! Values of a contact in a record.

use std::collections::{BTreeMap, HashSet};

use domain::money::Price;
use domain::people::{
    Field, FieldType, MAX_FIELD_LENGTH, MAX_IDENTITIES, MAX_NAME_LENGTH, Origin, Profile, RowConsent, Said, Written,
    WrittenFields,
};
use domain::terms::{Channel, Email, Fact, Fault, FaultCode, FieldKey, Language, OneLine, Phone, UpTo, fold};
use jiff::civil::Date;
use rlibphonenumber::Region;
use serde::Serialize;

use crate::bounds::MAX_ERRORS;
use crate::cell;
use crate::dialect::Dialect;
use crate::mapping::{MappedColumn, Mapping, Target};
use crate::parts::parts;
use crate::phone::{Found, country, phone};
use crate::reader::Item;
use crate::record::{Record, RowError, excerpt, value};
use crate::words::{EMPTY, NO, meaning, place_of_use};

/// Name of a tag or a stage.
pub type Label = OneLine<1, 60>;

/// Values of a contact in a record. Tags, stage and owner are named as in the table; whether they exist is another question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ContactRow"))]
pub struct Row {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "Maya Haddad"))]
    pub name: Option<OneLine<1, MAX_NAME_LENGTH>>,
    /// Telephone numbers, all different.
    #[serde(skip_serializing_if = "UpTo::is_empty")]
    pub phones: UpTo<MAX_IDENTITIES, Phone>,
    /// E-mail addresses, all different.
    #[serde(skip_serializing_if = "UpTo::is_empty")]
    pub emails: UpTo<MAX_IDENTITIES, Email>,
    /// Language for messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Names of tags, all different.
    #[serde(skip_serializing_if = "UpTo::is_empty")]
    #[cfg_attr(feature = "schema", schemars(example = serde_json::json!(["Regular"])))]
    pub tags: UpTo<{ Profile::MAX_TAGS }, Label>,
    /// Values of the tenant's fields, each valid for its field.
    #[serde(skip_serializing_if = "WrittenFields::is_empty")]
    #[cfg_attr(feature = "schema", schemars(example = serde_json::json!({"visits": 3})))]
    pub fields: WrittenFields,
    /// Name of the stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "Quote sent"))]
    pub stage: Option<Label>,
    /// E-mail address of the user who is responsible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Email>,
    /// Source of the lead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(example = "Web form"))]
    pub source: Option<Origin>,
    /// Expected value of the lead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Price>,
    /// Whether the person agreed to messages.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "is_yes")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<bool>"))]
    pub opted_in: Option<Said>,
    /// Whether the person agreed to SMS, or unsubscribed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opted_in_sms: Option<Said>,
    /// Whether the person agreed to messages by WhatsApp, or unsubscribed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opted_in_whatsapp: Option<Said>,
    /// Day of the person's agreement.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<domain::terms::Day>", example = "2026-11-20")
    )]
    pub opted_in_at: Option<Date>,
    /// Cells that were read, but may be wrong: sentences for the person who imports them.
    #[serde(skip_serializing_if = "UpTo::is_empty")]
    pub remarks: UpTo<MAX_ERRORS, RowError>,
}

#[expect(clippy::ref_option, reason = "serde asks so")]
fn is_yes<S: serde::Serializer>(said: &Option<Said>, serializer: S) -> Result<S::Ok, S::Error> {
    said.map(|said| said == Said::Yes).serialize(serializer)
}

/// The table and the tenant of a record.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The table's dialect, with the names of its columns.
    pub dialect: &'a Dialect,
    pub fields: &'a [Field],
    /// Country of numbers without a country code, as an ISO 3166 code.
    pub region: Option<&'a str>,
}

/// A record with a contact's values, or with what is wrong with it.
pub type Line = (Record, Result<Row, Vec<RowError>>);

/// A contact's values of what a table has.
pub fn read(item: Item, mapping: &Mapping, context: &Context<'_>) -> Line {
    match item {
        Ok(record) => {
            let row = Row::of(&record, mapping, context);
            (record, row)
        }
        Err(broken) => {
            let error = broken.error();
            (broken.record, Err(vec![error]))
        }
    }
}

/// A text of one line. Line breaks, which addresses have in tables, become spaces.
fn line<const MAX: usize>(cell: &str) -> Result<OneLine<1, MAX>, String> {
    let lines: Vec<&str> = cell
        .split(['\r', '\n', '\t'])
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let text = lines.join(" ");
    let wrong = |error| format!("“{}” cannot be used: it {error}. Change it.", excerpt(cell));
    text.parse().map_err(wrong)
}

/// Adds an item unless it is there already. Most tables have some people's numbers twice.
fn add<T: PartialEq>(items: &mut Vec<T>, item: T) {
    if !items.contains(&item) {
        items.push(item);
    }
}

/// Whether a cell has no value for this target. A dash is a no where yes or no is asked.
fn is_empty(cell: &str, target: &Target) -> bool {
    let word = || fold(cell);
    cell.is_empty()
        || EMPTY.contains(&word().as_str()) && !(target.consent().is_some() && NO.contains(&word().as_str()))
}

/// A remark on a cell that was left out.
fn left_out(error: RowError) -> RowError {
    let detail = format!("{} The cell was left out.", error.detail);
    RowError { detail, ..error }
}

/// The columns in the order of reading: as mapped, but numbers by the use that the row itself names for them, as in
/// Google's "Phone 1 - Label". Those of faxes and their like are left out.
fn by_use<'m>(record: &Record, mapping: &'m Mapping, dialect: &Dialect) -> Vec<&'m MappedColumn> {
    let label = |column: &MappedColumn| (column.target == Target::Phone).then(|| dialect.label(column.index()))?;
    if !mapping.columns.iter().any(|column| label(column).is_some()) {
        return mapping.columns.iter().collect();
    }
    let (phones, mut columns): (Vec<_>, Vec<_>) = mapping
        .columns
        .iter()
        .partition(|column| column.target == Target::Phone);
    let place = |column: &'m MappedColumn| {
        let label = label(column).map_or("", |label| value(record.cell(label)));
        place_of_use(label).map(|place| (place, column))
    };
    let mut phones: Vec<_> = phones.into_iter().filter_map(place).collect();
    phones.sort_by_key(|(place, _)| *place);
    columns.extend(phones.into_iter().map(|(_, column)| column));
    columns
}

/// Form of the cells of a target, with an example. `None`: any text.
fn form(target: &Target, fields: &[Field]) -> Option<(&'static str, &'static str)> {
    Some(match target {
        Target::Phone => ("phone", "+971501234567"),
        Target::CountryCode | Target::Country => ("calling_code", "971"),
        Target::Email | Target::Owner => ("email", "name@example.com"),
        Target::Language => ("language", "ar"),
        Target::Value => ("price", "1500 AED"),
        Target::OptedInAt => ("date", "2026-11-20"),
        Target::Field(key) => match fields.iter().find(|field| field.key == *key)?.kind {
            FieldType::Number => ("number", "12.5"),
            FieldType::Date => ("date", "2026-11-20"),
            FieldType::YesNo => ("yes_no", "yes"),
            FieldType::Text | FieldType::Choice => return None,
        },
        target => target.consent().map(|_| ("yes_no", "yes"))?,
    })
}

/// The value of a field in a cell.
fn field_value(cell: &str, field: &Field, mapping: &Mapping) -> Result<Written, Fault> {
    let written = match field.kind {
        FieldType::Text | FieldType::Choice => Written::Text(line::<MAX_FIELD_LENGTH>(cell)?),
        FieldType::Number => Written::Number(cell::number(cell, mapping.decimals)?),
        FieldType::Date => Written::Text(OneLine::from_stored(&cell::date(cell, mapping.dates)?.to_string())),
        FieldType::YesNo => Written::YesNo(cell::yes_no(cell)?),
    };
    match field.value(&written) {
        Ok(_) => Ok(written),
        Err(_) if field.kind == FieldType::Choice => {
            let options = field.options.iter().map(|option| excerpt(option.as_str()));
            let options = options.take(10).collect::<Vec<_>>().join(", ");
            let more = if field.options.len() > 10 { ", …" } else { "" };
            let cell = excerpt(cell);
            let detail = format!("“{cell}” is not an option of the field. Write one of: {options}{more}.");
            let expected: Fact = field.options.iter().map(OneLine::as_str).collect();
            Err(Fault::new(FaultCode::NotOneOf, detail).and("expected", expected))
        }
        Err(fault) => Err(format!("“{}” {}.", excerpt(cell), fault.detail).into()),
    }
}

impl Row {
    /// The values of a contact in a record. Empty cells have none.
    ///
    /// # Errors
    /// The errors of the record's cells, at most [`MAX_ERRORS`].
    pub fn of(record: &Record, mapping: &Mapping, context: &Context<'_>) -> Result<Self, Vec<RowError>> {
        let mut values = Values::default();
        let (mut errors, mut remarks) = (Vec::new(), Vec::new());
        let (mut numbers, mut names) = (Vec::new(), Vec::new());
        let cell_of = |target: &Target| {
            let column = mapping.columns.iter().find(|column| column.target == *target)?;
            Some(value(record.cell(column.index())))
        };
        let code = cell_of(&Target::CountryCode);
        values.country_code = code.and_then(country);
        let has_digits = |code: &str| code.contains(char::is_numeric);
        values.is_code_unknown = values.country_code.is_none() && code.is_some_and(has_digits);
        values.country = cell_of(&Target::Country).and_then(country);
        let opts_in = |channel| mapping.has(&Target::of_channel(channel, false));
        values.by_channel = Channel::ALL.into_iter().any(opts_in);
        for column in by_use(record, mapping, context.dialect) {
            let cell = value(record.cell(column.index()));
            let read = if is_empty(cell, &column.target) {
                Ok(())
            } else {
                values.read(column, cell, mapping, context)
            };
            let about = |fault: Fault| {
                let form = form(&column.target, context.fields).filter(|_| fault.code == FaultCode::Invalid);
                let fault = match form {
                    Some((expected, example)) => Fault::format(expected, example, fault.detail),
                    None => fault,
                };
                RowError::of_cell(record.row, Some(context.dialect.name(column.index())), fault)
            };
            remarks.extend(values.remarks.drain(..).map(about));
            match read {
                Ok(()) => {}
                Err(fault) if column.target.is_optional() => {
                    values.leave_out(&column.target);
                    remarks.push(left_out(about(fault)));
                }
                Err(fault) if column.target == Target::Phone => numbers.push(about(fault)),
                Err(fault) => names.push(about(fault)),
            }
        }
        if let Err(detail) = values.join_name() {
            names.push(RowError::of_row(record.row, detail));
        }
        // Somebody with a number is a contact without another one, and somebody with a number or an address without the others.
        if values.phones.is_empty() {
            errors.append(&mut numbers);
            if values.emails.is_empty() {
                errors.append(&mut names);
            }
        }
        remarks.extend(numbers.into_iter().chain(names).map(left_out));
        let mut row = values.row();
        row.remark(remarks);
        if row.name.is_none() && row.phones.is_empty() && row.emails.is_empty() && errors.is_empty() {
            let detail = "The row has no name, telephone number or e-mail address. Add one of them.";
            let fault = Fault::requires(&["name", "phone", "email"], detail);
            errors.push(RowError::of_row(record.row, fault));
        }
        if errors.is_empty() {
            return Ok(row);
        }
        errors.truncate(MAX_ERRORS);
        Err(errors)
    }

    /// Adds remarks, up to [`MAX_ERRORS`] a row.
    pub(crate) fn remark(&mut self, further: Vec<RowError>) {
        if !further.is_empty() {
            let remarks = self.remarks.iter().cloned().chain(further);
            self.remarks = remarks.take(MAX_ERRORS).collect::<Vec<_>>().into();
        }
    }

    /// The row's statement of consent.
    pub(crate) const fn consent(&self) -> RowConsent {
        RowConsent {
            opted_in: self.opted_in,
            sms: self.opted_in_sms,
            whatsapp: self.opted_in_whatsapp,
            on: self.opted_in_at,
        }
    }
}

/// Values before they are complete.
#[derive(Default)]
struct Values {
    row: Row,
    first_name: Option<OneLine<1, MAX_NAME_LENGTH>>,
    middle_name: Option<OneLine<1, MAX_NAME_LENGTH>>,
    last_name: Option<OneLine<1, MAX_NAME_LENGTH>>,
    /// The countries of the row's national numbers: the one that its calling code names, and the one that the person lives in.
    country_code: Option<Region>,
    country: Option<Region>,
    /// Whether there is an invalid calling code, so that the country of a national number is unknown.
    is_code_unknown: bool,
    /// Whether columns of channels say who agreed. A day says nothing of channels.
    by_channel: bool,
    phones: Vec<Phone>,
    emails: Vec<Email>,
    tags: Vec<Label>,
    fields: BTreeMap<FieldKey, Written>,
    /// Remarks on the cell that was read last.
    remarks: Vec<Fault>,
}

impl Values {
    fn read(
        &mut self,
        column: &MappedColumn,
        cell: &str,
        mapping: &Mapping,
        context: &Context<'_>,
    ) -> Result<(), Fault> {
        match &column.target {
            Target::Name => self.row.name = Some(line(cell)?),
            Target::FirstName => self.first_name = Some(line(cell)?),
            Target::MiddleName => self.middle_name = Some(line(cell)?),
            Target::LastName => self.last_name = Some(line(cell)?),
            Target::Phone => {
                let name = context.dialect.header.get(column.index());
                let named = &|| name.is_some_and(|name| matches!(meaning(name), Some(Some(Target::Phone))));
                let mut wrong = None;
                for part in parts(cell) {
                    // Address books have more columns of numbers than a contact, the preferred ones first.
                    if !self.has_room(self.phones.len(), MAX_IDENTITIES, "telephone numbers") {
                        break;
                    }
                    match self.phone(part.text(), context.region, named) {
                        Ok(found) => {
                            add(&mut self.phones, found.phone);
                            let remark = found.remark.map(|detail| Fault::new(FaultCode::UnknownRange, detail));
                            self.remarks.extend(remark);
                        }
                        // Cards have several numbers in a cell, and others of them may be right.
                        Err(detail) => _ = wrong.get_or_insert(detail),
                    }
                }
                return wrong.map_or(Ok(()), Err);
            }
            Target::CountryCode if self.country_code.is_none() => {
                let detail = "is no calling code and no country. Write it as 971 or AE.";
                return Err(format!("“{}” {detail}", excerpt(cell)).into());
            }
            // Countries of addresses have any names.
            Target::CountryCode | Target::Country => {}
            Target::Email => {
                let mut wrong = None;
                for part in parts(cell) {
                    if !self.has_room(self.emails.len(), MAX_IDENTITIES, "e-mail addresses") {
                        break;
                    }
                    match cell::email(part.text()) {
                        Ok(email) => add(&mut self.emails, email),
                        Err(detail) => _ = wrong.get_or_insert(detail),
                    }
                }
                return wrong.map_or(Ok(()), |detail| Err(detail.into()));
            }
            Target::Language => self.row.language = Some(cell::language(cell)?),
            Target::Tags => {
                let mut seen: HashSet<String> = self.tags.iter().map(|tag| fold(tag.as_str())).collect();
                for tag in parts(cell).filter_map(|part| Some(part.tag()?.to_owned())) {
                    let tag: Label = match line(&tag) {
                        Ok(tag) => tag,
                        Err(detail) => {
                            self.remarks.push(format!("{detail} The cell was left out.").into());
                            continue;
                        }
                    };
                    if !seen.insert(fold(tag.as_str())) {
                        continue;
                    }
                    // Otherwise, a cell of thousands of tags would be compared with itself.
                    if !self.has_room(self.tags.len(), Profile::MAX_TAGS, "tags") {
                        break;
                    }
                    self.tags.push(tag);
                }
            }
            Target::Field(key) => {
                let Some(field) = context.fields.iter().find(|field| field.key == *key) else {
                    let detail = "The field of this column no longer exists. Choose another for it.";
                    return Err(Fault::new(FaultCode::NotFound, detail));
                };
                self.fields.insert(key.clone(), field_value(cell, field, mapping)?);
            }
            Target::Stage => self.row.stage = Some(line(cell)?),
            Target::Owner => self.row.owner = Some(cell::email(cell)?),
            Target::Source => self.row.source = Some(line(cell)?),
            Target::Value => {
                self.row.value = Some(cell::price(cell, mapping.currency.as_ref(), mapping.decimals)?);
            }
            Target::OptedIn
            | Target::OptedInSms
            | Target::OptedInWhatsApp
            | Target::OptedOutSms
            | Target::OptedOutWhatsApp => {
                let opts_out = column.target.consent().is_some_and(|about| about.opts_out);
                self.say(&column.target, cell::stated_consent(cell, opts_out)?);
            }
            Target::OptedInAt => self.row.opted_in_at = Some(cell::date(cell, mapping.dates)?),
        }
        Ok(())
    }

    /// Whether there is room for one more of these. Otherwise, a remark says that further ones are left out.
    fn has_room(&mut self, count: usize, most: usize, plural: &str) -> bool {
        if count < most {
            return true;
        }
        let detail = format!("A contact has at most {most} {plural}. Further ones are left out.");
        self.remarks.push(Fault::too_many(most, detail));
        false
    }

    /// A telephone number. A national one is of the row's calling code, or of the person's country if it fits that, or else of the business's.
    fn phone(&self, text: &str, usual: Option<&str>, named: &dyn Fn() -> bool) -> Result<Found, Fault> {
        let of = |region: Region| region.as_region_str();
        if let Some(region) = self.country_code {
            return phone(text, Some(&of(region)), named);
        }
        if self.is_code_unknown {
            return phone(text, None, named).map_err(|_| {
                let text = excerpt(text);
                format!("“{text}” has no country, since its calling code cannot be read. Correct the code, or write the number with a plus.").into()
            });
        }
        let own = self
            .country
            .and_then(|region| phone(text, Some(&of(region)), &|| false).ok());
        own.map_or_else(|| phone(text, usual, named), Ok)
    }

    /// Notes that a cell of this target was left out. Nobody agreed by a cell that cannot be read.
    fn leave_out(&mut self, target: &Target) {
        match target {
            Target::OptedInAt => self.row.opted_in = self.row.opted_in.or(Some(Said::Unknown)),
            other => self.say(other, Some(Said::Unknown)),
        }
    }

    /// Notes what a cell of consent says. Of two, the one that allows less counts.
    fn say(&mut self, target: &Target, said: Option<Said>) {
        let known = match target.consent().map(|about| about.channel) {
            None => return,
            Some(None) => &mut self.row.opted_in,
            Some(Some(Channel::Sms)) => &mut self.row.opted_in_sms,
            Some(Some(Channel::WhatsApp)) => &mut self.row.opted_in_whatsapp,
        };
        *known = said.max(*known);
    }

    /// The name from its parts, unless there is a whole one.
    fn join_name(&mut self) -> Result<(), String> {
        let parts = [&self.first_name, &self.middle_name, &self.last_name];
        let parts = parts.into_iter().flatten();
        let name: Vec<&str> = parts.map(OneLine::as_str).collect();
        if self.row.name.is_none() && !name.is_empty() {
            self.row.name = Some(line(&name.join(" "))?);
        }
        Ok(())
    }

    fn row(self) -> Row {
        let mut row = self.row;
        row.phones = self.phones.into();
        row.emails = self.emails.into();
        row.tags = self.tags.into();
        row.fields = WrittenFields(self.fields);
        // A day alone means yes. With a no, it is the day of the no.
        if row.opted_in.is_none() && !self.by_channel {
            row.opted_in = row.opted_in_at.map(|_| Said::Yes);
        }
        let said = [row.opted_in, row.opted_in_sms, row.opted_in_whatsapp];
        if !said.contains(&Some(Said::Yes)) && said != [None; 3] {
            row.opted_in_at = None;
        }
        row
    }
}
