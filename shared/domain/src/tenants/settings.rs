//! Limits of a tenant's settings, and sentences about violations, by field.

use std::str::FromStr;

use serde::Serialize;

use crate::money::Cap;
use crate::tenants::{BusinessHours, Retention, Span, Tenant, wrong_beginning};
use crate::terms::{Fault, FaultCode, FieldProblem, Findings, MAX_NAME_LENGTH, check_line, is_language};

/// Maximum languages of a tenant's customers.
pub const MAX_LANGUAGES: usize = 20;
/// Maximum words of each kind per tenant.
pub const MAX_WORDS: usize = 50;
/// Maximum characters of a stop or start word.
pub const MAX_WORD_LENGTH: usize = 50;
/// Maximum variables of a tenant for its templates.
pub const MAX_VARIABLES: usize = 50;
/// Maximum length of a variable's name in characters.
pub const MAX_VARIABLE_NAME_LENGTH: usize = 40;
/// Maximum length of a value in characters: a template's body has 1,024.
pub const MAX_VARIABLE_LENGTH: usize = 500;
/// Maximum calling codes with a zone of their own.
pub const MAX_ZONES: usize = 50;

/// ISO 3166-1's officially assigned codes, of two letters.
#[rustfmt::skip]
const REGIONS: &str = "\
 AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD \
 CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF \
 GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN \
 KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
 NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI \
 SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI \
 VN VU WF WS YE YT ZA ZM ZW ";

/// Whether it is the code of a country, in capitals.
pub fn is_region(code: &str) -> bool {
    !code.is_empty() && REGIONS.split(' ').any(|region| region == code)
}

/// A country, by its ISO 3166 code in capitals.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Region(String);

shown_as!(Region, {
    "type": "string",
    "description": "ISO 3166 code of a country.",
    "enum": REGIONS.split_whitespace().collect::<Vec<_>>(),
    "examples": ["AE"],
});

/// A text that is not the code of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the ISO 3166 code of a country, such as AE")]
pub struct UnknownRegion;

impl Region {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(text: &str) -> Result<Self, UnknownRegion> {
        is_region(text).then(|| Self(text.to_owned())).ok_or(UnknownRegion)
    }
}

parsed!(Region, "region", "AE");

/// The problem with a text that must be one line of at most this many visible characters, if there is one.
pub fn line_problem(text: &str, longest: usize) -> Option<Fault> {
    let detail = || format!("Expected one line of 1 to {longest} characters, none of them invisible.");
    let length = text.chars().count();
    if length > longest {
        return Some(Fault::length(length, 1, longest, detail()));
    }
    check_line(text).err().map(|wrong| wrong.fault_with(detail()))
}

