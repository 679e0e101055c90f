//! Values in cells: e-mail addresses, numbers, dates, yes and no, amounts of money. Errors are sentences that say what is wrong and what
//! to do. Telephone numbers have their own module.

use domain::money::{Currency, Price};
use domain::people::{Number, Said};
use domain::terms::{Email, Language, fold};
use jiff::civil::Date;

use crate::mapping::{DateOrder, DecimalSign};
use crate::record::excerpt;
use crate::words::{AGREED, LANGUAGES, MONTHS, NO, NOT_AGREED, UNDECIDED, UNSUBSCRIBED, YES, comparable_name};

/// The text in the characters that parsers expect: digits and signs of Arabic, Persian and full width as ASCII, all blanks as
/// spaces, and no characters without width or of the shape of a key, which other programs add to numbers.
pub(crate) fn plain(text: &str) -> String {
    let digit = |sign: char, zero: char| char::from_digit(u32::from(sign) - u32::from(zero), 10).unwrap_or(sign);
    let signs = text.trim().chars().filter_map(|sign| match sign {
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{61c}' | '\u{feff}' => None,
        '\u{ad}' | '\u{34f}' | '\u{180b}'..='\u{180e}' | '\u{20e3}' | '\u{fe00}'..='\u{fe0f}' => None,
        '٠'..='٩' => Some(digit(sign, '٠')),
        '۰'..='۹' => Some(digit(sign, '۰')),
        '０'..='９' => Some(digit(sign, '０')),
        '＋' => Some('+'),
        '٫' => Some('.'),
        '\u{2010}'..='\u{2015}' | '−' | '－' => Some('-'),
        blank if blank.is_whitespace() => Some(' '),
        other => Some(other),
    });
    let text: String = signs.collect();
    text.trim().to_owned()
}

/// The error of a cell.
pub(crate) fn wrong<T>(cell: &str, detail: &str) -> Result<T, String> {
    Err(format!("“{}” {detail}", excerpt(cell)))
}

/// Whether Excel has written a number with an exponent, such as 9.71501E+11.
pub(crate) fn is_shortened(text: &str) -> bool {
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let digit = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, rest) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    digit(whole.trim_start_matches(['+', '-'])) && digit(rest) && digit(exponent.trim_start_matches(['+', '-']))
}

pub(crate) const SHORTENED: &str = "is a number that a spreadsheet program has shortened, and digits are lost. Format the column as text there, \
                         enter the numbers again and export the table once more.";

/// An e-mail address, also as `Maya <maya@example.com>`.
pub(crate) fn email(cell: &str) -> Result<Email, String> {
    let text = plain(cell);
    let text = match text.split_once('<') {
        Some((_, address)) => address.trim_end().trim_end_matches('>'),
        None => &text,
    };
    let mailto = text.get(..7).filter(|start| start.eq_ignore_ascii_case("mailto:"));
    let text = mailto.map_or(text, |start| &text[start.len()..]);
    let email = text.parse();
    email.or_else(|_| {
        wrong(
            cell,
            "is not an e-mail address. Write it as name@example.com, in ASCII letters.",
        )
    })
}

/// The digits of a number with a decimal point, by the decimal sign. Thousands may be separated.
fn decimal(text: &str, sign: DecimalSign) -> Option<String> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let point = match (text.rfind('.'), text.rfind(',')) {
        (None, None) => None,
        // The last one of both is the decimal sign.
        (Some(point), Some(comma)) => Some(point.max(comma)),
        (Some(only), None) | (None, Some(only)) => {
            let own = if text[only..].starts_with('.') {
                DecimalSign::Point
            } else {
                DecimalSign::Comma
            };
            // Of 1.500 and 1,500, the mapping says which is 1500. 1,5 can only be one and a half, and 1.500.000 only a million
            // and a half.
            let single = text.find(['.', ',']) == Some(only);
            (!is_grouped(text) || (single && own == sign)).then_some(only)
        }
    };
    let (whole, places) = match point {
        Some(point) => (&text[..point], Some(&text[point + 1..])),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) && !is_grouped(whole) {
        return None;
    }
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    match places {
        None => Some(format!("{negative}{whole}")),
        Some(places) => digits(places).then(|| format!("{negative}{whole}.{places}")),
    }
}

/// Whether a text has digits in groups of three, with one kind of sign between them.
fn is_grouped(text: &str) -> bool {
    let Some(sign) = text.chars().find(|sign| [',', '.', ' ', '\'', '’', '٬'].contains(sign)) else {
        return false;
    };
    let mut groups = text.split(sign);
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len()) && digits(first) && groups.all(|group| group.len() == 3 && digits(group))
}

