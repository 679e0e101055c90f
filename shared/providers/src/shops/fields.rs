//! Fields of orders as shops write them.

use domain::money::Currency;
use domain::people::{Amount, MAX_ORDER_ITEMS, OrderItem};
use domain::terms::{OneLine, Phone, UpTo, Whole, visible_text};
use serde_json::Value;

/// A text that says something.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value[field].as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// A text for people, cut to fit.
pub(super) fn line<const MAX: usize>(text: &str) -> Option<OneLine<1, MAX>> {
    let shown: String = visible_text(&text.replace(['\n', '\r', '\t'], " "))
        .chars()
        .take(MAX)
        .collect();
    shown.parse().ok()
}

/// An id that is a number.
pub(super) fn id<const MAX: usize>(body: &Value, field: &str) -> Option<OneLine<1, MAX>> {
    body[field].as_u64()?.to_string().parse().ok()
}

/// The telephone number of an address or a person. A national number is one of the country, also of a range that is not known yet: whoever
/// ordered named both.
pub(super) fn phone(place: &Value, country: Option<&str>) -> Option<Phone> {
    let found = sheet::phone::read(text(place, "phone")?, country, &|| country.is_some()).ok()?;
    Some(found.phone)
}

/// A first and a last name.
pub(super) fn name<const MAX: usize>(place: &Value) -> Option<OneLine<1, MAX>> {
    let parts = ["first_name", "last_name"].map(|part| text(place, part));
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    line(&parts.join(" "))
}

/// The first items, and the number of the others.
pub(super) fn first_items(mut all: Vec<OrderItem>) -> (UpTo<MAX_ORDER_ITEMS, OrderItem>, Option<Whole<1, 100_000>>) {
    let more = all.len().saturating_sub(MAX_ORDER_ITEMS);
    all.truncate(MAX_ORDER_ITEMS);
    let more = (more > 0).then(|| Whole::nearest(u32::try_from(more).unwrap_or(u32::MAX)));
    (UpTo::from(all), more)
}

/// An amount with a decimal point, such as `53.90`. `None` if it is no amount of the currency: nothing is rounded.
pub(super) fn amount(text: &str, currency: &Currency) -> Option<Amount> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let places = currency.decimal_places();
    let (kept, rest) = fraction.split_at_checked(places).unwrap_or((fraction, ""));
    let is_exact = rest.bytes().all(|digit| digit == b'0');
    let digits = format!("{whole}{kept:0<places$}");
    let plain = is_exact && !whole.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    Amount::new(plain.then(|| digits.parse().ok())??)
}
