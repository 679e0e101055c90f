//! Keys of what is counted by the hour and by the day.

use domain::messages::TemplateEdition;
use domain::templates::TemplateId;
use domain::terms::LineId;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Key, line_at, line_place, tenant_partition};
use crate::TenantScope;

/// The partition of what is counted by the hour, and of how far it is rolled up.
pub(crate) fn hours_partition(scope: &TenantScope) -> String {
    format!("{}#STATS#HOURS", tenant_partition(scope))
}

/// The counts of a stream shard in an hour for a line.
pub(crate) fn hour(scope: &TenantScope, at: Timestamp, line: Option<LineId>, shard: &str) -> Key {
    let place = format!("{}#{}#{shard}", hour_place(at), line_place(line));
    Key::new(hours_partition(scope), place)
}

/// Beginning of the sort keys of an hour, `2026-11-20T09`: before all of its rows, and after those of the hours before.
pub(crate) fn hour_place(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H").to_string()
}

/// Hour and line of a row of [`hours_partition`].
pub(crate) fn counted_hour(sk: &str) -> Option<(Timestamp, Option<LineId>)> {
    let (hour, rest) = sk.split_once('#')?;
    let (line, _) = rest.split_once('#')?;
    let at = format!("{hour}:00:00Z").parse().ok()?;
    Some((at, line_at(line)?))
}

/// The beginning of an hour.
pub(crate) fn hour_of(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(3600)).unwrap_or(at)
}

/// Progress of rolling up a tenant's hours.
pub(crate) fn rolled_hours(scope: &TenantScope) -> Key {
    Key::new(hours_partition(scope), "ROLLED")
}

/// The subject of a day's counts: all lines, or one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DayOf {
    All,
    Line(Option<LineId>),
}

/// Prefix of the sort keys of days of lines.
pub(crate) const DAYS_OF_LINES: &str = "LINE#";

const DAYS_OF_ALL: &str = "ALL#";

/// The partition of the days of a month.
pub(crate) fn days_partition(scope: &TenantScope, month: Date) -> String {
    format!("{}#STATS#{}", tenant_partition(scope), month.strftime("%Y-%m"))
}

pub(crate) fn counted_day(scope: &TenantScope, of: DayOf, day: Date) -> Key {
    Key::new(days_partition(scope, day), day_place(of, day))
}

pub(crate) fn day_place(of: DayOf, day: Date) -> String {
    match of {
        DayOf::All => format!("{DAYS_OF_ALL}{day}"),
        DayOf::Line(line) => format!("{DAYS_OF_LINES}{}#{day}", line_place(line)),
    }
}

/// Line and day of a row of [`days_partition`].
pub(crate) fn counted_day_at(sk: &str) -> Option<(DayOf, Date)> {
    if let Some(day) = sk.strip_prefix(DAYS_OF_ALL) {
        return Some((DayOf::All, day.parse().ok()?));
    }
    let (line, day) = sk.strip_prefix(DAYS_OF_LINES)?.split_once('#')?;
    Some((DayOf::Line(line_at(line)?), day.parse().ok()?))
}

/// The partition of what is counted for templates.
pub(crate) fn template_days_partition(scope: &TenantScope) -> String {
    format!("{}#STATS#TEMPLATES", tenant_partition(scope))
}

/// The counts of a stream shard on a day for a content of a template.
pub(crate) fn template_day(scope: &TenantScope, of: &TemplateEdition, day: Date, shard: &str) -> Key {
    let place = template_day_place(&of.template, day);
    Key::new(
        template_days_partition(scope),
        format!("{place}#{}#{shard}", of.edition),
    )
}

/// Begins like no template's own row, which the filter of the stream admits.
const DAYS_OF_TEMPLATES: &str = "TEMPLATE#";

/// Beginning of the sort keys of a template's day: before all of its rows, and after those of the days before.
pub(crate) fn template_day_place(template: &TemplateId, day: Date) -> String {
    format!("{DAYS_OF_TEMPLATES}{}#{day}", template.row_id())
}

/// Edition and day of a row of a template.
pub(crate) fn counted_template_day(template: &TemplateId, sk: &str) -> Option<(u32, Date)> {
    let rest = sk.strip_prefix(DAYS_OF_TEMPLATES)?;
    let rest = rest.strip_prefix(&template.row_id())?.strip_prefix('#')?;
    let (day, rest) = rest.split_once('#')?;
    let (edition, _) = rest.split_once('#')?;
    Some((edition.parse().ok()?, day.parse().ok()?))
}