pub(crate) fn number(cell: &str, sign: DecimalSign) -> Result<Number, String> {
    let text = plain(cell);
    if is_shortened(&text) {
        return wrong(cell, SHORTENED);
    }
    let number = decimal(&text, sign).and_then(|digits| digits.parse().ok());
    let detail =
        "is not a number that a field can have. Write digits, such as 1500 or 12.5, with at most 4 decimal places.";
    number.map_or_else(|| wrong(cell, detail), Ok)
}

/// A day: 2026-11-20, 20.11.2026, or 20/11/2026 by the order. A time behind it is left out.
pub(crate) fn date(cell: &str, order: DateOrder) -> Result<Date, String> {
    let wrong = |detail| wrong(cell, detail);
    let text = plain(cell);
    if let Some((year, month, day)) = with_a_months_name(&text) {
        return Date::new(year, month, day).or_else(|_| wrong("is not a day of the calendar. Write it as 2026-11-20."));
    }
    let day = text.split(['T', ' ']).next().unwrap_or_default();
    if !day.is_empty() && day.bytes().all(|byte| byte.is_ascii_digit()) {
        return wrong(
            "is a number instead of a date. Format the column as a date in the spreadsheet program, and export it again.",
        );
    }
    let sign = day.chars().find(|sign| ['-', '.', '/'].contains(sign));
    let parts: Vec<&str> = sign.map(|sign| day.split(sign).collect()).unwrap_or_default();
    let digits = |part: &&str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let known: Option<[&str; 3]> = parts
        .try_into()
        .ok()
        .filter(|parts: &[&str; 3]| parts.iter().all(digits));
    let Some([first, second, third]) = known else {
        return wrong("is not a date. Write it as 2026-11-20.");
    };
    let (year, month, day) = if first.len() == 4 {
        (first, second, third)
    } else if third.len() != 4 {
        return wrong("has a year without its century. Write it as 2026-11-20.");
    } else if sign == Some('.') || order == DateOrder::DayFirst {
        (third, second, first)
    } else {
        (third, first, second)
    };
    let date = || Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok();
    match date() {
        Some(date) if date.year() >= 1 => Ok(date),
        _ => wrong("is not a day of the calendar. Check it and the order of day and month, or write it as 2026-11-20."),
    }
}

/// Year, month and day of a date with the name of its month: 05-Mar-2024, March 5, 2024.
fn with_a_months_name(text: &str) -> Option<(i16, i8, i8)> {
    let mut parts = text
        .split(|sign: char| !sign.is_alphanumeric())
        .filter(|part| !part.is_empty());
    let parts = [parts.next()?, parts.next()?, parts.next()?];
    let name = parts.iter().position(|part| part.chars().all(char::is_alphabetic))?;
    let named = fold(parts[name]);
    let month = MONTHS
        .iter()
        .position(|(short, whole, arabic)| [*short, *whole, *arabic].contains(&named.as_str()))?;
    let day = *parts.get(usize::from(name == 0))?;
    let year = parts[2];
    (name < 2 && year.len() == 4).then_some(())?;
    Some((year.parse().ok()?, i8::try_from(month + 1).ok()?, day.parse().ok()?))
}

/// Yes or no in one of several languages.
pub(crate) fn yes_no(cell: &str) -> Result<bool, String> {
    let word = fold(&plain(cell));
    match (YES.contains(&word.as_str()), NO.contains(&word.as_str())) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => wrong(cell, "is neither yes nor no. Write yes or no."),
    }
}

/// Reads a cell of consent; `None`: nothing. `opts_out`: whether a yes refuses messages. Words such as "subscribed"
/// mean the same in every column.
pub(crate) fn stated_consent(cell: &str, opts_out: bool) -> Result<Option<Said>, String> {
    let word = comparable_name(&plain(cell));
    let is = |words: &[&str]| words.contains(&word.as_str());
    if is(UNSUBSCRIBED) {
        return Ok(Some(Said::Unsubscribed));
    }
    if is(UNDECIDED) {
        return Ok(Some(Said::Unknown));
    }
    let agreed = is(AGREED);
    let yes = agreed || !is(NOT_AGREED) && yes_no(cell).or_else(|_| wrong(cell, SAYS_NOTHING))?;
    Ok(match (opts_out, yes) {
        (false, true) => Some(Said::Yes),
        (false, false) => Some(Said::No),
        (true, true) if !agreed => Some(Said::Unsubscribed),
        (true, _) => None,
    })
}