impl Tenant {
    /// Problems by field. Empty: none.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut found = Findings(Vec::new());
        if let Some(problem) = line_problem(&self.name, MAX_NAME_LENGTH) {
            found.add("name", problem);
        }
        if let Some(region) = &self.default_region
            && !is_region(region)
        {
            let detail = "Expected the ISO 3166 code of a country, such as AE.";
            found.add("default_region", Fault::format("country", "AE", detail));
        }
        if found.at_most("languages", self.languages.len(), MAX_LANGUAGES) {
            for (index, tag) in self.languages.iter().enumerate() {
                if !is_language(tag) {
                    let detail = "Expected a language tag such as en, ar or pt-BR.";
                    let fault = Fault::format("language", "pt-BR", detail);
                    found.add(format!("languages[{index}]"), fault);
                }
            }
        }
        self.hours(&mut found);
        for (field, words) in [("stop_words", &self.stop_words), ("start_words", &self.start_words)] {
            if !found.at_most(field, words.len(), MAX_WORDS) {
                continue;
            }
            for (index, word) in words.iter().enumerate() {
                if let Some(problem) = line_problem(word, MAX_WORD_LENGTH) {
                    found.add(format!("{field}[{index}]"), problem);
                }
            }
        }
        if found.at_most("recipient_zones", self.recipient_zones.len(), MAX_ZONES) {
            for code in self.recipient_zones.keys() {
                if let Some(detail) = wrong_beginning(code) {
                    found.add("recipient_zones", Fault::format("calling_code", "+1604", detail));
                }
            }
        }
        for (index, cap) in self.caps.iter().flat_map(|caps| caps.iter()).enumerate() {
            let earlier = || self.caps.iter().flat_map(|caps| caps.iter()).take(index);
            let is_known = |other: &Cap| other.name() == cap.name() || other.number == cap.number;
            if cap.is_of_plan() || earlier().any(is_known) {
                let detail = "Another cap has this number, or this period, place, purpose and currency.";
                found.add(format!("caps[{index}]"), Fault::new(FaultCode::GivenTwice, detail));
            }
        }
        self.branding(&mut found);
        if let Some(answers) = &self.answers {
            answers.review(&mut found);
        }
        if let Some(retention) = &self.retention {
            for (field, days) in [
                ("retention.calls_days", retention.calls_days),
                ("retention.messages_days", retention.messages_days),
            ] {
                if !(Retention::FEWEST_DAYS..=Retention::MAX_DAYS).contains(&days) {
                    let (fewest, most) = (Retention::FEWEST_DAYS, Retention::MAX_DAYS);
                    let detail = format!("Expected {fewest} to {most} days.");
                    found.add(field, Fault::out_of_range(fewest, most, detail));
                }
            }
        }
        found.0
    }

    fn hours(&self, found: &mut Findings) {
        if let Some(hours) = &self.business_hours {
            found.0.extend(hours.problems("business_hours"));
        }
        if let Some(problem) = self.quiet_hours.and_then(|quiet| quiet.problem()) {
            found.add("quiet_hours.to", problem);
        }
        for (index, holiday) in self.holidays.iter().enumerate() {
            if holiday.to.is_some_and(|to| to < holiday.from) {
                let ends = format!("A holiday from {} ends before it begins.", holiday.from);
                let fault = Fault::new(FaultCode::WrongOrder, ends).and("other", "from");
                found.add(format!("holidays[{index}].to"), fault);
            }
            spans_of(&format!("holidays[{index}].hours"), &holiday.hours, found);
        }
    }

    fn branding(&self, found: &mut Findings) {
        if !found.at_most("variables", self.variables.len(), MAX_VARIABLES) {
            return;
        }
        for (name, value) in &self.variables {
            let field = format!("variables.{name}");
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            let named = (1..=MAX_VARIABLE_NAME_LENGTH).contains(&name.len()) && name.bytes().all(plain);
            if !named || !name.starts_with(|first: char| first.is_ascii_lowercase()) {
                let bounds = format!(
                    "{name:?} is not a valid name: expected lower-case letters, digits and _, at most {MAX_VARIABLE_NAME_LENGTH}."
                );
                found.add("variables", Fault::format("variable", "phone", bounds));
            } else if let Some(problem) = line_problem(value, MAX_VARIABLE_LENGTH) {
                found.add(field, problem);
            } else if value.contains("    ") {
                let detail = "It has four spaces in a row, which WhatsApp refuses in a template's value.";
                found.add(field, Fault::new(FaultCode::Format, detail));
            }
        }
    }
}

/// Only the last span of a day may cross midnight, and none may begin before the one before it ends.
fn spans_of(field: &str, spans: &[Span], found: &mut Findings) {
    let mut sorted: Vec<&Span> = spans.iter().collect();
    sorted.sort_by_key(|span| span.from);
    let overlaps = sorted.windows(2).any(|pair| {
        let crosses = pair[0].to <= pair[0].from;
        crosses || pair[1].from < pair[0].to
    });
    if overlaps {
        found.add(field, Fault::new(FaultCode::Overlaps, "These hours overlap."));
    }
}