const SAYS_NOTHING: &str = "says neither who agreed nor who did not. Write yes, no or unsubscribed.";

/// A language by its tag or its name.
pub(crate) fn language(cell: &str) -> Result<Language, String> {
    let text = plain(cell);
    let name = fold(&text);
    let named = LANGUAGES.iter().find(|(names, _)| names.contains(&name.as_str()));
    let tag = named.map_or_else(|| text.replace('_', "-"), |(_, tag)| (*tag).to_owned());
    let language = tag.parse();
    language.or_else(|_| wrong(cell, "is not a language. Write its code, such as en or ar-AE."))
}

/// An amount of money, with or without its currency.
pub(crate) fn price(cell: &str, usual: Option<&Currency>, sign: DecimalSign) -> Result<Price, String> {
    let wrong = |detail| wrong(cell, detail);
    let text = plain(cell).replace('€', "EUR").replace('£', "GBP");
    let is_letter = |sign: char| sign.is_ascii_alphabetic();
    let code: String = text.chars().filter(|sign| is_letter(*sign)).collect();
    let currency = if code.is_empty() {
        usual.cloned()
    } else {
        code.to_ascii_uppercase().parse().ok()
    };
    let Some(currency) = currency else {
        return wrong("has no currency. Write its code, such as 1500 AED, or choose the currency of the column.");
    };
    // Letters between digits leave something that is no number.
    let digits = text.trim_start_matches(is_letter).trim_end_matches(is_letter).trim();
    let Some(digits) = decimal(digits, sign).filter(|digits| !digits.starts_with('-')) else {
        return wrong("is not an amount of money. Write digits, such as 1500 or 12.50.");
    };
    let (whole, places) = digits.split_once('.').unwrap_or((&digits, ""));
    let places = places.trim_end_matches('0');
    let most = currency.decimal_places();
    if places.len() > most {
        return wrong("has more decimal places than its currency. Round it.");
    }
    let amount = format!("{whole}{places:0<most$}").parse().ok();
    match amount.filter(|amount| *amount <= Price::MAX) {
        Some(amount) => Ok(Price { amount, currency }),
        None => wrong("is too large an amount of money. Write a smaller one."),
    }
}

/// Whether a cell looks like a telephone number, whatever the country.
pub(crate) fn is_like_a_phone(cell: &str) -> bool {
    let text = plain(cell);
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let signs = |sign: char| sign.is_ascii_digit() || "+ -.()/'".contains(sign);
    let formed = text.chars().all(signs) && (7..=17).contains(&digits) && date(cell, DateOrder::DayFirst).is_err();
    // Numbers that are counted or paid have decimal places, and no zero or plus at the beginning.
    let begun = text.starts_with(['+', '0', '(', '\'']) || digits >= 9;
    formed && begun && !text.contains("..") && decimal(&text, DecimalSign::Point).is_none_or(|text| !text.contains('.'))
}

/// Whether a cell in a column for telephone numbers may have some: several ones, or wrong ones.
pub(crate) fn may_be_phones(cell: &str) -> bool {
    let text = plain(cell);
    is_shortened(&text) || text.bytes().filter(u8::is_ascii_digit).count() >= 6
}

/// Whether a cell looks like an e-mail address.
pub(crate) fn is_like_an_email(cell: &str) -> bool {
    email(cell).is_ok()
}

/// Whether a cell has a value rather than a name of a column: a number, a date, a telephone number, an e-mail address.
pub(crate) fn is_a_value(cell: &str) -> bool {
    let text = plain(cell);
    let number = decimal(&text, DecimalSign::Point).is_some() || is_shortened(&text);
    number || is_like_a_phone(cell) || is_like_an_email(cell) || date(cell, DateOrder::DayFirst).is_ok()
}

/// The decimal sign that a number shows by itself, if it does.
pub(crate) fn shown_decimal_sign(cell: &str) -> Option<DecimalSign> {
    let text = plain(cell);
    let text = text.trim_start_matches(['-', '+']);
    let point = decimal(text, DecimalSign::Point)?;
    let comma = decimal(text, DecimalSign::Comma)?;
    (point == comma && point.contains('.')).then(|| {
        let comma = text.rfind(',') > text.rfind('.');
        if comma { DecimalSign::Comma } else { DecimalSign::Point }
    })
}

/// The order of day and month that a date shows by itself, if it does.
pub(crate) fn shown_date_order(cell: &str) -> Option<DateOrder> {
    let is_day = |order| date(cell, order).is_ok();
    match (is_day(DateOrder::DayFirst), is_day(DateOrder::MonthFirst)) {
        (true, false) => Some(DateOrder::DayFirst),
        (false, true) => Some(DateOrder::MonthFirst),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_comma_or_a_point() {
        use DecimalSign::{Comma, Point};
        for (cell, sign, expected) in [
            ("1500", Point, "1500"),
            ("1,5", Point, "1.5"),
            ("1.5", Comma, "1.5"),
            ("1,500", Point, "1500"),
            ("1,500", Comma, "1.5"),
            ("1.500", Comma, "1500"),
            ("1.500", Point, "1.5"),
            ("1.500.000", Point, "1500000"),
            ("1.234.567,89", Point, "1234567.89"),
            ("1,234,567.89", Comma, "1234567.89"),
            ("1 234 567", Point, "1234567"),
            ("1\u{a0}234,5", Point, "1234.5"),
            ("1'234.5", Point, "1234.5"),
            ("-12,25", Point, "-12.25"),
            ("١٢٫٥", Point, "12.5"),
            ("−3", Point, "-3"),
        ] {
            let found = number(cell, sign).map(|number| number.to_string());
            assert_eq!(found.as_deref(), Ok(expected), "{cell} {sign:?}");
        }
        for cell in "|a|1,2,3|1.2.3|12a|1e5|,5|5,|--1|1,23,456|1 2".split('|') {
            assert!(number(cell, Point).is_err(), "{cell}");
        }
        assert_eq!(shown_decimal_sign("1,5"), Some(Comma));
        assert_eq!(shown_decimal_sign("1,234.5"), Some(Point));
        assert_eq!(shown_decimal_sign("1,500"), None);
        assert_eq!(shown_decimal_sign("15"), None);
    }

    #[test]
    fn dates_have_an_order() {
        use DateOrder::{DayFirst, MonthFirst};
        for (cell, order, expected) in [
            ("2026-11-20", DayFirst, "2026-11-20"),
            ("2026/11/20", MonthFirst, "2026-11-20"),
            ("2026-11-20T10:00:00Z", DayFirst, "2026-11-20"),
            ("2026-11-20 10:00", DayFirst, "2026-11-20"),
            ("3.4.2026", MonthFirst, "2026-04-03"),
            ("03/04/2026", DayFirst, "2026-04-03"),
            ("03/04/2026", MonthFirst, "2026-03-04"),
            ("03-04-2026", MonthFirst, "2026-03-04"),
            ("٢٠/١١/٢٠٢٦", DayFirst, "2026-11-20"),
        ] {
            let found = date(cell, order).map(|date| date.to_string());
            assert_eq!(found.as_deref(), Ok(expected), "{cell} {order:?}");
        }
        for (cell, expected) in [
            ("20.11.26", "century"),
            ("46346", "number"),
            ("11/20/2026", "calendar"),
            ("2026-02-30", "calendar"),
            ("0000-01-01", "calendar"),
            ("yesterday", "not a date"),
            ("2026-11", "not a date"),
            ("", "not a date"),
        ] {
            let detail = date(cell, DayFirst).unwrap_err();
            assert!(detail.contains(expected), "{cell}: {detail}");
        }
        assert_eq!(shown_date_order("11/20/2026"), Some(MonthFirst));
        assert_eq!(shown_date_order("20/11/2026"), Some(DayFirst));
        assert_eq!(shown_date_order("03/04/2026"), None);
    }

    #[test]
    fn yes_and_no_have_many_words() {
        for cell in ["yes", "Y", "TRUE", "1", "ja", "Oui", "Sí", "نعم", "x", "✓"] {
            assert_eq!(yes_no(cell), Ok(true), "{cell}");
        }
        for cell in ["no", "N", "false", "0", "Nein", "non", "لا"] {
            assert_eq!(yes_no(cell), Ok(false), "{cell}");
        }
        for cell in ["", "maybe", "2"] {
            assert!(yes_no(cell).is_err(), "{cell}");
        }
    }

    #[test]
    fn consent_is_said_in_words_of_many_programs() {
        use Said::{No, Unknown, Unsubscribed, Yes};
        for (cells, expected, where_yes_refuses) in [
            ("SUBSCRIBED|Opted in|opted_in|OPT-IN|Confirmed", Some(Yes), None),
            ("yes|TRUE|1|نعم|✓", Some(Yes), Some(Unsubscribed)),
            ("no|FALSE|0|-|لا|denied|NOT_SUBSCRIBED|Not opted in", Some(No), None),
            (
                "UNSUBSCRIBED|opted out|OPTED_OUT|opt-out|Cleaned|Blocklisted|ملغي الاشتراك",
                Some(Unsubscribed),
                Some(Unsubscribed),
            ),
            (
                "never|NEVER_SUBSCRIBED|Pending|unknown|Not specified|Unconfirmed",
                Some(Unknown),
                Some(Unknown),
            ),
        ] {
            for cell in cells.split('|') {
                assert_eq!(stated_consent(cell, false), Ok(expected), "{cell}");
                assert_eq!(stated_consent(cell, true), Ok(where_yes_refuses), "{cell}");
            }
        }
        for cell in ["maybe", "2026-11-20", "+971501234567"] {
            assert!(stated_consent(cell, false).is_err(), "{cell}");
        }
    }

    #[test]
    fn amounts_have_the_places_of_their_currency() {
        let aed: Currency = "AED".parse().unwrap();
        let read = |cell: &str| price(cell, Some(&aed), DecimalSign::Point).map(|price| price.to_string());
        for (cell, expected) in [
            ("5000", "5000.00 AED"),
            ("5,000.50", "5000.50 AED"),
            ("AED 12.5", "12.50 AED"),
            ("12.50 eur", "12.50 EUR"),
            ("€ 1.234,50", "1234.50 EUR"),
            ("1500 JPY", "1500 JPY"),
            ("1.250 KWD", "1.250 KWD"),
            ("12.500", "12.50 AED"),
        ] {
            assert_eq!(read(cell).as_deref(), Ok(expected), "{cell}");
        }
        for cell in "|AED|-5|5.005|1.5 JPY|5 dollars|1AED2|99999999999999999999".split('|') {
            assert!(read(cell).is_err(), "{cell}");
        }
        assert!(price("5", None, DecimalSign::Point).unwrap_err().contains("currency"));
    }

    #[test]
    fn languages_have_names_and_tags() {
        let known = [
            ("en", "en"),
            ("ar_AE", "ar-AE"),
            ("English", "en"),
            ("العربية", "ar"),
            ("Deutsch", "de"),
        ];
        for (cell, expected) in known {
            assert_eq!(language(cell).unwrap().as_str(), expected, "{cell}");
        }
        assert!(language("the usual one").is_err());
    }

    #[test]
    fn addresses_are_found_in_their_usual_spellings() {
        for cell in "maya@example.com| MAYA@example.com|Maya <maya@example.com>|mailto:maya@example.com".split('|') {
            assert_eq!(email(cell).unwrap().as_str(), "maya@example.com", "{cell}");
        }
        assert!(email("maya@example").unwrap_err().contains("name@example.com"));
        assert!(email("ééé").is_err());
    }

    #[test]
    fn values_look_like_what_they_are() {
        for cell in "+971501234567|050 123 4567|(212) 555-0100|971501234567|٠٥٠١٢٣٤٥٦٧".split('|') {
            assert!(is_like_a_phone(cell), "{cell}");
        }
        for cell in "|12|2026-11-20|20.11.2026|1500000|12.50|Maya|AE123456789|123456789.5".split('|') {
            assert!(!is_like_a_phone(cell), "{cell}");
        }
        for cell in ["Phone", "Name", "Address 2", "E-Mail", "الاسم", ""] {
            assert!(!is_a_value(cell), "{cell}");
        }
        for cell in ["12", "1,5", "a@b.example", "2026-11-20", "+971501234567", "9.71E+11"] {
            assert!(is_a_value(cell), "{cell}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_cell_has_a_value_or_a_short_sentence(
            cell in proptest::prop_oneof!["\\PC{0,80}", "[-0-9+()., /eExX#'٠-٩]{0,60}", "(\\+|00)?[0-9]{0,22}"],
        ) {
            let details = [
                email(&cell).err(),
                number(&cell, DecimalSign::Comma).err(),
                date(&cell, DateOrder::MonthFirst).err(),
                yes_no(&cell).err(),
                stated_consent(&cell, true).err(),
                language(&cell).err(),
                price(&cell, "AED".parse().ok().as_ref(), DecimalSign::Point).err(),
            ];
            for detail in details.into_iter().flatten() {
                proptest::prop_assert!(detail.chars().count() <= 260, "{}", detail);
            }
            let _ = (is_a_value(&cell), shown_decimal_sign(&cell), shown_date_order(&cell));
        }
    }
}