impl BusinessHours {
    /// All days, by their names.
    pub fn days(&self) -> [(&'static str, &[Span]); 7] {
        [
            ("monday", &self.monday),
            ("tuesday", &self.tuesday),
            ("wednesday", &self.wednesday),
            ("thursday", &self.thursday),
            ("friday", &self.friday),
            ("saturday", &self.saturday),
            ("sunday", &self.sunday),
        ]
    }

    /// Problems by field, below `field`. Empty: none.
    pub fn problems(&self, field: &str) -> Vec<FieldProblem> {
        let mut found = Findings(Vec::new());
        for (day, spans) in self.days() {
            spans_of(&format!("{field}.{day}"), spans, &mut found);
        }
        found.0
    }

    /// Whether it is closed for the whole week.
    pub fn is_never(&self) -> bool {
        self.days().iter().all(|(_, spans)| spans.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn fields(change: impl FnOnce(&mut Tenant)) -> Vec<String> {
        let mut tenant = samples::tenant();
        change(&mut tenant);
        tenant.problems().into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn violated_limit_is_named_by_its_field() {
        let none: [&str; 0] = [];
        assert_eq!(fields(|_| ()), none);
        assert_eq!(fields(|tenant| tenant.name = " ".to_owned()), ["name"]);
        assert_eq!(fields(|tenant| tenant.name = "a\nb".to_owned()), ["name"]);
        assert_eq!(
            fields(|tenant| tenant.default_region = Some("UK".to_owned())),
            ["default_region"]
        );
        assert_eq!(
            fields(|tenant| tenant.languages = vec!["en".to_owned(), "english".to_owned()]),
            ["languages[1]"]
        );
        let holiday = tenant_holiday("2026-12-03", "2026-12-02");
        assert_eq!(
            fields(|tenant| tenant.holidays = vec![holiday.clone()].into()),
            ["holidays[0].to"]
        );
        assert_eq!(
            fields(|tenant| tenant.stop_words = vec!["x".repeat(51)]),
            ["stop_words[0]"]
        );
        let quiet = |from: &str, to: &str| {
            fields(|tenant| {
                let quiet = tenant.quiet_hours.as_mut().unwrap();
                (quiet.from, quiet.to) = (from.parse().unwrap(), to.parse().unwrap());
            })
        };
        assert_eq!(quiet("21:00", "08:00"), none);
        assert_eq!(quiet("21:00", "21:00"), ["quiet_hours.to"]);
        assert_eq!(quiet("00:00", "00:00"), ["quiet_hours.to"]);
        let value = |name: &str, value: &str| {
            let (name, value) = (name.to_owned(), value.to_owned());
            fields(|tenant| {
                tenant.variables.insert(name, value);
            })
        };
        assert_eq!(value("Phone", "1"), ["variables"]);
        assert_eq!(value("phone", ""), ["variables.phone"]);
        assert_eq!(value("phone", "a    b"), ["variables.phone"]);
        let keep = |calls_days, messages_days| {
            fields(|tenant| {
                tenant.retention = Some(Retention {
                    calls_days,
                    messages_days,
                });
            })
        };
        assert_eq!(keep(30, 3_650), none);
        assert_eq!(keep(29, 3_651), ["retention.calls_days", "retention.messages_days"]);
    }

    fn tenant_holiday(from: &str, to: &str) -> crate::tenants::Holiday {
        crate::tenants::Holiday {
            from: from.parse().unwrap(),
            to: Some(to.parse().unwrap()),
            name: None,
            hours: Vec::new().into(),
        }
    }

    #[test]
    fn hours_may_not_overlap_and_the_last_may_cross_midnight() {
        let monday = |spans: &[(&str, &str)]| {
            fields(|tenant| {
                let spans = spans.iter().map(|(from, to)| Span {
                    from: from.parse().unwrap(),
                    to: to.parse().unwrap(),
                });
                let hours = tenant.business_hours.get_or_insert_default();
                hours.monday = spans.collect::<Vec<_>>().into();
            })
        };
        let none: [&str; 0] = [];
        assert_eq!(monday(&[("16:00", "02:00"), ("09:00", "13:00")]), none);
        assert_eq!(monday(&[("00:00", "00:00")]), none);
        assert_eq!(
            monday(&[("09:00", "13:00"), ("12:59", "14:00")]),
            ["business_hours.monday"]
        );
        assert_eq!(
            monday(&[("09:00", "08:00"), ("12:00", "14:00")]),
            ["business_hours.monday"]
        );
    }

    #[test]
    fn a_region_is_one_of_the_assigned_codes() {
        assert!(is_region("AE") && is_region("ZW") && is_region("AD") && is_region("GB"));
        for bad in ["", "ae", "UK", "A", "AEX", "  ", "A ", "ZZ"] {
            assert!(!is_region(bad), "{bad}");
        }
    }
}
